"""``bench serve``, ``bench workspace`` and ``bench vot``: beside the VOT challenge's toolkit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal

import typer

from bench.cli import options
from bench.errors import TrackerError

Idle = Annotated[float, typer.Option(min=1, help="Seconds without a message after which it ends.")]
Folder = Annotated[Path, typer.Argument(help="Folder to make; must not exist, or be empty.")]
Added = Annotated[str | None, typer.Option("--tracker", help="Add one for `vot evaluate` to run.")]
AddedName = Annotated[str | None, typer.Option(help="Its name there; its own by default.")]
Protocol = Annotated[Literal["trax", "python"], typer.Option(help="How the toolkit talks to it.")]
Waiting = Annotated[
    int | None,
    typer.Option(min=1, help="Seconds the toolkit waits for an answer; its own 30 if not set."),
]
Images = Annotated[
    Literal["none", "link", "copy"], typer.Option(help="`vot evaluate` needs them.")
]
Interval = Annotated[
    tuple[int, int] | None,
    typer.Option(metavar="LOW HIGH", help="Lengths for EAO; the challenge's by default."),
]


def register(app: typer.Typer) -> None:
    """Add the verbs of this module."""
    app.command("serve")(serve)
    app.command("workspace")(workspace)
    passed_on = {"allow_extra_args": True, "ignore_unknown_options": True}
    app.command("vot", context_settings=passed_on, add_help_option=False)(vot)


def serve(
    tracker: options.Tracker,
    settings: options.Settings = None,
    weights: options.Weights = None,
    device: options.Device = None,
    seed: options.Seed = 0,
    idle: Idle = 3600.0,
) -> None:
    """Run a tracker as a TraX server, for a toolkit that speaks TraX to start.

    What the tracker prints goes to standard error.

    [bold]Examples[/]

      bench serve --tracker kcf --set scales=5
    """
    from bench.interop.trax_server import TraxServer
    from bench.interop.trax_streams import protocol_streams
    from bench.registry import make_spec

    chosen = options.parse_settings(settings)
    with protocol_streams() as streams, no_exit(tracker):  # before anything of it is imported
        spec = make_spec(tracker, chosen, device=device, weights=weights)
        TraxServer(spec, seed).serve(streams, idle)


@contextmanager
def no_exit(tracker: str) -> Iterator[None]:
    """A tracker that ends the process, for instance on import, is an error.

    Raises:
        TrackerError: it called ``sys.exit``.
    """
    try:
        yield
    except SystemExit as error:
        raise TrackerError(
            f"tracker {tracker!r} called sys.exit({error.code!r}); expected a module and a class "
            "that leave the process alone"
        ) from error


def workspace(
    benchmark: options.BenchmarkName,
    folder: Folder,
    data: options.Data = options.DEFAULT_DATA,
    results: options.Results = options.DEFAULT_RESULTS,
    trackers: options.StoredTrackers = None,
    tracker: Added = None,
    name: AddedName = None,
    settings: options.Settings = None,
    weights: options.Weights = None,
    device: options.Device = None,
    protocol: Protocol = "trax",
    timeout: Waiting = None,
    images: Images = "none",
    interval: Interval = None,
) -> None:
    """Write a workspace of vot-toolkit, with results that `vot analysis` scores.

    [bold]Examples[/]

      bench workspace vot2018 w --data /data/VOT2018 --trackers kcf,static

      bench workspace vot2018 w --data /data/VOT2018 --tracker kcf --images link --timeout 120

      bench vot evaluate --workspace w --experiments baseline kcf
    """
    from bench.datasets import open_dataset
    from bench.interop.workspace import Served, write_workspace
    from bench.registry import make_spec

    dataset = open_dataset(benchmark, data)
    served = []
    if tracker is not None:
        chosen = options.parse_settings(settings)
        with no_exit(tracker):
            spec = make_spec(tracker, chosen, name, device, weights)
        served = [Served(spec, protocol, timeout)]
    names = options.split_names(trackers) or []
    write_workspace(
        folder, dataset, results=results, trackers=names, served=served, images=images,
        interval=interval,
    )  # fmt: skip
    for caveat in dataset.caveats:
        typer.echo(f"note: {caveat}", err=True)
    listed = ", ".join([*names, *(one.spec.name for one in served)]) or "no tracker"
    typer.echo(f"{folder}: {len(dataset)} sequences, {listed}")


def vot(context: typer.Context) -> None:
    """Run vot-toolkit's own command, with the faults of its version 0.9.0 mended.

    [bold]Examples[/]

      bench vot evaluate --workspace w --experiments baseline kcf

      bench vot analysis --workspace w --experiments baseline kcf
    """
    from bench.interop.vot_toolkit import run

    run(context.args)

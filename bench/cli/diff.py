"""``bench diff``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli import options
from bench.errors import ConfigError

if TYPE_CHECKING:
    from bench.comparison import Difference, Opened

Result = Annotated[
    str,
    typer.Argument(
        help="A folder of results, its run.json, a tracker with results, or (second) paper, "
        "paper:NAME, or a CSV file of figures (measure,value).",
        show_default=False,
    ),
]
Benchmark = Annotated[
    str | None,
    typer.Option("--benchmark", "-b", help="By default, as the paths or records tell."),
]
Rerun = Annotated[
    bool,
    typer.Option("--rerun", help="Run the first parting sequence again, one change at a time."),
]
Tracker = Annotated[
    str | None,
    typer.Option("--tracker", "-t", help="With --rerun: the tracker, if no run.json names it."),
]
Expected = Annotated[
    Path | None,
    typer.Option(help="More recorded scores: a CSV file as published/expected.csv."),
]
Picture = Annotated[
    Path | None, typer.Option(help="Draw the worst sequences here (.png, .pdf, .svg).")
]
Sequences = Annotated[int, typer.Option(min=1, help="Sequences to list.")]
JsonFile = Annotated[Path | None, typer.Option("--json", help="Write everything here.")]


def register(app: typer.Typer) -> None:
    """Add the verb of this module."""
    app.command("diff")(diff)


def diff(
    a: Result,
    b: Result,
    benchmark: Benchmark = None,
    data: options.Data = options.DEFAULT_DATA,
    results: options.Results = options.DEFAULT_RESULTS,
    experiment: options.Experiment = None,
    rerun: Rerun = False,
    tracker: Tracker = None,
    weights: options.Weights = None,
    expected: Expected = None,
    picture: Picture = None,
    sequences: Sequences = 10,
    json_file: JsonFile = None,
    subset: options.Subset = "test",
) -> None:
    """Say why two results differ: is it real, where do they part, and what makes the difference.

    Nothing is run without --rerun; frames are read where they are, and not needed.

    [bold]Examples[/]

      bench diff results/otb2015/mine results/otb2015/theirs --data /data/OTB2015

      bench diff results/vot2018/siamattn paper --data /data/VOT2018

      bench diff kcf kcf-bgr --benchmark otb2015 --rerun --picture parting.png
    """
    from bench.comparison import benchmark_of, compare_sides, open_sides, with_reruns
    from bench.reports.difference import difference_tables
    from bench.reports.terminal import print_tables, report_console

    if (tracker or weights) and not rerun:
        raise ConfigError("--tracker and --weights say what to run again: add --rerun")
    name = benchmark or benchmark_of(a, b)
    opened = open_sides(
        a, b, data=options.data_of(name, data), results=results, benchmark=name,
        experiment=experiment, subset=subset,
    )  # fmt: skip
    found = compare_sides(opened, expected=expected)
    if rerun:
        found = with_reruns(found, opened, weights, tracker)
    print_tables(report_console(), difference_tables(found, sequences))
    if picture is not None:
        _draw(found, opened, picture)
    if json_file is not None:
        options.write_file(json_file, json.dumps(found.to_json(), indent=1, allow_nan=False))


def _draw(found: Difference, opened: Opened, picture: Path) -> None:
    """Draw the worst sequences into a file; its ending says the format."""
    from bench.reports.plots.difference import difference_plot
    from bench.reports.plots.style import FORMATS, save

    ending = picture.suffix.removeprefix(".")
    if ending not in FORMATS:
        raise ConfigError(
            f"--picture {picture}: expected a name that ends in .{', .'.join(FORMATS)}"
        )
    picture.parent.mkdir(parents=True, exist_ok=True)
    save(difference_plot(found, opened), picture.parent, picture.stem, [ending])

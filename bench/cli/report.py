"""``bench report``."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from bench.benchmarks import benchmarks as known_benchmarks
from bench.benchmarks import get_benchmark
from bench.cli import options

if TYPE_CHECKING:
    from bench.comparison import Difference, Opened
    from bench.reports.page import ReportSection


Out = Annotated[Path, typer.Option("--out", "-o", help="Folder to write.")]
Benchmarks = Annotated[
    list[str] | None,
    typer.Option(
        "--benchmark",
        "-b",
        help="Names, repeatable or with commas; by default all six, and others with results.",
    ),
]
WithVideos = Annotated[
    Literal["none", "first", "all"],
    typer.Option(help="Videos of no sequence, the first three of a benchmark, or all."),
]
VideoWidth = Annotated[
    int, typer.Option(min=64, max=4096, help="Wider frames are scaled down to so many pixels.")
]
Pair = Annotated[
    tuple[str, str] | None,
    typer.Option(metavar="A B", help="A page on why these two trackers' results differ."),
]
Since = Annotated[
    Path | None,
    typer.Option(help="Folder of an earlier report: a page says what changed since."),
]


def register(app: typer.Typer) -> None:
    """Add the verb of this module."""
    app.command("report")(report)


def report(
    data: options.Data = options.DEFAULT_DATA,
    results: options.Results = options.DEFAULT_RESULTS,
    out: Out = Path("reports/report"),
    benchmarks: Benchmarks = None,
    videos: WithVideos = "first",
    video_width: VideoWidth = 640,
    pair: Pair = None,
    since: Since = None,
) -> None:
    """Write the report page: one folder that opens from disk, without a server or a network.

    Every benchmark has its tables and curves, every sequence the overlap over time with the video
    in step. What is missing, partial or broken is shown as that. The folder is replaced as a
    whole once the new report is complete.

    [bold]Examples[/]

      bench report --data data/mini --results results/mini --videos all

      bench report --data /data --benchmark lasot,vot2018 --out reports/ours

      bench report --data /data --benchmark otb2015 --pair kcf siamattn
    """
    from bench.reports.page import Videos, absent_section, read_kept, write_report
    from bench.results import known_trackers

    wanted = options.split_names(benchmarks)
    chosen = [get_benchmark(name).name for name in wanted or (*_six(), *with_results(results))]
    earlier = read_kept(since) if since else None
    if earlier and wanted:
        earlier = earlier.of(chosen)  # what this report leaves out has not gone
    sections: list[ReportSection] = []
    for name in dict.fromkeys((*_six(), *chosen)):
        found = sections_of(name, data, results) if name in chosen else [absent_section(name)]
        sections += found
    with _watched() as progress:
        problems = write_report(
            sections, out, Videos(videos, video_width), progress, known_trackers(results),
            _pairs(sections, pair), since=earlier,
        )  # fmt: skip
    for problem in problems:
        typer.echo(f"note: {problem}", err=True)
    for section in sections:
        typer.echo(f"{section.title}: {section.status}")
    typer.echo(f"the report: {out / 'index.html'}")
    options.exit_on_refusals(
        {f"{s.title}: {name}": why for s in sections for name, why in s.refused.items()}
    )


def _six() -> list[str]:
    """The benchmarks that the overview has a place for."""
    return [name for name, row in known_benchmarks().items() if row.overview]


def with_results(results: Path) -> list[str]:
    """Benchmarks with results; own clips are shown when they are named."""
    from bench.runner.merging import stores_in

    named = dict.fromkeys(store.benchmark for store in stores_in(results))
    return [name for name in named if not get_benchmark(name).open]


def sections_of(
    benchmark: str,
    data: Path,
    results: Path,
    conventions: Iterable[str] = (),
    trackers: Collection[str] | None = None,
    *,
    cache: bool = True,
) -> Iterator[ReportSection]:
    """The main experiment of a benchmark, and further ones with results.

    Args:
        benchmark: its name.
        data: as the option gives it.
        results: folder of results.
        conventions: to score by besides the official one.
        trackers: names to show; all with results by default.
        cache: use and keep scores beside the results.
    """
    from bench.datasets import open_dataset
    from bench.reports.page import open_section
    from bench.results import open_store

    row = get_benchmark(benchmark)
    folder = options.data_of(benchmark, data)
    dataset = partial(open_dataset, benchmark, folder, subset=row.scored or row.subsets[0])
    for place, experiment in enumerate(row.experiments):
        store = open_store(results, benchmark, experiment)
        names = [n for n in store.trackers() if trackers is None or n in trackers]
        if not place or names:
            yield open_section(
                dataset, store, conventions=conventions, trackers=names, cache=cache
            )


def _pairs(
    sections: list[ReportSection], names: tuple[str, str] | None
) -> dict[str, tuple[Difference, Opened]]:
    """The two trackers side by side, in every section that has results of both.

    Raises:
        ConfigError: no section has.
    """
    from bench.comparison import Opened, Side, compare_sides
    from bench.errors import ConfigError
    from bench.results.memory import MemoryStore
    from bench.results.record import read_record

    found = {}
    for section in sections if names else ():
        store, scores = section.store, section.scores
        if store is None or scores is None or not set(names or ()) <= set(scores.trackers):
            continue
        memory = MemoryStore(store.benchmark, store.experiment)
        sides = []
        for name in names or ():
            memory.copy_from(store, name)
            sides.append(Side(name, read_record(store.record_path(name))))
        if section.dataset is not None:
            opened = Opened(section.dataset, memory, *sides)
            found[section.key] = compare_sides(opened), opened
    if names and not found:
        raise ConfigError(f"--pair {' '.join(names)}: no benchmark has scores of both")
    return found


@contextmanager
def _watched() -> Iterator[Callable[[str], None]]:
    """Says what is being written, where someone is watching."""
    from rich.console import Console
    from rich.markup import escape

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _: None
        return
    with console.status("reading") as status:
        yield lambda what: status.update(escape(what))

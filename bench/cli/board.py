"""``bench board``: a leaderboard that is recomputed from raw results, and its check."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.benchmarks import get_benchmark
from bench.cli import options
from bench.errors import ResultError

if TYPE_CHECKING:
    from bench.reports.board import Board

Out = Annotated[Path, typer.Option("--out", "-o", help="Folder to write.")]
Benchmarks = Annotated[
    list[str] | None,
    typer.Option(
        "--benchmark", "-b", help="Names, repeatable or with commas; all with results by default."
    ),
]
_board = typer.Typer(rich_markup_mode="rich", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the verb of this module."""
    app.add_typer(
        _board,
        name="board",
        help="A leaderboard that is recomputed from raw results: build it, check a contribution.",
    )


@_board.command()
def build(
    data: options.Data = options.DEFAULT_DATA,
    results: options.Results = options.DEFAULT_RESULTS,
    out: Out = Path("reports/board"),
    benchmarks: Benchmarks = None,
) -> None:
    """Write the leaderboard: a static site in which every figure is computed from raw results.

    Each benchmark is scored by the conventions of all toolkits, with intervals, and shows whose
    results these are, how whole, how their options were chosen, and what is claimed of them.
    docs/board.md describes the files that contributors write.

    [bold]Examples[/]

      bench board build --data /data --results results --out reports/board
    """
    from bench.reports.board import extras_of
    from bench.reports.page import Videos, write_report

    board = _open(data, results, options.split_names(benchmarks), None)
    sections = list(board.sections)
    write_report(
        sections, out, Videos("none"), extras=extras_of(board), heading="Tracking leaderboard"
    )
    for section in sections:
        number = options.counted(len(section.trackers), "tracker")
        typer.echo(f"{section.title}: {number}, {section.status}")
    typer.echo(f"the leaderboard: {out / 'index.html'}")


@_board.command()
def check(
    data: options.Data = options.DEFAULT_DATA,
    results: options.Results = options.DEFAULT_RESULTS,
    benchmarks: Benchmarks = None,
    trackers: options.Trackers = None,
) -> None:
    """Refuse contributions whose raw results do not give what is claimed; exit code 1 then.

    Names what is missing: the contribution's file, sequences, claims, and facts of the run record
    that it leaves out. Meant for continuous integration of a repository of raw results.

    [bold]Examples[/]

      bench board check --data /data --results results

      bench board check --data /data --results results --tracker mine
    """
    from bench.reports.board import complaints

    board = _open(data, results, options.split_names(benchmarks), options.split_names(trackers))
    found = list(complaints(board))
    for complaint in found:
        typer.secho(f"refused: {complaint}", fg="red", err=True)
    checked = {name for section in board.sections for name in section.provenance}
    typer.echo(
        f"{options.counted(len(checked), 'contribution')} checked, "
        f"{options.counted(len(found), 'complaint')}"
    )
    if found:
        raise typer.Exit(1)


def _open(
    data: Path, results: Path, benchmarks: list[str] | None, trackers: list[str] | None
) -> Board:
    """All results, scored by every convention; what is kept beside them is not believed.

    Raises:
        ResultError: there are none.
    """
    from bench.cli.report import sections_of, with_results
    from bench.measures.conventions import convention_names
    from bench.reports.board import open_board

    sections = []
    names = [get_benchmark(name).name for name in benchmarks or with_results(results)]
    for name in names:
        rules = convention_names(name)
        sections += list(sections_of(name, data, results, rules, trackers, cache=False))
    having = [section for section in sections if section.provenance]
    if not having:
        raise ResultError(
            f"{results}: no raw results to show, looked for <benchmark>/<tracker>/. Import some "
            "with `bench import`, or name another folder with --results."
        )
    return open_board(having, results, names if benchmarks else (), trackers)

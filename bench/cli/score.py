"""``bench eval``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli import options
from bench.cli.ending import write_file

if TYPE_CHECKING:
    from bench.scores import BenchmarkScores


def register(app: typer.Typer) -> None:
    """Add the verb of this module."""
    app.command("eval")(evaluate)


def _complete_convention(incomplete: str) -> list[str]:
    names = dict.fromkeys((*_conventions(None), *_conventions("baseline"), "all"))
    return [name for name in names if name.startswith(incomplete)]


def _conventions(experiment: str | None) -> tuple[str, ...]:
    """Names of the conventions of one-pass evaluation, or of the VOT experiments."""
    from bench.measures import vot
    from bench.measures.onepass import conventions

    return conventions.convention_names() if experiment is None else vot.convention_names()


Convention = Annotated[
    str | None,
    typer.Option(
        help="Official by default; otb, lasot, trackingnet, pysot, got10k, pytracking; on VOT "
        "vot, vot-matlab-head, pysot, vot-toolkit, got10k; all.",
        autocompletion=_complete_convention,
    ),
]
Compare = Annotated[
    tuple[str, str] | None,
    typer.Option(metavar="A B", help="Paired test of tracker A against tracker B."),
]
PerSequence = Annotated[bool, typer.Option("--per-sequence", help="A row a sequence.")]
PerAttribute = Annotated[
    bool, typer.Option("--per-attribute", help="A row an attribute, or a tag on VOT.")
]
Ranks = Annotated[
    bool, typer.Option("--ranks", help="Rank by significance tests, as VOT reports (VOT only).")
]
JsonFile = Annotated[
    Path | None,
    typer.Option("--json", help="Write all scores here (a list of them for --convention all)."),
]
CsvFile = Annotated[Path | None, typer.Option("--csv", help="Write the table here.")]


def evaluate(
    benchmark: options.BenchmarkName,
    data: options.Data = options.DEFAULT_DATA,
    results: options.Results = options.DEFAULT_RESULTS,
    trackers: options.Trackers = None,
    convention: Convention = None,
    experiment: options.Experiment = None,
    partial: options.Partial = False,
    compare: Compare = None,
    per_sequence: PerSequence = False,
    per_attribute: PerAttribute = False,
    ranks: Ranks = False,
    json_file: JsonFile = None,
    csv_file: CsvFile = None,
    subset: options.Subset = "test",
) -> None:
    """Score raw results exactly as the benchmark's official code does.

    Annotation is enough: no frame is read.
    With --convention all, the definitions of other toolkits stand side by side,
    and the table says why they differ.

    [bold]Examples[/]

      bench eval otb2015 --data data/mini --results results/mini

      bench eval uav123 --data /data/UAV123 --convention all --json scores.json

      bench eval lasot --data /data/LaSOT --compare ATOM DiMP50

      bench eval vot2018 --data /data/VOT2018 --per-attribute --ranks
    """
    from bench.datasets import open_dataset
    from bench.evaluation import evaluate as score

    experiment = options.experiment_of(benchmark, experiment)
    dataset = open_dataset(benchmark, options.data_root(data, benchmark), subset=subset)
    wanted = options.split_names(trackers)
    if compare:
        wanted = [*(wanted or []), *compare]
    everything = convention == "all"
    chosen = _conventions(experiment) if everything else [convention] if convention else None
    store = options.result_store(results, benchmark, experiment)
    scored = score(dataset, store, wanted, chosen, partial=partial, ranks=ranks)
    per = _breakdowns(experiment, per_attribute=per_attribute, per_sequence=per_sequence)
    _print(scored, per, compare, side_by_side=everything)
    _write(scored, json_file, csv_file)


def _breakdowns(experiment: str | None, *, per_attribute: bool, per_sequence: bool) -> list[str]:
    """What rows of their own are asked for, in the order in which they are printed."""
    asked = {"tag" if experiment else "attribute": per_attribute, "sequence": per_sequence}
    return [rows for rows, wanted in asked.items() if wanted]


def _print(
    scored: list[BenchmarkScores],
    breakdowns: list[str],
    compare: tuple[str, str] | None,
    *,
    side_by_side: bool,
) -> None:
    from bench.reports import terminal as tables

    console = tables.report_console()
    if side_by_side:
        tables.print_conventions(console, scored)
    else:
        tables.print_scores(console, scored[0])
    for one in scored:
        for rows in breakdowns:
            tables.print_breakdown(console, one, rows)
        if one.ranks:
            tables.print_ranks(console, one)
        if compare:
            tables.print_comparison(console, one, *compare)
    tables.print_footnotes(console, scored)


def _write(scored: list[BenchmarkScores], json_file: Path | None, csv_file: Path | None) -> None:
    from bench.reports import terminal as tables

    if json_file:
        plain = [one.to_json() for one in scored]
        content = plain[0] if len(plain) == 1 else plain
        write_file(json_file, json.dumps(content, indent=1, allow_nan=False))
    if csv_file:
        write_file(csv_file, tables.to_csv(scored))

"""``bench eval``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bench.cli import options
from bench.cli.options import given, takes
from bench.errors import ConfigError
from bench.reports.options import TableOptions, read_table_options

if TYPE_CHECKING:
    from bench.results.stores import Store
    from bench.scores import BenchmarkScores


def register(app: typer.Typer) -> None:
    """Add the verb of this module."""
    app.command("eval")(evaluate)


def _complete_convention(incomplete: str) -> list[str]:
    from bench.measures.conventions import convention_names

    names = dict.fromkeys((*convention_names("otb2015"), *convention_names("vot2018"), "all"))
    return [name for name in names if name.startswith(incomplete)]


Convention = Annotated[
    str | None,
    typer.Option(
        help="Official by default; otb, lasot, trackingnet, pysot, got10k, pytracking, libtest; "
        "on VOT vot, vot-matlab-head, pysot, vot-toolkit, got10k; all.",
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
NoCache = Annotated[
    bool, typer.Option("--no-cache", help="Score all anew, and keep no scores beside the results.")
]
CsvFile = Annotated[Path | None, typer.Option("--csv", help="Write the table here.")]
LatexFile = Annotated[
    Path | None, typer.Option("--latex", help="Write the tables here (needs booktabs).")
]
MarkdownFile = Annotated[Path | None, typer.Option("--markdown", help="Write the tables here.")]
_HAS_OWN = ("trackers", "kind", "differences")


@dataclass(frozen=True)
class _Files:
    """What to write beside the terminal."""

    json: Path | None
    csv: Path | None
    latex: Path | None
    markdown: Path | None


@takes(TableOptions, without=_HAS_OWN)
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
    latex: LatexFile = None,
    markdown: MarkdownFile = None,
    subset: options.Subset = "test",
    no_cache: NoCache = False,
    **arranged_by: Any,
) -> None:
    """Score raw results exactly as the benchmark's official code does.

    Annotation is enough: no frame is read. --convention all shows the definitions of all
    toolkits side by side, with the reasons why they differ. A tracker whose results are broken
    or unfinished is named, and the exit code is then 1. Only trackers of which a result, the
    annotation or the rule is new are scored; scores of the others are kept beside their results.

    [bold]Examples[/]

      bench eval otb2015 --data data/mini --results results/mini

      bench eval uav123 --data /data/UAV123 --convention all --json scores.json

      bench eval lasot --data /data/LaSOT --compare ATOM DiMP50

      bench eval vot2018 --data /data/VOT2018 --per-attribute --ranks

      bench eval otb2015 --data /data/OTB2015 --latex otb.tex --ours siamattn --no-notes
    """
    from bench.datasets import open_dataset
    from bench.evaluation import evaluate as score
    from bench.reports.eval_tables import eval_tables
    from bench.reports.terminal import print_tables, report_console
    from bench.results import open_store

    files = _Files(json_file, csv_file, latex, markdown)
    wanted_as = _table_options(given(arranged_by), files)
    store = open_store(results, benchmark, experiment)
    if ranks:
        _check_ranked(store)
    scored = score(
        open_dataset(benchmark, data, subset=subset), store,
        [*(options.split_names(trackers) or []), *(compare or [])] or None,
        _conventions(benchmark, convention), partial=partial, ranks=ranks, cache=not no_cache,
    )  # fmt: skip
    breakdowns = _breakdowns(store, attributes=per_attribute, sequences=per_sequence)
    print_tables(report_console(), eval_tables(scored, breakdowns, compare))
    _write_scores(scored, files)
    _write_tables(scored, breakdowns, wanted_as, files)
    _exit_on_refusals(scored)


def _table_options(values: Mapping[str, Any], files: _Files) -> TableOptions:
    """The options of written tables.

    Raises:
        ConfigError: a value is wrong, or no table is written.
    """
    if values and not files.latex and not files.markdown:
        raise ConfigError(
            "--ours, --label, --sort, --no-notes and --width are of written tables: add "
            "--latex FILE or --markdown FILE"
        )
    return read_table_options(values, "--")


def _conventions(benchmark: str, wanted: str | None) -> Sequence[str] | None:
    """Names of the conventions to score by; None for the official one."""
    from bench.measures.conventions import convention_names

    if wanted == "all":
        return convention_names(benchmark)
    return None if wanted is None else [wanted]


def _check_ranked(store: Store) -> None:
    if store.experiment == "onepass":
        raise ConfigError(
            f"--ranks: {store.benchmark} has one-pass evaluation, and only VOT ranks by "
            "significance tests. Leave the option out, or compare two trackers with --compare A B."
        )


def _breakdowns(store: Store, *, attributes: bool, sequences: bool) -> list[str]:
    """What the rows of further tables stand for."""
    kind = "attribute" if store.experiment == "onepass" else "tag"
    return [*([kind] if attributes else []), *(["sequence"] if sequences else [])]


def _exit_on_refusals(scored: list[BenchmarkScores]) -> None:
    """Name the trackers that no convention could score, and exit with 1 if there are any."""
    never = set(scored[0].refused).intersection(*(one.refused for one in scored))
    options.exit_on_refusals({name: scored[0].refused[name] for name in sorted(never)})


def _write_scores(scored: list[BenchmarkScores], files: _Files) -> None:
    from bench.reports.notes import shareable
    from bench.reports.score_table import scores_csv

    if files.json:
        plain = [shareable(one).to_json() for one in scored]
        content = plain[0] if len(plain) == 1 else plain
        options.write_file(files.json, json.dumps(content, indent=1, allow_nan=False))
    if files.csv:
        options.write_file(files.csv, scores_csv(scored))


def _write_tables(
    scored: list[BenchmarkScores], breakdowns: list[str], wanted_as: TableOptions, files: _Files
) -> None:
    """Write the tables as LaTeX and Markdown, if that is wanted."""
    from bench.reports.arranging import arranged, by_measure, renamed
    from bench.reports.eval_tables import own_tables
    from bench.reports.render import to_latex, to_markdown

    if not files.latex and not files.markdown:
        return
    named = [renamed(one, wanted_as.labels) for one in scored]
    whole = arranged(own_tables(named, breakdowns), wanted_as)
    tables = [part for table in whole for part in by_measure(table)]
    if files.latex:
        latex = [to_latex(table, width=wanted_as.width) for table in tables]
        options.write_file(files.latex, "\n".join(latex))
    if files.markdown:
        options.write_file(files.markdown, "\n".join(map(to_markdown, tables)))
    if not wanted_as.notes:
        typer.echo("note: the tables written carry no notes: print those above", err=True)

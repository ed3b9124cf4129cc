"""``bench tables``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bench.cli import options
from bench.cli.options import given, takes
from bench.errors import ConfigError, unknown_name
from bench.reports.options import TableOptions, read_table_options

if TYPE_CHECKING:
    from bench.reports.section import ReportSection
    from bench.reports.table import Table

FORMATS = ("md", "tex", "csv", "html")


def register(app: typer.Typer) -> None:
    """Add the verb of this module."""
    app.command("tables")(tables)


def _complete_table(incomplete: str) -> list[str]:
    from bench.published.papers import table_names

    return [name for name in table_names() if name.startswith(incomplete)]


Names = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[TABLES]...",
        help="1 to 4, otb, challenge; 5 to 7 as printed only; by default all that can be "
        "compared.",
        autocompletion=_complete_table,
    ),
]
Out = Annotated[Path, typer.Option("--out", "-o", help="Folder to write to.")]
Formats = Annotated[
    list[str] | None, typer.Option("--format", help="md, tex, csv, html; all by default.")
]
Intervals = Annotated[
    bool, typer.Option("--intervals", help="Write 95 % intervals beside scored figures.")
]
Same = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME=PRINTED", help="Hold results NAME against the printed row PRINTED."
    ),
]


@takes(TableOptions)
def tables(
    names: Names = None,
    data: options.Data = options.DEFAULT_DATA,
    results: options.Results = options.DEFAULT_RESULTS,
    out: Out = Path("reports/tables"),
    formats: Formats = None,
    intervals: Intervals = False,
    same: Same = None,
    partial: options.Partial = False,
    **arranged_by: Any,
) -> None:
    """Write the paper's tables: printed figures beside scores of stored results, and differences.

    Every row says whether it is printed in a paper, imported (raw results made elsewhere, scored
    here) or measured (run and scored here). What is missing, broken or cannot be read is named
    so. Annotation is enough: no frame is read.

    [bold]Examples[/]

      bench tables --data /data --results results

      bench tables 1 challenge --data /data --format tex --intervals

      bench tables 3 --data /data --same my_run=SiamAttn

      bench tables 3 --data /data --trackers ATOM,my_run --ours my_run --no-kind --no-differences
    """
    from bench.locks import locked_beside
    from bench.published.papers import paper_table
    from bench.reports.arranging import arranged
    from bench.reports.paper import build_table

    chosen = list(dict.fromkeys(options.split_names(names) or _comparable()))
    papers = [paper_table(name) for name in chosen]
    endings = _endings(formats or [])
    renamed, wanted_as = _renamed(same or []), read_table_options(given(arranged_by), "--")
    wanted = dict.fromkeys(name for paper in papers if paper.scored for name in paper.benchmarks)
    sections = {name: _section(name, data, results, partial=partial) for name in wanted}
    _require_results(renamed, sections)
    built = [
        build_table(
            paper, [sections[name] for name in paper.benchmarks if paper.scored], same=renamed
        )
        for paper in papers
    ]
    with locked_beside(out):
        for table in arranged(built, wanted_as):
            writer = _Writer(out, intervals, wanted_as.width)
            paths = [writer.write(table, ending) for ending in endings]
            typer.echo(f"{table.title}: {', '.join(map(str, paths))}")
        if not wanted_as.notes:
            _write_captions(built, out)
    refused: dict[str, str] = {}
    for section in sections.values():
        _report(section, results)
        refused |= {f"{section.title}: {name}": why for name, why in section.refused.items()}
    options.exit_on_refusals(refused)


def _endings(formats: list[str]) -> list[str]:
    """The formats to write, all by default."""
    endings = options.split_names(formats) or list(FORMATS)
    for ending in endings:
        if ending not in FORMATS:
            raise unknown_name("format of tables", ending, FORMATS)
    return endings


def _require_results(names: Iterable[str], sections: Mapping[str, ReportSection]) -> None:
    having = {name for section in sections.values() for name in section.provenance}
    for name in names:
        if name not in having:
            raise unknown_name("tracker with results, named by --same,", name, having)


def _comparable() -> list[str]:
    """Names of the tables that results can be compared with."""
    from bench.published.papers import paper_table, table_names

    return [name for name in table_names() if paper_table(name).scored]


def _renamed(same: list[str]) -> dict[str, str]:
    """Printed row by name of results, as ``--same`` says."""
    from bench.published.papers import paper_table

    known = dict.fromkeys(row for name in _comparable() for row in paper_table(name).rows)
    pairs: dict[str, str] = {}
    for item in same:
        name, equals, printed = item.rpartition("=")
        if not equals or not name:
            raise ConfigError(f"--same expects NAME=PRINTED, found {item!r}")
        if printed not in known:
            raise unknown_name("printed row", printed, known)
        if pairs.setdefault(name, printed) != printed:
            raise ConfigError(f"--same {name} is given twice, as {pairs[name]!r} and {printed!r}")
    return pairs


def _section(benchmark: str, data: Path, results: Path, *, partial: bool) -> ReportSection:
    from bench.datasets import open_dataset
    from bench.reports.section import open_section
    from bench.results import open_store

    store = open_store(results, benchmark)
    return open_section(
        lambda: open_dataset(benchmark, options.data_of(benchmark, data)), store, partial=partial
    )


@dataclass(frozen=True)
class _Writer:
    """Where and how tables are written."""

    folder: Path
    intervals: bool
    width: str

    def write(self, table: Table, ending: str) -> Path:
        """Write a table in one format."""
        from bench.reports import render

        path = self.folder / f"{table.name}.{ending}"
        if ending == "tex":
            text = render.to_latex(table, intervals=self.intervals, width=self.width)
        else:
            writers = {"md": render.to_markdown, "csv": render.to_csv, "html": render.to_html_page}
            text = writers[ending](table, intervals=self.intervals)
        options.write_file(path, text)
        return path


def _write_captions(built: list[Table], folder: Path) -> None:
    """Keep the notes that the tables are printed without."""
    from bench.reports.render import notes_of

    lines = []
    for table in built:
        lines += [f"## {table.name}", "", *(f"* {note}" for note in notes_of(table)), ""]
    path = folder / "captions.md"
    options.write_file(path, "\n".join(lines))
    typer.echo(f"note: the tables carry no notes: print what {path} says", err=True)


def _report(section: ReportSection, results: Path) -> None:
    """Print what is missing."""
    if not section.provenance:
        folder = results / section.benchmark.name
        typer.echo(f"note: {section.title}: no results in {folder}", err=True)
    if section.miniature:
        typer.echo(
            f"note: {section.title}: scored on the miniature, not on the benchmark", err=True
        )

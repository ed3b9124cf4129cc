"""The stored figures equal the paper's text, with misprints and lost cells marked."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from bench.benchmarks import benchmarks
from bench.errors import ConfigError
from bench.published.papers import PaperTable, Status, match_row, paper_table, table_names
from bench.reports.paper import build_table

SYSTEMS = (
    "SiamFC", "MDNet", "C-COT", "FlowTrack", "SiamRPN", "C-RPN", "ECO", "DaSiamRPN", "SPM",
    "SiamMask-Opt", "UpdateNet", "GFS-DCF", "ATOM", "SiamRPN++", "DiMP-50", "ARCF", "MLT",
)  # fmt: skip


def text_table(shared: Path, caption: str) -> list[list[str]]:
    """Tab-separated cells of the table above a caption in the paper's text."""
    lines = (shared / "reference" / "PAPER.md").read_text(encoding="utf-8").splitlines()
    end = next(i for i, line in enumerate(lines) if line.startswith(caption))
    start = max(i for i in range(end - 1) if not lines[i].strip() and lines[i + 1].strip())
    return [line.rstrip().split("\t") for line in lines[start + 1 : end - 1]]


def printed(paper: PaperTable, row: str) -> list[str]:
    figures = [paper.figure(row, column) for column in paper.columns]
    return [figure.printed or "-" if figure else "" for figure in figures]


def bare(cell: str) -> str:
    return re.sub(r"</?b>", "", cell).strip()


def spelt(name: str) -> str:
    known = {"Ours": "SiamAttn", "Dimp-50": "DiMP-50"}
    name = re.sub(r" \[\d+\]", "", name)
    return known.get(name, name)


def test_table_1_is_the_papers_with_its_bold_figures(shared: Path) -> None:
    paper = paper_table("1")
    table = build_table(paper, [])
    rows = text_table(shared, "Table 1:")[2:]
    assert [spelt(row[0]) for row in rows] == list(paper.rows)
    for place, (name, *cells) in enumerate(rows):
        assert printed(paper, spelt(name)) == [bare(cell) for cell in cells]
        bold = [table.mark(place, column) is not None for column in table.columns]
        assert bold == [cell.startswith("<b>") for cell in cells]


@pytest.mark.parametrize(("name", "caption"), [("3", "Table 3:"), ("4", "Table 4:")])
def test_tables_by_column_are_the_papers(shared: Path, name: str, caption: str) -> None:
    paper = paper_table(name)
    table = build_table(paper, [])
    lines = text_table(shared, caption)[-2:]
    for column, (_, *cells) in zip(paper.columns, lines, strict=True):
        assert [printed(paper, row)[paper.columns.index(column)] for row in paper.rows] == [
            bare(cell) for cell in cells
        ]
        drawn = table.columns[paper.columns.index(column)]
        marked = [table.mark(place, drawn) is not None for place in range(len(paper.rows))]
        assert marked == [cell.startswith("<b>") for cell in cells]


@pytest.mark.parametrize("name", ["5", "6", "7"])
def test_ablations_are_the_papers(shared: Path, name: str) -> None:
    paper = paper_table(name)
    rows = text_table(shared, f"Table {name}:")[1:]
    width = len(paper.columns)
    found = [[bare(cell).rstrip("%") for cell in row[-width:]] for row in rows]
    assert [printed(paper, row) for row in paper.rows] == found


def test_what_table_2_lost_stays_open(shared: Path) -> None:
    paper = paper_table("2")
    _, (_, *auc), (_, *precision) = [row for row in text_table(shared, "Table 2:") if row[1:]][-3:]
    assert len(auc) == len(precision) == 7  # for eight trackers
    success, precise = paper.columns
    stored = [paper.figure(row, success) for row in paper.rows]
    assert [f.printed for f in stored if f] == [*map(bare, auc), ""]
    assert {f.status for f in stored[:-1] if f} == {"unverified"}
    lost = paper.figure("SiamAttn", success)
    assert lost is not None
    assert (lost.status, lost.value) == ("unreadable", None)
    stored = [paper.figure(row, precise) for row in paper.rows]
    assert [f.printed for f in stored if f and f.printed] == [
        bare(c) for c in precision if c != "-"
    ]
    table = build_table(paper, [])
    assert not any(table.mark(place, table.columns[0]) for place in range(len(table.rows)))
    assert table.mark(len(table.rows) - 1, table.columns[1]) == "best"


def test_known_misprints_are_marked() -> None:
    otb, first = paper_table("otb"), paper_table("1")
    pairs = [otb.figure("SiamAttn", column) for column in otb.columns]
    assert [(f.printed, f.status) for f in pairs if f] == [
        ("0.712", "misprint"),
        ("0.926", "misprint"),
    ]
    eco = first.figure("ECO", first.columns[-1])
    assert eco is not None
    assert (eco.printed, eco.status) == ("0.276", "misprint")


@pytest.mark.parametrize("name", table_names())
def test_every_figure_has_a_source_and_its_doubts_a_reason(name: str) -> None:
    paper = paper_table(name)
    assert len(paper.figures) == len(paper.rows) * len(paper.columns)
    for figure in paper.figures:
        assert figure.source
        assert figure.status in get_args(Status)
        assert figure.benchmark in benchmarks()
        assert bool(figure.printed) or figure.status in ("unreadable", "not printed", "unverified")
        assert bool(figure.note) or figure.status in ("read", "not printed")


def test_every_system_has_its_row_and_its_entry_in_the_guide() -> None:
    rows = {row for name in table_names() for row in paper_table(name).rows}
    assert set(SYSTEMS) <= rows
    guide = (Path(__file__).parents[3] / "docs" / "systems.md").read_text(encoding="utf-8")
    missing = [name for name in (*SYSTEMS, "SiamAttn") if f"| {name} |" not in guide]
    assert missing == []


@pytest.mark.parametrize(
    ("table", "benchmark", "results", "kind", "row"),
    [
        ("1", "vot2018", "CCOT", "imported", "C-COT"),
        ("1", "vot2018", "SiamRPN", "imported", "DaSiamRPN"),
        ("1", "vot2018", "SiamRPN", "measured", "SiamRPN"),
        ("1", "vot2016", "SiamRPN", "imported", "SiamRPN"),
        ("challenge", "vot2018", "SiamRPN", "imported", "SiamRPN"),
        ("1", "vot2018", "siamrpn++", "measured", "SiamRPN++"),
        ("3", "lasot", "DiMP50", "imported", "DiMP-50"),
        ("1", "vot2018", "SiamAttn-rerun", "imported", "SiamAttn"),
        ("1", "vot2018", "siamrpn++-mobile", "measured", None),
        ("1", "vot2018", "siammask", "measured", "SiamMask-Opt"),
        ("1", "vot2018", "siamattn-lite", "measured", None),
        ("1", "vot2018", "static", "measured", None),
    ],
)
def test_results_find_their_printed_row(
    table: str, benchmark: str, results: str, kind: str, row: str | None
) -> None:
    match = match_row(paper_table(table), benchmark, results, kind)
    assert (match.row if match else None) == row


def test_an_unknown_table_lists_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"unknown table '8'.*challenge"):
        paper_table("8")

"""Tables as papers print them: ours, order, names, notes; and LaTeX that fits a column or page."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bench.errors import ConfigError
from bench.reports.arranging import arranged, by_measure, renamed
from bench.reports.eval_tables import own_tables
from bench.reports.fitting import natural_width, parts
from bench.reports.options import TableOptions, read_table_options
from bench.reports.paper import RANKED_APART, RANKED_TOGETHER
from bench.reports.render import to_html, to_latex, to_markdown
from bench.reports.score_table import score_table
from bench.reports.table import Cell, Column, Row, Table
from bench.scores import BenchmarkScores, Caveat, TrackerScores

NAMES = (
    "SiamRPN++",
    "ATOM",
    "DaSiamRPN",
    "SRDCF",
    "SiamFC",
    "MUSTER",
    "ASLA",
    "a_tracker_of_ours",
)


def scores(names: tuple[str, ...] = NAMES, sequences: int = 100) -> BenchmarkScores:
    trackers = {}
    for place, name in enumerate(names):
        level = 0.7 - 0.01 * place
        measures = {"success": level, "precision": 0.5 + 0.01 * place, "normalized_precision": 0.6,
                    "success_rate_50": level, "success_rate_75": level, "fps": 31.2}  # fmt: skip
        trackers[name] = TrackerScores(
            measures, {}, {f"Sequence{i}": measures for i in range(sequences)},
            {key: {**measures, "sequences": 9} for key in ("OCC", "SV")}, {}, notes=("odd rows",),
        )  # fmt: skip
    return BenchmarkScores("otb2015", "otb", sequences, False, trackers, {})


def printed_table() -> Table:
    columns = (Column("o-success", "AUC"), Column("o-precision", "Precision"),
               Column("o-success-difference", "AUC", better=None, signed=True))  # fmt: skip
    rows = (
        Row("A", "printed", {"o-success": Cell(0.7), "o-precision": Cell(0.8)}, note="page 3"),
        Row("B", "printed", {"o-success": Cell(0.6), "o-precision": Cell(0.9)}),
        Row("mine", "measured", {"o-success": Cell(0.65), "o-precision": Cell(0.95)}),
    )
    return Table("t", "Title", columns, rows, (RANKED_APART, "MINIATURE"))


def only(options: TableOptions, table: Table | None = None) -> Table:
    (found,) = arranged([table or printed_table()], options)
    return found


def test_ours_is_last_bold_and_below_a_line() -> None:
    table = only(TableOptions(ours="A", labels={"A": "A (ours)"}))
    assert [row.label for row in table.rows] == ["B", "mine", "A (ours)"]
    lines = [line for line in to_latex(table).splitlines() if line.endswith((r"\\", "rule"))]
    assert lines[-3] == r"\midrule"
    assert lines[-2].startswith(r"\textbf{A (ours)}")
    assert "**A (ours)**" in to_markdown(table)
    assert "<strong>A (ours)</strong>" in to_html(table)


def test_ours_is_the_last_column_where_trackers_are_columns() -> None:
    (table,) = arranged(
        list(own_tables([scores()], ["attribute"]))[1:], TableOptions(ours="SiamRPN++")
    )
    first, second = by_measure(table)
    assert [c.heading for c in first.columns][-1] == "SiamRPN++"
    assert r"\textbf{SiamRPN++}" in to_latex(first)
    assert (first.name, second.name) == (
        "otb2015-attribute-success",
        "otb2015-attribute-precision",
    )
    assert first.title.endswith("Success by attribute")
    best = {first.mark(0, column): column.heading for column in first.columns}
    assert (best["best"], best["second"]) == ("SiamRPN++", "ATOM")


@pytest.mark.parametrize(
    ("by", "order"),
    [("AUC", ["A", "mine", "B"]), ("precision", ["mine", "B", "A"]),
     ("o-precision", ["mine", "B", "A"])],
)  # fmt: skip
def test_rows_are_sorted_by_any_measure(by: str, order: list[str]) -> None:
    table = printed_table()
    without = only(TableOptions(differences=False, sort=by), table)
    assert [row.label for row in without.rows] == order
    assert not any("difference" in column.key for column in without.columns)


def test_what_cannot_be_sorted_by_is_said() -> None:
    two = replace(
        printed_table(),
        columns=(Column("x-eao", "EAO", "VOT2016"), Column("y-eao", "EAO", "VOT2018")),
    )
    with pytest.raises(ConfigError, match="may be any of x-eao, y-eao"):
        only(TableOptions(sort="EAO"), two)
    with pytest.raises(ConfigError, match="unknown measure to sort by 'speed'"):
        only(TableOptions(sort="speed"))


def test_only_rows_asked_for_and_unknown_names_are_errors() -> None:
    assert [r.label for r in only(TableOptions(trackers=("B", "mine"))).rows] == ["B", "mine"]
    for options in (TableOptions(trackers=("C",)), TableOptions(ours="C"),
                    TableOptions(labels={"C": "D"})):  # fmt: skip
        with pytest.raises(ConfigError, match=r"unknown row of these tables 'C'\. Known: \w"):
            only(options)


def test_without_kinds_all_rows_compete_and_the_note_says_so() -> None:
    apart, together = only(TableOptions()), only(TableOptions(kind=False))
    precision = apart.columns[1]
    assert apart.mark(1, precision) == "best"  # of the printed ones
    assert together.mark(2, precision) == "best"
    assert together.mark(1, precision) == "second"
    assert "Kind" in to_latex(apart)
    assert "Kind" not in to_latex(together)
    assert together.notes == (RANKED_TOGETHER, "MINIATURE")


def test_notes_go_and_titles_stay() -> None:
    (table,) = arranged([score_table(replace(scores(), caveats=(Caveat("miniature", "made"),)))],
                        TableOptions(notes=False))  # fmt: skip
    text = to_latex(table)
    assert "minipage" not in text
    assert "textsuperscript" not in text
    assert "MINIATURE" in text


def test_labels_replace_names_in_notes_too() -> None:
    table = score_table(renamed(scores(("a", "b")), {"a": "Alpha"}))
    assert [row.label for row in table.rows] == ["Alpha", "b"]
    assert any("Alpha, b: odd rows" in note for note in table.notes)
    with pytest.raises(ConfigError, match="two trackers would both be 'b'"):
        renamed(scores(("a", "b")), {"a": "b"})


def test_a_wrong_option_says_what_is_right() -> None:
    wrong = {"notes": "expected True or False", "sorted": "unknown", "width": "expected column"}
    for name, message in wrong.items():
        with pytest.raises(ConfigError, match=message):
            read_table_options({name: "x"})


def test_parts_have_every_figure_and_the_marks_of_the_whole() -> None:
    (table,) = [t for t in made_for_a_paper() if t.name == "otb2015-sequence-success"]
    assert len(table.rows) == 100
    found = parts(table, "9")
    assert len(found) > 3
    cells = {
        (row.label, column.heading): part.table.mark(index, column)
        for part in found
        for index, row in enumerate(part.table.rows)
        for column in part.table.columns
    }
    assert cells == {
        (row.label, column.heading): table.mark(index, column)
        for index, row in enumerate(table.rows)
        for column in table.columns
    }
    assert all(len(part.table.rows) <= 45 for part in found)
    assert [part.table.notes for part in found[1:]] == [()] * (len(found) - 1)
    assert found[0].table.title.endswith(f"(part 1 of {len(found)})")


def test_a_narrow_table_stands_in_a_column() -> None:
    assert r"\begin{table}[t]" in to_latex(printed_table())
    assert r"\begin{table*}[t]" in to_latex(printed_table(), width="text")
    wide = score_table(scores())
    assert natural_width(wide) > 235
    assert r"\begin{table*}[t]" in to_latex(wide)
    assert to_latex(wide, width="column").count(r"\begin{table}[t]") == 2


def made_for_a_paper() -> Iterator[Table]:
    options = TableOptions(ours="a_tracker_of_ours", labels={"a_tracker_of_ours": "Ours"})
    named = renamed(scores(), options.labels)
    for table in arranged(own_tables([named], ["attribute", "sequence"]), options):
        yield from by_measure(table)


PAPERS = {  # the measures of their classes: cvpr.sty, llncs.cls
    "cvpr": (r"\documentclass[10pt,twocolumn]{article}\setlength\textwidth{6.875in}"
             r"\setlength\columnsep{0.3125in}\setlength\textheight{8.875in}", "column", "text"),
    "eccv": (r"\documentclass[10pt]{article}\setlength\textwidth{12.2cm}"
             r"\setlength\textheight{19.3cm}", "12.2"),
}  # fmt: skip


@pytest.mark.parametrize("paper", PAPERS)
def test_tables_fit_the_papers_that_they_are_for(paper: str, tmp_path: Path) -> None:
    """LaTeX says where something is wider than its column or taller than its page."""
    if shutil.which("pdflatex") is None:
        pytest.skip("needs a LaTeX installation")
    head, *widths = PAPERS[paper]
    made = [printed_table(), score_table(scores()), *made_for_a_paper()]
    bodies = [to_latex(table, width=width) for width in widths for table in made]
    flushed = "\\clearpage\n".join(bodies)
    source = f"{head}\\usepackage{{booktabs}}\\begin{{document}}\n{flushed}\\end{{document}}\n"
    (tmp_path / "paper.tex").write_text(source)
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"],
        cwd=tmp_path, capture_output=True, check=False,
    )  # fmt: skip
    log = done.stdout.decode(errors="replace")
    assert done.returncode == 0, log[-2000:]
    assert not re.findall(r"Overfull .*|Float too large.*|.*siunitx.*", log)

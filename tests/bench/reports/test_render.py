"""Tables in four languages: marks, footnotes, and names that try to break out."""

from __future__ import annotations

import csv
import io
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest
from pylatexenc.latexwalker import LatexEnvironmentNode, LatexWalker

from bench.reports.escaping import escape_latex, escape_markdown, plain
from bench.reports.render import to_csv, to_html, to_html_page, to_latex, to_markdown
from bench.reports.table import Cell, Column, Row, State, Table

HOSTILE = (
    "under_score^~#1",
    "50% $x$ & {a} \\input{/etc/passwd}",
    "<script>alert(1)</script>",
    "</td></tr></table><img src=x onerror=alert(1)>",
    "a | b || `c` **d** [e](javascript:f) ![g](h)",
    "line\nbreak\ttab\x00null\u202edirection",
    "[1em] opens a row",
    "* star",
    "=cmd|' /C calc'!A0",
    "追踪器 é ß Ω 😀 “quoted”",
    "Трекер_Łęż Đđ «þ» ½ € 𝒜 ﬁ",
    "\\\\ \\end{tabular} \\end{document}",
    "{{ 7 * 7 }} << name >> <% raw %>",
)

SIGNS = range(0x2000, 0x2300)


def table(*labels: str) -> Table:
    columns = (
        Column("a", "A_1", group="VOT 20%", decimals=2),
        Column("r", "R", group="VOT 20%", better="lower"),
    )
    rows = [Row(label, "imported", {"a": Cell(0.5, (0.4, 0.6))}, note=label) for label in labels]
    return Table("t", labels[0], columns, tuple(rows), notes=labels)


class Reader(HTMLParser):
    """Elements and text of a page; complains of ends that fit no beginning."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def latex_cells(text: str) -> list[list[str]]:
    """Rows of the tabular; strict parsing raises for anything unbalanced."""
    walker = LatexWalker(text, tolerant_parsing=False)
    (outer,) = [n for n in walker.get_latex_nodes()[0] if isinstance(n, LatexEnvironmentNode)]
    tabular = next(n for n in outer.nodelist if isinstance(n, LatexEnvironmentNode))
    assert (outer.environmentname, tabular.environmentname) == ("table*", "tabular")
    lines = tabular.latex_verbatim().splitlines()
    return [line.split(" & ") for line in lines if line.endswith(r"\\")]


def test_hostile_names_stay_text_in_html() -> None:
    for page in (to_html(table(*HOSTILE)), to_html_page(table(*HOSTILE))):
        reader = Reader(page)
        assert not {"script", "img"} & set(reader.tags)
        shown = "".join(reader.texts)
        for name in HOSTILE:
            assert shown.count(plain(name)) >= 3  # in its row, its footnote and the notes


def test_hostile_names_stay_text_in_latex() -> None:
    text = to_latex(table(*HOSTILE))
    assert text.isascii()
    rows = latex_cells(text)
    assert len(rows) == len(HOSTILE) + 2
    assert {len(row) for row in rows[1:]} == {4}
    assert "\\input" not in text
    assert text.count("\\end{tabular}") == 1
    assert not any(row[0].startswith(("[", "*")) for row in rows)  # no argument of \\
    assert r"\texttt{U+8FFD}" in text


def test_hostile_names_stay_text_in_markdown() -> None:
    lines = to_markdown(table(*HOSTILE)).splitlines()
    rows = [line for line in lines if line.startswith("|")]
    assert len(rows) == len(HOSTILE) + 2
    for row in rows:
        assert row.replace(r"\|", "").count("|") == 5
    assert "<script" not in "".join(lines)
    assert r"\[e\](javascript" in escape_markdown(HOSTILE[4])


def test_csv_gives_back_names_and_values() -> None:
    rows = list(csv.DictReader(io.StringIO(to_csv(table(*HOSTILE)))))
    assert len(rows) == 2 * len(HOSTILE)
    names = list(dict.fromkeys(row["row"] for row in rows))
    assert [name.removeprefix("'") for name in names] == [plain(name) for name in HOSTILE]
    assert "'=cmd" in names[8]  # no formula for a spreadsheet to run
    assert (rows[0]["value"], rows[0]["low"], rows[0]["high"]) == ("0.5", "0.4", "0.6")
    assert (rows[1]["value"], rows[1]["state"]) == ("", "missing")


def test_best_and_second_with_ties_and_lower_is_better() -> None:
    columns = (Column("a", "A", decimals=2), Column("r", "R", better="lower"))
    values = [(0.671, 0.3), (0.669, 0.1), (0.60, 0.2), (0.59, 0.2), (0.99, 0.01)]
    rows = [
        Row(f"t{i}", "printed", {"a": Cell(a), "r": Cell(r)}) for i, (a, r) in enumerate(values)
    ]
    rows[-1] = Row("partial", "printed", rows[-1].cells, ranked=False)
    rows.append(Row("scored", "measured", {"a": Cell(0.1), "r": Cell(0.9)}))
    rows.append(Row("worse", "measured", {"a": Cell(0.05)}))
    ranked = Table("t", "t", columns, tuple(rows))
    assert [ranked.mark(i, columns[0]) for i in range(6)] == [
        "best", "best", "second", None, None, "best",
    ]  # fmt: skip
    assert [ranked.mark(i, columns[1]) for i in range(6)] == [
        None, "best", "second", "second", None, None,
    ]  # fmt: skip
    assert "**0.67**" in to_markdown(ranked)
    assert r"\underline{0.60}" in to_latex(ranked)
    assert "<strong>0.67</strong>" in to_html(ranked)


def test_what_is_not_known_is_said_and_never_zero() -> None:
    columns = (Column("a", "A"), Column("d", "Δ", better=None, signed=True))
    states: tuple[State, ...] = ("missing", "broken", "unscored", "unreadable", "unverified")
    rows = [Row(state, "printed", {"a": Cell(state=state)}) for state in states]
    rows += [Row("sure", "printed", {"a": Cell(0.5), "d": Cell(-0.0001)})]
    rows += [Row("unsure", "printed", {"a": Cell(0.47, state="unverified", decimals=2)})]
    unknown = Table("t", "t", columns, tuple(rows))
    shown = [row.split("|")[3].strip() for row in to_markdown(unknown).splitlines()[4:11]]
    assert shown == [
        "—", "*broken*", "*not scored*", "*unverified*", "*unverified*", "0.500", "*0.47?*",
    ]  # fmt: skip
    assert not any(unknown.mark(i, columns[0]) for i in range(len(rows)))  # one may be the best
    assert "+0.000" in to_markdown(unknown)


def test_footnotes_are_lettered_once_each() -> None:
    notes = [f"note {i // 2}" for i in range(60)]
    rows = [Row(f"t{i}", "printed", {"a": Cell(0.5)}, note=note) for i, note in enumerate(notes)]
    text = to_markdown(Table("t", "t", (Column("a", "A"),), tuple(rows)))
    assert text.count("- <sup>b</sup> note 1") == 1
    assert "t59<sup>ad</sup>" in text
    assert "- <sup>ad</sup> note 29" in text


def test_intervals_are_optional() -> None:
    assert "[0.40, 0.60]" in to_latex(table("x"), intervals=True)
    assert "[0.40" not in to_latex(table("x"))


@pytest.mark.parametrize("name", HOSTILE)
def test_escaped_latex_parses(name: str) -> None:
    LatexWalker(f"{{{escape_latex(name)}}}", tolerant_parsing=False).get_latex_nodes()


def test_latex_names_by_number_what_a_package_would_have_to_draw() -> None:
    """The document loads booktabs alone: no Cyrillic, no ogonek, no guillemets."""
    assert r"\texttt{U+0422}" in escape_latex("Т")
    for letter in "ęđþ«½€𝒜":
        assert f"U+{ord(letter):04X}" in escape_latex(letter)
    assert escape_latex("Łéçß") == r"{\L}\'e\c{c}{\ss}"
    assert escape_latex("↑ −1") == r"\ensuremath{\uparrow} \ensuremath{-}1"
    assert escape_latex("3 × α ≥ 2°") == (
        r"3 \ensuremath{\times} \ensuremath{\alpha} \ensuremath{\geq} 2\ensuremath{^\circ}"
    )


def test_latex_draws_the_characters_that_were_meant() -> None:
    """The default fonts draw | as a dash, and join hyphens and apostrophes."""
    assert escape_latex("a|b") == r"a{\textbar}b"
    assert escape_latex("a--b---c''`") == r"a-{}-b-{}-{}-c'{}'{\textasciigrave}"


def test_latex_compiles(tmp_path: Path) -> None:
    """The ends of rows, captions and footnotes with hostile names, and all of three alphabets."""
    engine = next(filter(shutil.which, ("pdflatex", "xelatex", "lualatex", "tectonic")), None)
    if engine is None:
        pytest.skip(
            "needs a LaTeX installation; the tests beside this one parse what it would read"
        )
    head = "\\documentclass{article}\\usepackage{booktabs}\\begin{document}\n"
    letters = "\n\n".join(escape_latex(chr(code)) for code in (*range(0xA1, 0x500), *SIGNS))
    body = f"{to_latex(table(*HOSTILE), intervals=True)}\n{letters}\n"
    source = tmp_path / "paper.tex"
    source.write_text(f"{head}{body}\\end{{document}}\n")
    flags = [] if engine == "tectonic" else ["-interaction=nonstopmode", "-halt-on-error"]
    done = subprocess.run([engine, *flags, source.name], cwd=tmp_path, capture_output=True)
    assert done.returncode == 0, done.stdout.decode(errors="replace")[-2000:]
    assert (tmp_path / "paper.pdf").is_file()

"""Tables as Markdown, LaTeX, CSV and HTML. Names stay text whatever characters they contain.

pandas lays the tables out; ``escaping`` holds what differs between the languages.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from bench.reports.escaping import (
    HTML,
    LATEX,
    MARKDOWN,
    Dialect,
    escape_latex,
    escape_markdown,
    harmless,
    plain,
    without_folders,
)
from bench.reports.fitting import Part, parts
from bench.reports.options import read_width
from bench.reports.table import Cell, Column, Mark, Row, Table, bounds_of, text_of

if TYPE_CHECKING:
    from jinja2 import Environment
    from pandas import DataFrame

_LETTERS = "abcdefghijklmnopqrstuvwxyz"


class Document(Table):
    """A table that writes itself; the functions below explain the formats."""

    @classmethod
    def of(cls, table: Table) -> Document:
        """The same table with these methods."""
        return cls(**{field.name: getattr(table, field.name) for field in fields(table)})

    def to_markdown(self, *, intervals: bool = False) -> str:
        return to_markdown(self, intervals=intervals)

    def to_latex(self, *, intervals: bool = False, width: str | float = "") -> str:
        return to_latex(self, intervals=intervals, width=width)

    def to_html(self, *, intervals: bool = False) -> str:
        return to_html(self, intervals=intervals)

    def to_csv(self, *, intervals: bool = True) -> str:
        return to_csv(self, intervals=intervals)


def to_markdown(table: Table, *, intervals: bool = False) -> str:
    """A table in GitHub's Markdown: best bold, second best underlined."""
    frame = _frame(table, MARKDOWN, intervals)
    if frame.columns.nlevels > 1:  # Markdown has one line of headings
        frame.columns = [" ".join(filter(None, names)) for names in frame.columns]
    align = _alignment(table, "left", "right")
    body = frame.to_markdown(index=False, disable_numparse=True, colalign=align)
    notes = [f"<sup>{mark}</sup> {note}" for mark, note in _marked(table, MARKDOWN)]
    notes += [escape_markdown(note) for note in _notes(table)]
    lines = "".join(f"\n- {note}" for note in notes)
    return f"**{escape_markdown(table.title)}**\n\n{body}\n{lines}\n"


def to_latex(table: Table, *, intervals: bool = False, width: str | float = "") -> str:
    r"""Floats with caption and notes, for a document that loads ``booktabs``.

    A ``table`` that fits the column of a paper with two, or a ``table*`` that fits both. What is
    too wide or too long for a page becomes several. The label is ``tab:<name>``. Best bold, second
    best underlined.

    Args:
        table: to print.
        intervals: whether figures stand above their intervals.
        width: ``"column"``, ``"text"`` or centimetres; the narrower that fits if empty.

    Raises:
        ConfigError: a wrong width.
    """
    wanted = read_width("width", width) if width else ""
    return "\n".join(_float(part, intervals) for part in parts(table, wanted, intervals=intervals))


def _float(part: Part, intervals: bool) -> str:
    table = part.table
    frame = _frame(table, LATEX, intervals)
    layout = "".join(_alignment(table, "l", "r"))
    tabular = _styled(frame).to_latex(hrules=True, column_format=layout, multicol_align="c")
    return _environment().get_template("table.tex.j2").render(
        environment=part.environment,
        caption=escape_latex(table.title),
        name=table.name,
        tabular=_ruled(tabular.rstrip(), table),
        marked=_marked(table, LATEX),
        notes=[escape_latex(note) for note in _notes(table)],
    )  # fmt: skip


def _ruled(tabular: str, table: Table) -> str:
    """A line above the last rows if these are ours."""
    ours = sum(row.label == table.ours for row in table.rows)
    if not ours or ours == len(table.rows) or table.rows[-ours].label != table.ours:
        return tabular
    lines = tabular.splitlines()
    end = lines.index(r"\bottomrule")
    return "\n".join([*lines[: end - ours], r"\midrule", *lines[end - ours :]])


def to_html(table: Table, *, intervals: bool = False) -> str:
    """A ``<figure>`` of class ``paper-table`` for a page: best strong, second best ``<u>``.

    Rows carry their kind as class, and cells their state unless it is ``known``.
    """
    body = _styled(_frame(table, HTML, intervals)).to_html(exclude_styles=True)
    return _environment("html").get_template("table.html.j2").render(
        caption=plain(table.title),
        name=table.name,
        body=body,
        marked=[(letter, plain(without_folders(note))) for letter, note in _lettered(table)],
        notes=[plain(note) for note in _notes(table)],
    )  # fmt: skip


def to_html_page(table: Table, *, intervals: bool = False) -> str:
    """A table as a self-contained page."""
    body = to_html(table, intervals=intervals)
    page = _environment("html").get_template("page.html.j2")
    return f"{page.render(caption=plain(table.title), body=body)}\n"


def to_csv(table: Table, *, intervals: bool = True) -> str:
    """One line per figure: value, interval, state, mark and notes in columns of their own.

    The first line of a row has its notes, the first of all those of the table. Names that a
    spreadsheet would run as a formula get an apostrophe in front.
    """
    import pandas as pd

    lines = [
        _csv_line(table, index, row, column, intervals)
        for index, row in enumerate(table.rows)
        for column in table.columns
    ]
    for line in lines[:1]:
        line["table_notes"] = harmless("; ".join(_notes(table)))
    text: str = pd.DataFrame(lines).to_csv(index=False, lineterminator="\n")
    return text


def _csv_line(
    table: Table, index: int, row: Row, column: Column, intervals: bool
) -> dict[str, Any]:
    cell = row.cell(column)
    low, high = (cell.interval if intervals else None) or (None, None)
    of_row = row.footnote if column == table.columns[0] else ""
    note = "; ".join(filter(None, (of_row, cell.note)))
    return {
        "table": table.name,
        "row": harmless(row.label),
        "kind": row.kind,
        "group": harmless(column.group),
        "column": harmless(column.heading),
        "unit": column.unit,
        "better": column.better,
        "value": _exact(cell),
        "low": low,
        "high": high,
        "state": cell.state,
        "mark": table.mark(index, column),
        "note": harmless(without_folders(note)),
        "table_notes": "",
    }


def _exact(cell: Cell) -> float | str | None:
    """A value in full precision, or with the decimals of its source; a text as it is."""
    if cell.value is None:
        return harmless(cell.text) or None
    if cell.decimals is None:
        return cell.value
    return f"{cell.value:.{cell.decimals}f}"


def _has_kinds(table: Table) -> bool:
    """Whether the table has a column for the kinds of its rows."""
    return table.kinds and any(row.kind for row in table.rows)


def _alignment(table: Table, left: str, right: str) -> list[str]:
    labels = [left] * (1 + _has_kinds(table))
    return labels + [left if column.text else right for column in table.columns]


def _frame(table: Table, dialect: Dialect, intervals: bool) -> DataFrame:
    """The finished text of every cell, under one or two lines of headings."""
    import pandas as pd

    headings = [("", table.first_heading), *[("", "Kind")] * _has_kinds(table)]
    headings += [(column.group, column.title) for column in table.columns]
    escaped = [tuple(_name(text, table, dialect) for text in pair) for pair in headings]
    letters = {note: letter for letter, note in _lettered(table)}
    rows = [_texts(table, i, dialect, letters, intervals) for i in range(len(table.rows))]
    grouped = any(group for group, _ in headings)
    columns = pd.MultiIndex.from_tuples(escaped) if grouped else [name for _, name in escaped]
    return pd.DataFrame(rows, columns=columns, dtype=object)


def _name(title: str, table: Table, dialect: Dialect) -> str:
    """A row's or a group's title, in bold if it is ours."""
    text = dialect.escape(title)
    ours = table.ours and (title == table.ours or title.startswith(f"{table.ours} ("))
    return dialect.marks["best"].format(text) if ours else text


def _texts(
    table: Table, index: int, dialect: Dialect, letters: Mapping[str, str], intervals: bool
) -> list[str]:
    row = table.rows[index]
    texts = [_name(row.title, table, dialect) + _raised(dialect, letters, row.footnote)]
    if _has_kinds(table):
        texts.append(dialect.kind.format(row.kind, row.kind))
    for column in table.columns:
        cell, mark = row.cell(column), table.mark(index, column)
        text = _figure(cell, column, dialect, mark, intervals)
        texts.append(text + _raised(dialect, letters, cell.note))
    return texts


def _figure(
    cell: Cell, column: Column, dialect: Dialect, mark: Mark | None, intervals: bool
) -> str:
    text = dialect.escape(text_of(cell, column))
    if cell.state not in ("known", "missing"):
        text = dialect.odd.format(cell.state, text)
    text = dialect.marks[mark].format(text) if mark else text
    bounds = bounds_of(cell, column) if intervals else None
    if bounds is None:
        return text
    return dialect.interval.format(text, dialect.escape(f"[{bounds[0]}, {bounds[1]}]"))


def _raised(dialect: Dialect, letters: Mapping[str, str], note: str) -> str:
    return dialect.raised.format(letters[note]) if note else ""


def _lettered(table: Table) -> list[tuple[str, str]]:
    """Each footnote with its letter: a to z, then aa, ab, ..."""
    return [(_letter(number), note) for number, note in enumerate(table.footnotes())]


def _letter(number: int) -> str:
    before, last = divmod(number, len(_LETTERS))
    return (_letter(before - 1) if before else "") + _LETTERS[last]


def _marked(table: Table, dialect: Dialect) -> list[tuple[str, str]]:
    marked = _lettered(table)
    return [(letter, dialect.escape(without_folders(note))) for letter, note in marked]


def notes_of(table: Table) -> list[str]:
    """Every note of a table as Markdown: those of rows and cells first, with their rows."""
    noted: dict[str, list[str]] = {}
    for row in table.rows:
        cells = (row.cell(column).note for column in table.columns)
        for note in dict.fromkeys(filter(None, (row.footnote, *cells))):
            noted.setdefault(note, []).append(row.label)
    rows = [f"{', '.join(dict.fromkeys(names))}: {note}" for note, names in noted.items()]
    return [escape_markdown(without_folders(note)) for note in (*rows, *table.notes)]


def _notes(table: Table) -> list[str]:
    """The notes under a table as they are passed on."""
    return [without_folders(note) for note in table.notes]


def _styled(frame: DataFrame) -> Any:
    """The frame as pandas' Styler, which leaves the escaped text alone."""
    return frame.style.hide(axis="index")


@lru_cache(maxsize=2)
def _environment(language: str = "tex") -> Environment:
    """The templates; those of LaTeX use << >>, because LaTeX uses braces itself."""
    from jinja2 import Environment, PackageLoader

    loader = PackageLoader("bench.reports", "templates")
    if language == "html":
        return Environment(loader=loader, autoescape=True, trim_blocks=True)
    return Environment(
        loader=loader,
        autoescape=False,
        trim_blocks=True,
        keep_trailing_newline=True,
        variable_start_string="<<",
        variable_end_string=">>",
        block_start_string="<%",
        block_end_string="%>",
    )

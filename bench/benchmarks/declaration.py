"""Reads the declaration of a benchmark: one JSON or TOML file, with its list of sequences.

``docs/benchmarks.md`` describes every key. The benchmarks inside the package are such files too.
"""

from __future__ import annotations

import csv
import dataclasses
import json
import re
import string
import sys
from collections.abc import Callable, Iterable, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any

from bench.benchmarks.record import TABLES, Benchmark, Layout, Listed, Spelling, experiments
from bench.benchmarks.typed import typed, wrong
from bench.errors import ConfigError, unique_keys, unknown_name

SUFFIXES = (".toml", ".json")
_LARGEST = 16 << 20
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,60}")
_MADE = (
    "declared",
    "load_table",
    "expected_sequences",
    "expected_frames",
)  # by no key of these names
_KEYS = tuple(field.name for field in dataclasses.fields(Benchmark) if field.name not in _MADE)
Table = Callable[[], tuple[Listed, ...]]


def read_declaration(path: Path) -> Benchmark:
    """The benchmark that a file declares; its name is the key ``name`` or the file's own.

    Raises:
        ConfigError: the file cannot be read, or something in it is malformed.
    """
    benchmark = parse_declaration(read_content(path), path, path.stem)
    check_declaration(benchmark, path)
    rows = [_plain(row) for row in benchmark.table]  # read now: a malformed list is an error here
    spellings = [dataclasses.asdict(each) for each in benchmark.spellings]
    lists = {"sequences": rows} if rows else {}
    whole = {**read_content(path), "name": benchmark.name, **lists, "spellings": spellings}
    main = len(benchmark.listed(benchmark.subsets[0])) or None
    return dataclasses.replace(
        benchmark,
        declared=whole,
        conventions=_with_first_pixel(benchmark),
        expected_sequences=benchmark.expected_sequences or main,
    )


def read_content(
    path: Path, what: str = "the declaration of a benchmark", guide: str = "docs/benchmarks.md"
) -> dict[str, Any]:
    """The content of a JSON or TOML file, unchecked.

    Args:
        path: of the file.
        what: it should hold, for messages.
        guide: that has an example, for messages.

    Raises:
        ConfigError: it cannot be read, or is not a table of names and values.
    """
    if path.suffix not in SUFFIXES:
        raise wrong(str(path), "a declaration, .toml or .json", path.suffix)
    try:
        if path.stat().st_size > _LARGEST:
            raise ValueError(f"larger than {_LARGEST >> 20} MB")
        text = path.read_text(encoding="utf-8-sig")
        content = (
            json.loads(text, object_pairs_hook=unique_keys)
            if path.suffix == ".json"
            else _toml(text)
        )
    except (OSError, ValueError, RecursionError) as error:
        why = getattr(error, "strerror", None) or error
        raise ConfigError(
            f"{path}: expected {what}, {path.suffix[1:].upper()}, but it "
            f"cannot be read ({why}). Correct the file; {guide} has an example."
        ) from error
    if not isinstance(content, dict):
        raise wrong(str(path), "a table of names and values", content)
    return content


def _toml(text: str) -> Any:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    return tomllib.loads(text)


def parse_declaration(content: Mapping[str, Any], path: Path, name: str) -> Benchmark:
    """A benchmark from the content of a declaration.

    Args:
        content: names and values.
        path: of its file, for messages, and to find the table of sequences beside it.
        name: of the benchmark, unless the content has one.

    Raises:
        ConfigError: what is malformed, and where.
    """
    where = str(path)
    for key in content:
        if key not in (*_KEYS, "expected", "sequences"):
            raise unknown_name(f"key in {where}:", str(key), (*_KEYS, "expected", "sequences"))
    given = {key: value for key, value in content.items() if key in _KEYS}
    for key in ("title", "layout", "rule", "index_base"):
        if key not in given:
            raise ConfigError(f"{where}: expected the key {key!r}, found none. Add it.")
    expected = typed(_Expected, content.get("expected", {}), f"{where}: expected")
    made = {
        **given,
        "name": given.get("name", name),
        "layout": dataclasses.asdict(_layout(given["layout"], f"{where}: layout")),
        "spellings": _spellings(given.get("spellings", []), path),
        "expected_sequences": expected.sequences,
        "expected_frames": expected.frames,
    }
    return dataclasses.replace(
        typed(Benchmark, made, where), load_table=_table(content.get("sequences"), path)
    )


@dataclasses.dataclass(frozen=True)
class _Expected:
    """Counts of the main subset, as ``check`` and every table compare them."""

    sequences: int | None = None
    frames: int | None = None


def _with_first_pixel(benchmark: Benchmark) -> dict[str, Mapping[str, Any]]:
    """Conventions by which a box in the first row or column of pixels is valid ground truth.

    Rules that ask for x, y > 0 are of toolkits that call the first pixel 1. Where it is 0, the
    size alone is asked for, unless the declaration says otherwise.
    """
    row, stated = _rules(benchmark.kind)[benchmark.rule], benchmark.conventions
    if benchmark.index_base:
        return dict(stated)
    sized = {key: "sized" for key, value in row.items() if value == "positive"}
    return {**stated, benchmark.rule: {**sized, **stated.get(benchmark.rule, {})}}


def check_declaration(benchmark: Benchmark, path: Path) -> None:
    """Check what no type says.

    Raises:
        ConfigError: a name, experiment, rule or pattern cannot be.
    """
    where = str(path)
    if not _NAME.fullmatch(benchmark.name):
        raise wrong(f"{where}: name", "small letters, digits, '.', '-' and '_'", benchmark.name)
    listed = len(benchmark.listed(benchmark.subsets[0]))
    if listed and benchmark.expected_sequences not in (None, listed):
        found = benchmark.expected_sequences
        raise wrong(f"{where}: expected.sequences", f"{listed}, as its list has", found)
    _check_list(benchmark, f"{where}: sequences")
    _check_placeholders(benchmark.layout, f"{where}: layout")
    if benchmark.index_base not in (0, 1):
        raise wrong(f"{where}: index_base", "0 or 1, the first pixel", benchmark.index_base)
    for experiment in benchmark.experiments:
        if experiment not in experiments():
            raise unknown_name(f"experiment in {where}:", experiment, experiments())
    if not benchmark.experiments or (
        "onepass" in benchmark.experiments[benchmark.kind == "onepass" :]
    ):
        raise wrong(
            f"{where}: experiments", "onepass alone, or those of VOT", list(benchmark.experiments)
        )
    rules = _rules(benchmark.kind)
    if benchmark.rule not in rules:
        raise unknown_name(f"rule in {where}:", benchmark.rule, rules)
    for rule in benchmark.conventions:
        if rule not in rules:
            raise unknown_name(f"convention in {where}:", rule, rules)
    for spelling in benchmark.spellings:
        try:
            re.compile(spelling.pattern)
        except re.error as error:
            raise wrong(
                f"{where}: spellings", f"regular expressions ({error})", spelling.pattern
            ) from error


def _check_list(benchmark: Benchmark, where: str) -> None:
    """Refuse numbers of the list that cannot be, and attributes without a title."""
    for row in benchmark.table:
        for key in ("frames", "width", "height"):
            if (value := getattr(row, key)) is not None and value < 1:
                raise wrong(f"{where}: {row.name}: {key}", "1 or more", value)
        for name in sorted(row.attributes or ()):
            if benchmark.attributes and name not in benchmark.attributes:
                raise unknown_name(
                    f"attribute in {where}: {row.name}:", name, benchmark.attributes
                )


_RULES = {"onepass": "conventions.json", "vot": "vot_conventions.json"}


@cache
def _rules(kind: str) -> dict[str, dict[str, Any]]:
    """All conventions of a kind by name."""
    rules: dict[str, dict[str, Any]] = json.loads((TABLES / _RULES[kind]).read_text("utf-8"))
    return rules


@cache
def layouts() -> dict[str, Layout]:
    """All layouts by name: ``tables/layouts.json``."""
    table = json.loads((TABLES / "layouts.json").read_text(encoding="utf-8"))
    return {name: typed(Layout, {"name": name, **row}, name) for name, row in table.items()}


def _layout(value: object, where: str) -> Layout:
    """A layout by name, or by a table of its name, changed parts and values of placeholders."""
    given = {"name": value} if isinstance(value, str) else value
    if not isinstance(given, Mapping) or not isinstance(given.get("name"), str):
        raise wrong(where, "the name of a layout, or a table with its name", value)
    if given["name"] not in layouts():
        raise unknown_name(f"layout in {where}:", given["name"], layouts())
    known = layouts()[given["name"]]
    parts = {field.name for field in dataclasses.fields(Layout)}
    options = {key: item for key, item in given.items() if key not in parts}
    changed = {key: item for key, item in given.items() if key in parts}
    whole = {**dataclasses.asdict(known), **changed, "options": {**known.options, **options}}
    return typed(Layout, whole, where)


def _check_placeholders(layout: Layout, where: str) -> None:
    known = {*Listed("a").places, "at", "file", *layout.options}
    for number, form in enumerate(layout.forms, start=1):
        paths = (*form.at, form.boxes, *form.images, *form.absent, *form.attributes, *form.marked)
        for path in (*paths, form.visible, form.range, form.size):
            for _, name, _, _ in string.Formatter().parse(path):
                if name is not None and name not in known:
                    raise unknown_name(f"placeholder in {where}: form {number}:", name, known)
        if not form.at:
            raise wrong(f"{where}: form {number}: at", "where its sequences are", list(form.at))
        if any(Path(path).is_absolute() or ".." in Path(path).parts for path in paths):
            raise wrong(f"{where}: form {number}", "paths below the dataset's folder", list(paths))


def _spellings(value: object, path: Path) -> list[Mapping[str, Any]]:
    rows = _rows(value, path, f"{path}: spellings")
    return [
        dataclasses.asdict(typed(Spelling, _without_source(row), where)) for where, row, _ in rows
    ]


def _table(value: object, path: Path) -> Table:
    """What reads the list of sequences, when it is wanted."""
    return tuple if value is None else partial(_listed, _frozen(value), path)


def _frozen(value: object) -> str:
    """The key ``sequences`` as text: a benchmark compares and hashes by it."""
    return json.dumps(value)


@cache
def _listed(value: str, path: Path) -> tuple[Listed, ...]:
    """The list of sequences: inline, a table's file, or a named ``set`` of a table.

    Raises:
        ConfigError: the table cannot be read, or a row is malformed or there twice.
    """
    source, wanted = json.loads(value), None
    if isinstance(source, Mapping):
        wanted = typed(_Selection, source, f"{path}: sequences")
        source = wanted.table
    rows = [
        typed(Listed, _without_source(row), where, csv=is_csv)
        for where, row, is_csv in _rows(source, path, f"{path}: sequences")
    ]
    if wanted is not None and wanted.set:
        rows = [row for row in rows if wanted.set in row.sets]
    names = [row.name for row in rows]
    if (
        twice := sorted({name for name in names if names.count(name) > 1})
        if len(set(names)) < len(names)
        else []
    ):
        raise wrong(f"{path}: sequences", "each name once", twice[0])
    if not rows:
        raise wrong(f"{path}: sequences", "at least one sequence", value)
    return tuple(rows)


@dataclasses.dataclass(frozen=True)
class _Selection:
    """A named set of a table."""

    table: str
    set: str = ""


def _rows(value: object, path: Path, where: str) -> Iterable[tuple[str, Any, bool]]:
    """Place and content of each row of a list, or of the CSV file that it names."""
    if isinstance(value, str) and value.endswith(".csv"):
        file = path.parent / value
        try:
            with file.open(encoding="utf-8-sig", newline="") as stream:
                for number, row in enumerate(csv.DictReader(stream), start=2):
                    if None in row or None in row.values():
                        raise wrong(f"{file}:{number}", f"{len(row)} cells", list(row.values()))
                    yield f"{file}:{number}", row, True
        except (OSError, ValueError, csv.Error) as error:
            why = getattr(error, "strerror", None) or error
            raise ConfigError(f"{file}: cannot be read ({why}), named by {where}") from error
        return
    if not isinstance(value, list):
        raise wrong(where, "a list, or the name of a .csv file beside it", value)
    for number, row in enumerate(value, start=1):
        yield f"{where}: item {number}", {"name": row} if isinstance(row, str) else row, False


def _without_source(row: Any) -> Any:
    """A row without the column for people."""
    if not isinstance(row, Mapping):
        return row
    return {key: value for key, value in row.items() if key != "source"}


def _plain(row: Listed) -> dict[str, Any]:
    """A row as JSON has it, without what is as usual."""
    usual = dataclasses.asdict(Listed(row.name))
    return {
        key: sorted(value) if isinstance(value, frozenset) else value
        for key, value in dataclasses.asdict(row).items()
        if key == "name" or value != usual[key]
    }

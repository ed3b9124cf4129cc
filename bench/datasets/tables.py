"""Tables of sequence names, frame ranges and attributes, shipped in ``bench/tables``."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from bench.benchmarks import TABLES
from bench.errors import DatasetError
from bench.files import read_whole


@cache
def read_table(name: str) -> tuple[Mapping[str, str], ...]:
    """Rows of a table, by column name; every table has a ``source`` column."""
    with (TABLES / name).open(encoding="utf-8", newline="") as stream:
        return tuple(csv.DictReader(stream))


def attribute_names(benchmark: str) -> tuple[str, ...]:
    """Abbreviations of a benchmark's attributes, in the column order of its flag files."""
    rows = read_table("attributes.csv")
    return tuple(row["flag"] for row in rows if row["benchmark"] == benchmark)


def attributes_from_titles(benchmark: str, titles: Iterable[str]) -> frozenset[str]:
    """Abbreviations of full attribute names: ``Background Clutters`` -> ``BC``.

    Unknown names are kept unchanged.
    """
    rows = (row for row in read_table("attributes.csv") if row["benchmark"] == benchmark)
    known = {_letters(row["title"]): row["flag"] for row in rows}
    return frozenset(known.get(_letters(title), title) for title in titles)


@cache
def _attribute_lists() -> dict[tuple[str, str], frozenset[str]]:
    return {
        ("otb2015", row["name"]): frozenset(row["attributes"].split("|"))
        for row in read_table("otb_attributes.csv")
    }


def listed_attributes(benchmark: str, sequence: str) -> frozenset[str] | None:
    """Attributes of a sequence by the authors' own list; None for benchmarks without one here.

    OTB-2015 has no attributes in its official folders, and the flag files of later copies have
    occlusion and out-of-plane rotation exchanged in 16 sequences.
    """
    return _attribute_lists().get((benchmark, sequence))


def _letters(title: str) -> str:
    """Lower-case letters without plural ``s``, to match different spellings."""
    return re.sub(r"[^a-z]", "", title.lower()).rstrip("s")


def attributes_from_flags(benchmark: str, path: Path) -> frozenset[str]:
    """Attributes set in a flag file: one line of 0 and 1, in the benchmark's order.

    Raises:
        DatasetError: the file cannot be read or has the wrong number of flags.
    """
    names = attribute_names(benchmark)
    data = read_whole(path, DatasetError, 1 << 20)
    fields = re.split(r"[\s,;]+", data.decode("utf-8", errors="replace").strip())
    if len(fields) != len(names) or not set(fields) <= {"0", "1"}:
        raise DatasetError(
            f"{path}:1: expected {len(names)} flags of 0 or 1 ({', '.join(names)}), "
            f"found {len(fields)}: {' '.join(fields)[:80]!r}. Restore the file from the "
            "benchmark's toolkit."
        )
    return frozenset(name for name, flag in zip(names, fields, strict=True) if flag == "1")

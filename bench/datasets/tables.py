"""Attributes of sequences in the spellings of flag files and of PySOT's files."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from bench.benchmarks import Benchmark
from bench.errors import DatasetError
from bench.files import read_whole


def attributes_from_titles(benchmark: Benchmark, titles: Iterable[str]) -> frozenset[str]:
    """Abbreviations of full attribute names: ``Background Clutters`` -> ``BC``.

    Unknown names are kept unchanged.
    """
    known = {_letters(title): flag for flag, title in benchmark.attributes.items()}
    return frozenset(known.get(_letters(title), title) for title in titles)


def _letters(title: str) -> str:
    """Lower-case letters without plural ``s``, to match different spellings."""
    return re.sub(r"[^a-z]", "", title.lower()).rstrip("s")


def attributes_from_flags(benchmark: Benchmark, path: Path) -> frozenset[str]:
    """Attributes set in a flag file: 0 and 1 in the benchmark's order.

    Raises:
        DatasetError: the file cannot be read or has the wrong number of flags.
    """
    names = tuple(benchmark.attributes)
    data = read_whole(path, DatasetError, 1 << 20)
    fields = re.split(r"[\s,;]+", data.decode("utf-8", errors="replace").strip())
    if len(fields) != len(names) or not set(fields) <= {"0", "1"}:
        raise DatasetError(
            f"{path}:1: expected {len(names)} flags of 0 or 1 ({', '.join(names)}), "
            f"found {len(fields)}: {' '.join(fields)[:80]!r}. Restore the file from the "
            "benchmark's toolkit."
        )
    return frozenset(name for name, flag in zip(names, fields, strict=True) if flag == "1")

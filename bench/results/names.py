"""Sequence names in the spelling of every toolkit.

Toolkits spell names differently (``Jogging-1``, ``Jogging.1``, ``Jogging_1``, ``jogging-1``).
Spellings are equal up to letter case and the separator before a final target number; other
exceptions are in ``tables/sequence_names.csv``. ``car1_1`` and ``car11`` stay different.
"""

from __future__ import annotations

import csv
import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property

from bench.benchmarks import TABLES
from bench.errors import ConfigError, ResultError
from bench.sequence import Dataset

_TARGET_NUMBER = re.compile(r"[-._](\d+)$")
_UNSAFE = re.compile(r'[/\\:*?"<>|\x00-\x1f\x7f]|^[. ]|[. ]$')
_LONGEST_NAME = 200  # common file systems allow 255 bytes, including suffixes


@dataclass(frozen=True)
class SpellingRule:
    """How a toolkit spells some sequence names of a benchmark.

    Attributes:
        benchmark: identifier of the benchmark.
        format: name of the toolkit's format.
        pattern: regular expression that the canonical name must match in full.
        name: the toolkit's spelling, with ``\\1`` for groups of the pattern.
    """

    benchmark: str
    format: str
    pattern: str
    name: str


@cache
def spelling_rules(benchmark: str | None) -> tuple[SpellingRule, ...]:
    """The rules of one benchmark; the first matching rule applies."""
    with (TABLES / "sequence_names.csv").open(encoding="utf-8", newline="") as stream:
        return tuple(
            SpellingRule(row["benchmark"], row["format"], row["pattern"], row["name"])
            for row in csv.DictReader(stream)
            if row["benchmark"] == benchmark
        )


def toolkit_name(name: str, benchmark: str, format_: str) -> str:
    """The spelling of ``name`` in the toolkit of a format.

    >>> toolkit_name("Jogging-1", "otb2015", "got10k")
    'Jogging.1'
    """
    for rule in spelling_rules(benchmark):
        if rule.format == format_ and (match := re.fullmatch(rule.pattern, name)):
            return match.expand(rule.name)
    return name


def normalized(name: str) -> str:
    """The normal form of a spelling; equal for all spellings of one name.

    >>> normalized("Jogging.1"), normalized("car1_1"), normalized("car11")
    ('jogging-1', 'car1-1', 'car11')
    """
    return _TARGET_NUMBER.sub(r"-\1", name.casefold())


@dataclass(frozen=True)
class SequenceNames:
    """The sequence names of a dataset, recognised in any toolkit's spelling.

    Attributes:
        canonical: the dataset's own names.
        benchmark: identifier of the benchmark whose exceptions apply, or None.
    """

    canonical: tuple[str, ...]
    benchmark: str | None = None

    @classmethod
    def of(cls, dataset: Dataset) -> SequenceNames:
        """The names of a dataset's sequences."""
        return cls(tuple(sequence.name for sequence in dataset), dataset.benchmark)

    def match(self, found: Iterable[str]) -> dict[str, str]:
        """The found spelling of each canonical name; unknown spellings are ignored.

        Raises:
            ResultError: two spellings mean one sequence, or one could mean several.
        """
        matched: dict[str, str] = {}
        for spelling in sorted(found):
            name = self.resolve(spelling)
            if name in matched:
                raise ResultError(
                    f"{matched[name]!r} and {spelling!r} both mean the sequence {name}. "
                    "Keep one of them."
                )
            if name is not None:
                matched[name] = spelling
        return matched

    def resolve(self, spelling: str) -> str | None:
        """The dataset's name for ``spelling``, or None.

        Raises:
            ResultError: the spelling is ambiguous.
        """
        if spelling in self.canonical:
            return spelling
        meant = self._meanings.get(normalized(spelling), set())
        if len(meant) > 1:
            raise ResultError(
                f"{spelling!r} could mean {' or '.join(sorted(meant))}. Rename it to one of them."
            )
        return next(iter(meant), None)

    @cached_property
    def _meanings(self) -> dict[str, set[str]]:
        """Sequences by normalised spelling."""
        meanings: dict[str, set[str]] = {}
        formats = {rule.format for rule in spelling_rules(self.benchmark)}
        for name in self.canonical:
            spelled = (toolkit_name(name, self.benchmark or "", f) for f in formats)
            for spelling in (name, *spelled):
                meanings.setdefault(normalized(spelling), set()).add(name)
        return meanings


def hint(spelling: str, known: Iterable[str]) -> str:
    """`` Did you mean ...?`` with the nearest known name, or an empty string."""
    lowered = {name.lower(): name for name in known}
    nearest = difflib.get_close_matches(spelling.lower(), lowered, n=1)
    return f" Did you mean {lowered[nearest[0]]!r}?" if nearest else ""


def safe_file_name(name: str, kind: str) -> str:
    """Return ``name`` if it is a valid file name on any system.

    Raises:
        ConfigError: it is not, e.g. because of a path separator.
    """
    if not name or _UNSAFE.search(name) or len(name.encode()) > _LONGEST_NAME:
        raise ConfigError(
            f"{kind} {name[:80]!r} is not a valid file name: expected 1 to {_LONGEST_NAME} bytes "
            'without / \\ : * ? " < > | or control characters, not starting or ending with a '
            "dot or space. Choose another name."
        )
    return name

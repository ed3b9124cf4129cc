"""The same sequence under the names of every toolkit.

Toolkits spell a sequence differently (``Jogging-1``, ``Jogging.1``, ``Jogging_1``,
``jogging-1``). Two spellings are one name if they differ in letter case or in the separator
before a final target number; what goes beyond that stands in ``tables/sequence_names.csv``.
Digits are never moved: ``car1_1`` and ``car11`` stay different.
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

_TARGET_NUMBER = re.compile(r"[-._](\d+)$")
_UNSAFE = re.compile(r'[/\\:*?"<>|\x00-\x1f\x7f]|^[. ]|[. ]$')
_LONGEST_NAME = 200  # leaves room for suffixes below the 255 bytes of common file systems


@dataclass(frozen=True)
class SpellingRule:
    """How one toolkit names the sequences of one benchmark.

    Attributes:
        benchmark: identifier of the benchmark.
        format: name of the format whose toolkit spells so.
        pattern: regular expression that the whole canonical name must match.
        name: the toolkit's name, with ``\\1`` for groups of the pattern.
    """

    benchmark: str
    format: str
    pattern: str
    name: str


@cache
def spelling_rules(benchmark: str | None) -> tuple[SpellingRule, ...]:
    """The rows of the table for one benchmark; the first that matches a name decides."""
    with (TABLES / "sequence_names.csv").open(encoding="utf-8", newline="") as stream:
        return tuple(
            SpellingRule(row["benchmark"], row["format"], row["pattern"], row["name"])
            for row in csv.DictReader(stream)
            if row["benchmark"] == benchmark
        )


def toolkit_name(name: str, benchmark: str, format_: str) -> str:
    """What the toolkit behind a format calls the sequence ``name``.

    >>> toolkit_name("Jogging-1", "otb2015", "got10k")
    'Jogging.1'
    """
    for rule in spelling_rules(benchmark):
        if rule.format == format_ and (match := re.fullmatch(rule.pattern, name)):
            return match.expand(rule.name)
    return name


def normalized(name: str) -> str:
    """The form in which spellings of one name meet.

    >>> normalized("Jogging.1"), normalized("car1_1"), normalized("car11")
    ('jogging-1', 'car1-1', 'car11')
    """
    return _TARGET_NUMBER.sub(r"-\1", name.casefold())


@dataclass(frozen=True)
class SequenceNames:
    """The sequence names of a dataset, found again under any toolkit's spelling.

    Attributes:
        canonical: the dataset's own names.
        benchmark: identifier whose rows of the table apply; None for the general rule alone.
    """

    canonical: tuple[str, ...]
    benchmark: str | None = None

    def resolve(self, spelling: str) -> str | None:
        """The dataset's name for ``spelling``, None for a name that is not in the dataset.

        Raises:
            ResultError: the spelling could mean several sequences and equals none of them.
        """
        if spelling in self.canonical:
            return spelling
        meant = self._meanings.get(normalized(spelling), set())
        if len(meant) > 1:
            raise ResultError(
                f"{spelling!r} could mean {' or '.join(sorted(meant))}: rename it to one of them"
            )
        return next(iter(meant), None)

    @cached_property
    def _meanings(self) -> dict[str, set[str]]:
        """Which sequences each normalised spelling could mean."""
        meanings: dict[str, set[str]] = {}
        formats = {rule.format for rule in spelling_rules(self.benchmark)}
        for name in self.canonical:
            spelled = (toolkit_name(name, self.benchmark or "", f) for f in formats)
            for spelling in (name, *spelled):
                meanings.setdefault(normalized(spelling), set()).add(name)
        return meanings


def match_names(
    found: Iterable[str],
    canonical: Iterable[str],
    benchmark: str | None = None,
    *,
    surplus: bool = False,
) -> dict[str, str]:
    """The found spelling for each canonical name, ``{canonical: found}``; missing ones left out.

    Args:
        found: names as they stand in somebody's folder.
        canonical: names of the dataset.
        benchmark: identifier of the benchmark, for the exceptions in the table.
        surplus: accept found names that are of no sequence, and leave them out.

    Raises:
        ResultError: two found names mean one sequence, one could mean several, or one is
            not known (unless ``surplus``).
    """
    names = SequenceNames(tuple(canonical), benchmark)
    matched: dict[str, str] = {}
    for spelling in sorted(found):
        name = names.resolve(spelling)
        if name is None and not surplus:
            raise ResultError(f"{spelling!r} is no sequence.{hint(spelling, names.canonical)}")
        if name is None:
            continue
        if name in matched:
            raise ResultError(
                f"{matched[name]!r} and {spelling!r} both mean the sequence {name}: "
                "keep one of them"
            )
        matched[name] = spelling
    return matched


def hint(spelling: str, known: Iterable[str]) -> str:
    """`` Did you mean ...?`` with the nearest known name, or nothing."""
    lowered = {name.lower(): name for name in known}
    nearest = difflib.get_close_matches(spelling.lower(), lowered, n=1)
    return f" Did you mean {lowered[nearest[0]]!r}?" if nearest else ""


def safe_file_name(name: str, kind: str) -> str:
    """``name`` itself, if a file or folder can be called so on any system.

    Raises:
        ConfigError: it has a path separator, a control character, or the like.
    """
    if not name or _UNSAFE.search(name) or len(name.encode()) > _LONGEST_NAME:
        raise ConfigError(
            f"{kind} {name[:80]!r} cannot be a file name: expected 1 to {_LONGEST_NAME} bytes "
            'without / \\ : * ? " < > | or control characters, not starting or ending with a '
            "dot or blank. Choose another name."
        )
    return name

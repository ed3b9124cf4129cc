"""Sequence names in the spelling of every toolkit.

Toolkits spell names differently (``Jogging-1``, ``Jogging.1``, ``Jogging_1``, ``jogging-1``).
Spellings are equal up to letter case and the separator before a final target number; other
exceptions are among a benchmark's ``spellings``. ``car1_1`` and ``car11`` stay different.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property

from bench.benchmarks import Spelling, get_benchmark, subset_title
from bench.errors import ConfigError, ResultError
from bench.sequence import Dataset

_TARGET_NUMBER = re.compile(r"[-._](\d+)$| ?\((\d+)\)$")
_UNSAFE = re.compile(r'[/\\:*?"<>|\x00-\x1f\x7f]|^[. ]|[. ]$')
_LONGEST_NAME = 200  # common file systems allow 255 bytes, including suffixes


def spelling_rules(benchmark: str | None) -> tuple[Spelling, ...]:
    """The rules of one benchmark; the first matching rule applies."""
    return get_benchmark(benchmark).spellings if benchmark else ()


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

    >>> normalized("Jogging.1"), normalized("Jogging(1)"), normalized("car11")
    ('jogging-1', 'jogging-1', 'car11')
    """
    return _TARGET_NUMBER.sub(lambda match: f"-{match[1] or match[2]}", name.casefold())


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

        Where several spellings mean one sequence, the dataset's own wins, then the exact
        spelling of a toolkit: the others belong to another benchmark.

        Raises:
            ResultError: two spellings mean one sequence equally well, or one could mean several.
        """
        meant: dict[str, list[str]] = {}
        for spelling in sorted(found):
            name = self.resolve(spelling)
            if name is not None:
                meant.setdefault(name, []).append(spelling)
        return {name: self._best(name, spellings) for name, spellings in meant.items()}

    def _best(self, name: str, spellings: list[str]) -> str:
        for exact in ({name}, self._spelled[name]):
            best = [spelling for spelling in spellings if spelling in exact]
            if len(best) == 1:
                return best[0]
        if len(spellings) > 1:
            raise ResultError(
                f"{spellings[0]!r} and {spellings[1]!r} both mean the sequence {name}. "
                "Keep one of them."
            )
        return spellings[0]

    def known(self, spelling: str) -> bool:
        """True if the spelling means one sequence of the dataset."""
        try:
            return self.resolve(spelling) is not None
        except ResultError:
            return False

    def resolve(self, spelling: str) -> str | None:
        """The dataset's name for ``spelling``, or None.

        Raises:
            ResultError: the spelling is ambiguous.
        """
        if spelling in self._own:
            return spelling
        meant = self._meanings.get(normalized(spelling), set())
        if not meant and (match := self._prefix.match(spelling)):
            return self.resolve(spelling[match.end() :])
        if len(meant) > 1:
            raise ResultError(
                f"{spelling!r} could mean {' or '.join(sorted(meant))}. Rename it to one of them."
            )
        return next(iter(meant), None)

    @cached_property
    def elsewhere(self) -> Mapping[str, str]:
        """What is known of names that are not sequences of the dataset, by their normal form."""
        return _elsewhere(self.benchmark, frozenset(map(normalized, self.canonical)))

    @cached_property
    def _own(self) -> frozenset[str]:
        return frozenset(self.canonical)

    @cached_property
    def _spelled(self) -> dict[str, set[str]]:
        """Every toolkit's spelling of each sequence."""
        formats = {rule.format for rule in spelling_rules(self.benchmark)}
        return {
            name: {name, *(toolkit_name(name, self.benchmark or "", f) for f in formats)}
            for name in self.canonical
        }

    @cached_property
    def _meanings(self) -> dict[str, set[str]]:
        """Sequences by normalised spelling."""
        meanings: dict[str, set[str]] = {}
        for name, spelled in self._spelled.items():
            for spelling in spelled:
                meanings.setdefault(normalized(spelling), set()).add(name)
        return meanings

    @cached_property
    def _prefix(self) -> re.Pattern[str]:
        """The benchmark's name in front of a sequence's, as some toolkits write it."""
        row = get_benchmark(self.benchmark) if self.benchmark else None
        own = () if row is None else (row.name, row.title, *row.aliases)
        words = sorted({re.escape(word) for word in own}, key=len, reverse=True)
        return re.compile(rf"(?:{'|'.join(words) or '(?!)'})[-_. ]", re.IGNORECASE)


@cache
def _elsewhere(benchmark: str | None, known: frozenset[str]) -> Mapping[str, str]:
    """Names of a benchmark's sequences outside ``known``, and why they are not in the dataset."""
    if benchmark is None:
        return {}
    row = get_benchmark(benchmark)
    subsets = {normalized(each.name): each.subset for each in row.table}
    here = {subset for name, subset in subsets.items() if name in known}
    return {
        name: f"{row.title}'s {subset_title(subset)}"
        if subset not in here
        else f"sequences of {row.title} without annotation here"
        for name, subset in subsets.items()
        if name not in known
    }


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

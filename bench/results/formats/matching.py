"""Which file of a source is of which sequence of a dataset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.errors import ResultError
from bench.results.formats.base import Found
from bench.results.names import SequenceNames, hint, match_names

_SHOWN = 30  # names listed in a note, so that it stays readable


@dataclass(frozen=True)
class Match:
    """The files of a source by sequence.

    Attributes:
        found: files by the dataset's name of the sequence, in the dataset's order.
        surplus: names of files that are of no sequence of the dataset.
        notes: what a user should know of missing and surplus ones.
    """

    found: Mapping[str, Found]
    surplus: tuple[str, ...]
    notes: tuple[str, ...]


def match_files(
    candidates: Sequence[Found], names: SequenceNames, where: Path, *, partial: bool
) -> Match:
    """Match files to sequences.

    Args:
        candidates: what a format found in the source.
        names: the dataset's sequences.
        where: the source, for messages.
        partial: accept that sequences are missing.

    Raises:
        ResultError: two files are of one sequence, a name could mean several, nothing matches,
            or sequences are missing and ``partial`` is not set.
    """
    by_spelling: dict[str, list[Found]] = {}
    for candidate in candidates:
        by_spelling.setdefault(candidate.spelling, []).append(candidate)
    try:
        spellings = match_names(by_spelling, names.canonical, names.benchmark, surplus=True)
    except ResultError as error:
        raise ResultError(f"{where}: {error}") from None
    found = {
        name: _only(by_spelling[spellings[name]], name, where)
        for name in names.canonical
        if name in spellings
    }
    used = {id(one) for one in found.values()}
    surplus = tuple(c.boxes.path.name for c in candidates if id(c) not in used)
    notes = (*_missing(found, surplus, names, where, partial), *_surplus_note(surplus, names))
    return Match(found, surplus, notes)


def _only(files: list[Found], name: str, where: Path) -> Found:
    if len(files) > 1:
        raise ResultError(
            f"{where}: {listed([f.boxes.path.name for f in files], 3)} are all of the sequence "
            f"{name}: keep the files of one tracker"
        )
    return files[0]


def _missing(
    found: Mapping[str, Found],
    surplus: Sequence[str],
    names: SequenceNames,
    where: Path,
    partial: bool,
) -> list[str]:
    missing = [name for name in names.canonical if name not in found]
    if not missing:
        return []
    total = len(names.canonical)
    if found and partial:
        return [f"partial: {len(found)} of {total} sequences"]
    near = hint(missing[0], (Path(file).stem for file in surplus))
    more = f" (files of no sequence: {listed(surplus, 5)}.{near})" if surplus else ""
    fix = " Import what is there with --partial." if found else ""
    raise ResultError(
        f"{where}: expected results of {total} sequences, found {len(found)}; missing: "
        f"{listed(missing, 5)}{more}.{fix}"
    )


def _surplus_note(surplus: Sequence[str], names: SequenceNames) -> list[str]:
    if not surplus:
        return []
    count = f"{len(surplus)} file{'s' if len(surplus) > 1 else ''}"
    of = f" of {names.benchmark}" if names.benchmark else ""
    return [f"{count} of no sequence{of} left out: {listed(surplus, _SHOWN)}"]


def listed(names: Sequence[str], shown: int = _SHOWN) -> str:
    """The first names with commas between.

    >>> listed(["a", "b", "c"], 2)
    'a, b, ...'
    """
    return ", ".join(names[:shown]) + (", ..." if len(names) > shown else "")

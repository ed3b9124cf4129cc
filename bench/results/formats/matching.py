"""Assigns the files of a source to the sequences of a dataset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.errors import ResultError
from bench.results.formats.base import Found
from bench.results.names import SequenceNames, hint

_SHOWN = 30  # maximum number of names in a note


@dataclass(frozen=True)
class Match:
    """The files of a source by sequence.

    Attributes:
        found: files by sequence name, in the dataset's order.
        notes: remarks on missing sequences and unknown files.
    """

    found: Mapping[str, Found]
    notes: tuple[str, ...]


def match_files(
    candidates: Sequence[Found], names: SequenceNames, where: Path, *, partial: bool
) -> Match:
    """Match files to sequences.

    Args:
        candidates: files that a format found in the source.
        names: the dataset's sequences.
        where: the source, for messages.
        partial: accept missing sequences.

    Raises:
        ResultError: two files belong to one sequence, a name is ambiguous, nothing matches, or
            sequences are missing without ``partial``.
    """
    by_spelling: dict[str, list[Found]] = {}
    for candidate in candidates:
        by_spelling.setdefault(candidate.spelling, []).append(candidate)
    try:
        spellings = names.match(by_spelling)
    except ResultError as error:
        raise ResultError(f"{where}: {error}") from None
    found = {
        name: _only(by_spelling[spellings[name]], name, where)
        for name in names.canonical
        if name in spellings
    }
    used = {id(one) for one in found.values()}
    surplus = [c.boxes.path.name for c in candidates if id(c) not in used]
    notes = (*_missing(found, surplus, names, where, partial), *_surplus_note(surplus, names))
    return Match(found, notes)


def _only(files: list[Found], name: str, where: Path) -> Found:
    if len(files) > 1:
        raise ResultError(
            f"{where}: {listed([f.boxes.path.name for f in files], 3)} all belong to the "
            f"sequence {name}. Keep the files of one tracker."
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
    more = f" (unknown files: {listed(surplus, 5)}.{near})" if surplus else ""
    fix = " Import the others with --partial." if found else ""
    raise ResultError(
        f"{where}: expected results of {total} sequences, found {len(found)}; missing: "
        f"{listed(missing, 5)}{more}.{fix}"
    )


def _surplus_note(surplus: Sequence[str], names: SequenceNames) -> list[str]:
    if not surplus:
        return []
    count = f"{len(surplus)} unknown file{'s' if len(surplus) > 1 else ''}"
    reason = f" (no sequence of {names.benchmark})" if names.benchmark else ""
    return [f"{count} ignored{reason}: {listed(surplus, _SHOWN)}"]


def listed(names: Sequence[str], shown: int = _SHOWN) -> str:
    """The first names, comma-separated.

    >>> listed(["a", "b", "c"], 2)
    'a, b, ...'
    """
    return ", ".join(names[:shown]) + (", ..." if len(names) > shown else "")

"""Assigns the files of a source to the sequences of a dataset."""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.errors import ResultError
from bench.results.formats.base import Found
from bench.results.names import SequenceNames, hint, normalized

_SHOWN = 30  # maximum number of names in a note
_SEPARATOR = re.compile(r"[-_. ]")


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
    candidates, affix_note = _without_affix(candidates, names)
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
    surplus = [str(c.boxes.path.name) for c in candidates if id(c) not in used]
    notes = (
        *affix_note,
        *_missing(found, surplus, names, where, partial),
        *_surplus_note(surplus, names),
    )
    return Match(found, notes)


def _without_affix(
    candidates: Sequence[Found], names: SequenceNames
) -> tuple[Sequence[Found], list[str]]:
    """Candidates whose spelling lacks what all file names share before or after the sequence."""
    spellings = [one.spelling for one in candidates]
    if len(spellings) < 2 or any(map(names.known, spellings)):
        return candidates, []
    ends = [spelling[::-1] for spelling in spellings]
    for front, texts in ((True, spellings), (False, ends)):
        shared = _shared_start(texts)
        for cut in sorted({m.end() for m in _SEPARATOR.finditer(shared)}, reverse=True):
            bare = [text[cut:] if front else text[cut:][::-1] for text in texts]
            if all(map(names.known, bare)):
                affix = shared[:cut] if front else shared[:cut][::-1]
                kept = [
                    dataclasses.replace(one, spelling=spelling)
                    for one, spelling in zip(candidates, bare, strict=True)
                ]
                return kept, [f"{affix!r} in every file name is not part of the sequence's name"]
    return candidates, []


def _shared_start(texts: Sequence[str]) -> str:
    """The longest start that all texts have in common."""
    low, high = min(texts), max(texts)
    same = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(low, high, strict=False))
    return low[: sum(1 for _ in same)]


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
    """Files that were not used, by the reason: other sequences of the benchmark, or unknown."""
    notes = []
    elsewhere = names.elsewhere
    for reason in sorted(set(elsewhere.values())):
        known = [name for name in surplus if elsewhere.get(normalized(Path(name).stem)) == reason]
        if known:
            notes.append(f"{_files(known)} ignored ({reason}): {listed(known, _SHOWN)}")
            surplus = [name for name in surplus if name not in known]
    if surplus:
        reason = f" (no sequence of {names.benchmark})" if names.benchmark else ""
        notes.append(f"{_files(surplus, 'unknown ')} ignored{reason}: {listed(surplus, _SHOWN)}")
    return notes


def _files(names: Sequence[str], kind: str = "") -> str:
    return f"{len(names)} {kind}file{'s' if len(names) > 1 else ''}"


def listed(names: Sequence[str], shown: int = _SHOWN) -> str:
    """The first names, comma-separated.

    >>> listed(["a", "b", "c"], 2)
    'a, b, ...'
    """
    return ", ".join(names[:shown]) + (", ..." if len(names) > shown else "")


def cut(lines: Sequence[str], shown: int) -> list[str]:
    """The first lines, and how many more there are."""
    more = [f"... and {len(lines) - shown} more"] if len(lines) > shown else []
    return [*lines[:shown], *more]


def of_tracker(candidates: Sequence[Found], name: str, where: Path) -> Sequence[Found]:
    """The files of one tracker in a folder of several, whose file names state the tracker.

    Raises:
        ResultError: there are files of several trackers for one sequence, and none is ``name``.
    """
    counts = Counter(one.spelling for one in candidates)
    if not candidates or max(counts.values()) == 1:
        return candidates
    trackers = sorted({one.tracker for one in candidates}, key=str.lower)
    own = [one for one in candidates if one.tracker.casefold() == name.casefold()]
    if own or len(trackers) < 2:
        return own or candidates
    twice = next(one.spelling for one in candidates if counts[one.spelling] > 1)
    files = [one.boxes.path.name for one in candidates if one.spelling == twice]
    raise ResultError(
        f"{where}: {listed(files, 3)} all belong to the sequence {twice}: there are files of "
        f"{len(trackers)} trackers, {listed(trackers)}. Import one of them under its own name, "
        f"such as --name {trackers[0]}."
    )

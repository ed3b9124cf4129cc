"""Bringing in raw results made elsewhere, so that they are scored like our own.

Everything is read and checked before anything is written. The record is written first and the
boxes of each sequence last, so an import that was interrupted can simply be repeated.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from bench.arrays import FloatArray
from bench.benchmarks import get_benchmark
from bench.errors import ConfigError, ResultError
from bench.files import format_exact, write_atomically
from bench.results.formats import (
    EXPERIMENTS,
    Format,
    Found,
    RawResult,
    get_format,
    open_source,
    sniff_format,
)
from bench.results.formats.matching import listed, match_files
from bench.results.names import SequenceNames, safe_file_name
from bench.results.onepass import OnePassStore
from bench.results.provenance import ImportReport, claim_folder, fingerprint
from bench.results.vot.exchange import import_experiments
from bench.sequence import Dataset, Sequence, to_file, to_tracker

# LaSOT scores cut a result to the length of its ground truth (calc_seq_err_robust.m); the other
# benchmarks' code stops at a result that is too long.
_LONGER_ACCEPTED = frozenset({"lasot"})


def import_results(
    source: Path,
    store: OnePassStore,
    name: str,
    dataset: Dataset,
    *,
    format: str | None = None,
    index_base: float | None = None,
    partial: bool = False,
) -> ImportReport:
    """Read somebody's raw results and store them under ``name`` in our own layout.

    The format ``vot`` is the folder of experiments that the VOT challenge's toolkits write; it is
    the default for the benchmarks that have them.

    Args:
        source: folder or zip archive with the results of one tracker.
        store: where to.
        name: name to bring them in under.
        dataset: the sequences they are of; frames are not needed.
        format: one of ``bench.results.formats.FORMATS``, or ``vot``; found out by default.
        index_base: what the source calls the first pixel, 0 or 1; the benchmark's own by default.
        partial: accept that sequences are missing.

    Raises:
        ConfigError: an unknown format, an index base that is neither, or an unusable name.
        ResultError: nothing found, a malformed file, a wrong number of rows, missing or
            ambiguous sequences, or ``name`` holds results of something else.
    """
    safe_file_name(name, "tracker name")
    check_index_base(index_base)
    if (format or get_benchmark(dataset.benchmark).kind) == EXPERIMENTS:
        return import_experiments(
            source, store.root, name, dataset, index_base=index_base, partial=partial
        )
    opened = open_source(source)
    reader = get_format(format or sniff_format(opened, dataset.benchmark))
    names = SequenceNames(tuple(s.name for s in dataset), dataset.benchmark)
    match = match_files(reader.find(opened, names.resolve), names, source, partial=partial)
    found = match.found
    results = {n: _read(reader, file, dataset[n], names) for n, file in found.items()}
    rows = (_row_note(dataset[n], result, found[n], dataset) for n, result in results.items())
    notes = [*match.notes, *filter(None, rows), *_content_notes(results, dataset)]
    notes += _index_base_note(index_base, dataset)
    record = {
        "source": source.resolve().name,
        "format": reader.name,
        "origin": _index_base_of(dataset) if index_base is None else index_base,
        "notes": notes,
        "sequences": len(results),
        "files_sha256": _fingerprint(found),
    }
    try:
        claim_folder(store, name, record)
        for sequence_name, result in results.items():
            _write(store, name, dataset[sequence_name], result, index_base)
    except OSError as error:
        raise ResultError(f"{store.folder(name)}: cannot be written to ({error})") from error
    return ImportReport(tuple(results), reader.name, tuple(notes))


def check_index_base(index_base: float | None) -> None:
    """Raise ConfigError if ``index_base`` is neither 0 nor 1 nor None."""
    if index_base not in (None, 0, 1):
        raise ConfigError(f"origin {index_base}: files call the first pixel 0 or 1")


def _read(reader: Format, found: Found, sequence: Sequence, names: SequenceNames) -> RawResult:
    result = reader.read(found)
    said = None if result.spelling is None else names.resolve(result.spelling)
    if said not in (None, sequence.name):
        raise ResultError(
            f"{found.boxes.where}: named as {sequence.name}, but its content says "
            f"{result.spelling}. Rename the file if the content is right."
        )
    return result


def _row_note(sequence: Sequence, result: RawResult, found: Found, dataset: Dataset) -> str | None:
    """A note on a number of rows that is not the number of frames but accepted.

    Raises:
        ResultError: the number of rows does not fit the sequence.
    """
    rows, frames = len(result.boxes), len(sequence)
    if rows == frames or _unchecked(sequence):
        return None
    if sequence.skippable_frames and rows == frames - sequence.skippable_frames:
        first = sequence.first_frame + sequence.skippable_frames
        return f"{sequence.name}: {rows} rows, read as frames {first} to {first + rows - 1}"
    if rows > frames and dataset.benchmark in _LONGER_ACCEPTED:
        return f"{sequence.name}: {rows - frames} rows more than its {frames} frames, kept"
    either = f" or {frames - sequence.skippable_frames}" if sequence.skippable_frames else ""
    raise ResultError(
        f"{found.boxes.where}: expected {frames}{either} rows for {sequence.name}, found {rows}. "
        "There must be a row for every frame, the first one included."
    )


def _unchecked(sequence: Sequence) -> bool:
    """True where nothing tells the number of frames: hidden ground truth and no images."""
    return sequence.hidden and sequence.frames is None


def _content_notes(results: Mapping[str, RawResult], dataset: Dataset) -> list[str]:
    """Notes on what holds for many sequences, each as one line."""
    counts = Counter(note for result in results.values() for note in result.notes)
    notes = [f"{count} file{'s' if count > 1 else ''} {note}" for note, count in counts.items()]
    empty = {n: int(np.isnan(r.boxes).any(axis=1).sum()) for n, r in results.items()}
    if any(empty.values()):
        rows = [f"{name} ({count})" for name, count in empty.items() if count]
        notes.append(f"rows with NaN kept: {listed(rows)}")
    unchecked = sum(_unchecked(dataset[name]) for name in results)
    if unchecked:
        notes.append(f"number of rows of {unchecked} sequences not checked: no frames at hand")
    return notes


def _index_base_of(dataset: Dataset) -> float:
    return dataset.sequences[0].index_base if len(dataset) else 0.0


def _index_base_note(index_base: float | None, dataset: Dataset) -> list[str]:
    own = _index_base_of(dataset)
    if index_base is None or index_base == own:
        return []
    return [f"shifted by {own - index_base:+g} pixel: the source counts from {index_base:g}"]


def _fingerprint(found: Mapping[str, Found]) -> str:
    """One hash of the names and contents of all files used."""
    files = (
        (name, file) for name in sorted(found) for file in (found[name].boxes, found[name].times)
    )
    return fingerprint((name, file.load()) for name, file in files if file is not None)


def _write(
    store: OnePassStore, name: str, sequence: Sequence, result: RawResult, index_base: float | None
) -> None:
    if result.times is not None:
        times = format_exact(result.times[:, None])
        write_atomically(store.times_path(name, sequence.name), times)
    boxes = moved(result.boxes, index_base, sequence.index_base)
    write_atomically(store.boxes_path(name, sequence.name), format_exact(boxes))


def moved(boxes: FloatArray, index_base: float | None, target: float | None) -> FloatArray:
    """Boxes ``(N, 4)`` that count from ``index_base`` as boxes that count from ``target``.

    None for either means that they agree, and the numbers stay the same to the last bit.
    """
    if index_base is None or target is None or index_base == target:
        return boxes
    return to_file(to_tracker(boxes, index_base), target)

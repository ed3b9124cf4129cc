"""Imports raw results made elsewhere, so that they are scored like those of our own runs.

Everything is read and checked before anything is written. The record is written first and the
boxes of each sequence last, so an interrupted import can be repeated.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from bench.arrays import FloatArray
from bench.benchmarks import get_benchmark
from bench.errors import ConfigError, ResultError
from bench.files import format_exact
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
from bench.results.provenance import ImportReport, fingerprint, write_import
from bench.results.stores import Store, check_rows
from bench.results.vot.exchange import import_experiments
from bench.sequence import Dataset, Sequence, to_file, to_tracker

# LaSOT cuts longer results to the length of the ground truth (calc_seq_err_robust.m); the code
# of the other benchmarks stops with an error.
_LONGER_ACCEPTED = frozenset({"lasot"})


def import_results(
    source: Path,
    store: Store,
    name: str,
    dataset: Dataset,
    *,
    format: str | None = None,
    index_base: float | None = None,
    partial: bool = False,
) -> ImportReport:
    """Read raw results of another toolkit and store them under ``name``.

    The format ``vot`` is the folder layout of the VOT toolkits and the default for VOT
    benchmarks; it imports every experiment in the source.

    Args:
        source: folder or zip archive with the results of one tracker.
        store: destination on disk.
        name: name to store the results under.
        dataset: the sequences of the results; frames are not needed.
        format: one of ``bench.results.formats.FORMATS``, or ``vot``; detected by default.
        index_base: coordinate of the first pixel in the source, 0 or 1; by default that of the
            benchmark.
        partial: accept missing sequences.

    Raises:
        ConfigError: unknown format, invalid index base or unusable name.
        ResultError: nothing was found, a file is malformed, sequences are missing or ambiguous,
            or ``name`` holds other results.
    """
    safe_file_name(name, "tracker name")
    check_index_base(index_base)
    if (format or get_benchmark(dataset.benchmark).kind) == EXPERIMENTS:
        return import_experiments(
            source, store.root, name, dataset, index_base=index_base, partial=partial
        )
    opened = open_source(source)
    reader = get_format(format or sniff_format(opened, dataset.benchmark))
    names = SequenceNames.of(dataset)
    match = match_files(reader.find(opened, names.resolve), names, source, partial=partial)
    results = {n: _read(reader, file, dataset[n], names) for n, file in match.found.items()}
    rows = (_row_note(dataset, n, results[n], file) for n, file in match.found.items())
    notes = [*match.notes, *filter(None, rows), *_content_notes(results, dataset)]
    notes += _index_base_note(index_base, dataset)
    facts = {
        "source": source.resolve().name,
        "format": reader.name,
        "origin": _index_base_of(dataset) if index_base is None else index_base,
        "notes": notes,
        "sequences": len(results),
        "files_sha256": _fingerprint(match.found),
    }
    target = OnePassStore(store.root, store.benchmark)
    write_import(target, name, facts, _files(target, name, dataset, results, index_base))
    return ImportReport(tuple(results), reader.name, tuple(notes))


def check_index_base(index_base: float | None) -> None:
    """Raise ConfigError unless ``index_base`` is 0, 1 or None."""
    if index_base not in (None, 0, 1):
        raise ConfigError(
            f"origin {index_base}: expected 0 or 1, the coordinate of the first pixel"
        )


def _read(reader: Format, found: Found, sequence: Sequence, names: SequenceNames) -> RawResult:
    result = reader.read(found)
    content = None if result.spelling is None else names.resolve(result.spelling)
    if content not in (None, sequence.name):
        raise ResultError(
            f"{found.boxes.where}: the file name means {sequence.name}, its content names "
            f"{result.spelling}. Rename the file if the content is right."
        )
    return result


def _row_note(dataset: Dataset, name: str, result: RawResult, found: Found) -> str | None:
    """A note on an accepted number of rows that differs from the number of frames.

    Raises:
        ResultError: the number of rows does not fit the sequence.
    """
    sequence = dataset[name]
    rows, frames = len(result.boxes), len(sequence)
    if rows == frames or _unchecked(sequence):
        return None
    if leading := sequence.leading(rows):
        first = sequence.first_frame + leading
        return f"{name}: {rows} rows, read as frames {first} to {first + rows - 1}"
    if rows > frames and dataset.benchmark in _LONGER_ACCEPTED:
        return f"{name}: {rows - frames} rows more than its {frames} frames, kept"
    check_rows(found.boxes.where, rows, frames, frames - sequence.skippable_frames)
    return None


def _unchecked(sequence: Sequence) -> bool:
    """True if the number of frames is unknown: hidden ground truth and no images."""
    return sequence.hidden and sequence.frames is None


def _content_notes(results: Mapping[str, RawResult], dataset: Dataset) -> list[str]:
    """Remarks on the content of the files, one line per kind."""
    counts = Counter(note for result in results.values() for note in result.notes)
    notes = [f"{count} file{'s' if count > 1 else ''}: {note}" for note, count in counts.items()]
    empty = {n: int(np.isnan(r.boxes).any(axis=1).sum()) for n, r in results.items()}
    if any(empty.values()):
        rows = [f"{name} ({count})" for name, count in empty.items() if count]
        notes.append(f"rows with NaN kept: {listed(rows)}")
    unchecked = sum(_unchecked(dataset[name]) for name in results)
    if unchecked:
        notes.append(f"number of rows of {unchecked} sequences not checked without frames")
    return notes


def _index_base_of(dataset: Dataset) -> float:
    return dataset.sequences[0].index_base if len(dataset) else 0.0


def _index_base_note(index_base: float | None, dataset: Dataset) -> list[str]:
    own = _index_base_of(dataset)
    if index_base is None or index_base == own:
        return []
    return [f"shifted by {own - index_base:+g} pixel: the source counts from {index_base:g}"]


def _fingerprint(found: Mapping[str, Found]) -> str:
    """One hash over the names and contents of all files used."""
    files = (
        (name, file) for name in sorted(found) for file in (found[name].boxes, found[name].times)
    )
    return fingerprint((name, file.load()) for name, file in files if file is not None)


def _files(
    store: OnePassStore,
    name: str,
    dataset: Dataset,
    results: Mapping[str, RawResult],
    index_base: float | None,
) -> dict[Path, bytes]:
    """Content of the files to write, the boxes of each sequence after its times."""
    files = {}
    for sequence, result in results.items():
        if result.times is not None:
            files[store.times_path(name, sequence)] = format_exact(result.times[:, None])
        boxes = moved(result.boxes, index_base, dataset[sequence].index_base)
        files[store.boxes_path(name, sequence)] = format_exact(boxes)
    return files


def moved(boxes: FloatArray, index_base: float | None, target: float | None) -> FloatArray:
    """Shift boxes ``(N, 4)`` from one index base to another.

    None for either leaves the numbers unchanged to the last bit.
    """
    if index_base is None or target is None or index_base == target:
        return boxes
    return to_file(to_tracker(boxes, index_base), target)

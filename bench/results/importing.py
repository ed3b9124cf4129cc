"""Imports raw results made elsewhere, so that they are scored like those of our own runs.

Everything is read and checked before anything is written. The record is written first and the
boxes of each sequence last, so an interrupted import can be repeated.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.arrays import FloatArray
from bench.benchmarks import get_benchmark
from bench.errors import ConfigError, ResultError
from bench.files import format_exact
from bench.geometry import off_scale
from bench.results.formats import (
    EXPERIMENTS,
    Format,
    Found,
    RawResult,
    Source,
    get_format,
    open_source,
    runs_of,
    sniff_format,
)
from bench.results.formats.matching import cut, listed, match_files, of_tracker
from bench.results.masks import format_masks
from bench.results.names import SequenceNames, safe_file_name
from bench.results.onepass import OnePassStore
from bench.results.provenance import ImportReport, fingerprint, write_import
from bench.results.readings import AS_THEY_ARE, FirstRows, Reading, asked_reading, findings
from bench.results.stores import Store
from bench.results.vot.exchange import import_experiments
from bench.sequence import Dataset, Sequence, to_file, to_tracker


def import_results(
    source: Path,
    store: Store,
    name: str,
    dataset: Dataset,
    *,
    format: str | None = None,
    index_base: float | None = None,
    partial: bool = False,
    boxes: str | None = None,
) -> ImportReport:
    """Read raw results of another toolkit and store them under ``name``.

    The format ``vot`` is the folder layout of the VOT toolkits and the default for VOT
    benchmarks; it imports every experiment in the source. Folders of several runs of one tracker
    (``dimp50_000``, ``dimp50_001``) become repetitions of one result.

    Args:
        source: folder or zip archive with the results of one tracker, or of several, of which
            the one called ``name`` is taken; also a folder in an archive.
        store: destination on disk.
        name: name to store the results under.
        dataset: the sequences of the results; frames are not needed.
        format: one of ``bench.results.formats.FORMATS``, or ``vot``; detected by default.
        index_base: coordinate of the first pixel in the source, 0 or 1; by default that of the
            benchmark.
        partial: accept missing sequences, and leave out files of another length by name.
        boxes: how the source writes a box, one of ``bench.results.readings``; by default
            ``xywh``, refused where the first rows tell otherwise.

    Raises:
        ConfigError: unknown format, reading or index base, or unusable name.
        ResultError: nothing was found, a file is malformed, sequences are missing or ambiguous,
            boxes are written in another convention, or ``name`` holds other results.
    """
    safe_file_name(name, "tracker name")
    check_index_base(index_base)
    read_as = asked_reading(boxes)
    if (format or get_benchmark(dataset.benchmark).kind) == EXPERIMENTS:
        return import_experiments(
            source, store.root, name, dataset, index_base=index_base, partial=partial, boxes=boxes
        )
    sources, notes = runs_of(open_source(source), name)
    reader = get_format(format or sniff_format(sources[0], dataset.benchmark))
    options = _Options(reader, dataset, SequenceNames.of(dataset), name, partial, read_as)
    runs = [_read_run(each, options) for each in sources]
    for number, run in enumerate(runs, start=1):
        prefix = f"run {number}: " if len(runs) > 1 else ""
        notes += [f"{prefix}{note}" for note in run.notes]
        notes += _coordinate_notes(source, run, options, boxes, index_base)
    notes = list(dict.fromkeys([*notes, *_index_base_note(index_base, dataset)]))
    facts = _facts(source, runs, options, index_base, boxes) | {"notes": notes}
    target = OnePassStore(store.root, store.benchmark)
    files: dict[Path, bytes] = {}
    for number, run in enumerate(runs, start=1):
        files |= _files(target, name, dataset, run.results, index_base, number)
    write_import(target, name, facts, files)
    return ImportReport(tuple(runs[0].results), reader.name, tuple(notes), len(runs))


def check_index_base(index_base: float | None) -> None:
    """Raise ConfigError unless ``index_base`` is 0, 1 or None."""
    if index_base not in (None, 0, 1):
        raise ConfigError(
            f"origin {index_base}: expected 0 or 1, the coordinate of the first pixel"
        )


@dataclass(frozen=True)
class _Options:
    """What an import was asked for, for every run of it."""

    reader: Format
    dataset: Dataset
    names: SequenceNames
    name: str
    partial: bool
    read_as: Reading | None


@dataclass(frozen=True)
class _Run:
    """The results of one run of all sequences, the files they are from, and remarks."""

    results: Mapping[str, RawResult]
    found: Mapping[str, Found]
    notes: list[str]


def _facts(
    source: Path,
    runs: list[_Run],
    options: _Options,
    index_base: float | None,
    boxes: str | None,
) -> dict[str, Any]:
    """What the record says of an import."""
    return {
        "source": source.resolve().name,
        "format": options.reader.name,
        "origin": _index_base_of(options.dataset) if index_base is None else index_base,
        **({"boxes": boxes} if boxes else {}),
        "notes": [],
        "sequences": len(runs[0].results),
        **({"repetitions": len(runs)} if len(runs) > 1 else {}),
        "files_sha256": _fingerprint(runs),
    }


def _read_run(source: Source, options: _Options) -> _Run:
    """Read and check every file of one run.

    Raises:
        ResultError: files are missing, malformed or of another length; all of them are listed.
    """
    dataset = options.dataset
    files = options.reader.find(source, options.names.resolve)
    candidates = of_tracker(files, options.name, source.path)
    match = match_files(candidates, options.names, source.path, partial=options.partial)
    results: dict[str, RawResult] = {}
    broken, rows, wrong = [], [], []
    for name, found in match.found.items():
        try:
            result = _read(options, found, dataset[name])
        except ResultError as error:
            broken.append(str(error))
            continue
        note, fits = _row_note(dataset, name, result)
        rows += [note] if note else []
        if fits:
            results[name] = result
        else:
            wrong.append(_Wrong(name, found.boxes.where, len(dataset[name]), len(result.boxes)))
    if broken:
        raise ResultError("\n".join(cut(broken, 10)))
    if wrong and (not options.partial or not results):
        raise ResultError(_wrong_lengths(wrong, dataset, options.partial))
    left_out = [f"left out, of another length: {', '.join(map(str, wrong))}"] if wrong else []
    kept = {name: match.found[name] for name in results}
    notes = [*match.notes, *left_out, *rows, *_content_notes(results, dataset)]
    return _Run(results, kept, notes)


def _read(options: _Options, found: Found, sequence: Sequence) -> RawResult:
    result = options.reader.read(found)
    content = None if result.spelling is None else options.names.resolve(result.spelling)
    if content not in (None, sequence.name):
        raise ResultError(
            f"{found.boxes.where}: the file name means {sequence.name}, its content names "
            f"{result.spelling}. Rename the file if the content is right."
        )
    if options.read_as is None or options.read_as.read is None:
        return result
    boxes = options.read_as.read(result.boxes)
    start = sequence.ground_truth[sequence.leading(len(boxes))]
    if np.abs(result.boxes[0] - start).max() < 0.6:  # as the tracker was given it
        boxes[0] = result.boxes[0]
    return dataclasses.replace(result, boxes=boxes)


@dataclass(frozen=True)
class _Wrong:
    """A file of another length than its sequence."""

    sequence: str
    where: str
    expected: int
    found: int

    def __str__(self) -> str:
        return f"{self.sequence} ({self.found} rows, expected {self.expected})"


def _wrong_lengths(wrong: list[_Wrong], dataset: Dataset, partial: bool) -> str:
    """The message that lists files of another length, and what they may be."""
    lines = [
        f"{one.where}: expected {one.expected} rows, one per frame, found {one.found}"
        for one in wrong
    ]
    row = get_benchmark(dataset.benchmark)
    hints = {row.length_hint(one.expected, one.found) for one in wrong}
    hint = f" {hints.pop()}" if len(hints) == 1 else ""
    if all(
        one.sequence in row.rows and row.rows[one.sequence].frames == one.found for one in wrong
    ):
        hint = (
            f" These files have {row.title}'s lengths and the ground truth in {dataset.root} has "
            "not: is it another benchmark's?"
        )
    remedy = (
        "No file is left to import."
        if partial
        else "Run these sequences again, check that the results belong to this benchmark, or "
        "leave these files out with --partial."
    )
    return "\n".join([*cut(lines, 20), f"{remedy}{hint}"])


def _row_note(dataset: Dataset, name: str, result: RawResult) -> tuple[str | None, bool]:
    """A remark on a number of rows that differs from the number of frames, and if it fits."""
    sequence = dataset[name]
    rows, frames = len(result.boxes), len(sequence)
    if rows == frames or _unchecked(sequence):
        return None, True
    if leading := sequence.leading(rows):
        first = sequence.first_frame + leading
        return f"{name}: {rows} rows, read as frames {first} to {first + rows - 1}", True
    if rows > frames and get_benchmark(dataset.benchmark).longer_results:
        return f"{name}: {rows - frames} rows more than its {frames} frames, kept", True
    return None, False


def _coordinate_notes(
    source: Path, run: _Run, options: _Options, boxes: str | None, index_base: float | None
) -> list[str]:
    """Remarks on boxes that look written in another convention.

    Raises:
        ResultError: almost every file is, and nobody said how to read them.
    """
    files = []
    for name, result in run.results.items():
        sequence = options.dataset[name]
        truth = sequence.ground_truth[sequence.leading(len(result.boxes)) :]
        shifted = moved(result.boxes[:6], index_base, sequence.index_base)
        files.append(FirstRows.of(name, shifted, truth))
    found = findings(files, _index_base_of(options.dataset))
    whole = next((each for each in found if each.whole), None)
    stated = boxes is not None or (whole is not None and whole.shift and index_base is not None)
    if whole is not None and not stated:
        raise ResultError(
            f"{source}: {whole}. {whole.reading.remedy} If they are x, y, w, h as they stand, "
            f"say so with --boxes {AS_THEY_ARE}."
        )
    return [str(each) for each in found]


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
    odd = {name: int(off_scale(result.boxes).sum()) for name, result in results.items()}
    if any(odd.values()):
        rows = [f"{name} ({count})" for name, count in odd.items() if count]
        notes.append(f"rows with numbers that are not pixels kept: {listed(rows)}")
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


def _fingerprint(runs: list[_Run]) -> str:
    """One hash over the names and contents of all files used."""
    files = (
        (name, file)
        for run in runs
        for name in sorted(run.found)
        for file in run.found[name].files
    )
    return fingerprint((name, file.load()) for name, file in files if file is not None)


def _files(
    store: OnePassStore,
    name: str,
    dataset: Dataset,
    results: Mapping[str, RawResult],
    index_base: float | None,
    repetition: int,
) -> dict[Path, bytes]:
    """Content of the files to write, the boxes of each sequence last."""
    files = {}
    for sequence, result in results.items():
        if result.times is not None:
            path = store.times_path(name, sequence, repetition)
            files[path] = format_exact(result.times[:, None])
        if result.scores is not None:
            path = store.confidence_path(name, sequence, repetition)
            files[path] = format_exact(result.scores[:, None])
        if result.masks is not None:
            files[store.masks_path(name, sequence, repetition)] = format_masks(result.masks)
        boxes = moved(result.boxes, index_base, dataset[sequence].index_base)
        files[store.boxes_path(name, sequence, repetition)] = format_exact(boxes)
    return files


def moved(boxes: FloatArray, index_base: float | None, target: float | None) -> FloatArray:
    """Shift boxes ``(N, 4)`` from one index base to another.

    None for either leaves the numbers unchanged to the last bit.
    """
    if index_base is None or target is None or index_base == target:
        return boxes
    return to_file(to_tracker(boxes, index_base), target)

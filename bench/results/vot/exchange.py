"""Import and export of all VOT experiments of a tracker.

The layout is ``<experiment>/<sequence>/<sequence>_001.txt``, as written by the MATLAB toolkit,
PySOT and vot-toolkit (which writes ``.bin`` by default).
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from bench.arrays import FloatArray
from bench.benchmarks import benchmarks, get_benchmark
from bench.errors import ConfigError, ResultError, unknown_name
from bench.files import check_digits
from bench.geometry import INITIALISED, Regions
from bench.results.formats.base import Found
from bench.results.formats.matching import cut, match_files
from bench.results.formats.source import SourceFile, open_tree
from bench.results.masks import format_masks, parse_masks
from bench.results.names import SequenceNames, safe_file_name
from bench.results.provenance import ImportReport, fingerprint, write_import
from bench.results.readings import (
    AS_THEY_ARE,
    Reading,
    asked_reading,
    reading_after_starts,
)
from bench.results.stores import Store, check_rows
from bench.results.vot.binary import parse_binary
from bench.results.vot.store import VotStore
from bench.results.vot.text import format_text, format_times, parse_text, parse_times, parse_values
from bench.results.vot.trajectory import CODES, RawTrajectory
from bench.sequence import Dataset, Sequence

_NUMBER = re.compile(r"_(\d+)")
_RUN = re.compile(r"_(\d{3,})\.(txt|bin)")
_COMPANION = re.compile(r"_time\.txt|_\d{3,}_(time|confidence)\.value|_\d{3,}_mask\.txt")


@dataclass
class _Folder:
    """Files of one sequence, by the rest of their name after the sequence.

    Attributes:
        runs: trajectories.
        companions: times, confidences and masks.
    """

    runs: dict[str, SourceFile] = field(default_factory=dict)
    companions: dict[str, SourceFile] = field(default_factory=dict)


def import_experiments(
    source: Path,
    root: Path,
    name: str,
    dataset: Dataset,
    *,
    index_base: float | None = None,
    partial: bool = False,
    boxes: str | None = None,
) -> ImportReport:
    """Read the runs of another toolkit and store every experiment under ``name``.

    Everything is read and checked before anything is written. Numbers are kept to the last bit.

    Args:
        source: folder or zip archive of one tracker, with a folder per experiment, or of one
            experiment: the benchmark's main one unless the folder's name is another.
        root: results folder to write to.
        name: name to store the results under.
        dataset: the sequences of the results; frames are not needed.
        index_base: only 0, the base of these files.
        partial: accept missing sequences.
        boxes: how the source writes a rectangle, see ``bench.results.readings``; by default
            x, y, w, h, refused where the rows right after starts tell otherwise.

    Raises:
        ConfigError: the benchmark has no VOT experiments, or another index base was given.
        ResultError: nothing was found, a file is malformed, sequences are missing, or ``name``
            holds other results.
    """
    found, notes = _find_experiments(source, experiments_of(dataset, index_base))
    files = {}
    options = _Options(source, dataset, partial, asked_reading(boxes), boxes is None)
    for experiment, folders in found.items():
        files[experiment], remarks = _read_experiment(folders, options)
        notes += [f"{experiment}: {remark}" for remark in remarks]
    for experiment, contents in files.items():
        store = VotStore(root, dataset.benchmark, experiment)
        facts = {
            "source": source.resolve().name,
            "format": "vot",
            **({"boxes": boxes} if boxes else {}),
            "notes": notes,
            "files_sha256": fingerprint(sorted(contents.items())),
        }
        paths = {store.folder(name) / path: content for path, content in contents.items()}
        write_import(store, name, facts, paths)
    imported = {path.split("/")[0] for contents in files.values() for path in contents}
    return ImportReport(tuple(s.name for s in dataset if s.name in imported), "vot", tuple(notes))


def render_experiments(
    root: Path,
    tracker: str,
    dataset: Dataset,
    *,
    index_base: float | None = None,
    store: Store | None = None,
) -> tuple[dict[str, bytes], int]:
    """The official files of a tracker in all experiments, and the number of sequences.

    Args:
        root: results folder to read from.
        tracker: name of the results.
        dataset: the sequences to write; frames are not needed.
        index_base: only 0, the base of these files.
        store: read its experiment from here instead.

    Returns:
        Content by path, ``<tracker>/<experiment>/<sequence>/...``, and the number of sequences.

    Raises:
        ConfigError: no VOT experiments, no results, or another index base.
        ResultError: a stored run is malformed.
    """
    safe_file_name(tracker, "tracker name")
    stores: dict[str, Store] = {
        experiment: VotStore(root, dataset.benchmark, experiment)
        for experiment in experiments_of(dataset, index_base)
    }
    if store is not None and store.experiment in stores:
        stores[store.experiment] = store
    files: dict[str, bytes] = {}
    written = set()
    for experiment, each in stores.items():
        available = each.sequences(tracker)
        for sequence in (s for s in dataset if s.name in available):
            written.add(sequence.name)
            for path, content in _render(each, tracker, sequence):
                files[f"{tracker}/{experiment}/{path}"] = content
    if not written:
        known = [name for each in stores.values() for name in each.trackers()]
        raise unknown_name(f"tracker with results in {root / dataset.benchmark}", tracker, known)
    return files, len(written)


def experiments_of(dataset: Dataset, index_base: float | None = None) -> tuple[str, ...]:
    """Names of the VOT experiments of a dataset's benchmark, the main one first.

    Raises:
        ConfigError: there are none, or ``index_base`` is not 0.
    """
    benchmark = get_benchmark(dataset.benchmark)
    if benchmark.kind != "vot":
        having = ", ".join(name for name, row in benchmarks().items() if row.kind == "vot")
        raise ConfigError(f"format 'vot': {dataset.benchmark} has no VOT experiments; {having} do")
    if index_base not in (None, 0):
        raise ConfigError(
            f"format 'vot': expected --origin 0, the base of its files, found {index_base:g}"
        )
    return benchmark.experiments


def _find_experiments(
    source: Path, known: tuple[str, ...]
) -> tuple[dict[str, dict[str, _Folder]], list[str]]:
    """Files by experiment and spelling of the sequence, and notes on ignored experiments."""
    found: dict[str, dict[str, _Folder]] = {}
    unknown, places = set(), set()
    default = source.stem if source.stem in known else known[0]
    for file in open_tree(source):
        if len(file.path.parts) < 2:
            continue
        *above, spelling, name = file.path.parts
        rest = name.removeprefix(spelling) if name.startswith(spelling) else ""
        rest = _NUMBER.sub(lambda number: f"_{int(number[1]):03d}", rest)  # _1 is _001
        is_run, is_companion = _RUN.fullmatch(rest), _COMPANION.fullmatch(rest)
        if not (is_run or is_companion):
            continue
        experiment = above[-1].casefold() if above else default
        if experiment not in known:
            unknown.add(experiment)
            continue
        places.add("/".join(above[:-1]))
        folder = found.setdefault(experiment, {}).setdefault(spelling, _Folder())
        (folder.runs if is_run else folder.companions)[rest] = file
    _require_one_tracker(source, known, places, unknown)
    kept = {e: {s: f for s, f in fs.items() if f.runs} for e, fs in found.items()}
    return kept, [f"{e} ignored: not an experiment of this benchmark" for e in sorted(unknown)]


def _require_one_tracker(
    source: Path, known: tuple[str, ...], places: set[str], unknown: set[str]
) -> None:
    if len(places) > 1:
        raise ResultError(
            f"{source}: expected the results of one tracker, found {len(places)}: "
            f"{', '.join(sorted(places)[:5])}. Give the folder of one of them."
        )
    if not places:
        instead = f" (found {', '.join(sorted(unknown))})" if unknown else ""
        raise ResultError(
            f"{source}: expected <experiment>/<sequence>/<sequence>_001.txt (or .bin) for the "
            f"experiments {', '.join(known)}, found none{instead}. Give the folder of one tracker."
        )


@dataclass(frozen=True)
class _Options:
    """What an import was asked for; ``checked`` if nobody said how rectangles are written."""

    source: Path
    dataset: Dataset
    partial: bool
    read_as: Reading | None
    checked: bool


def _read_experiment(
    folders: dict[str, _Folder], options: _Options
) -> tuple[dict[str, bytes], list[str]]:
    """The files to write, trajectories last for each sequence, and notes."""
    dataset = options.dataset
    candidates = [Found(s, next(iter(folder.runs.values()))) for s, folder in folders.items()]
    names = SequenceNames.of(dataset)
    match = match_files(candidates, names, options.source, partial=options.partial)
    files: dict[str, bytes] = {}
    masks = 0
    notes: list[str] = []
    broken: list[str] = []
    started: list[tuple[FloatArray, FloatArray]] = []
    for name, found in match.found.items():
        folder, sequence = folders[found.spelling], dataset[name]
        for rest, file in folder.companions.items():
            try:
                files[f"{name}/{name}{rest}"] = _checked_companion(file, len(sequence))
            except ResultError as error:
                notes.append(f"left out: {error}")
        # A .txt sorts after its .bin and replaces it.
        runs = {rest.partition(".")[0]: file for rest, file in sorted(folder.runs.items())}
        notes += _missing_runs(name, runs)
        for number, file in runs.items():
            try:
                raw, note = _checked_run(file, sequence)
            except ResultError as error:
                broken.append(str(error))
                continue
            started.append(_after_starts(raw.regions, sequence))
            regions = _reread(raw.regions, options.read_as)
            masks += raw.converted
            if raw.masks:
                files[f"{name}/{name}{number}_mask.txt"] = format_masks(raw.masks)
            notes += [note] if note else []
            files[f"{name}/{name}{number}.txt"] = format_text(regions, decimals=None)
    if broken:
        raise ResultError("\n".join(cut(broken, 20)))
    if options.checked:
        _check_reading(started, options.source)
    kept = f"{masks} mask{'s' * (masks != 1)} kept, and converted to rotated rectangles"
    converted = [kept] if masks else []
    return files, [*match.notes, *notes, *converted]


def _after_starts(regions: Regions, sequence: Sequence) -> tuple[FloatArray, FloatArray]:
    """Rectangles right after the starts of a run, and the ground truth there, ``(N, 4)`` each."""
    rows = np.flatnonzero(regions.codes[:-1] == INITIALISED) + 1
    rows = rows[regions.counts[rows] == 4]
    return regions.values[rows, :4], sequence.ground_truth[rows]


def _reread(regions: Regions, read_as: Reading | None) -> Regions:
    """The rectangles of a run as x, y, w, h."""
    if read_as is None or read_as.read is None:
        return regions
    values, boxes = regions.values.copy(), regions.counts == 4
    values[boxes, :4] = read_as.read(values[boxes, :4])
    return Regions(values, regions.counts)


def _check_reading(started: list[tuple[FloatArray, FloatArray]], source: Path) -> None:
    """Refuse rectangles that are plainly not x, y, w, h."""
    rows, truth = (np.concatenate(part) for part in zip(*started, strict=True))
    if (fits := reading_after_starts(rows, truth)) is not None:
        raise ResultError(
            f"{source}: right after starts, rectangles lie on the target if read as {fits.title}, "
            f"not as x, y, w, h. {fits.remedy} If they are x, y, w, h as they stand, say so with "
            f"--boxes {AS_THEY_ARE}."
        )


def _missing_runs(name: str, runs: Iterable[str]) -> list[str]:
    """A remark on repetitions that are not there.

    Raises:
        ResultError: they do not count from 1.
    """
    numbers = {int(number.strip("_")) for number in runs}
    if 0 in numbers:
        raise ResultError(
            f"{name}: expected repetitions that count from 001, found 000. Rename its files."
        )
    gaps = sorted(set(range(1, max(numbers))) - numbers)
    return [f"{name}: repetition {', '.join(map(str, gaps))} is missing"] if gaps else []


def _checked_run(file: SourceFile, sequence: Sequence) -> tuple[RawTrajectory, str]:
    """A run, and a remark if it ends early: the official code scores it as far as it goes."""
    data = file.load()
    if file.path.suffix == ".bin":
        raw = parse_binary(data, file.where)
    else:
        raw = parse_text(data, file.where)
        check_digits(data, file.where)
        raw = dataclasses.replace(raw, regions=_without_padding(raw.regions))
    rows, frames = len(raw.regions), len(sequence)
    if rows < frames:
        return raw, f"{file.path.name}: {rows} of {frames} frames, scored as far as it goes"
    check_rows(file.where, rows, frames)
    return raw, ""


def _without_padding(regions: Regions) -> Regions:
    """Codes that a writer of rows of one length fills up with zeros: ``1,0,0,0`` comes first."""
    padded = (regions.counts == 4) & ~regions.values[:, 1:4].any(axis=1)
    padded &= np.isin(regions.values[:, 0], CODES)
    if not padded[:1].any() or regions.values[0, 0] != INITIALISED:
        return regions
    values = regions.values.copy()
    values[padded, 1:] = np.nan
    return Regions(values, np.where(padded, 1, regions.counts))


def _checked_companion(file: SourceFile, frames: int) -> bytes:
    """The content of a file of times, confidences or masks.

    Raises:
        ResultError: it is malformed, or its number of rows does not fit the sequence.
    """
    data = file.load()
    if file.stem.endswith("_mask"):
        check_rows(file.where, len(parse_masks(data, file.where)), frames)
        return data
    parse = parse_times if file.path.suffix == ".txt" else parse_values
    values = parse(data, file.where)
    if len(values) != frames or np.isinf(values).any():
        raise ResultError(
            f"{file.where}: expected a finite number for each of {frames} frames, found "
            f"{len(values)} rows"
        )
    return data


def _render(store: Store, tracker: str, sequence: Sequence) -> Iterator[tuple[str, bytes]]:
    """Path below the experiment's folder and content of every file of one sequence."""
    name = sequence.name
    times = store.read_times(tracker, name)
    if times is not None:
        yield f"{name}/{name}_time.txt", format_times(times)
    for repetition in store.repetitions(tracker, name):
        regions = store.read_run(tracker, name, repetition)
        yield f"{name}/{name}_{repetition:03d}.txt", format_text(regions, decimals=None)
        if (masks := store.read_masks(tracker, name, repetition)) is not None:
            yield f"{name}/{name}_{repetition:03d}_mask.txt", format_masks(masks)
        scores = store.confidence_path(tracker, name, repetition)
        if scores and scores.is_file():
            yield f"{name}/{scores.name}", scores.read_bytes()

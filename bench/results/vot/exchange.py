"""Import and export of a tracker's results in the experiments of the VOT challenge.

``<experiment>/<sequence>/<sequence>_001.txt``, the layout of the challenge's MATLAB toolkit, which
PySOT and vot-toolkit write as well, the latter with ``.bin`` in place of ``.txt``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from bench.benchmarks import get_benchmark
from bench.errors import ConfigError, ResultError, unknown_name
from bench.files import write_atomically
from bench.results.formats.base import Found
from bench.results.formats.matching import match_files
from bench.results.formats.source import SourceFile, open_tree
from bench.results.names import SequenceNames, safe_file_name
from bench.results.provenance import ImportReport, claim_folder, fingerprint
from bench.results.vot.binary import parse_binary
from bench.results.vot.store import VotStore
from bench.results.vot.text import format_text, format_times, parse_text, parse_times, parse_values
from bench.results.vot.trajectory import RawTrajectory
from bench.sequence import Dataset, Sequence

_RUN = re.compile(r"_(\d{3,})\.(txt|bin)")
_COMPANION = re.compile(r"_time\.txt|_\d{3,}_(time|confidence)\.value")


@dataclass
class _Folder:
    """The files of one sequence: of each run, and those beside them, by what follows the name."""

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
) -> ImportReport:
    """Read somebody's runs and store them under ``name``, for every experiment that is there.

    Everything is read and checked before anything is written. Numbers are kept to the last bit.

    Args:
        source: folder or zip archive of one tracker, with a folder for each experiment, or of one
            experiment, which is taken for the benchmark's main one unless its name says otherwise.
        root: the folder given as RESULTS.
        name: name to bring them in under.
        dataset: the sequences they are of; frames are not needed.
        index_base: only 0, which is what these files count from.
        partial: accept that sequences are missing.

    Raises:
        ConfigError: the benchmark has no experiments, or another index_base.
        ResultError: nothing found, a malformed file, a wrong number of rows, missing sequences, or
            ``name`` holds results of something else.
    """
    known = experiments_of(dataset, index_base)
    found, notes = _find_experiments(source, known)
    imported: dict[str, None] = {}
    pending = []
    for experiment, folders in found.items():
        files, said = _read_experiment(folders, source, dataset, partial=partial)
        notes += [f"{experiment}: {note}" for note in said]
        imported |= dict.fromkeys(file.split("/")[0] for file in files)
        pending.append((VotStore(root, dataset.benchmark, experiment), files))
    for store, files in pending:
        record = {
            "source": source.resolve().name,
            "format": "vot",
            "notes": notes,
            "files_sha256": fingerprint(sorted(files.items())),
        }
        try:
            claim_folder(store, name, record)
            for path, content in files.items():
                write_atomically(store.folder(name) / path, content)
        except OSError as error:
            raise ResultError(f"{store.folder(name)}: cannot be written to ({error})") from error
    return ImportReport(tuple(s.name for s in dataset if s.name in imported), "vot", tuple(notes))


def render_experiments(
    root: Path, tracker: str, dataset: Dataset, *, index_base: float | None = None
) -> tuple[dict[str, bytes], int]:
    """The official files of a tracker in all experiments, and of how many sequences they are.

    Returns:
        Content by path, ``<tracker>/<experiment>/<sequence>/...``.

    Raises:
        ConfigError: the benchmark has no experiments, the tracker no results, or another base.
        ResultError: a stored run is malformed.
    """
    safe_file_name(tracker, "tracker name")
    stores = [VotStore(root, dataset.benchmark, e) for e in experiments_of(dataset, index_base)]
    files: dict[str, bytes] = {}
    written = set()
    for store in stores:
        available = store.sequences(tracker)
        for sequence in (s for s in dataset if s.name in available):
            written.add(sequence.name)
            for path, content in _render(store, tracker, sequence):
                files[f"{tracker}/{store.experiment}/{path}"] = content
    if not written:
        known = [name for store in stores for name in store.trackers()]
        raise unknown_name(f"tracker with results in {root / dataset.benchmark}", tracker, known)
    return files, len(written)


def experiments_of(dataset: Dataset, index_base: float | None = None) -> tuple[str, ...]:
    """Names of the experiments of a dataset's benchmark, the main one first.

    Raises:
        ConfigError: it has none, or an index_base other than 0 is asked for.
    """
    benchmark = get_benchmark(dataset.benchmark)
    if benchmark.kind != "vot":
        raise ConfigError(
            f"format 'vot': {dataset.benchmark} has no experiments of the VOT challenge; vot2016 "
            "and vot2018 have"
        )
    if index_base not in (None, 0):
        raise ConfigError(
            f"format 'vot': its files count from 0, but --origin {index_base:g} given"
        )
    return benchmark.experiments


def _find_experiments(
    source: Path, known: tuple[str, ...]
) -> tuple[dict[str, dict[str, _Folder]], list[str]]:
    """The folders of runs by experiment and spelling of the sequence, and what was left out."""
    found: dict[str, dict[str, _Folder]] = {}
    unknown, places = set(), set()
    for file in open_tree(source):
        *above, spelling, name = (
            ("", *file.path.parts) if len(file.path.parts) > 1 else ("", "", "")
        )
        rest = name.removeprefix(spelling) if spelling and name.startswith(spelling) else ""
        is_run, is_companion = _RUN.fullmatch(rest), _COMPANION.fullmatch(rest)
        if not (is_run or is_companion):
            continue
        experiment = above[-1] or (source.stem if source.stem in known else known[0])
        if experiment not in known:
            unknown.add(experiment)
            continue
        places.add("/".join(above[1:-1]))
        folder = found.setdefault(experiment, {}).setdefault(spelling, _Folder())
        (folder.runs if is_run else folder.companions)[rest] = file
    _require_one_tracker(source, known, places, unknown)
    kept = {e: {s: f for s, f in fs.items() if f.runs} for e, fs in found.items()}
    return kept, [f"left out, no experiment of this benchmark: {e}" for e in sorted(unknown)]


def _require_one_tracker(
    source: Path, known: tuple[str, ...], places: set[str], unknown: set[str]
) -> None:
    if len(places) > 1:
        raise ResultError(
            f"{source}: expected the results of one tracker, found those of {len(places)}: "
            f"{', '.join(sorted(places)[:5])}. Give the folder of one."
        )
    if not places:
        instead = f" (found {', '.join(sorted(unknown))})" if unknown else ""
        raise ResultError(
            f"{source}: expected <experiment>/<sequence>/<sequence>_001.txt (or .bin) with the "
            f"experiments {', '.join(known)}, found none{instead}. Give the folder of one tracker."
        )


def _read_experiment(
    folders: dict[str, _Folder], source: Path, dataset: Dataset, *, partial: bool
) -> tuple[dict[str, bytes], list[str]]:
    """The files to write, the trajectories of each sequence last, and notes."""
    names = SequenceNames(tuple(s.name for s in dataset), dataset.benchmark)
    candidates = [Found(s, next(iter(folder.runs.values()))) for s, folder in folders.items()]
    match = match_files(candidates, names, source, partial=partial)
    files: dict[str, bytes] = {}
    masks = 0
    for name, found in match.found.items():
        folder, sequence = folders[found.spelling], dataset[name]
        for rest, file in folder.companions.items():
            files[f"{name}/{name}{rest}"] = _checked_companion(file, len(sequence))
        # A .txt is sorted behind its .bin, and takes its place.
        runs = {rest.partition(".")[0]: file for rest, file in sorted(folder.runs.items())}
        for number, file in runs.items():
            raw = _checked_run(file, sequence)
            masks += raw.masks
            files[f"{name}/{name}{number}.txt"] = format_text(raw.regions, decimals=None)
    turned = [f"{masks} masks turned into the rotated rectangles around them"] if masks else []
    return files, [*match.notes, *turned]


def _checked_run(file: SourceFile, sequence: Sequence) -> RawTrajectory:
    read = parse_binary if file.path.suffix == ".bin" else parse_text
    raw = read(file.load(), file.where)
    if len(raw.regions) != len(sequence):
        raise ResultError(
            f"{file.where}: expected {len(sequence)} rows for {sequence.name}, found "
            f"{len(raw.regions)}. There must be a row for every frame, the first one included."
        )
    return raw


def _checked_companion(file: SourceFile, frames: int) -> bytes:
    """The content of a file of times or confidences, if it fits the sequence.

    Raises:
        ResultError: it is malformed, or has another number of rows.
    """
    data = file.load()
    parse = parse_times if file.path.suffix == ".txt" else parse_values
    values = parse(data, file.where)
    if len(values) != frames or np.isinf(values).any():
        raise ResultError(
            f"{file.where}: expected a finite number for each of {frames} frames, found "
            f"{len(values)} rows. Take the file away to import without it."
        )
    return data


def _render(store: VotStore, tracker: str, sequence: Sequence) -> Iterator[tuple[str, bytes]]:
    """Path below the experiment's folder and content of every file of one sequence."""
    name = sequence.name
    times = store.read_times(tracker, name)
    if times is not None:
        yield f"{name}/{name}_time.txt", format_times(times)
    for repetition in store.repetitions(tracker, name):
        regions = store.read_run(tracker, name, repetition, len(sequence))
        yield f"{name}/{name}_{repetition:03d}.txt", format_text(regions, decimals=None)
        scores = store.confidence_path(tracker, name, repetition)
        if scores.is_file():
            yield f"{name}/{scores.name}", scores.read_bytes()

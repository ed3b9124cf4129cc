"""Integrity check of a dataset: every missing, surplus or malformed part, each with a fix."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.benchmarks import Benchmark, get_benchmark
from bench.datasets.files import natural_key
from bench.datasets.frames import NumberedFrames
from bench.datasets.opening import is_miniature, load, scan_folder
from bench.datasets.scan import Entry, Scan
from bench.errors import DatasetError
from bench.sequence import Frames, ImageFiles, Sequence


@dataclass(frozen=True)
class Finding:
    """One defect of a dataset.

    Attributes:
        sequence: the sequence concerned, None for the dataset as a whole.
        problem: what was expected and found.
        fix: how to repair it.
    """

    sequence: str | None
    problem: str
    fix: str


def check_dataset(benchmark: str, root: str | Path, *, subset: str = "test") -> list[Finding]:
    """Find every missing or surplus sequence, frame and row, and every unreadable annotation.

    Lists folders but decodes no image. A miniature may differ from the benchmark's counts.

    Args:
        benchmark, root, subset: as for ``open_dataset``.

    Raises:
        ConfigError: the benchmark or subset is unknown.
        DatasetError: no sequence was found.
    """
    facts = get_benchmark(benchmark)
    folder, scan = scan_folder(facts, root, subset)
    miniature = is_miniature(folder)
    findings = [] if miniature else [*_check_names(facts, scan)]
    loaded = [(entry, *_try_load(entry)) for entry in scan.entries]
    with_images = any(s is not None and s.frames is not None for _, s, _ in loaded)
    for entry, sequence, problem in loaded:
        if sequence is None:
            findings.append(Finding(entry.name, problem, _restore(facts)))
            continue
        findings += _check_rows(facts, entry, sequence, miniature)
        if with_images:
            findings += _check_frames(facts, entry, sequence)
    return findings


def _try_load(entry: Entry) -> tuple[Sequence | None, str]:
    try:
        return load(entry), ""
    except DatasetError as error:
        return None, str(error)


def _restore(benchmark: Benchmark) -> str:
    return f"restore it from {benchmark.site}" if benchmark.site else "correct the file"


def _check_names(benchmark: Benchmark, scan: Scan) -> Iterator[Finding]:
    if scan.expected is not None and len(scan.entries) != scan.expected:
        count = f"{len(scan.entries)} of {scan.expected} sequences"
        problem = f"{count}: scores on this dataset will be labelled as partial"
        yield Finding(None, problem, _restore(benchmark))
    for name in scan.missing:
        yield Finding(name, "missing: no annotation found", _restore(benchmark))
    for name in scan.surplus:
        fix = "delete it, or rename it if it is one of the missing sequences"
        yield Finding(name, f"surplus: no sequence of {benchmark.title} has this name", fix)


def _check_rows(
    benchmark: Benchmark, entry: Entry, sequence: Sequence, miniature: bool
) -> Iterator[Finding]:
    rows, name, expected = len(sequence.ground_truth), sequence.name, entry.rows
    if not sequence.hidden and not miniature and expected is not None and rows != expected:
        surplus = f"{rows - expected} surplus" if rows > expected else f"{expected - rows} missing"
        problem = f"{rows} rows of ground truth, expected {expected}: {surplus}"
        yield Finding(name, problem, _restore(benchmark))
    box = sequence.ground_truth[0]
    if not (np.isfinite(box).all() and (box[2:] > 0).all()):
        problem = f"row 1 of the ground truth is not a valid box: {box.tolist()}"
        yield Finding(name, problem, _restore(benchmark))


def _check_frames(benchmark: Benchmark, entry: Entry, sequence: Sequence) -> Iterator[Finding]:
    frames, name = sequence.frames, sequence.name
    if frames is None or not len(frames):
        yield Finding(name, "no images", _restore(benchmark))
        return
    missing = _missing(frames)
    surplus = frames.surplus() if isinstance(frames, NumberedFrames) else []
    if missing:
        problem = f"{len(missing)} missing frames in {missing[0].parent}: {_names(missing)}"
        yield Finding(name, problem, _restore(benchmark))
    if surplus and not entry.surplus_images:
        problem = f"{len(surplus)} surplus frames in {surplus[0].parent}: {_names(surplus)}"
        yield Finding(name, problem, "delete them (they are ignored)")
    rows = len(sequence.ground_truth)
    if not isinstance(frames, NumberedFrames) and not sequence.hidden and len(frames) != rows:
        problem = f"{len(frames)} frames, but {rows} rows of ground truth"
        yield Finding(name, problem, "provide one row per frame, or only the first row")


def _missing(frames: Frames) -> list[Path]:
    if isinstance(frames, NumberedFrames):
        return frames.missing()
    paths = frames.paths if isinstance(frames, ImageFiles) else ()
    return [path for path in paths if not path.is_file()]


def _names(paths: Iterable[Path]) -> str:
    """File names, with runs of consecutive numbers shortened to ``first ... last``."""
    runs: list[list[Path]] = []
    for path in sorted(paths, key=lambda path: natural_key(path.name)):
        if runs and _number(path) == _number(runs[-1][-1]) + 1:
            runs[-1].append(path)
        else:
            runs.append([path])
    spans = (run[0].name if len(run) == 1 else f"{run[0].name} ... {run[-1].name}" for run in runs)
    return ", ".join(spans)


def _number(path: Path) -> int:
    """The number at the end of a file's stem, 0 without one."""
    digits = re.search(r"\d*$", path.stem)
    return int(digits.group() or 0) if digits else 0

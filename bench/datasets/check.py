"""Integrity check of a dataset: every missing, surplus or malformed part, each with a fix."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from bench.benchmarks import Benchmark, get_benchmark
from bench.datasets.files import natural_key
from bench.datasets.frames import NumberedFrames, SortedFrames, VideoFrames
from bench.datasets.rows import ROW_CHECKS, miscounted_absences
from bench.datasets.scan import Entry, Scan, is_miniature, load, scan_folder, shown_layout
from bench.errors import DatasetError
from bench.files import shown
from bench.images import ImageFiles, check_image
from bench.sequence import Dataset, Frames, Sequence, first_box_problem, frame_name

_ROWS_NAMED = 5
_IGNORED = "delete them (they are ignored)"
_SURPLUS = "keep them until the missing frames or rows are found: the numbering may be another"


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


def check_dataset(
    benchmark: str, root: str | Path, *, subset: str = "test", deep: bool = False
) -> list[Finding]:
    """Find every missing or surplus sequence, frame and row, and every unreadable file.

    Of each image the header and the end are read, which shows files that were cut short; a
    miniature may differ from the benchmark's counts.

    Args:
        benchmark, root, subset: as for ``open_dataset``.
        deep: decode every frame as well.

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
        if miniature:  # whose images are smaller than the benchmark's
            sequence = replace(sequence, stated_size=None)
        if with_images:
            findings += _check_frames(facts, entry, sequence, deep)
    return findings


def runnable(dataset: Dataset) -> tuple[list[str], list[str]]:
    """Names of the sequences that have frames, and of those that have none at all.

    Lists the folders of images; opens none of them, and no video.
    """
    names: tuple[list[str], list[str]] = [], []
    for sequence in dataset:
        frames = sequence.frames
        empty = frames is None or (not isinstance(frames, VideoFrames) and not len(frames))
        names[empty].append(sequence.name)
    return names


def without_frames(dataset: Dataset) -> str:
    """A line on sequences that cannot be run for want of frames, empty if all have some."""
    missing = runnable(dataset)[1]
    if not missing:
        return ""
    more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
    return (
        f"{len(missing)} of {len(dataset)} sequences in {dataset.root} have no frames "
        f"({', '.join(missing[:3])}{more}). Add the frames, name sequences that have some with "
        "--sequence, or leave the others out with --partial."
    )


def summary(dataset: Dataset) -> str:
    """What a dataset without findings holds, in one line."""
    frames = sum(len(sequence) for sequence in dataset)
    missing = len(runnable(dataset)[1])
    state = "nothing missing"
    if missing == len(dataset):
        state = f"annotation only, {counted(missing, 'sequence')} without frames"
    elif missing:
        state = f"{counted(missing, 'sequence')} without frames"
    parts = [counted(len(dataset), "sequence"), counted(frames, "frame"), state]
    facts = get_benchmark(dataset.benchmark)
    # "not > 0" holds for NaN too.
    boxless = sum(int((~(s.ground_truth[:, 2:] > 0)).any(axis=1).sum()) for s in dataset)
    if boxless and facts.boxless:
        parts.append(f"{counted(boxless, 'row')} without a box (target absent)")
    notes = "".join(f" ({caveat})" for caveat in dataset.caveats)
    return f"{facts.title}: {', '.join(parts)}{notes}"


def counted(number: int, noun: str) -> str:
    """A number with its noun.

    >>> counted(1, "finding"), counted(2, "finding")
    ('1 finding', '2 findings')
    """
    return f"{number} {noun}{'s' * (number != 1)}"


def _try_load(entry: Entry) -> tuple[Sequence | None, str]:
    try:
        return load(entry), ""
    except DatasetError as error:
        return None, str(error)


def _restore(benchmark: Benchmark) -> str:
    return f"restore it from {benchmark.site}" if benchmark.site else "correct the file"


def _check_names(benchmark: Benchmark, scan: Scan) -> Iterator[Finding]:
    if scan.expected is not None and len(scan.entries) != scan.expected:
        count = f"{len(scan.entries)} of {counted(scan.expected, 'sequence')}"
        problem = f"{count}: scores on this dataset will be labelled as partial"
        yield Finding(None, problem, _restore(benchmark))
    for name in scan.missing:
        yield Finding(name, "missing: no annotation found", _restore(benchmark))
    for name in (shown(name)[1:-1] for name in scan.surplus):
        if benchmark.open:
            problem = "surplus: this folder is not a clip, it holds neither images nor boxes"
            yield Finding(name, problem, f"delete it, or arrange it as {shown_layout(benchmark)}")
            continue
        what = scan.others.get(name, "")
        problem = f"surplus: {what or f'no sequence of {benchmark.title} has this name'}"
        yield Finding(name, problem, "delete it, or rename it if it is a missing sequence")


def _check_rows(
    benchmark: Benchmark, entry: Entry, sequence: Sequence, miniature: bool
) -> Iterator[Finding]:
    rows, name, expected = len(sequence.ground_truth), sequence.name, entry.rows
    if not sequence.hidden and not miniature and expected is not None and rows != expected:
        surplus = f"{rows - expected} surplus" if rows > expected else f"{expected - rows} missing"
        hint = benchmark.length_hint(expected, rows)
        problem = f"{rows} rows of ground truth, expected {expected}: {surplus}"
        yield Finding(name, f"{problem}. {hint}" if hint else problem, _restore(benchmark))
    if miniature:
        return
    for check in ROW_CHECKS:
        found = check.find(benchmark, sequence)
        for row in found[:_ROWS_NAMED]:
            values = sequence.ground_truth[row].tolist()
            problem = f"row {row + 1} of the ground truth {check.one}: {values}"
            yield Finding(name, problem, _restore(benchmark))
        if (more := len(found) - _ROWS_NAMED) > 0:
            problem = f"{counted(more, 'further row')} of which each {check.one}"
            yield Finding(name, problem, _restore(benchmark))
    if problem := miscounted_absences(benchmark, sequence):
        yield Finding(name, f"{problem} in the ground truth", _restore(benchmark))


def _check_frames(
    benchmark: Benchmark, entry: Entry, sequence: Sequence, deep: bool
) -> Iterator[Finding]:
    frames, name = sequence.frames, sequence.name
    try:
        number = 0 if frames is None else len(frames)
    except DatasetError as error:
        yield Finding(name, str(error), _restore(benchmark))
        return
    if isinstance(frames, VideoFrames) and (problem := frames.shortfall()):
        yield Finding(name, problem, "re-encode it at a constant frame rate, and check again")
    if frames is None or not number:
        yield Finding(name, "no images", _restore(benchmark))
        return
    missing = _missing(frames)
    rows_missing = entry.rows is not None and len(sequence.ground_truth) < entry.rows
    surplus = frames.surplus() if isinstance(frames, NumberedFrames) else []
    if missing:
        count = counted(len(missing), "missing frame")
        problem = f"{count} in {missing[0].parent}: {_names(missing)}"
        yield Finding(name, problem, _restore(benchmark))
    if surplus and not entry.surplus_images:
        count = counted(len(surplus), "surplus frame")
        problem = f"{count} in {surplus[0].parent}: {_names(surplus)}"
        yield Finding(name, problem, _SURPLUS if rows_missing or missing else _IGNORED)
    rows = len(sequence.ground_truth)
    if not isinstance(frames, NumberedFrames) and not sequence.hidden and number != rows:
        problem = f"{counted(number, 'frame')}, but {counted(rows, 'row')} of ground truth"
        yield Finding(name, problem, "provide one row per frame, or only the first row")
    yield from (Finding(name, problem, _restore(benchmark)) for problem in _pixels(sequence, deep))


def _pixels(sequence: Sequence, deep: bool) -> Iterator[str]:
    """What is wrong with the frames that exist, and with the first box in the first of them."""
    sizes: dict[tuple[int, int], str] = {}
    first: tuple[int, int] | None = None
    for index, (where, size) in enumerate(_sizes(sequence, deep)):
        if isinstance(size, str):
            yield size
            continue
        first = size if index == 0 else first
        sizes.setdefault(size, where)
    if len(sizes) > 1:
        places = ", ".join(f"{w}x{h} from {where}" for (w, h), where in sizes.items())
        yield f"frames of {len(sizes)} sizes, expected one: {places}"
    stated = sequence.stated_size
    if stated and sizes and stated not in sizes:
        found = next(iter(sizes))
        yield (
            f"frames of {found[0]}x{found[1]} pixels, expected {stated[0]}x{stated[1]}: boxes of "
            "the benchmark do not fit resized images"
        )
    problem = first and first_box_problem(sequence, first)
    if problem and "positive size" not in problem:  # that is a row check's
        yield f"{frame_name(sequence, 0)}: {problem}"


def _sizes(sequence: Sequence, deep: bool) -> Iterator[tuple[str, tuple[int, int] | str]]:
    """(width, height) of each frame that exists, or what is wrong with it."""
    frames = sequence.frames
    if isinstance(frames, VideoFrames):
        for index in range(len(frames) if deep else 1):
            try:
                height, width = frames[index].shape[:2]
                yield frames.where(index), (width, height)
            except DatasetError as error:
                yield frames.where(index), str(error)
        return
    for path in _present(frames):
        try:
            yield str(path), check_image(path, deep=deep)
        except DatasetError as error:
            yield str(path), str(error)


def _present(frames: Frames | None) -> list[Path]:
    if isinstance(frames, (NumberedFrames, SortedFrames)):
        return frames.present()
    paths = frames.paths if isinstance(frames, ImageFiles) else ()
    return [path for path in paths if path.is_file()]


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

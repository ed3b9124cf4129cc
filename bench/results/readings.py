"""Recognises boxes written in another convention: corners, centres, other orders, fractions.

A tracker is started on the first box of the annotation, and toolkits write that box as the first
row. Where almost every first row of a tracker equals the annotation only under another reading,
the files are in that convention, and scores of them as they stand mean nothing. A file that
starts elsewhere, when most of a tracker's files start on the annotation, is named: it or its
annotation is of other frames, or its rows were moved. So are rows a frame early, and rows that are
off the target as soon as the tracker answers, in half of the files or more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from bench.arrays import BoolArray, FloatArray
from bench.errors import unknown_name
from bench.geometry import box_iou
from bench.tracker import seen_boxes

_ALMOST = 0.8  # share of the files that must agree before a whole set is called wrong
_PIXELS = 0.6  # a reading fits a first row that it brings this close: half a pixel of rounding
_ROUNDED = 1  # pixels that whole numbers, or another first pixel, move a first row by
_BESIDE = 3  # pixels between a first row and the annotation that no rounding explains
_EXACT = 0.02  # a shift of one pixel must be one pixel
_REST = 5  # rows after the first that tell whether the whole file is written so
_FILES = 4  # least files whose rows after right first rows can tell how all are written
_STARTS = 5  # least rows, right after starts or first, that can tell how all are written
_NEAR = 0.55  # overlap with the target that half of these rows have under the right reading
_SMALLEST_IMAGE = 50  # pixels
_FRACTION = 1.5  # no coordinate of a box given as a share of the image is larger
_RESIZED = 0.05  # least part by which resized images differ from the benchmark's
_TINIEST = 0.1  # least factor of resized images; below it boxes are fractions
_OFF = 0.1  # overlap with the target below which a row lies off it
_MOST_LOST = 0.5  # share of files lost at once; of twelve real sets it is 0.016 at most
_NEARER = 0.85  # of the distance to its own frame; of twelve real sets it is 1.3 at least
_BESIDE_START = 0.2  # share of files that do not start on the annotation; of these sets it is 0
_MANY = 20  # files; of five of a real set, rows may be nearer to the next frame by chance

AS_THEY_ARE = "xywh"
"""The reading of ``--boxes`` that takes rows as x, y, w, h, whatever the first ones tell."""

Read = Callable[[FloatArray], FloatArray]


@dataclass(frozen=True)
class Reading:
    """One way to write a box.

    Attributes:
        name: for the option ``--boxes``; empty where another option reads it.
        title: what messages call it.
        read: rows ``(N, 4)`` to x, y, w, h; None where the size of the image is needed.
        remedy: how to import such files.
    """

    name: str
    title: str
    read: Read | None
    remedy: str


def _columns(rows: FloatArray, *order: int) -> FloatArray:
    chosen: FloatArray = rows[..., list(order)]
    return chosen


def _corners(rows: FloatArray) -> FloatArray:
    return np.concatenate([rows[..., :2], rows[..., 2:] - rows[..., :2]], axis=-1)


def _inclusive(rows: FloatArray) -> FloatArray:
    boxes: FloatArray = _corners(rows) + np.array([0.0, 0.0, 1.0, 1.0])
    return boxes


def _centres(rows: FloatArray) -> FloatArray:
    return np.concatenate([rows[..., :2] - rows[..., 2:] / 2, rows[..., 2:]], axis=-1)


def _swapped(rows: FloatArray) -> FloatArray:
    return _columns(rows, 1, 0, 3, 2)


READINGS = tuple(
    Reading(name, title, read, f"Import them with --boxes {name}.")
    for name, title, read in (
        ("corners", "corners x1, y1, x2, y2", _corners),
        ("corners-inclusive", "corners x1, y1, x2, y2 of pixels, both included", _inclusive),
        ("centres", "centres and sizes cx, cy, w, h", _centres),
        ("yx", "y before x: y, x, h, w", _swapped),
        ("yx-corners", "corners with y before x: y1, x1, y2, x2", lambda r: _corners(_swapped(r))),
        ("yx-centres", "centres with y before x: cy, cx, h, w", lambda r: _centres(_swapped(r))),
        ("xyhw", "height before width: x, y, h, w", lambda r: _columns(r, 0, 1, 3, 2)),
        ("yxwh", "y before x: y, x, w, h", lambda r: _columns(r, 1, 0, 2, 3)),
    )
)
SIZES = tuple(
    Reading(name, f"x, y, {size}", read, f"Import them with --boxes {name}.")
    for name, size, read in (
        ("short", "w - 1, h - 1", lambda rows: rows + np.array([0.0, 0.0, 1.0, 1.0])),
        ("long", "w + 1, h + 1", lambda rows: rows - np.array([0.0, 0.0, 1.0, 1.0])),
    )
)
"""Sizes counted from corner pixels in another way; only exact first rows tell."""
FRACTIONS = Reading(
    "",
    "fractions of the image",
    None,
    "Multiply them by the width and height of the images, and import the result.",
)
ELSEWHERE = Reading("", "a box beside it", None, "")
LOST = Reading("", "boxes off the target", None, "")
EARLY = Reading("", "boxes of the frames after", None, "")
_UNREAD = (ELSEWHERE, LOST, EARLY)  # doubts about frames, or whatever else it may be


def asked_reading(boxes: str | None) -> Reading | None:
    """The reading that ``--boxes`` asks for; None for x, y, w, h.

    Raises:
        ConfigError: there is none of that name.
    """
    if boxes in (None, AS_THEY_ARE):
        return None
    known = {one.name: one for one in (*READINGS, *SIZES)}
    if boxes in known:
        return known[boxes]
    raise unknown_name("reading", boxes or "", (AS_THEY_ARE, *known))


@dataclass(frozen=True)
class FirstRows:
    """What is compared of one file.

    Attributes:
        sequence: its name.
        rows: the first rows of the file, ``(K, 4)``.
        truth: the ground truth of the same frames, ``(1, 4)`` or more.
    """

    sequence: str
    rows: FloatArray
    truth: FloatArray

    @classmethod
    def of(cls, sequence: str, boxes: FloatArray, truth: FloatArray) -> FirstRows:
        """The rows that are compared, copied: a view would keep the whole result in memory.

        Those that say "not visible" are NaN.
        """
        return cls(sequence, seen_boxes(boxes[: _REST + 1]).copy(), truth[: _REST + 1])


@dataclass(frozen=True)
class Finding:
    """Another reading that fits.

    Attributes:
        reading: the reading.
        sequences: names of the files that it fits.
        compared: how many files could tell.
        only_first: True where it fits first rows alone, and the rows after them do not.
        after_first: True where first rows are right, and the rows after them fit it.
    """

    reading: Reading
    sequences: tuple[str, ...]
    compared: int
    only_first: bool = False
    after_first: bool = False

    @property
    def shift(self) -> bool:
        """True for boxes that are right but for what the first pixel is called."""
        return self.reading.name == "" and self.reading.read is not None

    @property
    def whole(self) -> bool:
        """True where almost every file is written so."""
        another = self.reading not in _UNREAD and not self.only_first
        return another and len(self.sequences) >= _ALMOST * self.compared

    def __str__(self) -> str:
        shown = ", ".join(self.sequences[:5]) + (", ..." if len(self.sequences) > 5 else "")
        count = f"{len(self.sequences)} of {self.compared} files ({shown})"
        if self.reading is ELSEWHERE:
            return f"the first row is not the first box of the ground truth in {count}"
        if self.reading is LOST:
            return f"the rows right after the first lie off the target in {count}"
        if self.reading is EARLY:
            return (
                "the first row is not the first box of the ground truth, and the rows lie nearer "
                f"to the target of the next frame than to that of their own, in {count}"
            )
        if self.after_first and self.reading is FRACTIONS:
            return (
                f"the rows after the first lie within one pixel, as {FRACTIONS.title}, in {count}"
            )
        if self.after_first:
            return (
                f"the rows after the first lie on the target if read as {self.reading.title}, "
                f"not as x, y, w, h, in {count}"
            )
        if self.only_first:
            return (
                f"the first row alone reads as {self.reading.title} in {count}: harmless where "
                "the rule replaces it by the ground truth"
            )
        return (
            f"the first row equals the ground truth if read as {self.reading.title}, not as "
            f"x, y, w, h, in {count}"
        )


def findings(files: Sequence[FirstRows], index_base: float | None = None) -> list[Finding]:
    """Other readings that fit the first rows of one tracker's files, the commonest first.

    Args:
        files: first rows and ground truth of each file.
        index_base: what the annotation calls the first pixel; only the other base is then
            proposed.
    """
    usable = _usable([file for file in files if len(file.rows)])
    if not usable:
        return []
    rows, truth = _first(usable)
    plain = _near(rows, truth, _PIXELS)
    found = []
    for one in READINGS:
        read = _near(_read(one, rows), truth, _PIXELS) & ~plain
        found += _split(one, usable, read)
        plain |= read
    if not any(each.whole for each in found):
        found += _fractions(usable, rows, truth) or _resized(usable, rows, truth)
        found += _shifted(usable, rows, truth, index_base)
    if not any(each.whole for each in found):
        starts = _Starts.of(usable)
        frames = _elsewhere(usable, rows, truth, plain) or _early(starts)
        after = _fractions_after_first(starts) or _after_first(usable)
        found += frames + after or _lost(starts)
    return sorted(found, key=lambda each: (not each.whole, -len(each.sequences)))


def _first(files: Sequence[FirstRows]) -> tuple[FloatArray, FloatArray]:
    """The first rows of files, and the ground truth of their frames, ``(F, 4)`` each."""
    return np.array([f.rows[0] for f in files]), np.array([f.truth[0] for f in files])


def _usable(files: Sequence[FirstRows]) -> list[FirstRows]:
    """The files whose first row is known, where the ground truth is a box."""
    if not files:
        return []
    rows, truth = _first(files)
    known = np.isfinite(rows).all(axis=1) & np.isfinite(truth).all(axis=1)
    known &= truth[:, 2:].min(axis=1) > 1
    return [files[index] for index in np.flatnonzero(known).tolist()]


def reading_after_starts(rows: FloatArray, truth: FloatArray) -> Reading | None:
    """Another reading that fits rectangles of runs that start with a code in place of a box.

    The row right after a start is still near the target. Over the rectangles of MCCT (VOT2016),
    SiamRPN and SiamFC (VOT2018), half of these rows overlap it by 0.67 or more as they stand, and
    by at most 0.45 under any other reading.

    Args:
        rows: the rectangles right after starts, ``(N, 4)``.
        truth: the ground truth of these frames, ``(N, 4)``.
    """
    known = np.isfinite(truth).all(axis=1)
    if np.count_nonzero(known) < _STARTS or _median_overlap(rows[known], truth[known]) >= _NEAR:
        return None
    found = {one: _median_overlap(_read(one, rows[known]), truth[known]) for one in READINGS}
    best = max(found, key=lambda one: found[one])
    return best if found[best] >= _NEAR else None


def _median_overlap(boxes: FloatArray, truth: FloatArray) -> float:
    with np.errstate(all="ignore"):
        return float(np.median(np.nan_to_num(box_iou(boxes, truth))))


def _read(one: Reading, rows: FloatArray) -> FloatArray:
    return rows if one.read is None else one.read(rows)


def _near(rows: FloatArray, truth: FloatArray, tolerance: float) -> BoolArray:
    near: BoolArray = np.all(np.abs(rows - truth) <= tolerance, axis=1)
    return near


def _split(one: Reading, files: Sequence[FirstRows], fits: BoolArray) -> list[Finding]:
    """Findings of whole files and of first rows alone under one reading."""
    by_kind: dict[bool, list[str]] = {False: [], True: []}
    for file in (files[index] for index in np.flatnonzero(fits).tolist()):
        by_kind[_only_first(one, file)].append(file.sequence)
    return [
        Finding(one, tuple(names), len(files), only_first)
        for only_first, names in by_kind.items()
        if names
    ]


def _only_first(one: Reading, file: FirstRows) -> bool:
    """True if the rows after the first stay near the target as they stand, not as read."""
    rest, truth = _later(file)
    if not len(rest):
        return False
    as_is, as_read = (_mean_overlap(boxes, truth) for boxes in (rest, _read(one, rest)))
    return as_is > as_read


def _later(file: FirstRows) -> tuple[FloatArray, FloatArray]:
    """The rows after the first, and the ground truth of their frames, or near them."""
    rest = file.rows[1:]
    truth = np.tile(file.truth[0], (len(rest), 1))
    if len(file.truth) >= len(file.rows):
        after = file.truth[1 : len(file.rows)]
        known = np.isfinite(after).all(axis=1)
        truth[known] = after[known]
    return rest, truth


def _after_first(files: Sequence[FirstRows]) -> list[Finding]:
    """Another reading of the rows after first rows that are right as they stand.

    Rows of one file are alike, so only several files can tell.
    """
    if len(files) < _FILES:
        return []
    later = [_later(file) for file in files]
    one = reading_after_starts(*(np.concatenate(part) for part in zip(*later, strict=True)))
    names = tuple(file.sequence for file in files)
    return [] if one is None else [Finding(one, names, len(files), after_first=True)]


@dataclass(frozen=True, eq=False)
class _Starts:
    """The first rows of ``F`` files that are long enough, and the ground truth of these frames.

    Attributes:
        names: of their sequences.
        rows, truth: ``(F, K, 4)``; where the truth is not known, that of the first row.
        files: how many there are with shorter ones.
    """

    names: Sequence[str]
    rows: FloatArray
    truth: FloatArray
    files: int

    @classmethod
    def of(cls, files: Sequence[FirstRows]) -> _Starts:
        """Those of files with a known first row."""
        long = [file for file in files if len(file.rows) > _REST]
        rows = range(_REST + 1)
        shape = (len(long), len(rows), 4)
        truth = [f.truth[rows if len(f.truth) > _REST else [0] * len(rows)] for f in long]
        there = np.reshape(truth, shape)
        there = np.where(np.isfinite(there).all(axis=2, keepdims=True), there, there[:, :1])
        given = np.reshape([file.rows[rows] for file in long], shape)
        return cls([file.sequence for file in long], given, there, len(files))

    def found(self, reading: Reading, which: BoolArray, *, after_first: bool = False) -> Finding:
        names = tuple(self.names[index] for index in np.flatnonzero(which).tolist())
        return Finding(reading, names, self.files, after_first=after_first)


def _fractions_after_first(starts: _Starts) -> list[Finding]:
    """Rows within one pixel after first rows that are not; those without a size are not answers.

    Nor are boxes in the very corner of the image, by which some say that the target is lost.
    """
    rest = starts.rows[:, 1:]
    within = (np.abs(rest) <= _FRACTION).all(axis=(1, 2)) & (rest[..., 2:] > 0).all(axis=(1, 2))
    within &= rest[..., :2].any(axis=(1, 2))
    small: BoolArray = np.asarray(within & (rest % 1 > 0).any(axis=(1, 2)))
    return [starts.found(FRACTIONS, small, after_first=True)] if small.any() else []


def _lost(starts: _Starts) -> list[Finding]:
    """Files of which most rows right after the first lie off the target, where they are many.

    Rows without a size are not answers.
    """
    rest = starts.rows[:, 1:]
    sized = (rest[..., 2:] > 0).all(axis=2)
    off = sized & (box_iou(rest, starts.truth[:, 1:]) < _OFF)
    lost: BoolArray = np.asarray(2 * off.sum(axis=1) > sized.sum(axis=1))
    if starts.files < _FILES or lost.sum() < _MOST_LOST * starts.files:
        return []
    return [starts.found(LOST, lost)]


def _early(starts: _Starts) -> list[Finding]:
    """Files that begin a frame late: no tracker knows where its target will be."""
    if len(starts.names) < _MANY:
        return []
    first = np.abs(starts.rows[:, 0] - starts.truth[:, 0]).max(axis=1)
    beside: BoolArray = np.asarray(first > _ROUNDED)
    own, following = (
        np.nan_to_num(np.abs(starts.rows[:, 1:-1] - there)[..., :2]).mean()
        for there in (starts.truth[:, 1:-1], starts.truth[:, 2:])
    )
    if beside.mean() < _BESIDE_START or following >= _NEARER * own:
        return []
    return [starts.found(EARLY, beside)]


def _mean_overlap(boxes: FloatArray, truth: FloatArray) -> float:
    with np.errstate(all="ignore"):
        return float(np.nan_to_num(box_iou(boxes, truth)).mean())


def _fractions(files: Sequence[FirstRows], rows: FloatArray, truth: FloatArray) -> list[Finding]:
    """Rows of small numbers that one width and height of an image turn into the ground truth."""
    small = (np.abs(rows) <= _FRACTION).all(axis=1)
    fits: BoolArray = np.zeros(len(rows), dtype=bool)
    for read in (np.array, _corners, _centres):
        boxes = read(rows)
        with np.errstate(all="ignore"):
            image = truth[:, 2:] / boxes[:, 2:]
            beside = np.abs(boxes[:, :2] * image - truth[:, :2]) <= np.maximum(2, image / 500)
        plausible = (image >= _SMALLEST_IMAGE) & (image < np.inf)
        fits = np.logical_or(fits, (beside & plausible).all(axis=1))
    names = tuple(files[index].sequence for index in np.flatnonzero(small & fits).tolist())
    alike = len(rows) > 1 and len(np.unique(rows, axis=0)) == 1  # the same box everywhere
    if alike or len(names) < _ALMOST * len(files):
        return []
    return [Finding(FRACTIONS, names, len(files))]


def _resized(files: Sequence[FirstRows], rows: FloatArray, truth: FloatArray) -> list[Finding]:
    """First rows that are the ground truth of images of another width and height."""
    pairs, true = rows.reshape(-1, 2, 2), truth.reshape(-1, 2, 2)
    factors = (pairs * true).sum(axis=1) / (true**2).sum(axis=1)  # of x and w, of y and h
    fits = (np.abs(pairs - true * factors[:, None]) <= _PIXELS).all(axis=(1, 2))
    fits &= ((np.abs(factors - 1) > _RESIZED) & (factors > _TINIEST)).all(axis=1)
    names = tuple(files[index].sequence for index in np.flatnonzero(fits).tolist())
    if len(names) < max(2, _ALMOST * len(files)):
        return []
    along, down = np.median(factors[fits], axis=0)
    resized = Reading(
        "",
        f"boxes of resized images (about {along:.3g} of the width, {down:.3g} of the height)",
        None,
        "Divide x and w, and y and h, by these factors, and import the result.",
    )
    return [Finding(resized, names, len(files))]


def _shifted(
    files: Sequence[FirstRows], rows: FloatArray, truth: FloatArray, base: float | None
) -> list[Finding]:
    """Files whose rows start one pixel beside the ground truth, or have sizes one pixel off."""
    for one in (_shift(-1.0, base), _shift(1.0, base), *SIZES):
        fits = _near(_read(one, rows), truth, _EXACT)
        if np.count_nonzero(fits) >= _ALMOST * len(files):
            names = tuple(files[index].sequence for index in np.flatnonzero(fits).tolist())
            return [Finding(one, names, len(files))]
    return []


def _elsewhere(
    files: Sequence[FirstRows], rows: FloatArray, truth: FloatArray, fits: BoolArray
) -> list[Finding]:
    """Files that start beside the ground truth where most start on it, or almost all off it.

    What ``fits`` has another explanation; rows without a size are not answers.
    """
    off = np.abs(rows - truth).max(axis=1)
    names = tuple(
        files[index].sequence for index in np.flatnonzero((off > _BESIDE) & ~fits).tolist()
    )
    usual = np.count_nonzero(off <= _ROUNDED) > len(files) / 2
    lost = (box_iou(rows, truth) < _OFF) & rows[:, 2:].any(axis=1)
    none = np.count_nonzero(lost & ~fits) >= max(_STARTS, _ALMOST * len(files))
    return [Finding(ELSEWHERE, names, len(files))] if names and (usual or none) else []


def _shift(by: float, base: float | None) -> Reading:
    """The reading of files whose x and y are larger by ``by`` than the annotation's."""
    counted = None if base is None else base + by
    if counted in (0, 1):
        title, remedy = f"counted from {counted:g}", f"Import them with --origin {counted:g}."
    else:
        title = f"shifted by {by:+g} pixel in x and y"
        remedy = f"Add {-by:+g} to x and y, and import the result."
    return Reading("", title, lambda rows: rows - np.array([by, by, 0.0, 0.0]), remedy)

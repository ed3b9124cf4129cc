"""The experiments of the VOT challenge: with resets, without, and in real time.

Source: toolkit-legacy ``experiment/experiment_supervised.m``; real time as vot-toolkit 0.9.0
simulates it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from bench import geometry
from bench.arrays import FloatArray
from bench.benchmarks import Experiment
from bench.geometry import FAILED, INITIALISED, SKIPPED, Regions, Runs, region_overlaps
from bench.protocols.onepass import check_frames
from bench.protocols.reading import Reader, reader
from bench.protocols.steps import Answer, Follow, OnFrame, Start, Steps
from bench.sequence import RegionTrajectory, Sequence, check_first_box, to_file, to_tracker
from bench.tracker import Region, StartsOn, is_absent, mask_of

_DECIMALS = 4  # of a stored region: scoring the file must find the same failures
_ABSENT = (0.0, 0.0, 0.0, 0.0)  # as vot-toolkit writes an empty mask; overlaps nothing


def vot_steps(
    sequence: Sequence,
    experiment: Experiment,
    starts_on: StartsOn = "bounding",
    on_frame: OnFrame | None = None,
    ahead: int = 0,
    *,
    keep_masks: bool = False,
) -> Steps[RegionTrajectory]:
    """A protocol of the VOT challenge along one sequence, as a coroutine.

    With resets, a frame fails if its region, as stored, does not overlap the ground truth within
    (W - 1, H - 1). The tracker is re-initialised ``experiment.skip`` frames later, or on the next
    frame after that whose ground truth is known. An answer that the target is not visible
    overlaps nothing: a failure with resets, else the row 0, 0, 0, 0. A frame without known ground
    truth cannot fail.

    Args:
        sequence: with frames.
        experiment: the protocol and its numbers.
        starts_on: the form of a rotated ground truth that the tracker starts on.
        on_frame: called with the number of each frame, from 1, before it is decoded.
        ahead: frames to decode while the tracker computes. None in the real-time experiment,
            whose results depend on the tracker's time, which a thread beside it may lengthen.
        keep_masks: keep the masks that the tracker answers, also those of failures.

    Raises:
        DatasetError: no frames, fewer than annotated, or one that cannot be decoded.
    """
    frames = check_frames(sequence)
    along = _Along(sequence, len(sequence), keep_masks)
    pace = _Pace(experiment)
    index: int | None = 0
    with reader(frames, ahead if experiment.fps is None else 0) as images:
        while index is not None:
            along.at(index, on_frame)
            image = images[index]
            along.bounds = (image.shape[1] - 1, image.shape[0] - 1)
            if index == 0:
                check_first_box(sequence, image)
            answer = yield Start(index + 1, image, starting_region(along.truth(index), starts_on))
            along.started(index, answer)
            pace.started(answer.seconds)
            index = yield from _follow(along, images, experiment, pace, index + 1, on_frame)
    return along.trajectory()


def _follow(
    along: _Along,
    images: Reader,
    experiment: Experiment,
    pace: _Pace,
    index: int,
    on_frame: OnFrame | None,
) -> Steps[int | None]:
    """Follow from frame ``index``; return the frame of the next start, None at the end."""
    while index < along.count:
        along.at(index, on_frame)
        if pace.skips():
            along.repeat(index)
        else:
            answer = yield Follow(index + 1, images[index])
            along.answered(index, answer)
            pace.answered(answer.seconds)
        if experiment.protocol != "unsupervised" and along.failed(index):
            along.rows[index] = [FAILED]
            return along.next_known(index + experiment.skip)
        index += 1
    return None


@dataclass(eq=False)
class _Along:
    """The results so far along one sequence."""

    sequence: Sequence
    count: int
    keep_masks: bool = False
    rows: list[list[float]] = field(init=False)
    masks: list[Runs | None] = field(init=False)
    times: FloatArray = field(init=False)
    scores: FloatArray = field(init=False)
    bounds: tuple[float, float] | None = None
    last: list[float] = field(default_factory=list)
    last_mask: Runs | None = None

    def __post_init__(self) -> None:
        self.rows = [[SKIPPED] for _ in range(self.count)]
        self.masks = [None] * self.count if self.keep_masks else []
        self.times = np.zeros(self.count)
        self.scores = np.full(self.count, np.nan)
        self.regions = self.sequence.regions

    def at(self, index: int, on_frame: OnFrame | None) -> None:
        if on_frame is not None:
            on_frame(index + 1)

    def truth(self, index: int) -> FloatArray:
        """Ground truth of a frame in 0-based pixels, a box ``(4,)`` or a polygon ``(K, 2)``."""
        return as_region(self.regions, index, self.sequence.index_base)

    def started(self, index: int, answer: Answer) -> None:
        self.rows[index] = [INITIALISED]
        self.times[index] = answer.seconds
        self.last = _numbers(self.truth(index), self.sequence.index_base)
        self.last_mask = None

    def answered(self, index: int, answer: Answer) -> None:
        if answer.prediction is None:
            raise RuntimeError("a step to follow needs a prediction")
        score = answer.prediction.score
        self.scores[index] = math.nan if score is None else score
        self.times[index] = answer.seconds
        region = answer.prediction.region
        absent = region is None or is_absent(region)
        self.last = list(_ABSENT) if absent else _numbers(region, self.sequence.index_base)
        if self.keep_masks:
            self.last_mask = mask_of(answer.prediction)
        self.repeat(index)

    def repeat(self, index: int) -> None:
        """Store the last answer, once more where the tracker is busy."""
        self.rows[index] = self.last
        if self.keep_masks:
            self.masks[index] = self.last_mask

    def failed(self, index: int) -> bool:
        if not self._known(index):
            return False
        found = Regions.from_rows([self.rows[index]])
        overlap = region_overlaps(self.regions[index : index + 1], found, "vot", self.bounds)
        return bool(overlap[0] <= 0)

    def next_known(self, index: int) -> int | None:
        """The first frame from ``index`` with known ground truth."""
        return next((later for later in range(index, self.count) if self._known(later)), None)

    def _known(self, index: int) -> bool:
        numbers = self.regions.values[index, : self.regions.counts[index]]
        return bool(np.isfinite(numbers).all())

    def trajectory(self) -> RegionTrajectory:
        regions = Regions.from_rows(self.rows)
        return RegionTrajectory(regions, self.times, self.scores, tuple(self.masks))


@dataclass(eq=False)
class _Pace:
    """The clock of the real-time experiment; it has no effect in the others.

    A call that takes longer than a frame uses up grace first. Without grace, the tracker misses
    the frames that pass during the excess.
    """

    experiment: Experiment
    behind: float = 0.0
    grace: int = 0

    def started(self, seconds: float) -> None:
        self.behind, self.grace = 0.0, self.experiment.grace or 0
        self.answered(seconds)

    def answered(self, seconds: float) -> None:
        if self.experiment.fps is None or seconds <= 1 / self.experiment.fps:
            self.behind = 0.0
        elif self.grace > 0:
            self.grace, self.behind = self.grace - 1, 0.0
        else:
            self.behind = seconds - 1 / self.experiment.fps

    def skips(self) -> bool:
        """Whether the tracker misses the next frame."""
        if self.experiment.fps is None or self.behind <= 1 / self.experiment.fps:
            return False
        self.behind -= 1 / self.experiment.fps
        return True


def starting_region(region: Region, starts_on: StartsOn) -> FloatArray:
    """The region that a tracker starts on: a polygon if it accepts one, else a box.

    Args:
        region: box ``(4,)``, polygon ``(K, 2)`` or mask ``(H, W)`` bool.
        starts_on: see ``bench.tracker.starts_on``. Only a polygon of four corners has an
            area-preserving box; any other gets its bounding box.
    """
    region = np.asarray(region)
    if region.dtype == bool:
        region = geometry.mask_to_polygon(region)
    region = region.astype(np.float64)
    if region.ndim == 1:
        return geometry.box_to_polygon(region) if starts_on == "polygon" else region
    if starts_on == "polygon":
        return region
    if starts_on == "area-preserving" and len(region) == 4:
        return geometry.area_preserving_box(region)
    return geometry.polygon_to_box(region)


def as_region(regions: Regions, index: int, index_base: float) -> FloatArray:
    """Row ``index`` in 0-based pixels: a box ``(4,)`` or a polygon ``(K, 2)``."""
    numbers = regions.values[index, : regions.counts[index]]
    if len(numbers) == 4:
        return to_tracker(numbers, index_base)
    corners: FloatArray = numbers.reshape(-1, 2) - index_base
    return corners


def _numbers(region: Region | None, index_base: float) -> list[float]:
    """A region as a row of a file: a box, or corners; a mask becomes its rectangle."""
    array = np.asarray(region)
    if array.ndim == 2 and array.dtype == bool:
        array = geometry.mask_to_polygon(array)
    numbers = to_file(array, index_base) if array.shape == (4,) else (array + index_base).ravel()
    return [float(number) for number in np.round(numbers.astype(np.float64), _DECIMALS)]

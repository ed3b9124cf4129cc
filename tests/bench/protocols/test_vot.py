"""A simulated tracker with planned failures gives exactly the planned rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.benchmarks import Experiment, get_experiment
from bench.errors import TrackerError
from bench.geometry import has_pixels, mask_to_runs, region_overlaps
from bench.protocols.steps import Answer, FrameError, Start, drive, drive_lockstep
from bench.protocols.vot import vot_steps
from bench.sequence import RegionTrajectory, Sequence
from bench.tracker import Prediction

BASELINE = get_experiment("baseline")
AWAY = np.array([40.0, 30.0, 5.0, 5.0])


def make_sequence(count: int, rotated: bool = False, **changes: Any) -> Sequence:
    """A target that moves two pixels a frame through images of 64 x 48; frame n is all n."""
    boxes = np.tile([2.0, 3.0, 8.0, 6.0], (count, 1))
    boxes[:, 0] += np.arange(count) % 20
    frames = [np.full((48, 64, 3), index, np.uint8) for index in range(count)]
    polygons = None
    if rotated:
        x, y, w, h = boxes.T
        corners = [(x + w / 2, y), (x + w, y + h / 2), (x + w / 2, y + h), (x, y + h / 2)]
        polygons = np.stack([np.stack(corner, axis=-1) for corner in corners], axis=1)
    return Sequence("ball", boxes, **{"frames": frames, "polygons": polygons, **changes})


class Planned:
    """Knows the ground truth, and is away from it on the planned frames (from 1)."""

    def __init__(self, sequence: Sequence, *failures: int, raises: int | None = None) -> None:
        self.truth, self.failures, self.raises = sequence.ground_truth, failures, raises
        self.starts: list[tuple[int, np.ndarray]] = []

    def init(self, image: np.ndarray, region: np.ndarray) -> None:
        self.starts.append((int(image[0, 0, 0]) + 1, region))

    def update(self, image: np.ndarray) -> Prediction:
        number = int(image[0, 0, 0]) + 1
        if number == self.raises:
            raise ValueError("no idea")
        box = AWAY if number in self.failures else self.truth[number - 1]
        return Prediction(box.copy(), score=number / 100)

    def start(self, image: np.ndarray, region: np.ndarray) -> int:
        self.init(image, region)
        return int(image[0, 0, 0])

    def advance(
        self, states: list[int], images: list[np.ndarray]
    ) -> tuple[list[int], list[Prediction]]:
        """A state is the number of the last image: it must belong to the same target."""
        for state, image in zip(states, images, strict=True):
            if int(image[0, 0, 0]) != state + 1:
                raise AssertionError("another target's state")
        return [int(i[0, 0, 0]) for i in images], [self.update(image) for image in images]


def run(sequence: Sequence, tracker: Any, experiment: Experiment = BASELINE) -> RegionTrajectory:
    return drive(tracker, vot_steps(sequence, experiment))


def planned_codes(count: int, failures: tuple[int, ...]) -> list[int]:
    """Codes by the wording of the protocol, frame by frame."""
    codes, wait = [], 0
    start = True
    for number in range(1, count + 1):
        if wait:
            wait -= 1
            codes.append(0)
        elif start:
            codes.append(1)
            start = False
        elif number in failures:
            codes.append(2)
            wait, start = 4, True
        else:
            codes.append(-1)
    return codes


NOT_VISIBLE = [None, np.zeros((48, 64), dtype=bool), np.zeros(4)]


class Blind(Planned):
    """Says "not visible" in one of its ways where it would have failed."""

    region: Any = None

    def update(self, image: np.ndarray) -> Prediction:
        answer = super().update(image)
        lost = int(image[0, 0, 0]) + 1 in self.failures
        return Prediction(self.region, answer.score) if lost else answer


@pytest.mark.parametrize("region", NOT_VISIBLE)
def test_not_visible_is_a_failure_with_resets_and_a_row_without(region: Any) -> None:
    sequence = make_sequence(12)
    blind = Blind(sequence, 4)
    blind.region = region
    assert run(sequence, blind).regions.codes.tolist() == planned_codes(12, (4,))
    free = run(sequence, blind, get_experiment("unsupervised")).regions
    assert free.values[3, :4].tolist() == [0, 0, 0, 0]
    assert free.counts[3] == 4
    assert region_overlaps(sequence.regions, free, "vot", (63, 47))[3] == 0


@pytest.mark.parametrize(
    "failures",
    [
        (),
        (4,),
        (2,),  # right after the start
        (4, 10),  # 9 is the restart, so 10 is right after it
        (4, 5, 6, 7, 8, 9),  # skipped frames and the restart itself cannot fail
        (20,),
        (16,),  # 21 would be the restart: beyond the end
        (15,),  # restarts on the very last frame
        (18, 19),
    ],
)
def test_planned_failures(failures: tuple[int, ...]) -> None:
    sequence = make_sequence(20)
    tracker = Planned(sequence, *failures)
    result = run(sequence, tracker)
    codes = planned_codes(20, failures)
    assert result.regions.codes.tolist() == codes
    tracked = np.flatnonzero(np.array(codes) == -1)
    np.testing.assert_array_equal(
        result.regions.values[tracked, :4], sequence.ground_truth[tracked]
    )
    assert [number for number, _ in tracker.starts] == [
        index + 1 for index, code in enumerate(codes) if code == 1
    ]
    called = np.array(codes) != 0
    assert (result.times[called] > 0).all()
    assert (result.times[~called] == 0).all()
    seen = np.isin(codes, (-1, 2))
    assert np.isnan(result.scores[~seen]).all()
    np.testing.assert_allclose(result.scores[seen], (np.flatnonzero(seen) + 1) / 100)


@given(st.integers(1, 40), st.sets(st.integers(1, 40)))
def test_any_plan(count: int, failures: set[int]) -> None:
    sequence = make_sequence(count)
    result = run(sequence, Planned(sequence, *failures))
    assert result.regions.codes.tolist() == planned_codes(count, tuple(failures))


def test_without_resets_the_tracker_goes_on() -> None:
    sequence = make_sequence(12)
    result = run(sequence, Planned(sequence, 4, 5), get_experiment("unsupervised"))
    assert result.regions.codes.tolist() == [1] + [-1] * 11
    np.testing.assert_array_equal(result.regions.values[3, :4], AWAY)


@pytest.mark.parametrize(
    ("wanted", "shape"), [("bounding", (4,)), ("area-preserving", (4,)), ("polygon", (4, 2))]
)
def test_starts_on_what_the_tracker_wants(wanted: Any, shape: tuple[int, ...]) -> None:
    sequence = make_sequence(3, rotated=True)
    tracker = Planned(sequence)
    drive(tracker, vot_steps(sequence, BASELINE, wanted))
    ((_, region),) = tracker.starts
    assert region.shape == shape
    assert sequence.polygons is not None
    if wanted == "bounding":
        np.testing.assert_array_equal(region, sequence.ground_truth[0])
    elif wanted == "polygon":
        np.testing.assert_array_equal(region, sequence.polygons[0])
    else:
        area = 0.5 * 8 * 6  # of the diamond
        assert region[2] * region[3] == pytest.approx(area, rel=0.05)


def test_file_coordinates_and_rounding() -> None:
    sequence = make_sequence(3, index_base=1.0)

    class Third:
        def init(self, image: np.ndarray, region: np.ndarray) -> None:
            self.region = region

        def update(self, image: np.ndarray) -> Prediction:
            return Prediction(self.region + 1 / 3)

    tracker = Third()
    result = run(sequence, tracker)
    np.testing.assert_array_equal(tracker.region, [1.0, 2.0, 8.0, 6.0])
    assert result.regions.values[1, :4].tolist() == [2.3333, 3.3333, 8.3333, 6.3333]


def test_a_region_beyond_the_image_has_failed_though_it_meets_the_ground_truth_there() -> None:
    sequence = make_sequence(3)
    truth = sequence.ground_truth.copy()
    truth[1] = [60.0, 3.0, 12.0, 6.0]
    sequence = Sequence("ball", truth, frames=sequence.frames)

    class Outside(Planned):
        def update(self, image: np.ndarray) -> Prediction:
            return Prediction(np.array([66.0, 3.0, 6.0, 6.0]))

    result = run(sequence, Outside(sequence))
    assert result.regions.codes.tolist() == [1, 2, 0]


def test_frames_of_unknown_ground_truth_cannot_fail_nor_start() -> None:
    sequence = make_sequence(14)
    truth = sequence.ground_truth.copy()
    truth[[2, 8, 9]] = np.nan
    sequence = Sequence("ball", truth, frames=sequence.frames)
    result = run(sequence, Planned(make_sequence(14), 3, 4))
    # 3 is unknown, so away is no failure; 4 fails, 9 and 10 are unknown, 11 restarts
    assert result.regions.codes.tolist() == [1, -1, -1, 2, 0, 0, 0, 0, 0, 0, 1, -1, -1, -1]


def test_a_mask_is_stored_as_the_rectangle_around_it() -> None:
    sequence = make_sequence(2)

    class Masks(Planned):
        def update(self, image: np.ndarray) -> Prediction:
            mask = np.zeros((48, 64), dtype=bool)
            mask[3:9, 3:11] = True
            return Prediction(mask)

    result = run(sequence, Masks(sequence))
    assert result.regions.counts.tolist() == [1, 8]
    corners = result.regions.values[1].reshape(4, 2)
    assert corners.min(axis=0).tolist() == pytest.approx([3, 3], abs=1)
    assert corners.max(axis=0).tolist() == pytest.approx([11, 9], abs=1)


def test_the_frame_of_an_error_is_named() -> None:
    sequence = make_sequence(9)
    with pytest.raises(FrameError, match=r"frame 8: ValueError: no idea"):
        run(sequence, Planned(sequence, 2, raises=8))


def real_time(seconds: list[float], grace: int = 0, failures: tuple[int, ...] = ()) -> list[int]:
    """Numbers of the frames that a tracker saw which takes so long for each call, at 10 fps."""
    experiment = Experiment("realtime", "realtime", 1, 5, 10.0, grace, "")
    sequence = make_sequence(12)
    tracker = Planned(sequence, *failures)
    steps = vot_steps(sequence, experiment)
    seen, durations = [], iter(seconds)
    step = next(steps)
    try:
        while True:
            seen.append(step.number)
            said = None if isinstance(step, Start) else tracker.update(step.image)
            step = steps.send(Answer(next(durations, 0.01), said))
    except StopIteration:
        return seen


def test_a_fast_tracker_sees_every_frame() -> None:
    assert real_time([]) == list(range(1, 13))


def test_a_slow_call_misses_the_frames_that_pass() -> None:
    # the second call takes 0.35 s: 0.25 s beyond its frame, so two more frames pass
    assert real_time([0.01, 0.35]) == [1, 2, 5, 6, 7, 8, 9, 10, 11, 12]


def test_grace_forgives_slow_calls_and_is_used_up() -> None:
    assert real_time([0.01, 0.35, 0.35, 0.35], grace=2) == [1, 2, 3, 4, 7, 8, 9, 10, 11, 12]


def test_the_last_region_stands_while_the_tracker_is_busy() -> None:
    # away on frame 4, noticed there; frames 5..8 are skipped, 9 restarts with a new clock
    assert real_time([0.01, 0.01, 0.01, 0.9], failures=(4,)) == [1, 2, 3, 4, 9, 10, 11, 12]


def test_lockstep_is_the_same_as_one_at_a_time() -> None:
    plans = {9: (3,), 14: (2, 8), 30: (), 5: (5,), 21: (4, 10, 16)}
    singles = {n: run(make_sequence(n), Planned(make_sequence(n), *f)) for n, f in plans.items()}

    class Together:
        """The first pixel tells the frame, the second the sequence."""

        def __init__(self) -> None:
            self.calls: list[int] = []

        def start(self, image: np.ndarray, region: np.ndarray) -> tuple[int, int]:
            return int(image[0, 1, 0]), int(image[0, 0, 0])

        def advance(self, states: list[Any], images: list[np.ndarray]) -> Any:
            self.calls.append(len(states))
            answers, after = [], []
            for (count, number), image in zip(states, images, strict=True):
                assert (int(image[0, 1, 0]), int(image[0, 0, 0])) == (count, number + 1)
                answers.append(Planned(make_sequence(count), *plans[count]).update(image))
                after.append((count, number + 1))
            return after, answers

    def marked(count: int) -> Sequence:
        sequence = make_sequence(count)
        assert sequence.frames is not None
        for image in sequence.frames:  # type: ignore[attr-defined]
            image[0, 1] = count
        return sequence

    tracker = Together()
    runs = ((n, vot_steps(marked(n), BASELINE)) for n in plans)
    results = dict(drive_lockstep(tracker, runs, lanes=3))  # type: ignore[arg-type]
    assert set(results) == set(plans)
    assert max(tracker.calls) == 3
    for count, single in singles.items():
        assert results[count].regions.codes.tolist() == single.regions.codes.tolist()
        np.testing.assert_array_equal(results[count].regions.values, single.regions.values)
        np.testing.assert_array_equal(results[count].scores, single.scores)


def test_an_error_in_lockstep_names_a_frame() -> None:
    sequence = make_sequence(9)
    tracker = Planned(sequence, raises=4)
    with pytest.raises(TrackerError, match="frame 4: ValueError: no idea"):
        list(drive_lockstep(tracker, [("a", vot_steps(sequence, BASELINE))], lanes=2))


def test_masks_are_kept_beside_the_rows() -> None:
    """The last mask stands, as the last region does, while the tracker is busy."""
    sequence = make_sequence(9)
    mask = np.zeros((48, 64), dtype=bool)
    mask[3:9, 2:30] = True
    experiment = Experiment("realtime", "realtime", 1, 5, 10.0, 0, "")
    steps = vot_steps(sequence, experiment, keep_masks=True)
    step, seen = next(steps), []
    try:
        while True:
            seen.append(step.number)
            said = None if isinstance(step, Start) else Prediction(mask)
            # Frames 3 and 4 pass while the tracker looks for the target in frame 2.
            step = steps.send(Answer(0.35 if step.number == 2 else 0.01, said))
    except StopIteration as end:
        found = end.value
    assert seen == [1, 2, 5, 6, 7, 8, 9]
    assert [kept is not None for kept in found.masks] == [False] + [True] * 8
    assert all(np.array_equal(kept, mask_to_runs(mask)) for kept in found.masks[1:])
    assert run(sequence, Planned(sequence)).masks == ()


def test_an_answer_that_the_target_is_absent_keeps_an_empty_mask() -> None:
    sequence = make_sequence(9)
    steps = vot_steps(sequence, BASELINE, keep_masks=True)
    step, box = next(steps), np.array([2.0, 3.0, 28.0, 6.0])
    try:
        while True:
            absent = step.number == 3
            said = None if isinstance(step, Start) else Prediction(None if absent else box)
            step = steps.send(Answer(0.01, said))
    except StopIteration as end:
        found = end.value
    assert found.regions.codes.tolist() == [1, -1, 2, 0, 0, 0, 0, 1, -1]
    assert [kept is not None for kept in found.masks] == [False, False, True] + [False] * 6
    assert not has_pixels(found.masks[2])

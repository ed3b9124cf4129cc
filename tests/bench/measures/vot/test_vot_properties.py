"""Invariants of the VOT measures, and cases checked by hand."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.measures.vot import SequenceRuns, get_convention, summarize_runs
from bench.measures.vot.accuracy import burnt_in, tally
from bench.measures.vot.expected_overlap import cut_runs, estimate_interval
from bench.scores import TrackerScores
from tests.bench.measures.vot.conftest import simulate

LONGEST = 60
INTERVAL = (10, 30)


def summarize(runs: list[SequenceRuns], convention: str = "vot") -> TrackerScores:
    return summarize_runs(runs, get_convention(convention), INTERVAL, LONGEST)


@st.composite
def failing(draw: st.DrawFn, frames: int) -> list[int]:
    """Frames where a run fails; never while the tracker waits for a restart."""
    gaps = draw(st.lists(st.integers(6, 40), max_size=6))
    positions = np.cumsum([draw(st.integers(1, 5)), *gaps])[1:]
    return [int(position) for position in positions if position < frames]


@st.composite
def sequences(draw: st.DrawFn, most: int = 4) -> list[SequenceRuns]:
    drawn = []
    for index in range(draw(st.integers(1, most))):
        frames = draw(st.integers(12, LONGEST))
        generator = np.random.default_rng(draw(st.integers(0, 99)))
        failures = draw(st.lists(failing(frames), min_size=1, max_size=3))
        tags = {tag: generator.random(frames) < 0.4 for tag in ("occlusion", "size_change")}
        drawn.append(simulate(failures, generator.random(frames), f"clip{index}", tags))
    return drawn


def assert_same(found: TrackerScores, expected: TrackerScores) -> None:
    assert found.measures == pytest.approx(expected.measures, nan_ok=True)
    assert found.curves["expected_overlap"] == pytest.approx(
        expected.curves["expected_overlap"], nan_ok=True
    )
    assert found.per_tag.keys() == expected.per_tag.keys()
    for tag, row in found.per_tag.items():
        assert row == pytest.approx(expected.per_tag[tag], nan_ok=True)


@given(sequences(), st.randoms())
def test_order_of_sequences_does_not_matter(runs: list[SequenceRuns], random: object) -> None:
    shuffled = list(runs)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert_same(summarize(shuffled), summarize(runs))


@given(sequences(), st.integers(2, 5))
def test_repeating_every_run_changes_nothing(runs: list[SequenceRuns], times: int) -> None:
    repeated = [
        dataclasses.replace(
            one,
            codes=np.tile(one.codes, (times, 1)),
            accuracy_overlaps=np.tile(one.accuracy_overlaps, (times, 1)),
            eao_overlaps=np.tile(one.eao_overlaps, (times, 1)),
        )
        for one in runs
    ]
    assert_same(summarize(repeated), summarize(runs))


@pytest.mark.parametrize("convention", ["vot", "vot-matlab-head", "pysot", "vot-toolkit"])
@given(st.lists(st.integers(35, LONGEST), min_size=1, max_size=4))
def test_perfect_tracker(convention: str, frames: list[int]) -> None:
    runs = [simulate([[]], np.ones(count), f"clip{i}") for i, count in enumerate(frames)]
    found = summarize(runs, convention).measures
    for measure in ("accuracy", "reliability", "eao"):
        assert found[measure] == pytest.approx(1, abs=1e-12)
    assert found["robustness"] == found["failures"] == 0


@given(failing(LONGEST).filter(bool), st.floats(0.1, 1))
def test_failures_cost_a_steady_tracker_expected_overlap(
    failures: list[int], level: float
) -> None:
    """Compared with no failure; one more failure can also raise the official value.

    It adds a segment, and a good segment raises the mean over segments.
    """
    worse, better = (simulate([each], np.full(LONGEST, level)) for each in (failures, []))
    score = cut_runs([worse], LONGEST).expected_overlap().score(INTERVAL)
    assert score <= cut_runs([better], LONGEST).expected_overlap().score(INTERVAL) + 1e-12


@given(sequences(), st.integers(0, 99))
def test_resamples_are_sequences_used_again(runs: list[SequenceRuns], seed: int) -> None:
    counts = np.random.default_rng(seed).multinomial(len(runs), [1 / len(runs)] * len(runs), 3)
    scores = cut_runs(runs, LONGEST).expected_overlap().resampled_scores(counts, INTERVAL)
    for count, score in zip(counts, scores, strict=True):
        drawn = [one for one, uses in zip(runs, count, strict=True) for _ in range(uses)]
        expected = cut_runs(drawn, LONGEST).expected_overlap().score(INTERVAL)
        assert score == pytest.approx(expected, nan_ok=True)


@given(sequences())
def test_one_repetition_alone(runs: list[SequenceRuns]) -> None:
    cut = cut_runs(runs, LONGEST)
    for index in range(3):
        alone = [one.only(index % one.repetitions) for one in runs]
        np.testing.assert_allclose(
            cut.only(index).expected_overlap().curve(),
            cut_runs(alone, LONGEST).expected_overlap().curve(),
        )


def test_curve_of_one_failure_by_hand() -> None:
    """Frames 1..9 are padded with zeros; frames 9..12 end with the sequence."""
    run = simulate([[3]], np.full(12, 0.5))
    curve = cut_runs([run], 14).expected_overlap().curve()
    padded = [1, 1 / 2, 1 / 2, *(1 / (n - 1) for n in range(4, 15))]
    last = [1, 1 / 2, 1 / 2, 1 / 2]
    both = [(a + b) / 2 for a, b in zip(padded, last, strict=False)]
    assert curve == pytest.approx([*both, *padded[4:]], abs=1e-15)


def test_a_failure_too_late_for_a_new_start_ends_nothing() -> None:
    run = simulate([[8]], np.full(12, 0.5))
    curve = cut_runs([run], 14).expected_overlap().curve()
    assert curve[11] == pytest.approx(7 * 0.5 / 11, abs=1e-15)
    assert np.isnan(curve[12:]).all()


def test_pysot_ends_a_segment_at_a_failure_five_frames_before_the_end() -> None:
    """It counts the missing initialisation as a frame: 12 of 13 frames have the tag ``all``."""
    run = simulate([[7]], np.full(12, 0.5))
    late = cut_runs([run], 14, "late").expected_overlap()
    assert late.curve()[11:] == pytest.approx([3 / n for n in (11, 12, 13)], abs=1e-15)
    assert late.weights[0] == pytest.approx(np.full(14, 12 / 13), abs=1e-15)
    for failure in (6, 8):  # with a restart, and too late even for PySOT
        run = simulate([[failure]], np.full(12, 0.5))
        late, official = (cut_runs([run], 14, c).expected_overlap() for c in ("late", "official"))
        np.testing.assert_array_equal(late.curve(), official.curve())


def test_weight_of_the_tag_empty_ignores_the_segment() -> None:
    """Two of twelve frames are untagged, both in the first segment of nine frames."""
    tagged = np.arange(12) >= 2
    run = simulate([[3]], np.full(12, 0.5), tags={"occlusion": tagged})
    weights = cut_runs([run], 12).expected_overlap("empty").weights[0]
    assert weights[0] == pytest.approx(2 / 9 + 2 / 4)
    assert weights[-1] == pytest.approx(2 / 9)
    weights = cut_runs([run], 12).expected_overlap("occlusion").weights[0]
    assert weights[0] == pytest.approx(7 / 9 + 4 / 4)


def test_burn_in_is_ten_frames_with_the_first_among_them() -> None:
    run = simulate([[15]], np.ones(40))
    assert np.flatnonzero(~burnt_in(run.codes)[0]).tolist() == [*range(10, 20), *range(30, 40)]


def test_tags_filter_before_the_burn_in() -> None:
    """15 tagged frames from the start on: ten are burn-in and five remain."""
    overlaps = np.linspace(0, 1, 30)
    tagged = np.arange(30) % 2 == 0
    run = simulate([[]], overlaps, tags={"occlusion": tagged})
    found = tally([run], "occlusion").pooled()
    assert found.accuracy == pytest.approx(overlaps[tagged][10:].mean(), abs=1e-15)
    assert found.frames == 15


def test_failures_count_where_the_frame_of_failure_has_the_tag() -> None:
    tags = {"occlusion": np.arange(40) == 12, "size_change": np.arange(40) == 13}
    run = simulate([[12], []], np.ones(40), tags=tags)
    assert tally([run], "occlusion").pooled().failures == 1 / 2
    assert tally([run], "size_change").pooled().failures == 0
    assert tally([run]).pooled().robustness == 100 * (1 / 2) / 40


def test_accuracy_is_pooled_over_frames_and_not_over_repetitions() -> None:
    """Frames valid in one repetition weigh as much as those valid in both."""
    overlaps = np.where(np.arange(40) < 20, 0.2, 0.8)
    run = simulate([[20], []], overlaps)
    assert tally([run]).pooled().accuracy == pytest.approx((10 * 0.2 + 20 * 0.8) / 30, abs=1e-15)


def test_interval_of_sequences_of_one_length() -> None:
    assert estimate_interval(np.full(7, 80.0)) == (80, 80, 80)


@given(st.lists(st.integers(2, 400), min_size=2, max_size=30))
def test_interval_holds_the_mode(lengths: list[int]) -> None:
    peak, low, high = estimate_interval(np.array(lengths, dtype=float))
    assert 1 <= low <= peak <= high <= max(lengths)

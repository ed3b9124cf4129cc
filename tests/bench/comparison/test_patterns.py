"""Planted causes are named first, and noise names none."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from bench.arrays import FloatArray
from bench.comparison.pairs import Pair, Track
from bench.comparison.patterns import recognised
from bench.geometry import Regions
from bench.sequence import Sequence
from tests.bench.comparison.conftest import pair_of, path

Planted = Callable[..., list[Pair]]


def shifted(by: float) -> Callable[[FloatArray], FloatArray]:
    return lambda rows: rows + np.array([by, by, 0, 0])


def corners(rows: FloatArray) -> FloatArray:
    return np.concatenate([rows[:, :2], rows[:, :2] + rows[:, 2:]], axis=1)


def one_later(rows: FloatArray) -> FloatArray:
    return np.concatenate([rows[:1], rows[2:], rows[-1:]])


def middle_lost(rows: FloatArray) -> FloatArray:
    return np.concatenate([rows[:40], rows[43:], np.repeat(rows[-1:], 3, axis=0)])


def every_other(rows: FloatArray) -> FloatArray:
    rows[2::2] = rows[1:-1:2]
    return rows


def unknown(rows: FloatArray) -> FloatArray:
    rows[30:34] = np.nan
    return rows


def late(rows: FloatArray) -> FloatArray:
    """Tiny differences that grow to a lost target."""
    growth = 1e-3 * 1.13 ** np.arange(len(rows))
    rows[1:, 0] += np.round(growth[1:], 4)
    return rows


CHANGES = {
    "one-based": shifted(1), "half-pixel": shifted(0.5), "corners": corners, "truncated": np.floor,
    "rounding": lambda rows: np.round(rows, 1), "image-size": lambda rows: rows * 0.5,
    "frames-shifted": one_later, "frames-dropped": middle_lost, "row-repair": unknown,
    "first-frame-missing": lambda rows: rows[1:], "precision": late,
}  # fmt: skip


@pytest.mark.parametrize("cause", CHANGES)
@pytest.mark.parametrize("turned", [False, True], ids=["in A", "in B"])
@pytest.mark.parametrize("count", [1, 2, 6])
def test_a_planted_cause_is_named_first(
    planted: Planted, cause: str, turned: bool, count: int
) -> None:
    pairs = planted(CHANGES[cause], count)
    found = recognised([p.swapped() for p in pairs] if turned else pairs, "onepass")
    assert found, "no cause"
    assert found[0].name == cause
    assert found[0].side in ("", "b" if turned else "a")
    assert found[0].evidence


def test_a_frame_lost_in_one_sequence_is_no_other_annotation(planted: Planted) -> None:
    pairs = planted(lambda rows: rows)
    rows = pairs[0].b.boxes
    cut = pair_of("s0", np.delete(rows, 30, axis=0), rows, pairs[0].truth)
    assert recognised([cut, *pairs[1:]], "onepass")[0].name == "frames-dropped"
    later = pair_of("s0", rows[20:], rows, pairs[0].truth)
    assert recognised([later, *pairs[1:]], "onepass")[0].name == "ground-truth"


def test_rows_that_repeat_are_frames_that_were_not_tracked(planted: Planted) -> None:
    assert recognised(planted(every_other), "onepass")[0].name == "frames-dropped"


@pytest.mark.parametrize("sigma", [0.003, 0.01, 0.05, 0.5, 3.0])
@pytest.mark.parametrize("seed", range(6))
def test_noise_names_no_cause(planted: Planted, sigma: float, seed: int) -> None:
    random = np.random.default_rng(seed)
    pairs = planted(lambda rows: np.round(rows + random.normal(0, sigma, rows.shape), 4), 1 + seed)
    assert [cause.name for cause in recognised(pairs, "onepass")] == []


def test_two_stochastic_runs_name_no_cause() -> None:
    """Each wanders off by itself, a pixel at the first step."""
    pairs = []
    for seed in range(8):
        truth, random = path(seed), np.random.default_rng(seed)
        runs = [truth + random.normal(0, 0.7, truth.shape).cumsum(axis=0) for _ in range(2)]
        for run in runs:
            run[0] = truth[0]
        pairs.append(pair_of(f"s{seed}", *(np.round(run, 4) for run in runs), truth))
    assert recognised(pairs, "onepass") == []


def test_another_annotation_of_one_sequence(planted: Planted) -> None:
    pairs = planted(lambda rows: rows)
    moved = pairs[0].a.boxes + np.array([9.0, -4.0, 3.0, 0.0])
    changed = pair_of("s0", moved, pairs[0].b.boxes, pairs[0].truth)
    found = recognised([changed, *pairs[1:]], "onepass")
    assert found[0].name == "ground-truth"
    assert found[0].sequences == ("s0",)


def test_the_same_centre_with_another_size_is_another_smoothing(planted: Planted) -> None:
    def smoothed(rows: FloatArray) -> FloatArray:
        centres = rows[1:, :2] + rows[1:, 2:] / 2
        rows[1:, 2:] = rows[0, 2:] + 0.5 * (rows[1:, 2:] - rows[0, 2:])
        rows[1:, :2] = centres - rows[1:, 2:] / 2
        return rows

    found = recognised(planted(smoothed), "onepass")
    assert found[0].name == "hyper-parameters"
    assert "same centre" in found[0].evidence


def vot_pair(name: str, a: list[list[float]], b: list[list[list[float]]]) -> Pair:
    sequence = Sequence(name, np.array([[10.0, 10, 20, 20]] * len(a)))
    first = Track.of([Regions.from_rows(a)], sequence)
    return Pair(sequence, first, Track.of([Regions.from_rows(r) for r in b], sequence))


def vot_rows(seed: int, failure: int, gap: int = 5) -> list[list[float]]:
    boxes = path(seed).tolist()
    return [
        [1.0], *boxes[1:failure], [2.0], *[[0.0]] * (gap - 1), [1.0], *boxes[failure + gap + 1 :]
    ]  # fmt: skip


def test_restarts_at_once_are_recognised() -> None:
    pairs = [vot_pair(f"s{n}", vot_rows(n, 30, 1), [vot_rows(n, 30)]) for n in range(4)]
    found = recognised(pairs, "baseline")
    assert found[0].name == "early-reset"
    assert found[0].side == "a"


def test_failures_five_frames_early_are_recognised() -> None:
    pairs = [vot_pair(f"s{n}", vot_rows(n, 30 + n), [vot_rows(n, 35 + n)]) for n in range(4)]
    assert recognised(pairs, "baseline")[0].name == "early-reset"


def test_one_run_of_many_is_recognised() -> None:
    many = [[vot_rows(20 * n + k, 30 + k) for k in range(5)] for n in range(4)]
    pairs = [vot_pair(f"s{n}", runs[2], runs) for n, runs in enumerate(many)]
    found = recognised(pairs, "baseline")
    assert found[0].name == "repetitions"
    assert "is one of these" in found[0].evidence

"""Each sequence's share of the difference of two scores; the shares sum to the difference.

A mean over ``n`` sequences is a sum of ``value / n``. A quotient of sums over sequences, such as
accuracy or the expected overlap at one length, is ``r = O / V``, and for two runs, with means
``r'`` and ``V'`` of the two, exactly

    r_a - r_b = sum over sequences of ((O_a - O_b) - r' (V_a - V_b)) / V'

EAO averages such quotients over lengths, so its shares are averages of shares.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence as List

import numpy as np

from bench.arrays import FloatArray
from bench.measures import vot
from bench.measures.statistics import CONFIDENCE, RESAMPLES
from bench.measures.vot.accuracy import tally
from bench.measures.vot.expected_overlap import ExpectedOverlap, cut_runs
from bench.scores import TrackerScores

Shares = dict[str, FloatArray]


def mean_shares(
    a: TrackerScores, b: TrackerScores, names: List[str], lengths: FloatArray | None = None
) -> Shares:
    """Shares ``(S,)`` of every measure that is a mean over sequences.

    OTB and LaSOT leave sequences of an all-zero curve out of the mean; their value is 0, so the
    number of those that count follows from sum and mean.

    Args:
        a, b: scores of both runs.
        names: of the sequences.
        lengths: ``(S,)`` weights of the sequences; equal ones by default.
    """
    found = {}
    for measure in a.measures:
        parts = [_parts(one, measure, names, lengths) for one in (a, b)]
        if parts[0] is not None and parts[1] is not None:
            found[measure] = parts[0] - parts[1]
    return found


def _parts(
    one: TrackerScores, measure: str, names: List[str], lengths: FloatArray | None
) -> FloatArray | None:
    """``(S,)`` parts that sum to a measure; None for one that is not a mean over sequences."""
    values = np.array([one.per_sequence[name].get(measure, np.nan) for name in names])
    mean = one.measures.get(measure)
    if mean is None or np.isnan(values).any():
        return None
    if lengths is not None:
        weighted: FloatArray = values * lengths / lengths.sum()
        return weighted
    counted = float(values.sum()) / mean if mean else float(len(names))
    if abs(counted - round(counted)) > 1e-6 * len(names) or not 0 < counted < len(names) + 0.5:
        return None
    divided: FloatArray = values / round(counted)
    return divided


def quotient_shares(
    top_a: FloatArray, bottom_a: FloatArray, top_b: FloatArray, bottom_b: FloatArray
) -> FloatArray:
    """``(S, ...)`` shares of ``sum(top_a) / sum(bottom_a) - sum(top_b) / sum(bottom_b)``.

    >>> parts = [np.array(p) for p in ([1.0, 2.0], [2.0, 2.0], [1.0, 1.0], [2.0, 4.0])]
    >>> bool(np.isclose(quotient_shares(*parts).sum(), 3 / 4 - 2 / 6))
    True
    """
    below_a, below_b = bottom_a.sum(axis=0), bottom_b.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        middle = (top_a.sum(axis=0) / below_a + top_b.sum(axis=0) / below_b) / 2
        shares: FloatArray = ((top_a - top_b) - middle * (bottom_a - bottom_b)) / (
            (below_a + below_b) / 2
        )
    return shares


def vot_shares(
    a: List[vot.SequenceRuns],
    b: List[vot.SequenceRuns],
    interval: tuple[int, int] | None,
    rule: vot.VotConvention,
) -> Shares:
    """Shares ``(S,)`` of the measures of an experiment with resets, by the official rule."""
    sums_a, sums_b = tally(a), tally(b)
    accuracy = (sums_a.overlap, sums_a.valid, sums_b.overlap, sums_b.valid)
    failures = sums_a.failures - sums_b.failures
    found = {
        "accuracy": quotient_shares(*accuracy),
        "failures": failures,
        "robustness": 100 * failures / sums_a.frames.sum(),
    }
    if interval is not None:
        found["eao"] = _eao_shares(*expected_overlaps(a, b, rule), interval)
    return found


def expected_overlaps(
    a: List[vot.SequenceRuns], b: List[vot.SequenceRuns], rule: vot.VotConvention
) -> tuple[ExpectedOverlap, ExpectedOverlap]:
    """The sums behind both runs' EAO."""
    longest = max(len(run) for run in a)
    first, second = (cut_runs(runs, longest, rule.cut).expected_overlap() for runs in (a, b))
    return first, second


def _eao_shares(a: ExpectedOverlap, b: ExpectedOverlap, interval: tuple[int, int]) -> FloatArray:
    """Lengths that a run has no segment for do not count in its mean."""
    low, high = interval
    (sums_a, weights_a), (sums_b, weights_b) = (
        (each.sums[:, low - 1 : high], each.weights[:, low - 1 : high]) for each in (a, b)
    )
    known_a, known_b = weights_a.sum(axis=0) > 0, weights_b.sum(axis=0) > 0
    both, count_a, count_b = known_a & known_b, known_a.sum(), known_b.sum()
    per_length = quotient_shares(
        sums_a[:, both], weights_a[:, both], sums_b[:, both], weights_b[:, both]
    )
    shares: FloatArray = per_length.sum(axis=1) / count_a
    rest = a.score(interval) - b.score(interval) - float(shares.sum())
    if count_a != count_b or not both.all():  # what unequal lengths leave, by weight
        weight = (weights_a + weights_b).sum(axis=1)
        shares = shares + rest * weight / weight.sum()
    return shares


def left_out(a: ExpectedOverlap, b: ExpectedOverlap, interval: tuple[int, int]) -> FloatArray:
    """``(S,)`` difference of EAO without each sequence: the check of its first-order share."""
    counts = 1.0 - np.eye(len(a.sums))
    return a.resampled_scores(counts, interval) - b.resampled_scores(counts, interval)


def eao_interval(
    a: ExpectedOverlap, b: ExpectedOverlap, interval: tuple[int, int]
) -> tuple[float, float]:
    """95 % bootstrap interval of the difference of EAO; both runs see the same resamples."""
    sequences = len(a.sums)
    if sequences < 2:
        return float("nan"), float("nan")
    drawn = np.random.default_rng(0).multinomial(
        sequences, np.full(sequences, 1 / sequences), size=RESAMPLES
    )
    differences = a.resampled_scores(drawn, interval) - b.resampled_scores(drawn, interval)
    low, high = np.nanpercentile(differences, [50 * (1 - CONFIDENCE), 50 * (1 + CONFIDENCE)])
    return float(low), float(high)


def group_shares(
    shares: FloatArray, members: Mapping[str, FloatArray]
) -> dict[str, tuple[float, float]]:
    """For each group, the sum of its sequences' shares, and the part of all sequences it is.

    Args:
        shares: ``(S,)``.
        members: ``(S,)`` how much of each sequence belongs to a group, 0 to 1.
    """
    return {
        name: (float(shares @ weights), float(weights.mean())) for name, weights in members.items()
    }

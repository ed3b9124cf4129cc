"""Bootstrap intervals and paired tests over sequences.

Resampling draws whole sequences, because frames of one video are far from independent.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bench.arrays import FloatArray

RESAMPLES = 1000
CONFIDENCE = 0.95


def bootstrap_intervals(
    values: FloatArray, seed: int = 0, weights: FloatArray | None = None
) -> FloatArray:
    """95 % percentile intervals of the mean over sequences, ``(R, S) -> (R, 2)`` low, high.

    All ``R`` rows share the 1,000 resamples, so they can be compared. With fewer than two
    sequences the interval is NaN. ``weights`` ``(S,)`` make it that of a weighted mean.
    """
    rows, sequences = values.shape
    if sequences < 2:
        return np.full((rows, 2), np.nan)
    if weights is not None:
        drawn = np.random.default_rng(seed).integers(0, sequences, (RESAMPLES, sequences))
        means = (values * weights)[:, drawn].sum(axis=-1) / weights[drawn].sum(axis=-1)
        tail = 50 * (1 - CONFIDENCE)
        return np.asarray(np.percentile(means, [tail, 100 - tail], axis=-1).T)
    from scipy.stats import bootstrap

    interval = bootstrap(
        (values,),
        np.mean,
        axis=-1,
        n_resamples=RESAMPLES,
        batch=max(1, 2_000_000 // values.size),
        confidence_level=CONFIDENCE,
        method="percentile",
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return np.stack([interval.low, interval.high], axis=-1)


@dataclass(frozen=True)
class PairedTest:
    """Comparison of trackers A and B on the same sequences.

    Attributes:
        difference: mean over sequences of A minus B.
        low, high: 95 % bootstrap interval of the difference.
        p_value: two-sided Wilcoxon signed-rank test; 1 if all differences are zero.
        wins, losses: number of sequences on which A scores higher, lower than B.
        sequences: number of sequences compared.
    """

    difference: float
    low: float
    high: float
    p_value: float
    wins: int
    losses: int
    sequences: int


def paired_test(a: FloatArray, b: FloatArray, seed: int = 0) -> PairedTest:
    """Compare per-sequence scores ``(S,)`` of two trackers.

    Sequences with a NaN score are excluded; without any other, difference and interval are NaN.
    """
    from scipy.stats import wilcoxon

    difference = (a - b)[~np.isnan(a) & ~np.isnan(b)]
    low, high = bootstrap_intervals(difference[None], seed)[0]
    p_value = float(wilcoxon(difference).pvalue) if difference.any() else 1.0
    wins, losses = int((difference > 0).sum()), int((difference < 0).sum())
    mean = float(difference.mean()) if len(difference) else float("nan")
    return PairedTest(mean, float(low), float(high), p_value, wins, losses, len(difference))

"""Bootstrap intervals and paired tests over sequences.

Resampling draws whole sequences, because frames of one video are far from independent.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

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
    counts = _resamples(sequences, seed)
    if weights is None:
        means = values @ counts.T / sequences
    else:
        means = (values * weights) @ counts.T / (counts @ weights)
    tails = [50 * (1 - CONFIDENCE), 50 * (1 + CONFIDENCE)]
    interval: FloatArray = np.percentile(means, tails, axis=1).T
    return interval


@lru_cache(maxsize=4)
def _resamples(sequences: int, seed: int) -> FloatArray:
    """``(B, S)`` how often each resample holds each sequence.

    The draws are those of ``scipy.stats.bootstrap``, whose import takes longer than scoring.
    """
    drawn = np.random.default_rng(seed).integers(0, sequences, (RESAMPLES, sequences))
    places = drawn + sequences * np.arange(RESAMPLES)[:, None]
    counts = np.bincount(places.ravel(), minlength=RESAMPLES * sequences)
    return counts.reshape(RESAMPLES, sequences).astype(np.float64)


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

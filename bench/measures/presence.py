"""Whether a confidence tells frames that show the target from frames that do not.

A frame is called present if its score reaches a threshold; every distinct score is a threshold.
All frames of all sequences are pooled, as one threshold must serve them all.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bench.arrays import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class Presence:
    """How well scores tell presence, over ``N`` frames with a score.

    Attributes:
        auroc: area under the ROC curve: the share of pairs of a present and an absent frame in
            which the present one has the higher score; a tie counts one half.
        best_f: the largest F = 2 P R / (P + R) of the answer "present" over all thresholds.
        threshold: the score that reaches it; of several, the highest.
        always: F of the answer "present" in every frame.
        frames, absent: number of frames, and of those without the target.
        false_rates, true_rates: the ROC curve, from (0, 0) to (1, 1): shares of the absent and of
            the present frames that are called present, a point per threshold.
    """

    auroc: float
    best_f: float
    threshold: float
    always: float
    frames: int
    absent: int
    false_rates: FloatArray
    true_rates: FloatArray

    def true_rates_at(self, false_rates: FloatArray) -> FloatArray:
        """The ROC curve at given shares of false alarms; of a vertical piece the upper end."""
        found: FloatArray = np.interp(false_rates, self.false_rates, self.true_rates)
        return found


def presence(scores: FloatArray, present: BoolArray) -> Presence | None:
    """Measure scores ``(N,)`` against annotated presence ``(N,)``.

    Source: T. Fawcett, "An introduction to ROC analysis", Pattern Recognition Letters 27 (2006),
    algorithms 1 and 2. The area is the Mann-Whitney statistic over the number of pairs.

    Args:
        scores: higher is surer; every one finite, as a frame without a score has no answer.
        present: True where the target is visible.

    Returns:
        None unless both kinds of frames occur: with one kind only, neither measure is defined.
    """
    positives = int(np.count_nonzero(present))
    negatives = len(present) - positives
    if not positives or not negatives:
        return None
    thresholds, hits, alarms = _counts(scores, present)
    f = 2 * hits / (hits + alarms + positives)
    best = int(f.argmax())  # the first of equals: thresholds fall
    true_rates = np.concatenate([[0], hits / positives])
    false_rates = np.concatenate([[0], alarms / negatives])
    heights = (true_rates[1:] + true_rates[:-1]) / 2
    return Presence(
        auroc=float((np.diff(false_rates) * heights).sum()),
        best_f=float(f[best]),
        threshold=float(thresholds[best]),
        always=2 * positives / (2 * positives + negatives),
        frames=len(present),
        absent=negatives,
        false_rates=false_rates,
        true_rates=true_rates,
    )


def _counts(scores: FloatArray, present: BoolArray) -> tuple[FloatArray, IntArray, IntArray]:
    """Distinct scores, falling, and the present and absent frames that reach each."""
    order = np.argsort(-scores, kind="stable")
    falling, shown = scores[order], present[order]
    last = np.flatnonzero(np.append(falling[1:] != falling[:-1], True))
    hits = np.cumsum(shown, dtype=np.int64)[last]
    return falling[last], hits, last + 1 - hits


def absence_rates(said: BoolArray, absent: BoolArray) -> tuple[float, float]:
    """Precision and recall of a tracker's own answers "not visible", each ``(N,)``.

    Args:
        said: where the tracker says that the target is not visible.
        absent: where it is not, by the annotation.

    Returns:
        Precision, NaN if it never says so; recall, NaN if the target is never absent.
    """
    right, answers, wanted = (int(np.count_nonzero(x)) for x in (said & absent, said, absent))
    precision = right / answers if answers else float("nan")
    return precision, right / wanted if wanted else float("nan")

"""What scores would be under another convention, coordinate base or rounding; nothing is run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from collections.abc import Sequence as List
from dataclasses import dataclass, field

import numpy as np

from bench.arrays import FloatArray
from bench.comparison.causes import Cause
from bench.comparison.pairs import Pair
from bench.evaluation import evaluate
from bench.geometry import Regions
from bench.measures.conventions import convention_names
from bench.results.memory import MemoryStore, StoredRun
from bench.scores import BenchmarkScores
from bench.sequence import Dataset

_SUSPECT = "suspect"
_BY_HAND: dict[str, Callable[[FloatArray], FloatArray]] = {
    "x and y one less": lambda rows: rows - np.array([1.0, 1.0, 0.0, 0.0]),
    "x and y one more": lambda rows: rows + np.array([1.0, 1.0, 0.0, 0.0]),
    "cut to whole pixels": np.floor,
    "rounded to whole pixels": np.rint,
}


@dataclass(frozen=True)
class Retest:
    """Scores after one change.

    Attributes:
        change: in words.
        a, b: measures of both sides; of B the figures, where it has no boxes.
        left: what is left of each difference.
        reasons: why a convention gives other numbers.
    """

    change: str
    a: Mapping[str, float]
    b: Mapping[str, float]
    left: Mapping[str, float]
    reasons: tuple[str, ...] = field(default=())


def retests(
    dataset: Dataset, store: MemoryStore, a: str, b: str, figures: Mapping[str, float]
) -> Iterator[Retest]:
    """Both sides under every convention, then A with its rows changed.

    Args:
        dataset: the sequences that count.
        store: boxes of both sides, or of A alone.
        a, b: labels.
        figures: of B, where it has no boxes.
    """
    names = [a] if figures else [a, b]
    for scores in evaluate(dataset, store, names, convention_names(dataset.benchmark)):
        if all(name in scores.trackers for name in names):
            yield _retest(f"convention {scores.convention}", scores, a, b, figures)
    if store.experiment != "onepass":
        return
    for change, function in _BY_HAND.items():
        changed = MemoryStore(store.benchmark, store.experiment)
        for sequence in dataset:
            for name in names:
                rows = store.read_run(name, sequence.name).values[:, :4]
                kept = function(rows) if name == a else rows
                changed.add(name, sequence.name, StoredRun(Regions.from_boxes(kept)))
        (scores,) = evaluate(dataset, changed, names)
        if all(name in scores.trackers for name in names):
            yield _retest(f"{a}: {change}", scores, a, b, figures)


def _retest(
    change: str, scores: BenchmarkScores, a: str, b: str, figures: Mapping[str, float]
) -> Retest:
    first = scores.trackers[a].measures
    second = figures or scores.trackers[b].measures
    left = {
        m: first[m] - second[m] for m in first if m in second and m not in ("fps", "reliability")
    }
    own = {m: first[m] for m in left}
    return Retest(change, own, {m: second[m] for m in left}, left, scores.differences)


def explained(
    cause: Cause, pairs: List[Pair], dataset: Dataset, scores: BenchmarkScores, labels: list[str]
) -> dict[str, float]:
    """The part of each difference that a cause makes: the reference remade under it, scored.

    Args:
        cause: with ``remade``.
        pairs: of all sequences, the suspect first.
        dataset: the sequences.
        scores: of both as they stand.
        labels: of the suspect and of the reference.
    """
    if cause.remade is None or scores.experiment != "onepass":
        return {}
    remade = MemoryStore(dataset.benchmark)
    for pair in pairs:
        boxes = cause.remade(pair)[-pair.b.given :]
        remade.add(_SUSPECT, pair.name, StoredRun(Regions.from_boxes(boxes)))
    (found,) = evaluate(dataset, remade, [_SUSPECT])
    if _SUSPECT not in found.trackers:
        return {}
    suspect, reference = (scores.trackers[label].measures for label in labels)
    made = found.trackers[_SUSPECT].measures
    return {
        measure: (made[measure] - reference[measure]) / (suspect[measure] - reference[measure])
        for measure in made
        if measure in suspect
        and measure in reference
        and measure != "fps"
        and suspect[measure] != reference[measure]
    }

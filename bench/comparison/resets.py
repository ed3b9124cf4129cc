"""Patterns of the VOT protocol: restarts, and numbers of repetitions."""

from __future__ import annotations

from collections.abc import Sequence as List

import numpy as np

from bench.benchmarks import get_experiment
from bench.comparison.causes import Cause
from bench.comparison.pairs import Pair, restart_gaps, row_distance
from bench.geometry import FAILED, Regions


def restarts(pairs: List[Pair], experiment: str) -> Cause | None:
    """Restarts a other number of frames after a failure than the protocol asks for."""
    wanted = get_experiment(experiment).skip
    gaps_a, gaps_b = (
        [gap for pair in pairs for run in track(pair) for gap in restart_gaps(run)]
        for track in (_runs_of_a, _runs_of_b)
    )
    if gaps_a and np.median(gaps_a) != wanted and (not gaps_b or np.median(gaps_b) == wanted):
        found = int(np.median(gaps_a))
        return Cause(
            "early-reset", f"restarted {found} frames after a failure in place of {wanted}",
            f"{sum(gap == found for gap in gaps_a)} of {len(gaps_a)} restarts come {found} frames "
            f"after the failure; of the other run's {len(gaps_b)}, "
            f"{sum(gap == wanted for gap in gaps_b)} come {wanted} after it",
            weight=0.97,
            remedy="Run under this toolkit's protocol, or export for the official one.",
        )  # fmt: skip
    return _early_failures(pairs)


def _runs_of_a(pair: Pair) -> tuple[Regions, ...]:
    return pair.a.repetitions


def _runs_of_b(pair: Pair) -> tuple[Regions, ...]:
    return pair.b.repetitions


def _early_failures(pairs: List[Pair]) -> Cause | None:
    """Failures some frames before the other run's, though the rows before are the same."""
    early, told = [], 0
    for pair in pairs:
        failures = [np.flatnonzero(track.codes == FAILED) for track in (pair.a, pair.b)]
        if not len(failures[0]) or not len(failures[1]):
            continue
        first_a, first_b = int(failures[0][0]), int(failures[1][0])
        told += 1
        before = row_distance(pair.a.boxes[:first_a], pair.b.boxes[:first_a])
        if first_a < first_b and (before <= pair.tolerance).mean() > 0.95:
            early.append((pair.name, first_b - first_a))
    leads = [lead for _, lead in early]
    common = max(set(leads), key=leads.count) if leads else 0
    if len(early) < 2 or leads.count(common) < 0.6 * told:
        return None
    return Cause(
        "early-reset", f"failures declared {common} frames early",
        f"on {leads.count(common)} of {told} sequences the first failure comes {common} frames "
        "before the other run's, after the same boxes", weight=0.95,
        sequences=tuple(name for name, _ in early),
        remedy="A frame fails when the overlap is zero, not before.",
    )  # fmt: skip


def repetitions(pairs: List[Pair]) -> Cause | None:
    """Fewer repetitions than the other run of a tracker whose repetitions differ."""
    fewer = [pair for pair in pairs if len(pair.a.repetitions) < len(pair.b.repetitions)]
    if len(fewer) < 0.5 * len(pairs) or not fewer:
        return None
    counts = [
        int(np.median([len(track.repetitions) for track in tracks]))
        for tracks in ([p.a for p in fewer], [p.b for p in fewer])
    ]
    varied = [pair for pair in fewer if _varies(pair)]
    if not varied:
        return None
    same = sum(_among(pair) for pair in fewer)
    if counts[0] > 1 and counts[1] < 3 * counts[0] and not same:
        return None
    return Cause(
        "repetitions", f"{counts[0]} repetition(s) where the other run has {counts[1]}",
        f"{len(varied)} of {len(fewer)} sequences vary between the other run's repetitions; "
        f"on {same} the single run is one of these", weight=0.93 if same else 0.6,
        sequences=tuple(p.name for p in varied),
        remedy="Run a stochastic tracker 15 times, as the protocol asks.",
    )  # fmt: skip


def _varies(pair: Pair) -> bool:
    first, *others = pair.b.repetitions
    return any(not _equal(first, other) for other in others)


def _among(pair: Pair) -> bool:
    return any(_equal(pair.a.repetitions[0], other) for other in pair.b.repetitions)


def _equal(one: Regions, other: Regions) -> bool:
    width = min(one.values.shape[1], other.values.shape[1])
    same = np.array_equal(one.counts, other.counts)
    return same and np.array_equal(one.values[:, :width], other.values[:, :width], equal_nan=True)

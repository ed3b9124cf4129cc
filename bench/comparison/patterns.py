"""Typical causes, recognised from results alone; each detector looks at both runs in turn."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from collections.abc import Sequence as List

import numpy as np

from bench.comparison import resets, rewritten, shifted, traces
from bench.comparison.causes import Cause
from bench.comparison.pairs import Pair, row_distance

_EARLY = 10  # rows


def recognised(pairs: List[Pair], experiment: str) -> list[Cause]:
    """Patterns that the results show, the surest first; one of each name.

    Args:
        pairs: every sequence of both runs.
        experiment: ``"onepass"``, or an experiment of the VOT challenge.
    """
    turned = [pair.swapped() for pair in pairs]
    found = [
        dataclasses.replace(cause, side="" if cause.mutual else side)
        for side, seen in (("a", pairs), ("b", turned))
        for cause in _found(seen, experiment)
    ]
    suspect = _farther(pairs)
    ranked = sorted(found, key=lambda cause: (-cause.weight, cause.side != suspect))
    kept: list[Cause] = []
    for cause in ranked:
        if cause.name not in {other.name for other in kept}:
            kept.append(cause)
    return _without_echoes(kept)


def _farther(pairs: List[Pair]) -> str:
    """The run that is farther from the annotation, of a change that goes both ways.

    The first rows decide; where they are the same, all rows.
    """
    turned = [pair.swapped() for pair in pairs]
    a, b = ((_off(seen, _EARLY), _off(seen, None)) for seen in (pairs, turned))
    return "b" if b > a else "a"


def _off(pairs: List[Pair], rows: int | None) -> float:
    """Median distance of a's first rows to the annotation in pixels."""
    found = []
    for pair in pairs:
        count = min(len(pair.a), len(pair.truth), rows or len(pair.a))
        distance = row_distance(pair.a.boxes[:count], pair.truth[:count])
        found += distance[np.isfinite(distance)].tolist()
    return round(float(np.median(found)), 3) if found else 0.0


def _found(pairs: List[Pair], experiment: str) -> Iterator[Cause]:
    """What the detectors find, with the first run as the suspect."""
    if not pairs:
        return
    for detector in (*rewritten.DETECTORS, *shifted.DETECTORS, *traces.DETECTORS):
        if (cause := detector(pairs)) is not None:
            yield cause
    if experiment != "onepass":
        for found in (resets.restarts(pairs, experiment), resets.repetitions(pairs)):
            if found is not None:
                yield found


def _without_echoes(causes: list[Cause]) -> list[Cause]:
    """Without the traces that a surer cause leaves by itself."""
    if causes and causes[0].weight >= 0.85:
        return [causes[0], *(c for c in causes[1:] if c.weight >= 0.85)]
    return causes

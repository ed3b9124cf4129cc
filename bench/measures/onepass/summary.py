"""Summarises one tracker's curves: means, intervals, scores per sequence and attribute."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence as List

import numpy as np

from bench.arrays import BoolArray, FloatArray
from bench.measures.conventions import Convention
from bench.measures.onepass.curves import Curves, counted_sequences, mean_curve, sequence_scores
from bench.measures.statistics import bootstrap_intervals
from bench.scores import TrackerScores

_MIN_SEQUENCES_PER_ATTRIBUTE = 2  # as OTB perfPlot.m
_RATES = {"success_rate_50": 0.5, "success_rate_75": 0.75}  # thresholds of the success curve

Values = Mapping[str, FloatArray]


def summarize(
    names: List[str],
    attributes: List[frozenset[str]],
    curves: List[Curves],
    fps: FloatArray,
    rule: Convention,
    notes: tuple[str, ...] = (),
    weights: FloatArray | None = None,
) -> TrackerScores:
    """Scores of one tracker from its curves on ``S`` sequences.

    Args:
        names: names of the sequences.
        attributes: attributes of each sequence.
        curves: curves of each sequence, each ``(T,)``.
        fps: ``(S,)`` speed on each sequence, NaN without times.
        rule: the convention of the curves.
        notes: remarks to print beside the numbers.
        weights: ``(S,)`` frames of each sequence, where measures are means over frames.
    """
    stacked = _stacked(curves)
    values, counted = _values(stacked, rule)
    means = {m: float(weighted_mean(v, counted[m], weights)) for m, v in values.items()}
    if np.isfinite(fps).any():
        means["fps"] = float(np.nanmean(fps))
    return TrackerScores(
        measures=means,
        intervals=_intervals(values, counted, weights),
        per_sequence=_per_sequence(names, values, fps),
        per_attribute=_per_attribute(attributes, values, counted, weights),
        curves={m: tuple(mean_curve(stacked[m], rule, weights).tolist()) for m in stacked},
        notes=notes,
    )


def run_measures(
    runs: List[List[Curves]], fps: FloatArray, rule: Convention
) -> dict[str, FloatArray]:
    """Measures of every run on every sequence, each ``(R, S)``.

    Args:
        runs: curves of each sequence, by run.
        fps: ``(R, S)`` speed, NaN without times.
        rule: the convention of the curves.
    """
    by_run = [_values(_stacked(curves), rule)[0] for curves in runs]
    rows = {m: np.stack([values[m] for values in by_run]) for m in by_run[0]}
    return {**rows, "fps": fps} if np.isfinite(fps).all() else rows


def counted_in_means(curves: List[Curves], rule: Convention) -> dict[str, BoolArray]:
    """``(S,)`` sequences that enter the mean of each measure."""
    return _values(_stacked(curves), rule)[1]


def _stacked(curves: List[Curves]) -> dict[str, FloatArray]:
    return {m: np.stack([each[m] for each in curves]) for m in curves[0]}


def _values(
    stacked: dict[str, FloatArray], rule: Convention
) -> tuple[dict[str, FloatArray], dict[str, BoolArray]]:
    """Measures ``(S,)``, and the sequences that enter their means."""
    values = sequence_scores(stacked, rule)
    counted = {m: counted_sequences(stacked[m], rule) for m in stacked}
    for rate, threshold in _RATES.items():
        index = round(threshold * (rule.success_bins - 1))
        values[rate], counted[rate] = stacked["success"][:, index], counted["success"]
    return values, counted


def weighted_mean(
    values: FloatArray, counted: BoolArray, weights: FloatArray | None = None
) -> FloatArray:
    """Mean over the counted sequences, ``(..., S) -> (...)``, with weights ``(S,)`` if any."""
    if weights is None:
        mean: FloatArray = values[..., counted].mean(axis=-1)
        return mean
    return np.asarray(np.average(values[..., counted], axis=-1, weights=weights[counted]))


def _intervals(
    values: Values, counted: Mapping[str, BoolArray], weights: FloatArray | None
) -> dict[str, tuple[float, float]]:
    """Bootstrap intervals; measures that count every sequence share one call."""
    everywhere = [m for m in values if counted[m].all()]
    groups = [everywhere] if everywhere else []
    groups += [[m] for m in values if m not in everywhere]
    intervals = {}
    for group in groups:
        rows = np.stack([values[m][counted[m]] for m in group])
        own = None if weights is None else weights[counted[group[0]]]
        found = bootstrap_intervals(rows, weights=own).tolist()
        for measure, (low, high) in zip(group, found, strict=True):
            intervals[measure] = (low, high)
    return intervals


def _per_sequence(
    names: List[str], values: Values, fps: FloatArray
) -> dict[str, dict[str, float]]:
    columns = {measure: column.tolist() for measure, column in values.items()}
    if np.isfinite(fps).any():
        columns["fps"] = fps.tolist()
    return {
        name: {measure: column[index] for measure, column in columns.items()}
        for index, name in enumerate(names)
    }


def _per_attribute(
    attributes: List[frozenset[str]],
    values: Values,
    counted: Mapping[str, BoolArray],
    weights: FloatArray | None,
) -> dict[str, dict[str, float]]:
    """Means by attribute, for attributes of at least two sequences."""
    table = {}
    for attribute in sorted(frozenset().union(*attributes)):
        members = np.array([attribute in each for each in attributes])
        if members.sum() >= _MIN_SEQUENCES_PER_ATTRIBUTE:
            means = {
                m: float(weighted_mean(v, members & counted[m], weights))
                for m, v in values.items()
            }
            table[attribute] = {**means, "sequences": int(members.sum())}
    return table

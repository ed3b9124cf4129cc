"""Compares two results: measures, sequences, causes; one record that reports draw."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from collections.abc import Sequence as List
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from bench.arrays import FloatArray
from bench.benchmarks import get_benchmark
from bench.comparison.causes import Cause
from bench.comparison.expected import Expected, expectations
from bench.comparison.facts import Fact, differing_facts, only_seeds, stated_causes
from bench.comparison.inputs import InputTest, input_tests
from bench.comparison.pairs import Pair, Parting, pairs_of, parting_of
from bench.comparison.patterns import recognised
from bench.comparison.rescored import Retest, explained, retests
from bench.comparison.shares import (
    Shares,
    eao_interval,
    expected_overlaps,
    group_shares,
    left_out,
    mean_shares,
    vot_shares,
)
from bench.comparison.sides import Opened, Side, common
from bench.errors import ConfigError
from bench.evaluation import evaluate
from bench.evaluation.vot import overlapped_runs
from bench.measures import vot
from bench.measures.catalogue import layout_of
from bench.measures.statistics import bootstrap_intervals, paired_test
from bench.scores import BenchmarkScores, TrackerScores, without_nan
from bench.sequence import Dataset

_SUM = 1e-9  # shares must sum to the difference within this
_SURE = 0.8
_HINT = "--rerun tests what boxes alone cannot tell: order of colours, decoder, first box, options"
_SKIPPED = ("fps", "coverage", "reliability")


@dataclass(frozen=True)
class MeasureDifference:
    """One measure of both sides.

    Attributes:
        measure: its name.
        a, b: scores as fractions of 1 (failures as they are).
        low, high: 95 % bootstrap interval of A minus B over sequences, both on the same
            resamples; NaN without.
        p_value: of the Wilcoxon signed-rank test over sequences; NaN without.
        spread_a, spread_b: standard deviation over repetitions; None for a single run.
        verdict: what the numbers say.
    """

    measure: str
    a: float
    b: float
    low: float = math.nan
    high: float = math.nan
    p_value: float = math.nan
    spread_a: float | None = None
    spread_b: float | None = None
    verdict: str = ""

    @property
    def difference(self) -> float:
        return self.a - self.b


@dataclass(frozen=True)
class SequenceDifference:
    """One sequence of both runs.

    Attributes:
        name: of the sequence.
        shares: of the difference, by measure; they sum to it over all sequences.
        a, b: the sequence's own scores by measure.
        parting: where the first runs part.
        left_out: the difference of EAO without this sequence; NaN where it is not computed.
        first_frame: number of its first frame.
    """

    name: str
    shares: Mapping[str, float]
    a: Mapping[str, float]
    b: Mapping[str, float]
    parting: Parting
    left_out: float = math.nan
    first_frame: int = 1


@dataclass(frozen=True)
class GroupDifference:
    """Sequences of one attribute, or frames of one tag.

    Attributes:
        name: of the attribute or tag.
        share: of the difference of the first measure.
        part: of all sequences (or frames) that belong to it.
    """

    name: str
    share: float
    part: float


@dataclass(frozen=True)
class Difference:
    """The answer to "why did my number move?".

    Attributes:
        benchmark, experiment, convention: of the scores.
        a, b: labels of both sides.
        measures: scores and their differences, the main one first.
        sequences: the greatest share of the main measure first.
        groups: attributes or tags, the greatest share first.
        expected: recorded scores of these checkpoints beside the found ones.
        causes: recognised or stated causes, the surest first; empty where nothing but chance
            is seen.
        facts: what the records state differently.
        retests: scores under other conventions and readings.
        inputs: what reading frames otherwise does to the frame of the first parting.
        reruns: runs under one change (``bench.comparison.rerun.Rerun``).
        notes: what restricts all of this.
        verdict: one sentence.
    """

    benchmark: str
    experiment: str
    convention: str
    a: str
    b: str
    measures: tuple[MeasureDifference, ...] = ()
    sequences: tuple[SequenceDifference, ...] = ()
    groups: tuple[GroupDifference, ...] = ()
    expected: tuple[Expected, ...] = ()
    causes: tuple[Cause, ...] = ()
    facts: tuple[Fact, ...] = ()
    retests: tuple[Retest, ...] = ()
    notes: tuple[str, ...] = ()
    verdict: str = ""
    inputs: tuple[InputTest, ...] = ()
    reruns: tuple[Any, ...] = ()

    @property
    def main(self) -> str:
        """The measure that sequences are ranked by; empty without scores."""
        return self.measures[0].measure if self.measures else ""

    def to_json(self) -> dict[str, Any]:
        """Dictionaries and lists; NaN and infinity become None."""
        plain = dataclasses.asdict(dataclasses.replace(self, causes=()))
        plain["causes"] = [cause.plain() for cause in self.causes]
        cleaned: dict[str, Any] = without_nan(plain)
        return cleaned


def compare_sides(opened: Opened, *, expected: Path | None = None) -> Difference:
    """Compare two sides that were opened.

    Args:
        opened: what ``open_sides`` gives.
        expected: further recorded scores, a CSV file.

    Raises:
        ResultError: the two have no sequence in common.
        ConfigError: both are figures, or the file of recorded scores cannot be read.
    """
    a, b = opened.a, opened.b
    if a.figures and b.figures:
        raise ConfigError("both are figures: one of the two needs results, to see anything in")
    if a.figures:
        raise ConfigError(f"name the results first, then the figures: `bench diff RUN {a.label}`")
    if b.figures:
        return _against_figures(opened, expected)
    return _against_results(opened, expected)


def _started(opened: Opened, dataset: Dataset) -> Difference:
    rule = get_benchmark(dataset.benchmark).rule
    notes = [str(caveat) for caveat in dataset.caveats]
    return Difference(
        dataset.benchmark, opened.store.experiment, rule, opened.a.label, opened.b.label,
        notes=tuple(notes),
    )  # fmt: skip


def _against_figures(opened: Opened, expected: Path | None) -> Difference:
    """A run against printed figures: no boxes on the other side, so no sequence can be named."""
    a, b = opened.a, opened.b
    dataset = common(opened.dataset, opened.store, (a.label,))
    found = _started(opened, dataset)
    scores = _scored(dataset, opened)
    own = scores.trackers.get(a.label)
    if own is None:
        return dataclasses.replace(found, verdict=scores.refused.get(a.label, ""))
    rows = []
    for measure in _measures(scores, own):
        if measure in b.figures:
            low, high = own.intervals.get(measure, (math.nan, math.nan))
            printed = b.figures[measure]
            row = MeasureDifference(
                measure, own.measures[measure], printed, low - printed, high - printed,
                spread_a=own.spread.get(measure),
            )  # fmt: skip
            half = 0.5 * 10.0 ** -b.decimals.get(measure, 3)
            rows.append(dataclasses.replace(row, verdict=_beside_figure(row, half)))
    tests = tuple(retests(dataset, opened.store, a.label, b.label, b.figures))
    notes = (
        *found.notes, f"{b.label}: {b.source}",
        "figures have no boxes: which sequences make the difference cannot be said. The authors' "
        "raw results would tell evaluation from tracking (bench import, then bench diff).",
        "the interval is A's own over sequences: how far another choice of sequences would move "
        "it, not how far another run of the same code would",
        *_failures_note(dataset, own, b), *own.notes,
    )  # fmt: skip
    return dataclasses.replace(
        found, measures=tuple(rows), retests=tests, notes=tuple(dict.fromkeys(notes)),
        expected=tuple(expectations(
                a.label, a.record, found.benchmark, found.experiment, own.measures, expected
            )),
        causes=tuple(_convention_cause(rows, tests, b)),
        verdict=rows[0].verdict if rows else "no measure in common",
    )  # fmt: skip


def _beside_figure(row: MeasureDifference, rounding: float) -> str:
    """What can be said of a printed figure: it has no sequences to pair with."""
    if abs(row.difference) <= rounding + 1e-12:
        return "none beyond the printed digits"
    if row.spread_a:
        return _verdict(row)
    if math.isnan(row.low):
        return "more than the printed digits"
    inside = row.low <= 0 <= row.high
    return f"the figure is {'inside' if inside else 'outside'} A's interval over sequences"


def _failures_note(dataset: Dataset, own: TrackerScores, b: Side) -> list[str]:
    """How many failures a printed robustness stands for."""
    if "robustness" not in b.figures or "failures" not in own.measures:
        return []
    frames = sum(len(sequence) for sequence in dataset)
    half = 0.5 * 10.0 ** -b.decimals.get("robustness", 3)
    low, high = (frames * (b.figures["robustness"] + step) / 100 for step in (-half, half))
    rows = own.per_sequence.items()
    most = sorted(rows, key=lambda row: -row[1]["failures"])[:5]
    named = ", ".join(f"{name} {values['failures']:g}" for name, values in most)
    return [
        f"the printed robustness stands for {low:.1f} to {high:.1f} failures in {frames} frames; "
        f"A has {own.measures['failures']:g}, most of them on {named}"
    ]


def _convention_cause(rows: List[MeasureDifference], tests: List[Retest], b: Side) -> list[Cause]:
    """The convention, or reading, under which all printed digits come out, if they do not yet."""
    off = [r for r in rows if abs(r.difference) > 0.5 * 10.0 ** -b.decimals.get(r.measure, 3)]
    if not off:
        return []
    fitting = [
        test
        for test in tests
        if test.left
        and all(
            abs(left) <= 0.51 * 10.0 ** -b.decimals.get(measure, 3)
            for measure, left in test.left.items()
            if not math.isnan(left)
        )
    ]
    if not fitting:
        return []
    reasons = "; ".join(fitting[0].reasons)
    return [
        Cause(
            "convention",
            f"scored otherwise: {', or '.join(test.change for test in fitting)}",
            f"every printed digit comes out{': ' if reasons else ''}{reasons}",
            weight=0.9,
            explains={row.measure: 1.0 for row in off},
        )
    ]


def _against_results(opened: Opened, expected: Path | None) -> Difference:
    """Two sets of results."""
    a, b = opened.a, opened.b
    labels = (a.label, b.label)
    dataset = common(opened.dataset, opened.store, labels)
    found = _started(opened, dataset)
    pairs = list(pairs_of(dataset, opened.store, *labels))
    facts = differing_facts(a.record, b.record)
    found = dataclasses.replace(found, facts=tuple(facts))
    scores = None
    if not any(sequence.hidden for sequence in dataset):
        scores = _scored(dataset, opened)
        found = _with_scores(found, opened, dataset, pairs, scores, expected)
    causes = _causes(found, scores, dataset, pairs)
    unsure = not causes or causes[0].weight < _SURE
    testable = unsure and any(sequence.frames is not None for sequence in dataset)
    found = dataclasses.replace(
        found,
        causes=tuple(causes),
        inputs=tuple(input_tests(pairs)),
        sequences=found.sequences or _partings_only(pairs),
        notes=(*found.notes, *([_HINT] if testable and not all(map(_same, pairs)) else [])),
    )
    return dataclasses.replace(found, verdict=overall(found, pairs))


def _scored(dataset: Dataset, opened: Opened) -> BenchmarkScores:
    (scores,) = evaluate(dataset, opened.store, opened.store.trackers())
    return scores


def _measures(scores: BenchmarkScores, one: TrackerScores) -> list[str]:
    """Measures of the layout first, then the others."""
    first = [measure.name for measure in layout_of(scores.experiment).columns]
    names = dict.fromkeys((*first, *one.measures))
    return [name for name in names if name in one.measures and name not in _SKIPPED]


def _with_scores(
    found: Difference,
    opened: Opened,
    dataset: Dataset,
    pairs: list[Pair],
    scores: BenchmarkScores,
    expected: Path | None,
) -> Difference:
    """The difference with measures, shares and groups."""
    labels = (found.a, found.b)
    refused = tuple(f"{name}: {why}" for name, why in scores.refused.items())
    if refused:
        return dataclasses.replace(found, notes=(*found.notes, *refused))
    a, b = (scores.trackers[label] for label in labels)
    names = [pair.name for pair in pairs]
    lengths = np.array([len(pair.sequence) for pair in pairs], dtype=np.float64)
    by_length = lengths if scores.experiment == "unsupervised" else None
    shares, extra = mean_shares(a, b, names, by_length), _Extra()
    if scores.experiment != "onepass" and scores.interval is not None:
        shares, extra = _vot(dataset, opened, labels, scores)
    measures = [m for m in _measures(scores, a) if m in b.measures and m in shares]
    rows = [_row(m, a, b, names, shares[m], extra) for m in measures]
    _check_sums(rows, shares)
    notes = (*found.notes, *_own_notes(labels, (a, b)))
    known = [
        each
        for side, one in ((opened.a, a), (opened.b, b))
        for each in expectations(
            side.label, side.record, found.benchmark, found.experiment, one.measures, expected
        )
    ]
    found = dataclasses.replace(found, measures=tuple(rows), notes=notes, expected=tuple(known))
    return dataclasses.replace(
        found,
        sequences=_sequences(found, shares, a, b, pairs, extra),
        groups=_groups(found, shares, dataset, a, b),
        retests=tuple(retests(dataset, opened.store, *labels, {})),
    )


@dataclass(frozen=True, eq=False)
class _Extra:
    """What only the reset protocol has: the interval of EAO, and leaving each sequence out."""

    interval: tuple[float, float] = (math.nan, math.nan)
    left_out: FloatArray = field(default_factory=lambda: np.empty(0))


def _vot(
    dataset: Dataset, opened: Opened, labels: tuple[str, str], scores: BenchmarkScores
) -> tuple[Shares, _Extra]:
    rule = vot.get_convention(scores.convention)
    runs = overlapped_runs(dataset, opened.store, labels, rule)
    a, b = (runs[label] for label in labels)
    shares = vot_shares(a, b, scores.interval, rule)
    if scores.interval is None:
        return shares, _Extra()
    sums = expected_overlaps(a, b, rule)
    extra = _Extra(eao_interval(*sums, scores.interval), left_out(*sums, scores.interval))
    return shares, extra


def _check_sums(rows: List[MeasureDifference], shares: Shares) -> None:
    """A share that does not sum to the difference is a fault of ours, never shown."""
    for row in rows:
        total = float(shares[row.measure].sum())
        if not abs(total - row.difference) <= _SUM * max(1.0, abs(row.a)):
            raise AssertionError(f"shares of {row.measure}: {total} for {row.difference}")


def _row(
    measure: str,
    a: TrackerScores,
    b: TrackerScores,
    names: List[str],
    shares: FloatArray,
    extra: _Extra,
) -> MeasureDifference:
    """One measure; its interval is of what the shares sum to, whether a mean or a quotient."""
    first, second = (
        np.array([one.per_sequence[name].get(measure, math.nan) for name in names])
        for one in (a, b)
    )
    test = paired_test(first, second) if not np.isnan(first).all() else None
    low, high = extra.interval
    if measure != "eao":
        low, high = bootstrap_intervals(len(shares) * shares[None])[0].tolist()
    row = MeasureDifference(
        measure, a.measures[measure], b.measures[measure], low, high,
        test.p_value if test else math.nan, a.spread.get(measure), b.spread.get(measure),
    )  # fmt: skip
    return dataclasses.replace(row, verdict=_verdict(row))


def _verdict(row: MeasureDifference, rounding: float = 0.0) -> str:
    """What interval and spread say of one measure."""
    if abs(row.difference) <= rounding + 1e-12:
        return "none" if not rounding else "none beyond the printed digits"
    spreads = [spread for spread in (row.spread_a, row.spread_b) if spread]
    if spreads:
        spread = float(np.sqrt(sum(s**2 for s in spreads)))
        beside = "inside" if abs(row.difference) <= 2 * spread else "outside"
        return f"{beside} twice the spread of runs ({spread:.4f})"
    if math.isnan(row.low):
        return "one sequence tells nothing of chance"
    inside = row.low <= 0 <= row.high
    return "within chance over sequences" if inside else "more than chance over sequences"


def _own_notes(labels: tuple[str, str], both: tuple[TrackerScores, TrackerScores]) -> list[str]:
    return [f"{n}: {note}" for n, one in zip(labels, both, strict=True) for note in one.notes]


def _sequences(
    found: Difference,
    shares: Shares,
    a: TrackerScores,
    b: TrackerScores,
    pairs: List[Pair],
    extra: _Extra,
) -> tuple[SequenceDifference, ...]:
    rows = [
        SequenceDifference(
            pair.name,
            {measure: float(values[index]) for measure, values in shares.items()},
            a.per_sequence[pair.name], b.per_sequence[pair.name], parting_of(pair),
            float(extra.left_out[index]) if len(extra.left_out) else math.nan,
            pair.sequence.first_frame,
        )
        for index, pair in enumerate(pairs)
    ]  # fmt: skip
    return tuple(sorted(rows, key=lambda row: -abs(row.shares.get(found.main, 0.0))))


def _partings_only(pairs: List[Pair]) -> tuple[SequenceDifference, ...]:
    return tuple(
        SequenceDifference(
            pair.name, {}, {}, {}, parting_of(pair), first_frame=pair.sequence.first_frame
        )
        for pair in pairs
    )


def _groups(
    found: Difference, shares: Shares, dataset: Dataset, a: TrackerScores, b: TrackerScores
) -> tuple[GroupDifference, ...]:
    """Attributes by their sequences' shares; tags by the frames that a sequence has of each."""
    if found.main not in shares:
        return ()
    members: dict[str, FloatArray] = {}
    for name in sorted({n for s in dataset for n in (*s.attributes, *s.tags)}):
        members[name] = np.array(
            [
                float(s.tags[name].mean()) if name in s.tags else float(name in s.attributes)
                for s in dataset
            ]
        )
    parts = group_shares(shares[found.main], members)
    rows = [GroupDifference(name, share, part) for name, (share, part) in parts.items()]
    return tuple(sorted(rows, key=lambda row: -abs(row.share)))


def _causes(
    found: Difference, scores: BenchmarkScores | None, dataset: Dataset, pairs: list[Pair]
) -> list[Cause]:
    """Recognised patterns and stated facts, ranked; none where only a seed differs."""
    facts = list(found.facts)
    patterns = recognised(pairs, found.experiment)
    if all(_same(pair) for pair in pairs):
        return [cause for cause in patterns if cause.name == "repetitions"]
    if only_seeds(facts):
        return []
    causes = _merged(patterns, stated_causes(facts))
    if scores is None or not found.measures:
        return causes
    sides = {
        "a": (pairs, [found.a, found.b]),
        "b": ([pair.swapped() for pair in pairs], [found.b, found.a]),
    }
    return [
        dataclasses.replace(each, explains=explained(each, turned, dataset, scores, labels))
        for each in causes
        for turned, labels in (sides[each.side or "a"],)
    ]


def _same(pair: Pair) -> bool:
    """True if both files say the same, to the last digit."""
    return pair.a.given == pair.b.given and bool((pair.distance() <= 1e-9).all())


def _merged(patterns: List[Cause], stated: List[Cause]) -> list[Cause]:
    """A pattern that a fact confirms is surer than either; the others as they are."""
    by_name = {cause.name: cause for cause in stated}
    merged = []
    for cause in patterns:
        fact = by_name.pop(cause.name, None)
        if fact is not None:
            cause = dataclasses.replace(
                cause,
                weight=max(cause.weight, fact.weight) + 0.02,
                evidence=f"{cause.evidence}; {fact.evidence}",
            )
        merged.append(cause)
    return sorted([*merged, *by_name.values()], key=lambda cause: -cause.weight)


def overall(found: Difference, pairs: List[Pair]) -> str:
    """One sentence: how far the boxes differ, whether the score does, and the first cause."""
    partings = [row.parting for row in found.sequences]
    parted = sum(p.any is not None for p in partings)
    far = sum(p.pixel is not None for p in partings)
    where = f"boxes part on {parted} of {len(partings)} sequences, by more than a pixel on {far}"
    if not parted and all(p.a.given == p.b.given for p in pairs):
        where = "the boxes are the same on every sequence"
    real = f"{found.main}: {found.measures[0].verdict}; " if found.measures else ""
    cause = (
        f"; first cause: {found.causes[0].title}"
        if found.causes
        else ("; no cause is recognised" if parted else "")
    )
    return f"{real}{where}{cause}"

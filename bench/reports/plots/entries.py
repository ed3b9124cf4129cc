"""Trackers of a plot: which, in which order, with which look; and the notes on them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bench.errors import ConfigError
from bench.measures.catalogue import Measure, layout_of
from bench.reports import palette
from bench.reports.escaping import without_folders
from bench.reports.notes import heading_of, names_in, noted, scores_notes
from bench.reports.options import DEFAULT, FigureOptions
from bench.reports.palette import Look
from bench.reports.plots.style import Key, line_of, marker_of
from bench.reports.score_table import ranked
from bench.reports.text_drawing import legible
from bench.scores import BenchmarkScores, TrackerScores

NAMED = 20
"""Trackers with a line and a name of their own; the others are a grey background."""
Looks = Mapping[str, Look]


@dataclass(frozen=True)
class Entry:
    """One tracker in a plot.

    Attributes:
        name: as stored.
        scores: its scores.
        value: of the measure that the plot ranks by, NaN if there is none.
        look: the same in every plot.
        named: whether it has a line and a name of its own, or is background.
        label: the name as drawn, with the number of its sequences if the result is partial.
        marked: whether its line needs markers, since a better one has the same dashes: prints in
            grey leave nothing else.
        ours: whether it is the one to stand out.
        size: factor of line widths and markers.
    """

    name: str
    scores: TrackerScores
    value: float
    look: Look
    named: bool
    label: str
    marked: bool = False
    ours: bool = False
    size: float = 1.0

    @property
    def key(self) -> str:
        """The legend's text: value and name."""
        return f"{'[  –  ]' if math.isnan(self.value) else f'[{self.value:.3f}]'} {self.label}"

    @property
    def line(self) -> dict[str, Any]:
        """Keywords of ``plot`` for its line: thin if partial, thick if ours."""
        width = self.size * (0.7 if self.scores.partial else 1.8 if self.ours else 1.2)
        line = {**line_of(self.look, marked=self.marked), "linewidth": width}
        return {**line, "markersize": 3 * self.size} if self.marked else line

    @property
    def point(self) -> dict[str, Any]:
        """Keywords of ``plot`` for its marker, a hollow one if the result is partial."""
        hollow = {"markerfacecolor": "white", "markeredgecolor": self.look.hex}
        return {**marker_of(self.look), **(hollow if self.scores.partial else {})}

    def legend_key(self, artist: Any, label: str | None = None) -> Key:
        """Its line in the legend."""
        return Key(artist, self.key if label is None else label, self.ours)

    def group_value(self, group: str, measure: Measure) -> float:
        """Its value on an attribute (or a frame tag on VOT), NaN if there is none."""
        return groups_of(self.scores).get(group, {}).get(measure.name, math.nan)


def groups_of(scores: TrackerScores) -> Mapping[str, Mapping[str, float]]:
    """Measures by frame tag on VOT, else by attribute."""
    return scores.per_tag or scores.per_attribute


def first_measure(scores: BenchmarkScores) -> Measure:
    """The measure that ranks the trackers of a benchmark: success, EAO or average overlap.

    Accuracy replaces the EAO under a convention without it.

    Raises:
        ConfigError: no tracker has any of the measures.
    """
    known = {measure for tracker in scores.trackers.values() for measure in tracker.measures}
    for measure in layout_of(scores.experiment, scores.benchmark).columns:
        if measure.name in known:
            return measure
    raise ConfigError(f"{scores.benchmark} ({scores.experiment}): no tracker has scores to plot")


def looks_of(scores: BenchmarkScores, options: FigureOptions = DEFAULT) -> dict[str, Look]:
    """Looks of all scored and refused trackers, in which the best seven differ in colour."""
    names = [*scores.trackers, *scores.refused]
    return palette.looks(names, first_to_choose(scores, options), options.ours)


def first_to_choose(scores: BenchmarkScores, options: FigureOptions) -> list[str]:
    """Trackers that choose their looks before others: those asked for, or else the best seven."""
    best = [name for name in ranked(scores) if name != options.ours]
    return list(options.trackers or best[: len(palette.PALETTE) - bool(options.ours)])


def entries_of(
    scores: BenchmarkScores,
    measure: Measure,
    limit: int = NAMED,
    looks: Looks | None = None,
    options: FigureOptions = DEFAULT,
) -> list[Entry]:
    """Trackers from best to worst, partial results after complete ones, then those without value.

    Args:
        scores: of one benchmark.
        measure: to rank by.
        limit: number of named trackers; ours is always one of them.
        looks: by tracker; by default those of ``looks_of``.
        options: which trackers, their labels, and which one is ours.
    """
    chosen = {**looks_of(scores, options), **(looks or {})}
    sign = 1 if measure.lower_is_better else -1

    def order(name: str) -> tuple[bool, bool, float]:
        value = _value(scores, name, measure)
        return math.isnan(value), scores.trackers[name].partial, sign * value

    wanted = [name for name in scores.trackers if name in (options.trackers or scores.trackers)]
    names = sorted(wanted, key=order)
    named = names[:limit]
    if options.ours in names[limit:]:
        named = [*named[:-1], options.ours]
    dashes = [chosen[name].dash for name in named]
    marked = {name for place, name in enumerate(named) if dashes[place] in dashes[:place]}
    return [
        Entry(name, scores.trackers[name], _value(scores, name, measure), chosen[name],
              name in named, _label(scores, name, options), name in marked,
              name == options.ours, options.sizes.line)
        for name in names
    ]  # fmt: skip


def back_to_front(entries: Sequence[Entry]) -> list[Entry]:
    """The order to draw in: the best on top of the others, ours on top of all."""
    ours = [entry for entry in entries if entry.ours]
    return [*(entry for entry in reversed(entries) if not entry.ours), *ours]


def _value(scores: BenchmarkScores, name: str, measure: Measure) -> float:
    return scores.trackers[name].measures.get(measure.name, math.nan)


def _label(scores: BenchmarkScores, name: str, options: FigureOptions) -> str:
    tracker, label = scores.trackers[name], legible(options.label(name), options.typeface)
    if not tracker.partial:
        return label
    return f"{label} ({scores.sequences - len(tracker.missing)}/{scores.sequences})"


def title_of(what: str, scores: BenchmarkScores, entries: Sequence[Entry]) -> str:
    """The title of a plot of these trackers, with labels such as MINIATURE in capitals."""
    return f"{what}: {heading_of(_only(scores, entries))}"


def notes_of(
    scores: BenchmarkScores,
    entries: Sequence[Entry],
    *own: str,
    measure: Measure | None = None,
    options: FigureOptions = DEFAULT,
) -> list[str]:
    """The notes on a plot: its own, then the scores', then those on its trackers.

    Args:
        scores: of one benchmark.
        entries: the trackers drawn.
        own: notes of this plot only.
        measure: the one drawn, if it needs a note.
        options: labels of the trackers.
    """
    shown = _only(scores, entries)
    measures = [measure.name] if measure else []
    refused = _legible(scores.refused, options)
    notes = [
        *own,
        *map(str, scores_notes(shown, rule=False, measures=measures)),
        f"convention {scores.convention}",
        *(f"not the official definition: {each}" for each in scores.differences),
        *([f"not drawn, results broken or missing: {refused}"] if refused else []),
        *(f"{note} ({_legible(names, options)})" for note, names in noted(shown).items()),
    ]
    return list(map(without_folders, notes))


def _legible(names: Iterable[str], options: FigureOptions) -> str:
    return names_in([legible(options.label(name), options.typeface) for name in names])


def _only(scores: BenchmarkScores, entries: Sequence[Entry]) -> BenchmarkScores:
    """The scores of the trackers drawn, since only these make a plot partial."""
    return replace(scores, trackers={entry.name: entry.scores for entry in entries})


def hollow_note(entries: Sequence[Entry]) -> list[str]:
    """The note on the markers of partial results."""
    partial = any(entry.named and entry.scores.partial for entry in entries)
    return ["hollow: the results lack sequences, so the figures are not comparable"] * partial


def limit_note(entries: Sequence[Entry]) -> list[str]:
    """The note on a plot that does not name every tracker."""
    named = sum(entry.named for entry in entries)
    if named == len(entries):
        return []
    return [f"the best {named} of {len(entries)} trackers are named, the others are grey"]

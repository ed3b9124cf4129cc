"""Published scores of registered trackers: printed, released with weights, and re-runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from bench.benchmarks import get_benchmark
from bench.loading import registered_trackers
from bench.published.papers import Figure, match_row, paper_table, table_names, with_weights


@dataclass(frozen=True)
class Expectation:
    """Scores of a tracker on a benchmark according to one source.

    Attributes:
        kind: ``"printed"`` in a paper, ``"released"`` with the weights, or ``"re-run"`` by others.
        source: origin of the figures, with known errors.
        measures: fractions by measure, with as many digits as the source gives.
    """

    kind: str
    source: str
    measures: dict[str, str]


def expected_of(tracker: str, benchmark: str, experiment: str) -> list[Expectation]:
    """Published scores for results of a given name.

    Results belong to the registered tracker with the longest name that starts theirs:
    ``siamattn-vot`` to ``siamattn``, ``siamattn-nano`` to one without published scores. Only the
    main experiment of a benchmark and unambiguous figures count.

    Args:
        tracker: name of the results.
        benchmark: identifier, e.g. ``"vot2018"``.
        experiment: ``"onepass"`` or a VOT experiment.
    """
    if experiment != next(iter(get_benchmark(benchmark).experiments), "onepass"):
        return []
    fitting = (each for each in registered_trackers() if tracker.lower().startswith(each))
    name = max(fitting, key=len, default="")
    found = [*_printed(name, benchmark)]
    for kind in ("released", "re-run"):
        own = (f for f in with_weights(kind) if f.row.lower() == name and f.benchmark == benchmark)
        found += _by_source(kind, [(figure, "") for figure in own])
    return found


def _printed(name: str, benchmark: str) -> Iterator[Expectation]:
    """Figures of one tracker in all tables of trackers."""
    for table in map(paper_table, table_names()):
        match = match_row(table, benchmark, name, "measured")
        if match and table.scored and not table.entries:
            units = {c.measure: c.unit for c in table.columns if c.benchmark == benchmark}
            own = (f for f in table.figures if f.row == match.row and f.benchmark == benchmark)
            yield from _by_source("printed", [(f, units[f.measure]) for f in own], match.reason)


def _by_source(
    kind: str, figures: Sequence[tuple[Figure, str]], reason: str = ""
) -> Iterator[Expectation]:
    """Unambiguous figures, each with its unit, grouped by source.

    ``reason`` says why they stand for a tracker of another name.
    """
    wanted = [
        (figure, unit)
        for figure, unit in figures
        if figure.printed and figure.status in ("read", "misprint")
    ]
    for source in dict.fromkeys(figure.source for figure, _ in wanted):
        own = [(figure, unit) for figure, unit in wanted if figure.source == source]
        remarks = dict.fromkeys((reason, *(figure.note for figure, _ in own)))
        notes = "; ".join(remark for remark in remarks if remark)
        measures = {figure.measure: _fraction(figure, unit) for figure, unit in own}
        yield Expectation(kind, f"{source} ({notes})" if notes else source, measures)


def _fraction(figure: Figure, unit: str) -> str:
    """A printed figure as a fraction, with the same digits."""
    return str(Decimal(figure.printed).scaleb(-2 if unit == "%" else 0))

"""Published scores of registered trackers: printed figures and re-runs by others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from bench.benchmarks import get_benchmark
from bench.loading import registered_trackers
from bench.published.papers import Figure, paper_table, re_runs, table_names


@dataclass(frozen=True)
class Expectation:
    """Scores of a tracker on a benchmark according to one source.

    Attributes:
        kind: ``"printed"`` in a paper, or ``"re-run"`` by somebody else.
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
    again = ((figure, "") for figure in re_runs() if figure.benchmark == benchmark)
    return [*_of(name, _printed(benchmark), "printed"), *_of(name, again, "re-run")]


def _printed(benchmark: str) -> Iterator[tuple[Figure, str]]:
    """Figures of all tables of trackers, with the unit of their column."""
    for table in map(paper_table, table_names()):
        if table.scored and not table.entries:
            units = {c.measure: c.unit for c in table.columns if c.benchmark == benchmark}
            yield from ((f, units[f.measure]) for f in table.figures if f.benchmark == benchmark)


def _of(name: str, figures: Iterable[tuple[Figure, str]], kind: str) -> Iterator[Expectation]:
    """Unambiguous figures of one tracker, grouped by source."""
    wanted = [
        (figure, unit)
        for figure, unit in figures
        if figure.row.lower() == name and figure.printed and figure.status in ("read", "misprint")
    ]
    for source in dict.fromkeys(figure.source for figure, _ in wanted):
        own = [(figure, unit) for figure, unit in wanted if figure.source == source]
        notes = "; ".join(dict.fromkeys(figure.note for figure, _ in own if figure.note))
        measures = {figure.measure: _fraction(figure, unit) for figure, unit in own}
        yield Expectation(kind, f"{source} ({notes})" if notes else source, measures)


def _fraction(figure: Figure, unit: str) -> str:
    """A printed figure as a fraction, with the same digits."""
    return str(Decimal(figure.printed).scaleb(-2 if unit == "%" else 0))

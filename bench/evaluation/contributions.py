"""Contributions to a leaderboard: whose raw results these are, and what they are said to give.

``<results>/<tracker>.toml`` stands beside the folders of the benchmarks, for all results of that
name::

    name = "My tracker"
    reference = "Doe et al., a conference"
    licence = "CC BY 4.0"

    [claims.otb2015.otb]
    success = "0.712"
    precision = "91.9 %"

``docs/board.md`` describes every key.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from bench.benchmarks import benchmarks
from bench.benchmarks.declaration import read_content
from bench.benchmarks.typed import typed
from bench.errors import ConfigError, unknown_name
from bench.measures.catalogue import get_measure
from bench.measures.conventions import convention_names
from bench.results.record import RunRecord
from bench.scores import BenchmarkScores

_FIGURE = re.compile(r"-?(\d+\.?\d*|\.\d+) ?%?")
_SLACK = Decimal("1e-9")  # for a claim that lies on the edge of rounding


@dataclass(frozen=True)
class Contribution:
    """What a contributor says of the results of one name.

    Attributes:
        name: of the tracker, as it may be printed.
        reference: the publication, or where the tracker is described.
        licence: of the raw results.
        source: who made them, or where they are from, if the run record does not say so.
        sources: the same by benchmark (named as in ``claims``), where that differs.
        tuned_on: benchmarks whose test sets chose the tracker's options.
        tuned_per_benchmark: whether its options differ between benchmarks.
        claims: figures as printed, by benchmark (or ``<benchmark>-<experiment>``), convention
            and measure.
    """

    name: str
    reference: str
    licence: str
    source: str = ""
    sources: Mapping[str, str] = field(default_factory=dict)
    tuned_on: tuple[str, ...] = ()
    tuned_per_benchmark: bool = False
    claims: Mapping[str, Mapping[str, Mapping[str, str]]] = field(default_factory=dict)


@dataclass(frozen=True)
class Claim:
    """A claimed figure beside the score that the raw results give.

    Attributes:
        convention, measure: what is claimed.
        claimed: as printed.
        found: the score; None if there is none.
    """

    convention: str
    measure: str
    claimed: str
    found: float | None

    @property
    def holds(self) -> bool:
        """Whether the score, rounded like the claim, is the claim."""
        return self.found is not None and agrees(self.claimed, self.found)


def places() -> dict[str, tuple[str, str]]:
    """Benchmark and experiment by the key that claims name them with."""
    return {
        name if not place else f"{name}-{experiment}": (name, experiment)
        for name, row in benchmarks().items()
        for place, experiment in enumerate(row.experiments)
    }


def contribution_path(results: Path, tracker: str) -> Path:
    """The file of a tracker's contribution."""
    return results / f"{tracker}.toml"


def read_contribution(path: Path) -> Contribution:
    """A contribution, every name in it checked.

    Raises:
        ConfigError: it cannot be read, lacks a key, or names something unknown.
    """
    found = typed(Contribution, read_content(path, "a contribution", "docs/board.md"), str(path))
    known = places()
    for name in found.tuned_on:
        if name not in benchmarks():
            raise unknown_name(f"benchmark in {path}: tuned_on:", name, benchmarks())
    for key in (*found.sources, *found.claims):
        if key not in known:
            raise unknown_name(f"benchmark in {path}: sources or claims:", key, known)
    for key, by_convention in found.claims.items():
        rules = convention_names(known[key][0])
        for convention, figures in by_convention.items():
            where = f"{path}: claims.{key}.{convention}"
            if convention not in rules:
                raise unknown_name(f"convention in {where}:", convention, rules)
            for measure, figure in figures.items():
                get_measure(measure)
                if not _FIGURE.fullmatch(figure):
                    raise ConfigError(
                        f'{where}: {measure}: expected a figure as printed, such as "0.712" or '
                        f'"71.2 %", found {figure[:40]!r}. Correct it.'
                    )
    return found


def agrees(claimed: str, found: float) -> bool:
    """Whether a score, rounded to the digits of a figure as printed, is that figure.

    >>> agrees("0.69", 0.6949), agrees("0.690", 0.6949), agrees("69.5 %", 0.6949)
    (True, False, True)
    """
    number, percent, _ = claimed.partition("%")
    printed = Decimal(number.strip())
    value = Decimal(repr(float(found))) * (100 if percent else 1)
    if not value.is_finite():
        return False
    half = Decimal(1).scaleb(int(printed.as_tuple().exponent)) / 2
    return abs(value - printed) <= half + _SLACK


def claims_of(
    stated: Contribution, key: str, scored: Iterable[BenchmarkScores], tracker: str
) -> Iterator[Claim]:
    """Every claim on one benchmark, beside what was found under its convention."""
    by_convention = {scores.convention: scores.trackers.get(tracker) for scores in scored}
    for convention, figures in stated.claims.get(key, {}).items():
        scores = by_convention.get(convention)
        for measure, claimed in figures.items():
            found = scores.measures.get(measure) if scores else None
            yield Claim(convention, measure, claimed, found)


def tuned_flags(
    stated: Contribution | None, record: RunRecord | None, benchmark: str, label: str
) -> tuple[str, ...]:
    """What a reader has to know of how options were chosen, by contributor and run record.

    Args:
        stated: by the contributor.
        record: of the run.
        benchmark: that was run.
        label: of the dataset in run records, which marks a miniature.
    """
    on_test = stated is not None and benchmark in stated.tuned_on
    on_test = on_test or (record is not None and record.tuned_on == label)
    sessions = record.sessions if record is not None else ()
    each = stated is not None and stated.tuned_per_benchmark
    each = each or any(session.get("tuned") for session in sessions)
    flags = {"tuned on the test set": on_test, "tuned per benchmark": each}
    return tuple(flag for flag, holds in flags.items() if holds)

"""What a report leaves for later ones, ``scores.json``, and what changed since an earlier one."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.benchmarks import get_benchmark
from bench.datasets.fingerprint import annotation_hash
from bench.errors import ConfigError
from bench.files import read_json
from bench.measures.catalogue import measures
from bench.reports.section import ReportSection
from bench.reports.table import Cell, Column, Row, Table
from bench.results.checksums import SUMS
from bench.results.provenance import fingerprint
from bench.results.record import now
from bench.results.stores import Store
from bench.scores import without_nan
from bench.version import __version__

FILE = "scores.json"
_SMALLEST = 1e-9  # what summing in another order may change
_FINE = 6  # decimals of a change that the measure's own would hide


@dataclass(frozen=True)
class KeptTracker:
    """A tracker's measures, how many sequences it lacks, and a hash of its results, if known."""

    measures: Mapping[str, float]
    missing: int = 0
    results: str = ""


@dataclass(frozen=True)
class KeptSection:
    """A benchmark or experiment: convention, number and hash of the annotated sequences."""

    title: str
    convention: str
    sequences: int
    annotation: str
    trackers: Mapping[str, KeptTracker] = field(default_factory=dict)


@dataclass(frozen=True)
class Kept:
    """The scores of one report: when and by which version it was written."""

    written: str
    version: str
    sections: Mapping[str, KeptSection] = field(default_factory=dict)

    def of(self, names: Iterable[str]) -> Kept:
        """The same of some benchmarks only, with all their experiments."""
        keys = {
            key
            for name in names
            for key in (name, *(f"{name}-{each}" for each in get_benchmark(name).experiments))
        }
        kept = {key: each for key, each in self.sections.items() if key in keys}
        return dataclasses.replace(self, sections=kept)

    def to_json(self) -> str:
        """The text of ``scores.json``; it names no folder."""
        return json.dumps(without_nan(dataclasses.asdict(self)), indent=1, allow_nan=False) + "\n"


def scores_kept(sections: Iterable[ReportSection]) -> Kept:
    """What ``scores.json`` holds of a report."""
    return Kept(now(), __version__, {each.key: _kept(each) for each in sections if each.scores})


def _kept(section: ReportSection) -> KeptSection:
    scores, dataset = section.scores, section.dataset
    assert scores is not None
    trackers = {
        name: KeptTracker(each.measures, len(each.missing), _results_hash(section.store, name))
        for name, each in scores.trackers.items()
    }
    annotation = annotation_hash(dataset) if dataset else ""
    return KeptSection(section.title, scores.convention, scores.sequences, annotation, trackers)


def _results_hash(store: Store | None, name: str) -> str:
    """A hash of the files of results, whatever their record says; empty if they are unknown."""
    contents = store.contents(name) if store else None
    if contents is None:
        return ""
    files = sorted(contents.digests.items())
    return fingerprint((f, d.encode()) for f, d in files if f not in ("run.json", SUMS))


def read_kept(folder: Path) -> Kept:
    """The scores that an earlier report left in its folder.

    Raises:
        ConfigError: there are none, or they are malformed.
    """
    path = folder / FILE
    if not path.is_file():
        raise ConfigError(
            f"{folder}: expected the folder of an earlier report with {FILE}, found none. Name "
            "another with --since, or write that report again."
        )
    content = read_json(path, error=ConfigError)
    try:
        sections = {str(key): _read_section(each) for key, each in content["sections"].items()}
        return Kept(str(content["written"])[:40], str(content["version"])[:40], sections)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ConfigError(
            f"{path}: expected the scores of a report, found malformed content "
            f"({type(error).__name__}: {str(error)[:200]}). Write that report again."
        ) from error


def _read_section(plain: Mapping[str, Any]) -> KeptSection:
    trackers = {
        str(name): KeptTracker(
            {str(k): math.nan if v is None else float(v) for k, v in each["measures"].items()},
            int(each["missing"]),
            str(each["results"]),
        )
        for name, each in plain["trackers"].items()
    }
    title, convention = str(plain["title"]), str(plain["convention"])
    return KeptSection(
        title, convention, int(plain["sequences"]), str(plain["annotation"]), trackers
    )


def change_tables(old: Kept, new: Kept) -> list[Table]:
    """Trackers that came or went, and the figures that moved, with their cause."""
    tables = [_comings(old, new)]
    for key, section in new.sections.items():
        if key in old.sections:
            tables.append(_moved(key, old.sections[key], section, (old.version, new.version)))
    return [table for table in tables if table.rows]


def _comings(old: Kept, new: Kept) -> Table:
    """Trackers with scores in one report only."""
    titles = {key: each.title for kept in (old, new) for key, each in kept.sections.items()}
    rows = []
    for key, title in titles.items():
        before, after = (
            kept.sections[key].trackers if key in kept.sections else {} for kept in (old, new)
        )
        for name in dict.fromkeys((*before, *after)):
            if (name in before) != (name in after):
                what = "came" if name in after else "went, or is no longer scored"
                rows.append(Row(name, "", {"on": Cell(text=title), "what": Cell(text=what)}))
    columns = (Column("on", "Benchmark", text=True), Column("what", "What", text=True))
    return Table("comings", "Trackers that came or went", columns, tuple(rows))


def _moved(key: str, old: KeptSection, new: KeptSection, versions: tuple[str, str]) -> Table:
    rows: list[Row] = []
    for name, tracker in new.trackers.items():
        earlier = old.trackers.get(name)
        if earlier is None:
            continue
        why = "; ".join(_causes(old, new, earlier, tracker)) or _unexplained(*versions)
        rows += _measure_rows(name, earlier.measures, tracker.measures, why)
    columns = (
        Column("measure", "Measure", text=True),
        Column("then", "Then", better=None),
        Column("now", "Now", better=None),
        Column("change", "Change", better=None, signed=True),
        Column("why", "Why", text=True),
    )
    return Table(f"moved-{key}", new.title, columns, tuple(rows))


def _measure_rows(
    name: str, before: Mapping[str, float], after: Mapping[str, float], why: str
) -> Iterator[Row]:
    """A row for each measure that moved, appeared or disappeared."""
    for key in dict.fromkeys((*before, *after)):
        then, value = before.get(key, math.nan), after.get(key, math.nan)
        change = value - then
        if (math.isnan(then) and math.isnan(value)) or abs(change) <= _SMALLEST:
            continue
        known = measures().get(key)
        decimals = known.decimals if known else 3
        if round(change if math.isfinite(change) else 1.0, decimals) == 0:
            decimals = _FINE
        cells = {
            part: Cell(number, decimals=decimals)
            for part, number in (("then", then), ("now", value), ("change", change))
            if math.isfinite(number)
        }
        short = known.short if known else key
        yield Row(name, "", {**cells, "measure": Cell(text=short), "why": Cell(text=why)})


def _causes(
    old: KeptSection, new: KeptSection, before: KeptTracker, after: KeptTracker
) -> Iterator[str]:
    """What differs of that which scores are computed from."""
    if old.convention != new.convention:
        yield f"another convention ({old.convention}, now {new.convention})"
    if old.sequences != new.sequences:
        yield f"another set of sequences ({old.sequences}, now {new.sequences})"
    elif old.annotation != new.annotation:
        yield "other annotation or other sequences"
    if before.missing != after.missing:
        yield f"sequences without a result: {before.missing}, now {after.missing}"
    elif not before.results or not after.results:
        yield "results of unknown content"
    if before.results != after.results and before.results and after.results:
        yield "other results"


def _unexplained(before: str, after: str) -> str:
    same = "same results, annotation and convention"
    if before == after:
        return f"{same}: unknown, version {after} wrote both reports"
    return f"{same}: another version of the toolkit ({before}, now {after})"

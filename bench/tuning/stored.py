"""Runs that are there already, as far as their records let them be compared in a search."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.errors import ConfigError, ResultError, TrackerError
from bench.evaluation.selection import first_few
from bench.registry import tracker_options
from bench.results.record import RunRecord, read_record
from bench.tuning.plan import Plan, Store
from bench.tuning.space import Drawn

_SAME = ("benchmark", "miniature", "protocol", "target", "weights_sha256", "seed")
_VARYING = ("tracker", "options", "device", *_SAME)


@dataclass(frozen=True)
class StoredRun:
    """A run whose results and record fit the search.

    Attributes:
        label: name of its result folder.
        options: the searched options, each a value of its dimension.
        value: of the measure.
        path: its record's.
        record: what made it.
        chosen: whether it sets a searched option, rather than keep the tracker's own values.
    """

    label: str
    options: Mapping[str, Drawn]
    value: float
    path: Path
    record: RunRecord
    chosen: bool


def stored_runs(plan: Plan, results: Path, say: Callable[[str], None]) -> Iterator[StoredRun]:
    """The runs under a folder that can be compared, in the order of their names.

    Args:
        plan: what is searched; options of the tracker that are not searched must be its own.
        results: the folder given as RESULTS.
        say: told in one line why a run of this tracker is left out, and what differs in how
            the others were made.
    """
    store, wanted = plan.store(results), plan.provenance()
    made: dict[str, set[str]] = {}
    for label in store.trackers():
        try:
            run = _stored_run(plan, store, label, wanted)
        except (ConfigError, ResultError, TrackerError) as error:
            say(f"{label}: left out: {error}")
            continue
        for name in wanted.keys() - set(_VARYING):
            made.setdefault(name, set()).add(repr(run.record.provenance.get(name)))
        yield run
    differing = sorted(name for name, values in made.items() if len(values) > 1)
    if differing:
        say(f"note: these runs also differ in {', '.join(differing)}")


def _stored_run(plan: Plan, store: Store, label: str, wanted: Mapping[str, Any]) -> StoredRun:
    path = store.record_path(label)
    record = read_record(path)
    if record is None or record.kind != "run":
        raise ConfigError("no record of a run (run.json) says with which options it was made")
    _require_same(wanted, record)
    missing = {sequence.name for sequence in plan.dataset} - store.sequences(label)
    if missing:
        raise ResultError(f"no result for {len(missing)} sequences ({first_few(sorted(missing))})")
    options = _options(plan, record, wanted["options"])
    chosen = any(name in record.provenance["options"] for name in options)
    value = plan.score(store, label)
    return StoredRun(label, options, value, path, record, chosen)


def _require_same(wanted: Mapping[str, Any], record: RunRecord) -> None:
    """Check that a run differs from the plan in its searched options alone."""
    there = record.provenance
    differing = [
        f"{name} is {there.get(name)!r}, not {wanted.get(name)!r}"
        for name in _SAME
        if there.get(name) != wanted.get(name)
    ]
    if differing:
        raise ConfigError("; ".join(differing))


def _options(plan: Plan, record: RunRecord, fixed: Mapping[str, Any]) -> dict[str, Drawn]:
    """The searched options of a run: as set, else the tracker's own."""
    known, there = tracker_options(plan.target), dict(record.provenance["options"])
    placed: dict[str, Drawn] = {}
    for each in plan.space:
        value = there.pop(each.name, known[each.name].default)
        drawn = each.place(value)
        if drawn is None:
            raise ConfigError(f"{each.name} is {value!r}, which --search {each} does not hold")
        placed[each.name] = drawn
    if there != fixed:
        raise ConfigError(f"its other options are {there}, not {fixed}")
    return placed

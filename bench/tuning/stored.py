"""Stored runs that a search can compare, according to their records."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from optuna.trial import FrozenTrial, create_trial

from bench.errors import ConfigError, ResultError, TrackerError
from bench.evaluation.selection import first_few, label_of
from bench.registry import tracker_options
from bench.results.record import RunRecord, read_record, write_record
from bench.results.stores import Store
from bench.tuning.plan import Plan
from bench.tuning.space import Drawn, describe, drawn_value

_SAME = ("benchmark", "miniature", "protocol", "target", "weights_sha256", "seed")
_VARYING = ("tracker", "options", "device", *_SAME)


def stored_runs(
    plan: Plan, results: Path, announce: Callable[[str], None]
) -> Iterator[FrozenTrial]:
    """The runs under a folder that differ from each other in the searched options only.

    Args:
        plan: the search; other options must have its values.
        results: the folder given as RESULTS.
        announce: called with one line for each run that is left out, and with one that names
            further differences between the others.
    """
    store, wanted = plan.store(results), plan.provenance()
    made: dict[str, set[str]] = {}
    for label in store.trackers():
        try:
            record = _comparable(plan, store, label, wanted)
            options = _options(plan, record, wanted["options"])
            value = plan.score(store, label)
        except (ConfigError, ResultError, TrackerError) as error:
            announce(f"{label}: left out: {error}")
            continue
        for name in wanted.keys() - set(_VARYING):
            made.setdefault(name, set()).add(repr(record.provenance.get(name)))
        yield create_trial(
            params=options, distributions=dict(plan.space), value=value,
            user_attrs={"label": label},
        )  # fmt: skip
    differing = sorted(name for name, values in made.items() if len(values) > 1)
    if differing:
        announce(f"note: these runs also differ in {', '.join(differing)}")


def mark_tuned(plan: Plan, path: Path) -> None:
    """Note in the record of a run that sets a searched option which data it was chosen on."""
    record = read_record(path)
    if record is None or record.tuned_on is not None:
        return
    if plan.space.keys() & record.provenance["options"].keys():
        write_record(path, dataclasses.replace(record, tuned_on=label_of(plan.dataset)))


def _comparable(plan: Plan, store: Store, label: str, wanted: Mapping[str, Any]) -> RunRecord:
    """The record of a run, if it is complete and differs from the plan in its options only."""
    record = read_record(store.record_path(label))
    if record is None or record.kind != "run":
        raise ConfigError("no record of a run (run.json), so its options are unknown")
    there = record.provenance
    differing = [
        f"{name} is {there.get(name)!r}, not {wanted.get(name)!r}"
        for name in _SAME
        if there.get(name) != wanted.get(name)
    ]
    if differing:
        raise ConfigError("; ".join(differing))
    missing = {sequence.name for sequence in plan.dataset} - store.sequences(label)
    if missing:
        raise ResultError(f"no result for {len(missing)} sequences ({first_few(sorted(missing))})")
    return record


def _options(plan: Plan, record: RunRecord, fixed: Mapping[str, Any]) -> dict[str, Drawn]:
    """The searched options of a run: as set, else the tracker's defaults."""
    known, there = tracker_options(plan.target), dict(record.provenance["options"])
    options: dict[str, Drawn] = {}
    for name, values in plan.space.items():
        value = there.pop(name, known[name].default)
        drawn = drawn_value(value, values, known[name].annotation)
        if drawn is None:
            raise ConfigError(
                f"{name} is {value!r}, which --search {describe(name, values)} does not hold"
            )
        options[name] = drawn
    if there != fixed:
        raise ConfigError(f"its other options are {there}, not {fixed}")
    return options

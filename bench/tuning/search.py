"""The search: new trials one after the other, or the scores of stored runs; and its outcome."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import FrozenTrial, Trial, TrialState, create_trial

from bench.errors import ConfigError, ResultError, TrackerError
from bench.evaluation.selection import first_few, label_of
from bench.registry import tracker_options
from bench.results.record import RunRecord, read_record, write_record
from bench.results.stores import Store
from bench.tuning.plan import Plan, check_data
from bench.tuning.space import Drawn, describe, drawn_value
from bench.tuning.study import add_stored, draw, open_study, unfinished

Announce = Callable[[str], None]

_SAME = ("benchmark", "miniature", "protocol", "target", "weights_sha256", "seed")
_VARYING = ("tracker", "options", "device", *_SAME)


def search(
    plan: Plan, trials: int, announce: Announce, *, on_test_set: bool = False
) -> list[FrozenTrial]:
    """Run trials until the study has ``trials`` of them, failed ones included.

    The search can be stopped at any moment and called again: a killed trial continues with its
    missing sequences, and an interruption does not affect the options of the next trial.

    Args:
        plan: what to search.
        trials: total number of trials that ran, including earlier calls.
        announce: called with one line for each trial as it ends.
        on_test_set: allow the test set of a benchmark.

    Returns:
        Every trial of the study, in the order they began.

    Raises:
        ConfigError: the data is a test set, or the study belongs to another plan.
        DatasetError: the ground truth is hidden.
        TrackerError: no trial could be finished.
        ResultError: results cannot be written, or have another origin.
        KeyboardInterrupt: after the workers were stopped; the trial continues next time.
    """
    check_data(plan.dataset, on_test_set=on_test_set)
    with open_study(plan) as study:
        for trial in unfinished(study):
            _run(plan, study, trial, announce)
        while sum(not is_stored(trial) for trial in study.trials) < trials:
            _run(plan, study, draw(plan, study), announce)
        return _require_score(study.trials)


def search_stored(
    plan: Plan, results: Path, announce: Announce, *, on_test_set: bool = False
) -> list[FrozenTrial]:
    """Add the stored runs under ``results`` to the study and run nothing; see ``search``.

    Raises:
        ResultError: no run can be compared, or one has changed since it was added.
    """
    check_data(plan.dataset, on_test_set=on_test_set)
    store = plan.store(results)
    with open_study(plan) as study:
        for run in _stored_runs(plan, store, announce):
            label = plan.label(run)
            add_stored(plan, study, run)
            _mark_tuned(plan, store.record_path(label))
            announce(f"{label}: {plan.measure} {run.value:.4f}")
        if not any(map(is_stored, study.trials)):
            raise ResultError(
                f"{store.folder('<tracker>')}: no run there can be compared in this search of "
                f"{plan.target!r}. Make some with `bench run {plan.dataset.benchmark} --set ...`, "
                "or search live without --stored."
            )
        return _require_score(study.trials)


def is_stored(trial: FrozenTrial) -> bool:
    """Whether the results of a trial existed before the search."""
    return "label" in trial.user_attrs


def best_first(plan: Plan, trials: list[FrozenTrial]) -> list[FrozenTrial]:
    """The trials with a score, the best first; the earlier of two equal ones first."""
    scored = [(trial.value, trial) for trial in trials if trial.value is not None]
    scored.sort(key=lambda pair: pair[0], reverse=plan.direction == "maximize")
    return [trial for _, trial in scored]


def _run(plan: Plan, study: optuna.Study, trial: Trial, announce: Announce) -> None:
    """Run a trial to its end; an error of the tracker makes it a failed trial."""
    label = plan.label(trial)
    try:
        if trial.params.keys() != plan.space.keys():
            raise TrackerError("the search was killed before the options were drawn")
        value = plan.run(trial)
    except (TrackerError, ConfigError) as error:
        trial.set_user_attr("cause", str(error))
        study.tell(trial, state=TrialState.FAIL)
        announce(f"{label}: failed: {error}")
    else:
        study.tell(trial, value)
        announce(f"{label}: {plan.measure} {value:.4f}")


def _require_score(trials: list[FrozenTrial]) -> list[FrozenTrial]:
    if all(trial.value is None for trial in trials):
        causes = [each.user_attrs["cause"] for each in trials if "cause" in each.user_attrs]
        raise TrackerError(
            f"none of {len(trials)} trials could be scored; the first: "
            f"{(causes or ['none has ended'])[0]}"
        )
    return trials


def _stored_runs(plan: Plan, store: Store, announce: Announce) -> Iterator[FrozenTrial]:
    """The runs of a store that differ in the searched options only; announces all others."""
    wanted = plan.provenance()
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


def _mark_tuned(plan: Plan, path: Path) -> None:
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


def use_command(plan: Plan, best: FrozenTrial, data: Path, subset: str) -> str:
    """The command that runs the tracker with the best options, marked as tuned.

    Args:
        plan: of the search.
        best: the trial to repeat.
        data: the folder given as DATA.
        subset: of the benchmark, as the search used it.
    """
    settings = {**plan.settings, **best.params}
    lockstep = plan.running.lockstep
    differing = {  # options of ``bench run`` that differ from their defaults
        "--weights": plan.weights,
        "--device": plan.device,
        "--experiment": plan.experiment if plan.experiment != "onepass" else None,
        "--repetitions": plan.running.repetitions,
        "--lockstep": lockstep if lockstep != 1 else None,
        "--seed": plan.running.seed or None,
        "--subset": subset if subset != "test" else None,
    }
    pairs = [
        ("--data", data),
        ("--tracker", plan.target),
        *(("--set", f"{name}={value}") for name, value in settings.items()),
        *((name, value) for name, value in differing.items() if value is not None),
        ("--name", f"{plan.name}-tuned"),
        ("--tuned-on", label_of(plan.dataset)),
    ]
    words = (str(word) for pair in pairs for word in pair)
    return shlex.join(["bench", "run", plan.dataset.benchmark, *words])


def notes(plan: Plan, trials: list[FrozenTrial]) -> list[str]:
    """Notes to print with the scores of a search."""
    failed = sum(each.value is None for each in trials)
    return [
        *map(str, plan.dataset.caveats),
        f"the best of {len(trials)} trials; its score is on the data it was chosen on",
        *([f"{failed} trials failed"] if failed else []),
    ]


def to_json(plan: Plan, trials: list[FrozenTrial], command: str) -> dict[str, Any]:
    """The search and its trials, the best first and failed ones last."""
    ranked = best_first(plan, trials)
    rows = [*ranked, *(each for each in trials if each.value is None)]
    return {
        "tuned_on": label_of(plan.dataset),
        "measure": plan.measure,
        "direction": plan.direction,
        "best": _row(plan, ranked[0]),
        "command": command,
        "notes": notes(plan, trials),
        "facts": plan.facts(),
        "trials": [_row(plan, each) for each in rows],
    }


def _row(plan: Plan, trial: FrozenTrial) -> dict[str, Any]:
    return {
        "number": trial.number,
        "label": plan.label(trial),
        "value": trial.value,
        "options": trial.params,
        "stored": is_stored(trial),
        "cause": trial.user_attrs.get("cause"),
    }

"""The search: new trials one after the other, or the scores of stored runs; and its outcome.

The trials are a study of optuna's in a journal file, continued after a search was killed.
"""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from optuna.storages import journal
from optuna.trial import FrozenTrial, Trial, TrialState, create_trial

from bench.errors import ConfigError, ResultError, TrackerError
from bench.evaluation.selection import first_few, label_of
from bench.locks import locked
from bench.registry import tracker_options
from bench.results.record import RunRecord, current_facts, differences, read_record, write_record
from bench.results.stores import Store
from bench.tuning.plan import Plan, check_data
from bench.tuning.space import drawn_value

Announce = Callable[[str], None]

_ENTRY = b'{"op_code"'  # how a line of a journal begins
_SAME = ("benchmark", "miniature", "protocol", "target", "weights_sha256", "seed")


def search(
    plan: Plan, announce: Announce, trials: int, stored: Store | None, *, on_test_set: bool = False
) -> list[FrozenTrial]:
    """Run trials until the study has ``trials`` of them, or add stored runs to it.

    The search can be stopped at any moment and called again: a killed trial continues with its
    missing sequences, and an interruption does not affect the options of the next trial.

    Args:
        plan: what to search.
        announce: called with one line for each trial as it ends.
        trials: total number of trials that ran, failed ones and earlier calls included.
        stored: results whose runs are added while nothing is run; or None.
        on_test_set: allow the test set of a benchmark.

    Returns:
        Every trial of the study, in the order they began.

    Raises:
        ConfigError: the data is a test set, or the study belongs to another plan.
        DatasetError: the ground truth is hidden.
        TrackerError: no trial could be scored.
        ResultError: results cannot be written, or have another origin; no stored run can be
            compared, or one has changed since it was added.
        KeyboardInterrupt: after the workers were stopped; the trial continues next time.
    """
    check_data(plan.dataset, on_test_set=on_test_set)
    with open_study(plan) as study:
        if stored is not None:
            _add_stored(plan, study, stored, announce)
        else:
            for left in study.get_trials(states=(TrialState.RUNNING, TrialState.WAITING)):
                _run(plan, study, Trial(study, left._trial_id), announce)
            while sum(not is_stored(trial) for trial in study.trials) < trials:
                _run(plan, study, draw(plan, study), announce)
        found = study.trials
    if all(trial.value is None for trial in found):
        causes = (each.user_attrs["cause"] for each in found if "cause" in each.user_attrs)
        first = next(causes, "none has ended")
        raise TrackerError(f"none of {len(found)} trials could be scored; the first: {first}")
    return found


@contextmanager
def open_study(plan: Plan) -> Iterator[optuna.Study]:
    """The study of a plan, new or continued, locked until the block ends.

    Raises:
        ConfigError: the file is not a study, or the study of another plan.
        ResultError: another search holds the study, or it cannot be written.
    """
    if plan.study.is_dir():
        raise ConfigError(f"--study {plan.study}: expected a file for the trials, found a folder")
    with ExitStack() as stack:
        try:
            stack.enter_context(locked(plan.folder))
        except ResultError as error:
            raise ResultError(
                f"{plan.study}: another search holds this study, or it cannot be written "
                f"({error}). Wait for that search to end, or give this one another --study."
            ) from error
        study = optuna.create_study(
            storage=_open_journal(plan.study), study_name="bench", direction=plan.direction,
            load_if_exists=True,
        )  # fmt: skip
        here, there = plan.facts(), study.user_attrs.get("facts")
        if there is None:
            study.set_user_attr("facts", here)
        elif differing := "; ".join(differences(current_facts(there), here)):
            raise ConfigError(
                f"{plan.study}: this study searched something else: {differing}. Trials that "
                "differ in more than the searched options cannot be compared: give this search "
                "another --study."
            )
        yield study


def _open_journal(path: Path) -> journal.JournalStorage:
    """The journal in a file, without the incomplete last line that a killed search may leave.

    Raises:
        ConfigError: the file is not the journal of a study.
        ResultError: it cannot be read or written.
    """
    try:
        content = path.read_bytes() if path.exists() else b""
        *lines, rest = content.split(b"\n")
        started = rest.startswith(_ENTRY[: len(rest)])
        if not (started and all(line.startswith(_ENTRY) for line in lines)):
            raise ValueError("a line is not an entry of a journal")
        if rest:
            os.truncate(path, len(content) - len(rest))
        # The folder is locked, so optuna needs no file of its own, which a kill would leave.
        lock: Any = threading.Lock()
        return journal.JournalStorage(journal.JournalFileBackend(str(path), lock_obj=lock))
    except OSError as error:
        raise ResultError(f"{path}: cannot be read or written ({error.strerror})") from error
    except Exception as error:  # optuna has no error of its own for this
        raise ConfigError(
            f"--study {path}: expected a new file, or a study that this command wrote, found "
            f"something else ({type(error).__name__}: {error}). Name another file."
        ) from error


def is_stored(trial: FrozenTrial) -> bool:
    """Whether the results of a trial existed before the search."""
    return "label" in trial.user_attrs


def draw(plan: Plan, study: optuna.Study) -> Trial:
    """A new trial, which depends on the seed, its number and the earlier trials only.

    A new sampler for each trial makes its draws independent of interruptions.

    Source: Bergstra et al., "Algorithms for hyper-parameter optimization", NIPS 2011, as in
    optuna's ``TPESampler``.
    """
    seed = np.random.SeedSequence([plan.running.seed, len(study.trials)]).generate_state(1)[0]
    study.sampler = optuna.samplers.TPESampler(seed=int(seed))
    return study.ask(plan.space)


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


def _add_stored(plan: Plan, study: optuna.Study, store: Store, announce: Announce) -> None:
    """Add the runs that differ in the searched options only, marked as tuned where they set one.

    Raises:
        ResultError: there is none, or the study has one with another score.
    """
    wanted, added = plan.facts(), []
    known = {trial.user_attrs["label"]: trial for trial in study.trials if is_stored(trial)}
    for label in store.trackers():
        try:
            record, run = _comparable(plan, store, label, wanted)
        except (ConfigError, ResultError, TrackerError, ValueError) as error:
            announce(f"{label}: left out: {error}")
            continue
        before = known.setdefault(label, run)
        if before is run:
            study.add_trial(run)
        elif (before.params, before.value) != (run.params, run.value):
            raise ResultError(
                f"{label}: scored {run.value} with {run.params}, but {plan.study} has "
                f"{before.value} with {before.params}. Its results have changed since: give this "
                "search another --study."
            )
        if record.tuned_on is None and plan.space.keys() & record.provenance["options"].keys():
            marked = replace(record, tuned_on=label_of(plan.dataset))
            write_record(store.record_path(label), marked)
        added.append(record.provenance)
        announce(f"{label}: {plan.measure} {run.value:.4f}")
    others = wanted.keys() - {"options", *_SAME}
    if differing := sorted(n for n in others if len({repr(each.get(n)) for each in added}) > 1):
        announce(f"note: these runs also differ in {', '.join(differing)}")
    if not known:
        raise ResultError(
            f"{store.folder('<tracker>')}: no run there can be compared in this search of "
            f"{plan.target!r}. Make some with `bench run {plan.dataset.benchmark} --set ...`, "
            "or search live without --stored."
        )


def _comparable(
    plan: Plan, store: Store, label: str, wanted: Mapping[str, Any]
) -> tuple[RunRecord, FrozenTrial]:
    """The record of a complete run that differs in searched options only, and it as a trial.

    An option that it did not set has the tracker's default.

    Raises:
        ConfigError, ResultError, TrackerError: it cannot be compared, as the message says.
        ValueError: an option has a value that ``--search`` does not hold.
    """
    record = read_record(store.record_path(label))
    if record is None or record.kind != "run":
        raise ConfigError("no record of a run (run.json), so its options are unknown")
    known, options = tracker_options(plan.target), dict(record.provenance["options"])
    params = {
        name: drawn_value(options.pop(name, known[name].default), values, known[name].annotation)
        for name, values in plan.space.items()
    }
    there = {name: record.provenance.get(name) for name in _SAME} | {"options": options}
    here = {name: wanted.get(name) for name in there}
    if differing := "; ".join(differences(there, here)):
        raise ConfigError(differing)
    if missing := {sequence.name for sequence in plan.dataset} - store.sequences(label):
        raise ResultError(f"no result for {len(missing)} sequences ({first_few(sorted(missing))})")
    return record, create_trial(
        params=params, distributions=plan.space, value=plan.score(store, label),
        user_attrs={"label": label},
    )  # fmt: skip


def outcome(plan: Plan, trials: list[FrozenTrial]) -> dict[str, Any]:
    """What the search found, as JSON values; the best trials first, the earlier of equals."""
    sign = -1 if plan.direction == "maximize" else 1
    ranked = sorted(trials, key=lambda t: math.inf if t.value is None else sign * t.value)
    failed = sum(each.value is None for each in trials)
    rows = [
        {
            "number": each.number,
            "label": plan.label(each),
            "value": each.value,
            "options": each.params,
            "stored": is_stored(each),
            "cause": each.user_attrs.get("cause"),
        }
        for each in ranked
    ]
    return {
        "tuned_on": label_of(plan.dataset),
        "measure": plan.measure,
        "direction": plan.direction,
        "best": rows[0],
        "notes": [
            *map(str, plan.dataset.caveats),
            f"the best of {len(trials)} trials; its score is on the data it was chosen on",
            *([f"{failed} trials failed"] if failed else []),
        ],
        "facts": plan.facts(),
        "trials": rows,
    }

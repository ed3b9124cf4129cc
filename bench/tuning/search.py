"""The search: new trials one after the other, or the scores of stored runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import optuna
from optuna.trial import FrozenTrial, Trial

from bench.errors import ConfigError, ResultError, TrackerError
from bench.tuning.plan import Plan, check_data
from bench.tuning.stored import mark_tuned, stored_runs
from bench.tuning.study import add_stored, draw, fail, open_study, unfinished

Announce = Callable[[str], None]


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
        for run in stored_runs(plan, results, announce):
            label = plan.label(run)
            add_stored(plan, study, run)
            mark_tuned(plan, store.record_path(label))
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
    sign = 1 if plan.direction == "minimize" else -1
    scored = [(sign * trial.value, trial) for trial in trials if trial.value is not None]
    return [trial for _, trial in sorted(scored, key=lambda pair: pair[0])]


def _run(plan: Plan, study: optuna.Study, trial: Trial, announce: Announce) -> None:
    """Run a trial to its end; an error of the tracker makes it a failed trial."""
    label = plan.label(trial)
    try:
        if trial.params.keys() != plan.space.keys():
            raise TrackerError("the search was killed before the options were drawn")
        value = plan.run(trial)
    except (TrackerError, ConfigError) as error:
        fail(study, trial, str(error))
        announce(f"{label}: failed: {error}")
    else:
        study.tell(trial, value)
        announce(f"{label}: {plan.measure} {value:.4f}")


def _require_score(trials: list[FrozenTrial]) -> list[FrozenTrial]:
    if all(trial.value is None for trial in trials):
        causes = (trial.user_attrs["cause"] for trial in trials if "cause" in trial.user_attrs)
        raise TrackerError(
            f"none of {len(trials)} trials could be scored; the first: "
            f"{next(causes, 'none has ended')}"
        )
    return trials

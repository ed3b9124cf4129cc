"""The search itself: live trials one after the other, or the scores of runs that are there."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

from bench.errors import ConfigError, ResultError, TrackerError
from bench.evaluation.selection import label_of, refuse_hidden
from bench.results.record import write_record
from bench.tuning.guard import refuse_test_set
from bench.tuning.plan import Plan
from bench.tuning.stored import StoredRun, stored_runs
from bench.tuning.study import Study, TrialResult, open_study

Announce = Callable[[str], None]


def search(
    plan: Plan, trials: int, announce: Announce, *, on_test_set: bool = False
) -> list[TrialResult]:
    """Run trials until the study has so many of them, whatever became of each.

    Can be stopped at any moment and called again: a trial that was killed goes on with the
    sequences it lacks, and the options of the next do not depend on where that was.

    Args:
        plan: what to search.
        trials: number of trials that ran, those of earlier calls included.
        announce: told of every trial in one line as it ends.
        on_test_set: search on the test set of a benchmark all the same.

    Returns:
        Every trial of the study, in the order they began.

    Raises:
        ConfigError: the data is a test set, or the study is of another plan.
        DatasetError: the ground truth is hidden.
        TrackerError: no trial could be finished.
        ResultError: results cannot be written, or were made by something else.
        KeyboardInterrupt: after the workers were stopped; the trial goes on next time.
    """
    _check(plan, on_test_set)
    with open_study(plan) as study:
        for trial in study.unfinished():
            _run(plan, study, trial, announce)
        while sum(not each.stored for each in study.trials()) < trials:
            _run(plan, study, study.draw(), announce)
        return _with_score(study.trials())


def search_stored(
    plan: Plan, results: Path, announce: Announce, *, on_test_set: bool = False
) -> list[TrialResult]:
    """Add the runs under a folder to the study by the options in their records; run nothing.

    Their records say from then on which data they were chosen on.

    Args:
        plan: what to search.
        results: the folder given as RESULTS.
        announce: told of every run in one line, and why it does not count.
        on_test_set: choose by the scores on the test set of a benchmark all the same.

    Returns:
        Every finished trial of the study, in the order they began.

    Raises:
        ConfigError: the data is a test set, or the study is of another plan.
        DatasetError: the ground truth is hidden.
        ResultError: no run can be compared, or one has changed since it was added.
    """
    _check(plan, on_test_set)
    with open_study(plan) as study:
        for run in stored_runs(plan, results, announce):
            study.add_stored(run.label, run.options, run.value)
            _mark(plan, run)
            announce(describe(run.label, plan.measure, run.value))
        found = [trial for trial in study.trials() if trial.stored]
        if not found:
            raise ResultError(
                f"{plan.store(results).folder('<tracker>')}: no run there can be compared in this "
                f"search of {plan.target!r}. Make some with `bench run {plan.dataset.benchmark} "
                "--set ...`, or search live without --stored."
            )
        return _with_score(study.trials())


def describe(label: str, measure: str, value: float) -> str:
    """A finished trial in one line."""
    return f"{label}: {measure} {value:.4f}"


def best_first(plan: Plan, trials: list[TrialResult]) -> list[TrialResult]:
    """The trials that have a score, the best first, an earlier one before an equal later one."""
    sign = 1 if plan.direction == "minimize" else -1
    scored = [(sign * each.value, each) for each in trials if each.value is not None]
    return [each for _, each in sorted(scored, key=lambda pair: pair[0])]


def _check(plan: Plan, on_test_set: bool) -> None:
    if not on_test_set:
        refuse_test_set(plan.dataset)
    refuse_hidden(plan.dataset)


def _run(plan: Plan, study: Study, trial: TrialResult, announce: Announce) -> None:
    """Run a trial to its end; what the tracker does wrong is the trial's end too."""
    try:
        if not study.is_whole(trial):
            raise TrackerError("the search was killed before the options were drawn")
        value = plan.run(trial.number, trial.options)
    except (TrackerError, ConfigError) as error:
        study.fail(trial, str(error))
        announce(f"{trial.label}: failed: {error}")
    else:
        study.finish(trial, value)
        announce(describe(trial.label, plan.measure, value))


def _mark(plan: Plan, run: StoredRun) -> None:
    if run.chosen and run.record.tuned_on is None:
        write_record(run.path, dataclasses.replace(run.record, tuned_on=label_of(plan.dataset)))


def _with_score(trials: list[TrialResult]) -> list[TrialResult]:
    if all(each.value is None for each in trials):
        cause = next((each.cause for each in trials if each.cause), "none has ended")
        raise TrackerError(f"none of {len(trials)} trials could be scored; the first: {cause}")
    return trials

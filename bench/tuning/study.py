"""A study on disk: trials in optuna's journal, continued after a search was killed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import optuna
from optuna.storages import journal
from optuna.trial import FrozenTrial, Trial, TrialState

from bench.errors import ConfigError, ResultError
from bench.files import write_atomically
from bench.locks import locked
from bench.results.record import current_facts
from bench.results.stores import names_in
from bench.tuning.plan import Plan

_ENTRY = b'{"op_code"'  # how a line of a journal begins


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
        _agree(plan, study)
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
            write_atomically(path, content.removesuffix(rest))
        # Our lock is held, so optuna's, and what it is renamed to, is left of a killed search.
        for name in names_in(path.parent):
            if name.startswith(f"{path.name}.lock"):
                path.with_name(name).unlink(missing_ok=True)
        lock = journal.JournalFileOpenLock(str(path))
        return journal.JournalStorage(journal.JournalFileBackend(str(path), lock_obj=lock))
    except OSError as error:
        raise ResultError(f"{path}: cannot be read or written ({error.strerror})") from error
    except Exception as error:  # optuna has no error of its own for this
        raise ConfigError(
            f"--study {path}: expected a new file, or a study that this command wrote, found "
            f"something else ({type(error).__name__}: {error}). Name another file."
        ) from error


def _agree(plan: Plan, study: optuna.Study) -> None:
    """Check that a study belongs to this plan, or note that it does.

    Raises:
        ConfigError: it belongs to another; the message lists the facts that differ.
    """
    here, there = plan.facts(), study.user_attrs.get("facts")
    if there is None:
        study.set_user_attr("facts", here)
        return
    there = current_facts(there)
    if "tracker_files" in here:
        there.setdefault("tracker_files", here["tracker_files"])
    names = sorted(n for n in here.keys() | there.keys() if here.get(n) != there.get(n))
    differing = [f"{n} is {there.get(n)!r} there, {here.get(n)!r} here" for n in names]
    if differing:
        raise ConfigError(
            f"{plan.study}: this study searched something else: {'; '.join(differing)}. "
            "Trials that differ in more than the searched options cannot be compared: give "
            "this search another --study."
        )


def unfinished(study: optuna.Study) -> list[Trial]:
    """The trials that were running when an earlier search was killed."""
    running = study.get_trials(states=(TrialState.RUNNING, TrialState.WAITING))
    return [Trial(study, trial._trial_id) for trial in running]


def draw(plan: Plan, study: optuna.Study) -> Trial:
    """A new trial, which depends on the seed, its number and the earlier trials only.

    A new sampler for each trial makes its draws independent of interruptions.

    Source: Bergstra et al., "Algorithms for hyper-parameter optimization", NIPS 2011, as in
    optuna's ``TPESampler``.
    """
    seed = np.random.SeedSequence([plan.running.seed, len(study.trials)]).generate_state(1)[0]
    study.sampler = optuna.samplers.TPESampler(seed=int(seed))
    return study.ask(dict(plan.space))


def add_stored(plan: Plan, study: optuna.Study, run: FrozenTrial) -> None:
    """Add a run that was stored before as a finished trial, once.

    Raises:
        ResultError: the study has it with another score or other options.
    """
    label = run.user_attrs["label"]
    known = next((t for t in study.trials if t.user_attrs.get("label") == label), None)
    if known is None:
        study.add_trial(run)
    elif (known.params, known.value) != (run.params, run.value):
        raise ResultError(
            f"{label}: scored {run.value} with {run.params}, but {plan.study} has {known.value} "
            f"with {known.params}. Its results have changed since: give this search another "
            "--study."
        )

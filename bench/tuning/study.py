"""A study on disk: trials in optuna's journal, taken up again where a search was killed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.errors import ConfigError, ResultError
from bench.files import write_atomically
from bench.runner.lock import locked
from bench.tuning.plan import Plan
from bench.tuning.space import Drawn

if TYPE_CHECKING:
    import optuna
    from optuna.trial import FrozenTrial

_NAME = "bench"


@dataclass(frozen=True)
class TrialResult:
    """One trial of a study.

    Attributes:
        number: from 0, in the order they began.
        label: name under which its results are stored.
        options: drawn values by option.
        value: of the measure; None where the trial failed or is not finished.
        cause: why it failed, None where it did not.
        stored: whether its results were there before the search.
    """

    number: int
    label: str
    options: Mapping[str, Drawn]
    value: float | None
    cause: str | None = None
    stored: bool = False


class Study:
    """The trials of a plan, drawn by TPE; only for who holds the lock (``open_study``).

    Source: Bergstra et al., "Algorithms for hyper-parameter optimization", NIPS 2011, as in
    optuna's ``TPESampler``.
    """

    def __init__(self, plan: Plan, storage: optuna.storages.BaseStorage) -> None:
        import optuna

        self._plan, self._storage = plan, storage
        self._distributions = {each.name: each.distribution() for each in plan.space}
        self._study = optuna.create_study(
            storage=storage, study_name=_NAME, direction=plan.direction, load_if_exists=True
        )

    def agree(self) -> None:
        """Check that the study is of this very plan, or note that it is.

        Raises:
            ConfigError: it is of another; names every fact that differs.
        """
        here, there = self._plan.facts(), self._study.user_attrs.get("facts")
        if there is None:
            self._study.set_user_attr("facts", here)
            return
        names = sorted(n for n in here.keys() | there.keys() if here.get(n) != there.get(n))
        differing = [f"{n} is {there.get(n)!r} there, {here.get(n)!r} here" for n in names]
        if differing:
            raise ConfigError(
                f"{self._plan.study}: this study searched something else: {'; '.join(differing)}. "
                "Trials that differ in more than the searched options cannot be compared: give "
                "this search another --study."
            )

    def trials(self) -> list[TrialResult]:
        """Every trial so far, in the order they began."""
        return [self._result(trial) for trial in self._study.get_trials(deepcopy=False)]

    def unfinished(self) -> list[TrialResult]:
        """Trials that were running when an earlier search was killed."""
        trials = self._study.get_trials(deepcopy=False)
        return [self._result(trial) for trial in trials if not trial.state.is_finished()]

    def draw(self) -> TrialResult:
        """A new trial, which is a function of the seed, its number and the trials before it.

        A sampler for each trial: its draws do not depend on where a search was killed.
        """
        import numpy as np
        import optuna

        number = len(self._study.get_trials(deepcopy=False))
        seed = int(np.random.SeedSequence([self._plan.seed, number]).generate_state(1)[0])
        self._study.sampler = optuna.samplers.TPESampler(seed=seed)
        self._study.ask(self._distributions)
        return self.trials()[number]

    def is_whole(self, trial: TrialResult) -> bool:
        """Whether all options of a trial were drawn before it was killed."""
        return trial.options.keys() == self._distributions.keys()

    def finish(self, trial: TrialResult, value: float) -> None:
        """Keep the score of a trial."""
        self._study.tell(trial.number, value)

    def fail(self, trial: TrialResult, cause: str) -> None:
        """Keep that a trial failed, and why."""
        import optuna

        study = self._storage.get_study_id_from_name(_NAME)
        identifier = self._storage.get_trial_id_from_study_id_trial_number(study, trial.number)
        self._storage.set_trial_user_attr(identifier, "cause", cause)
        self._study.tell(trial.number, state=optuna.trial.TrialState.FAIL)

    def add_stored(self, label: str, options: Mapping[str, Drawn], value: float) -> None:
        """Add results that were there before as a finished trial, once.

        Raises:
            ResultError: they are in the study with another score or other options.
        """
        import optuna

        for each in self.trials():
            if each.stored and each.label == label:
                if (each.options, each.value) == (options, value):
                    return
                raise ResultError(
                    f"{label}: scored {value} with {dict(options)}, but {self._plan.study} holds "
                    f"{each.value} with {dict(each.options)}. Its results have changed since: "
                    "give this search another --study."
                )
        trial = optuna.trial.create_trial(
            params=dict(options), distributions=self._distributions, value=value,
            user_attrs={"label": label},
        )  # fmt: skip
        self._study.add_trial(trial)

    def _result(self, trial: FrozenTrial) -> TrialResult:
        """A stored trial is one that has a label of its own."""
        label = trial.user_attrs.get("label")
        return TrialResult(
            number=trial.number,
            label=label or self._plan.label(trial.number),
            options=trial.params,
            value=trial.value,
            cause=trial.user_attrs.get("cause"),
            stored=label is not None,
        )


@contextmanager
def open_study(plan: Plan) -> Iterator[Study]:
    """The study of a plan, made or taken up again, held until the block ends.

    Raises:
        ConfigError: optuna is not installed, or the file is no study or one of another plan.
        ResultError: another search holds it, or it cannot be written.
    """
    optuna = _optuna()
    with ExitStack() as stack:
        try:
            stack.enter_context(locked(plan.folder))
        except ResultError as error:
            raise ResultError(
                f"{plan.study}: another search holds this study, or {plan.folder} cannot be "
                "written. Wait for that search to end, or give this one another --study."
            ) from error
        _mend(plan.study)
        # Our lock is held, so optuna's is left over from a search that was killed.
        Path(f"{plan.study}.lock").unlink(missing_ok=True)
        journal = optuna.storages.journal
        lock = journal.JournalFileOpenLock(str(plan.study))
        backend = journal.JournalFileBackend(str(plan.study), lock_obj=lock)
        study = Study(plan, optuna.storages.JournalStorage(backend))
        study.agree()
        yield study


def _optuna() -> Any:
    """The library, quiet: what it would log, the trials' own lines say.

    Raises:
        ConfigError: it is not installed.
    """
    try:
        import optuna
    except ModuleNotFoundError as error:
        raise ConfigError(
            "a search needs optuna, which is not installed. Install the extra that has it: "
            'pip install "siamattn-bench[train]".'
        ) from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna


def _mend(path: Path) -> None:
    """Cut off a last line that a killed search left unfinished; the next would be glued to it.

    Raises:
        ConfigError: the file is no journal of a study.
        ResultError: it cannot be read or written.
    """
    try:
        content = path.read_bytes() if path.exists() else b""
        whole = content[: content.rfind(b"\n") + 1]
        if content and not _is_journal(content):
            raise ConfigError(
                f"--study {path}: expected a file that does not exist yet or a study that this "
                "command wrote, found something else. Name another file."
            )
        if whole != content:
            write_atomically(path, whole)
    except OSError as error:
        raise ResultError(f"{path}: cannot be read or written ({error.strerror})") from error


def _is_journal(content: bytes) -> bool:
    """Whether every whole line is an entry of a journal, or the first was never finished."""
    try:
        lines = [json.loads(line) for line in content.split(b"\n")[:-1]]
    except ValueError:
        return False
    if not lines:
        return content.startswith(b'{"op_code"')
    return all(isinstance(line, dict) and "op_code" in line for line in lines)

"""Run a tracker over a dataset: what still has to run, kept as it comes, resumable."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import closing
from pathlib import Path

from bench.benchmarks import Experiment, get_experiment
from bench.errors import ConfigError, DatasetError
from bench.registry import TrackerSpec
from bench.results.stores import Store
from bench.runner.pool import run_units
from bench.runner.process import Limits
from bench.runner.provenance import make_record
from bench.runner.session import ENOUGH, RunSummary, open_session
from bench.sequence import Dataset, Sequence


def run_tracker(
    dataset: Dataset,
    spec: TrackerSpec,
    store: Store,
    *,
    jobs: int = 1,
    seed: int = 0,
    frame_timeout: float = 120.0,
    start_timeout: float = 300.0,
    progress: bool | None = None,
    names: Collection[str] | None = None,
    repetitions: int | None = None,
    lockstep: int = 1,
    tuned_on: str | None = None,
) -> RunSummary:
    """Run a tracker over every sequence that has no result yet, the longest first.

    The experiment is the one that ``store`` holds. A run can be stopped at any
    moment and called again: what is finished is kept and never run twice. A failure costs its
    sequence only. Worker processes import the caller's main module, so a script calls this under
    ``if __name__ == "__main__":``.

    Args:
        dataset: with frames.
        spec: the tracker, its options and the name of its result folder.
        store: where results go; ``run.json`` beside them records what made them.
        jobs: number of worker processes. Results do not depend on it.
        seed: of every random generator, renewed for each sequence and repetition.
        frame_timeout: seconds of silence after which a tracker counts as hung.
        start_timeout: seconds that building the tracker may take.
        progress: show it; by default only on a terminal.
        names: run these sequences only.
        repetitions: at most so many runs of a sequence in an experiment; by default as the
            challenge has it, and one for a tracker that says it is deterministic.
        lockstep: sequences that a worker follows at once, through the tracker's batch form.
        tuned_on: label of the dataset whose scores chose the options; every score says so.

    Raises:
        ConfigError: a sequence or tracker is not known, or a number or name makes no sense.
        DatasetError: no sequence has frames.
        TrackerError: the tracker could not be built.
        ResultError: results of that name were made by something else, or by a run going on.
        KeyboardInterrupt: after the workers were stopped and the record was closed.
    """
    _check_arguments(spec, jobs, frame_timeout, start_timeout)
    experiment = get_experiment(store.experiment)
    _check_lockstep(spec, experiment, lockstep)
    chosen = _choose(dataset, names)
    current = make_record(
        dataset, spec, protocol=experiment.name, seed=seed, jobs=jobs, lockstep=lockstep,
        tuned_on=tuned_on,
    )  # fmt: skip
    limits = Limits(frame_timeout, start_timeout)
    with open_session(store, spec.name, current) as session:
        for wave in _waves(experiment, spec, repetitions):
            units = session.plan(chosen, seed, experiment, wave)
            with closing(run_units(units, spec, jobs, seed, limits, lockstep)) as outcomes:
                session.gather(outcomes, units, progress)
    return session.summary()


def _waves(experiment: Experiment, spec: TrackerSpec, limit: int | None) -> list[range]:
    """Repetitions to run: first so many that equal ones can be told, then the rest."""
    wanted = 1 if spec.is_deterministic() else experiment.repetitions
    if limit is not None:
        wanted = min(limit, experiment.repetitions)
    waves = range(1, min(ENOUGH, wanted) + 1), range(ENOUGH + 1, wanted + 1)
    return [wave for wave in waves if wave]


def _choose(dataset: Dataset, names: Collection[str] | None) -> list[Sequence]:
    chosen = list(dataset) if names is None else [dataset[name] for name in dict.fromkeys(names)]
    if chosen and all(sequence.frames is None for sequence in chosen):
        raise DatasetError(
            f"{dataset.root}: annotation only; running a tracker needs the images too. "
            "Give the folder of the official download with --data."
        )
    return chosen


def _check_lockstep(spec: TrackerSpec, experiment: Experiment, lanes: int) -> None:
    if lanes < 1:
        raise ConfigError(f"expected at least one sequence in lockstep, found {lanes}")
    if lanes > 1 and experiment.fps is not None:
        raise ConfigError(
            f"--lockstep {lanes}: the {experiment.name} experiment times one target at a time. "
            "Leave the option out."
        )
    if lanes > 1 and not spec.is_batch():
        raise ConfigError(
            f"--lockstep {lanes}: tracker {spec.target!r} has no batch form (start and advance, "
            "see docs/plugins.md). Leave the option out, or use more --jobs."
        )


def _check_arguments(spec: TrackerSpec, jobs: int, *timeouts: float) -> None:
    if jobs < 1:
        raise ConfigError(f"expected at least one job, found {jobs}")
    if min(timeouts) <= 0:
        raise ConfigError(f"expected time-outs above 0 s, found {min(timeouts)}")
    if Path(spec.name).name != spec.name or spec.name.startswith("."):
        raise ConfigError(
            f"expected a plain folder name for the results, found {spec.name!r}. Choose a --name "
            "without a path separator or a leading dot."
        )

"""Runs a tracker over a dataset; keeps every result at once, and can be resumed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from bench.benchmarks import Experiment, get_experiment
from bench.errors import ConfigError, DatasetError
from bench.registry import TrackerSpec
from bench.results.stores import Store
from bench.runner.outcomes import Engine, Outcome
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
    engine: Engine | None = None,
) -> RunSummary:
    """Run a tracker over every sequence that has no result yet, the longest first.

    The store decides the experiment. Stop at any moment and call again: finished sequences are
    kept. A script needs no ``if __name__ == "__main__":``, as workers do not import it.

    Args:
        dataset: with frames.
        spec: the tracker.
        store: keeps the results and their record.
        jobs: number of worker processes. Results do not depend on it.
        seed: of every random generator, renewed for each sequence and repetition.
        frame_timeout: seconds for a frame after which a worker is stopped.
        start_timeout: seconds that building the tracker may take.
        progress: show it; by default on a terminal only.
        names: run these sequences only.
        repetitions: maximum number of runs per sequence; by default the experiment's.
        lockstep: sequences that a worker follows at once, through the tracker's batch form.
        tuned_on: label of the dataset whose scores chose the options; every score says so.
        engine: replaces workers, e.g. ``bench.runner.run_here``; ignores jobs and time-outs.

    Raises:
        ConfigError: an unknown sequence or tracker, or an invalid number or name.
        DatasetError: no sequence has frames.
        TrackerError: the tracker could not be built.
        ResultError: the results of that name have another origin, or another run holds them.
        KeyboardInterrupt: after the workers were stopped and the record was closed.
    """
    _check_arguments(spec, jobs, frame_timeout, start_timeout)
    experiment = get_experiment(store.experiment)
    _check_lockstep(spec, experiment, lockstep, engine)
    chosen = _choose(dataset, names)
    current = make_record(
        dataset, spec, protocol=experiment.name, seed=seed, jobs=jobs, lockstep=lockstep,
        tuned_on=tuned_on, engine="workers" if engine is None else _name(engine),
    )  # fmt: skip
    limits = Limits(frame_timeout, start_timeout)
    run = engine or partial(run_units, jobs=jobs, limits=limits, lanes=lockstep)
    with open_session(store, spec.name, current) as session:
        for wave in _waves(experiment, spec, repetitions):
            units = session.plan(chosen, seed, experiment, wave)
            with _closing(run(units, spec, seed)) as outcomes:
                session.gather(outcomes, units, progress)
    return session.summary()


@contextmanager
def _closing(outcomes: Iterable[Outcome]) -> Iterator[Iterable[Outcome]]:
    """Close the outcomes of an engine, if they are a generator."""
    try:
        yield outcomes
    finally:
        close = getattr(outcomes, "close", None)
        if close is not None:
            close()


def _name(engine: Engine) -> str:
    inner = engine.func if isinstance(engine, partial) else engine
    return str(getattr(inner, "__name__", type(inner).__name__))


def _waves(experiment: Experiment, spec: TrackerSpec, limit: int | None) -> list[range]:
    """Repetitions to run: first enough to see whether they are equal, then the rest."""
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


def _check_lockstep(
    spec: TrackerSpec, experiment: Experiment, lanes: int, engine: Engine | None
) -> None:
    if lanes < 1:
        raise ConfigError(f"expected at least one sequence in lockstep, found {lanes}")
    if lanes > 1 and engine is not None:
        raise ConfigError(f"lockstep {lanes}: only worker processes follow sequences in lockstep")
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

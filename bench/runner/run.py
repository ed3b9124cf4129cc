"""Runs a tracker over a dataset; keeps every result at once, and can be resumed."""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.benchmarks import Experiment, get_experiment
from bench.datasets.frames import VideoFrames
from bench.errors import BenchError, ConfigError, DatasetError
from bench.protocols.onepass import check_frames
from bench.registry import TrackerSpec
from bench.results.record import RunRecord, continue_record
from bench.results.stores import Store
from bench.runner.engine import Limits
from bench.runner.options import DEFAULTS, RunOptions, Workers
from bench.runner.pool import run_units
from bench.runner.process import Processes
from bench.runner.progress import Wanted
from bench.runner.provenance import make_record, with_later_files
from bench.runner.ray_engine import RayCluster
from bench.runner.session import ENOUGH, RunSummary, open_session
from bench.runner.unit import Engine, Outcome, Unit
from bench.sequence import Dataset, Sequence


def run_tracker(
    dataset: Dataset,
    spec: TrackerSpec,
    store: Store,
    options: RunOptions = DEFAULTS,
    *,
    progress: Wanted = None,
    verbose: bool = False,
    engine: Engine | None = None,
) -> RunSummary:
    """Run a tracker over every sequence that has no result yet, the longest first.

    The store decides the experiment. Stop at any moment and call again: finished sequences are
    kept. A script needs no ``if __name__ == "__main__":``, as workers do not import it.

    Args:
        dataset: with frames.
        spec: the tracker.
        store: keeps the results and their record.
        options: how to run it. Results do not depend on where, nor on how many workers.
        progress: show it; by default on a terminal only. ``"lines"`` prints a line every minute
            where there is no terminal.
        verbose: show what the tracker prints, which otherwise goes into the log of a failure.
        engine: replaces workers, e.g. ``bench.runner.run_here``; ignores where they would run,
            and time-outs.

    Raises:
        ConfigError: an unknown sequence or tracker, or an invalid number or name.
        DatasetError: most sequences have no frames, and they are not to be left out.
        TrackerError: the tracker could not be built.
        ResultError: the results of that name have another origin, or another run holds them.
        KeyboardInterrupt: after the workers were stopped and the record was closed.
    """
    job = _job(dataset, spec, store, options, options.workers, engine)
    run = engine or _on_workers(job, options, verbose)
    with open_session(
        store, job.spec.name, job.record, job.sequences, shard=options.part,
        same_device=options.same_device,
    ) as session:  # fmt: skip
        for wave in _waves(job.repetitions):
            units = session.plan(
                job.sequences, options.seed, job.experiment, wave, masks=options.masks
            )
            with _closing(run(units, job.spec, options.seed)) as outcomes:
                session.gather(outcomes, units, progress)
    return session.summary()


@dataclass(frozen=True, eq=False)
class _Job:
    """What the arguments of a run come to: its sequences, and the record it would start."""

    spec: TrackerSpec
    experiment: Experiment
    repetitions: int
    sequences: list[Sequence]
    record: RunRecord


def _job(
    dataset: Dataset,
    spec: TrackerSpec,
    store: Store,
    options: RunOptions,
    where: Workers,
    engine: Engine | None = None,
) -> _Job:
    spec = spec.on(dataset.benchmark)
    experiment = get_experiment(store.experiment)
    _check_name(spec)
    _check_lockstep(spec, experiment, options.lockstep, engine)
    repetitions = _repetitions(experiment, spec, options.repetitions)
    sequences = _choose(dataset, options.sequences, options.partial)
    record = make_record(
        dataset, spec, protocol=experiment.name, seed=options.seed, lockstep=options.lockstep,
        jobs=where.jobs, masks=options.masks, tuned_on=options.tuned_on,
        engine=_name(engine, where.cluster), gpus=where.gpus,
    )  # fmt: skip
    mine = sequences if options.part is None else options.part.share(sequences)
    return _Job(spec, experiment, repetitions, mine, record)


def _on_workers(job: _Job, options: RunOptions, verbose: bool) -> Engine:
    """The engine of worker processes, here or on a cluster."""
    limits, where = Limits(options.timeout, options.start_timeout), options.workers

    def run(units: list[Unit], spec: TrackerSpec, seed: int) -> Iterable[Outcome]:
        here = Processes(spec, seed, where.jobs or 1, where.gpus, verbose)
        workers = where.cluster.engine(spec, seed, limits, verbose) if where.cluster else here
        facts = job.record.provenance
        return run_units(units, workers, limits=limits, lanes=options.lockstep, expected=facts)

    return run


@contextmanager
def _closing(outcomes: Iterable[Outcome]) -> Iterator[Iterable[Outcome]]:
    """Close the outcomes of an engine, if they are a generator."""
    try:
        yield outcomes
    finally:
        close = getattr(outcomes, "close", None)
        if close is not None:
            close()


def _name(engine: Engine | None, cluster: RayCluster | None) -> str:
    if engine is None:
        return "workers" if cluster is None else "ray"
    inner = engine.func if isinstance(engine, functools.partial) else engine
    return str(getattr(inner, "__name__", type(inner).__name__))


@dataclass(frozen=True)
class RunPlan:
    """What a run would do.

    Attributes:
        done: names of the finished runs.
        to_do: names of those that would run, the longest first.
        left_out: sequences that cannot run, and why.
    """

    done: tuple[str, ...]
    to_do: tuple[str, ...]
    left_out: Mapping[str, str]


def plan_run(
    dataset: Dataset, spec: TrackerSpec, store: Store, options: RunOptions = DEFAULTS
) -> RunPlan:
    """What ``run_tracker`` would do with these arguments; runs and writes nothing.

    Raises:
        ConfigError, DatasetError, TrackerError, ResultError: as ``run_tracker`` before it starts.
    """
    job = _job(dataset, spec, store, options, Workers())
    spec, wanted = job.spec, job.repetitions
    continue_record(store, spec.name, with_later_files(store, spec.name, job.record))
    done, to_do, left_out = [], [], {}
    for sequence in job.sequences:
        units = [Unit(sequence, options.seed, n, job.experiment) for n in range(1, wanted + 1)]
        try:
            here = [unit for unit in units if store.finished(spec.name, sequence, unit.repetition)]
            if len(here) < min(ENOUGH, wanted):
                check_frames(sequence)
                to_do += [unit for unit in units[:ENOUGH] if unit not in here]
            done += [unit.name for unit in here]
        except (BenchError, OSError) as error:
            left_out[sequence.name] = str(error)
    to_do.sort(key=lambda unit: -len(unit.sequence))
    return RunPlan(tuple(done), tuple(unit.name for unit in to_do), left_out)


def _waves(wanted: int) -> list[range]:
    """Repetitions to run: first enough to see whether they are equal, then the rest."""
    waves = range(1, min(ENOUGH, wanted) + 1), range(ENOUGH + 1, wanted + 1)
    return [wave for wave in waves if wave]


def _repetitions(experiment: Experiment, spec: TrackerSpec, limit: int | None) -> int:
    """How often a sequence is run at most."""
    if limit is None:
        return 1 if spec.is_deterministic() else experiment.repetitions
    if experiment.protocol != "onepass":
        return min(limit, experiment.repetitions)
    return limit


def _choose(dataset: Dataset, names: Collection[str] | None, partial: bool) -> list[Sequence]:
    chosen = list(dataset) if names is None else [dataset[name] for name in dict.fromkeys(names)]
    bare = [sequence for sequence in chosen if not _has_frames(sequence)]
    if chosen and all(sequence.frames is None for sequence in chosen):
        where = (
            dataset.root if names is None else f"{', '.join(list(names)[:3])} in {dataset.root}"
        )
        raise DatasetError(
            f"{where}: annotation only; running a tracker needs the images too. "
            "Give the folder of the official download with --data."
        )
    if partial and len(bare) < len(chosen):
        return [sequence for sequence in chosen if sequence not in bare]
    if names is None and 2 * len(bare) > len(chosen):
        shown = ", ".join(each.name for each in bare[:3]) + (", ..." if len(bare) > 3 else "")
        raise DatasetError(
            f"{len(bare)} of {len(chosen)} sequences in {dataset.root} have no frames ({shown}). "
            "Add the frames, name sequences that have some with --sequence, or leave the others "
            "out with --partial."
        )
    return chosen


def _has_frames(sequence: Sequence) -> bool:
    """Whether there is any frame; lists a folder of images, but opens no video."""
    frames = sequence.frames
    return frames is not None and (isinstance(frames, VideoFrames) or len(frames) > 0)


def _check_lockstep(
    spec: TrackerSpec, experiment: Experiment, lanes: int, engine: Engine | None
) -> None:
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


def _check_name(spec: TrackerSpec) -> None:
    if Path(spec.name).name != spec.name or spec.name.startswith("."):
        raise ConfigError(
            f"expected a plain folder name for the results, found {spec.name!r}. Choose a --name "
            "without a path separator or a leading dot."
        )

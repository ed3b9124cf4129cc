"""Runs trackers, and brings in results made elsewhere."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from bench.api.checks import require, require_dataset, require_path
from bench.benchmarks import get_benchmark, get_experiment
from bench.errors import ConfigError, TrackerError
from bench.results.memory import MemoryStore, StoredRun
from bench.results.stores import Store
from bench.runner.options import DEFAULTS, RunOptions, run_options, taking
from bench.sequence import Dataset, RegionTrajectory, Sequence, Trajectory, to_tracker

if TYPE_CHECKING:
    from bench.registry import TrackerSpec
    from bench.results.provenance import ImportReport
    from bench.results.record import RunFailure

_PLACES = ("jobs", "gpus", "per_gpu", "engine", "ray_address", "data_map", "lockstep")

AnyTrajectory: TypeAlias = Trajectory | RegionTrajectory


@dataclass(frozen=True, eq=False)
class Runs(Mapping[str, Any]):
    """The runs of one tracker, by sequence.

    ``runs["Crossing"]`` is a ``Trajectory`` (boxes in 0-based pixels); in an experiment of the
    VOT challenge, a list with a ``RegionTrajectory`` for each repetition.

    Attributes:
        tracker: name of the results.
        store: where they are kept.
        dataset: what was run.
        failures: sequences that could not be finished, and why.
    """

    tracker: str
    store: Store
    dataset: Dataset
    failures: tuple[RunFailure, ...] = ()

    def __getitem__(self, sequence: str) -> Any:
        found = self.dataset[sequence]
        if found.name not in self.store.sequences(self.tracker):
            raise KeyError(sequence)
        memory = MemoryStore(self.store.benchmark, self.store.experiment)
        memory.copy_from(self.store, self.tracker, sequences=[found.name])
        runs = [
            _trajectory(run, found, self.store.experiment)
            for _, run in sorted(memory.stored[self.tracker][found.name].items())
        ]
        return runs[0] if self.store.experiment == "onepass" else runs

    def __iter__(self) -> Iterator[str]:
        having = self.store.sequences(self.tracker)
        return (sequence.name for sequence in self.dataset if sequence.name in having)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __repr__(self) -> str:
        failed = f", {len(self.failures)} failures" if self.failures else ""
        return f"<{self.tracker}: {len(self)} of {len(self.dataset)} sequences{failed}>"


def _trajectory(run: StoredRun, sequence: Sequence, experiment: str) -> AnyTrajectory:
    unknown = np.full(len(run.regions), np.nan)
    seconds = unknown if run.times is None else run.times
    scores = unknown if run.scores is None else run.scores
    if experiment != "onepass":
        return RegionTrajectory(run.regions, seconds, scores, run.masks or ())
    boxes = to_tracker(run.regions.values[:, :4], sequence.index_base)
    return Trajectory(boxes, seconds, scores, run.masks or ())


@taking(before="results")
def run(
    tracker: Any,
    data: Dataset | Sequence,
    *,
    name: str | None = None,
    options: Mapping[str, Any] | None = None,
    weights: str | Path | None = None,
    device: str | None = None,
    images: str | None = None,
    first_box: str | None = None,
    experiment: str | None = None,
    results: str | Path | None = None,
    progress: bool | None = None,
    **running: Any,
) -> Any:
    """Run a tracker along a sequence, or over all sequences of a dataset.

    Args:
        tracker: a registered name, ``"module:Class"``, ``"path/file.py:Class"``, a class, or an
            object with ``init`` and ``update``.
        data: a dataset or one sequence, with frames.
        name: of the results; the tracker's by default.
        options: keyword arguments of the tracker's constructor.
        weights: file for the tracker's option of that name.
        device: for the tracker's option of that name, e.g. ``"cuda"``.
        images: what a tracker of another toolkit reads: ``"rgb"``, ``"bgr"``, ``"gray"`` or
            ``"pil"``.
        first_box: of such a tracker, ``"pysot"`` moves it by half a pixel.
        experiment: of the VOT challenge; the benchmark's main one by default.
        results: folder to keep the results in, resumable; in memory by default.
        progress: show progress; by default on a terminal only.
        running: how to run it, by the names of the options of ``bench run``; all of them are
            in ``bench.RunOptions``, e.g. ``jobs=4``, ``gpus="auto"``, ``shard="3/20"``.

    Returns:
        For a sequence a ``Trajectory`` (``RegionTrajectory`` on VOT), for a dataset ``Runs``; a
        tracker that fails costs its sequence only, which a warning and ``Runs.failures`` name.

    Raises:
        TrackerError: the tracker could not be built, or no sequence could be finished.
        DatasetError: frames are missing or cannot be decoded.
        ConfigError: an unknown tracker, option or experiment, or a wrong argument.
        ResultError: ``results`` holds results of something else under that name.
    """
    spec = _spec(tracker, name, options, weights, device, images=images, first_box=first_box)
    chosen = RunOptions.of(running)
    if isinstance(data, Sequence):
        return _run_sequence(spec, data, experiment, chosen)
    dataset, engine = require_dataset(data), _engine(tracker, chosen)
    found = _run_dataset(spec, dataset, experiment, chosen, results, progress, engine)
    _warn(found)
    return found


def _run_dataset(
    spec: TrackerSpec,
    dataset: Dataset,
    experiment: str | None,
    chosen: RunOptions,
    results: str | Path | None,
    progress: bool | None,
    engine: Any,
) -> Runs:
    """The runs over a dataset, kept in the folder asked for, else in memory."""
    from bench.results import open_store
    from bench.runner import run_tracker

    with ExitStack() as stack:
        store = open_store(_folder(results, stack), dataset.benchmark, experiment)
        summary = run_tracker(dataset, spec, store, chosen, progress=progress, engine=engine)
        if results is None:
            memory = MemoryStore(dataset.benchmark, store.experiment)
            memory.copy_from(store, spec.name)
            store = memory
    return Runs(spec.name, store, dataset, summary.failures)


def _folder(results: str | Path | None, stack: ExitStack) -> Path:
    """Where the runner keeps results: the folder asked for, or one that goes afterwards."""
    if results is not None:
        return require_path(results, "results").absolute()  # wherever a tracker changes to
    return Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))


def _warn(runs: Runs) -> None:
    """Warn of sequences that failed, or raise if nothing was finished."""
    if not runs.failures:
        return
    causes = "\n".join(
        f"  {each.sequence}, frame {each.frame or 0}: {each.cause}" for each in runs.failures[:5]
    )
    many = "sequence" if len(runs.failures) == 1 else "sequences"
    message = f"{runs.tracker}: {len(runs.failures)} {many} failed:\n{causes}"
    if not runs.store.sequences(runs.tracker):
        raise TrackerError(message)
    warnings.warn(message, stacklevel=3)


def _spec(
    tracker: Any,
    name: str | None,
    options: Mapping[str, Any] | None,
    weights: str | Path | None,
    device: str | None,
    **foreign: str | None,
) -> TrackerSpec:
    from bench.registry import make_spec

    methods = (getattr(tracker, method, None) for method in ("init", "update"))
    if not (isinstance(tracker, str | type) or all(map(callable, methods))):
        raise ConfigError(
            "expected a tracker: a name, module:Class, path/file.py:Class, a class, or an object "
            f"with init and update, found {type(tracker).__name__}"
        )
    file = None if weights is None else require_path(weights, "weights")
    if options is not None:
        require(options, Mapping, "options: expected values by name")  # type: ignore[type-abstract]
    return make_spec(tracker, options, name, device, file, **foreign)


def _engine(tracker: Any, chosen: RunOptions) -> Any:
    """Where a tracker runs: an object stays in this process, everything else gets workers."""
    if isinstance(tracker, str | type):
        return None
    _refuse(chosen, _PLACES, "an object runs in this process; give its class instead")
    from bench.runner.inprocess import run_here

    return run_here


def _refuse(chosen: RunOptions, names: Collection[str], why: str) -> None:
    """Raise if one of these options was given: nothing is ignored in silence."""
    for name in names:
        value = getattr(chosen, name)
        one = (name, value) in (("jobs", 1), ("repetitions", 1))
        if value != getattr(DEFAULTS, name) and not one:
            raise ConfigError(f"{name}={value!r}: {why}")


def _run_sequence(
    spec: TrackerSpec, sequence: Sequence, experiment: str | None, chosen: RunOptions
) -> AnyTrajectory:
    """One run in this process; the tracker's own exception is the cause of ours."""
    from bench.runner.session import with_paths
    from bench.runner.unit import Unit, build_tracker, run_unit

    others = [option.name for option in run_options() if option.name not in ("seed", "masks")]
    _refuse(chosen, others, "a single sequence runs once, in this process; give a dataset")
    benchmark = get_benchmark(sequence.benchmark or "folder")
    single = get_experiment(benchmark.experiment(experiment))
    tracker = build_tracker(spec.on(benchmark.name), chosen.seed)
    clip = with_paths(sequence)
    return run_unit(tracker, Unit(clip, chosen.seed, 1, single, chosen.masks))


def load_results(
    results: str | Path, data: Dataset, *, experiment: str | None = None
) -> dict[str, Runs]:
    """The results stored under a folder, by tracker.

    Args:
        results: the folder that holds ``<benchmark>/<tracker>/``.
        data: the sequences they are of.
        experiment: of the VOT challenge; the benchmark's main one by default.

    Raises:
        ConfigError: an unknown experiment, or an argument of the wrong type.
        ResultError: the name of a folder is not text.
    """
    from bench.results import open_store

    dataset = require_dataset(data)
    store = open_store(require_path(results, "results"), dataset.benchmark, experiment)
    return {name: Runs(name, store, dataset) for name in store.trackers()}


def import_results(
    source: str | Path,
    data: Dataset,
    *,
    name: str,
    results: str | Path = "results",
    format: str | None = None,
    origin: float | None = None,
    partial: bool = False,
) -> ImportReport:
    """Import raw results made elsewhere; ``load_results`` and ``evaluate`` then find them.

    Args:
        source: folder or zip archive with the results of one tracker.
        data: the sequences they are of.
        name: to store them under.
        results: folder to store them in.
        format: as of ``bench import --format``; detected by default.
        origin: what the source calls the first pixel, 0 or 1; the benchmark's own by default.
        partial: accept that sequences are missing.

    Raises:
        ConfigError: an unknown format, or a wrong argument.
        ResultError: nothing was found, a file is malformed, or sequences are missing.
    """
    from bench.results import open_store
    from bench.results.importing import import_results as bring_in

    dataset = require_dataset(data)
    store = open_store(require_path(results, "results"), dataset.benchmark)
    return bring_in(
        require_path(source, "source"), store, require(name, str, "expected a name"), dataset,
        format=format, index_base=origin, partial=partial,
    )  # fmt: skip


def export_results(
    runs: Runs,
    destination: str | Path,
    *,
    format: str,
    origin: float | None = None,
) -> int:
    """Write results in another toolkit's format; returns the number of sequences written.

    Args:
        runs: what ``run`` or ``load_results`` returned.
        destination: the toolkit's folder of results.
        format: as of ``bench export --format``.
        origin: what the toolkit calls the first pixel, 0 or 1; the benchmark's own by default.

    Raises:
        ConfigError: an unknown format, or a wrong argument.
        ResultError: a file is there with other content.
    """
    from bench.results.exporting import export_results as hand_out

    found = require(runs, Runs, "expected runs, as bench.run or bench.load_results returns them")
    return hand_out(
        found.store, found.tracker, found.dataset, format,
        require_path(destination, "destination"), index_base=origin,
    )  # fmt: skip

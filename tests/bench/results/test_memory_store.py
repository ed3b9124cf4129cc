"""The store in memory behaves like the stores on disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bench.errors import ResultError
from bench.evaluation import evaluate
from bench.geometry import FAILED, INITIALISED, SKIPPED, Regions
from bench.results.exporting import export_results
from bench.results.memory import MemoryStore, StoredRun
from bench.results.onepass import OnePassStore
from bench.results.stores import Store
from bench.results.vot.store import VotStore
from bench.sequence import Dataset, RegionTrajectory, Sequence, Trajectory

FRAMES = 30


def moving(name: str, index_base: float) -> Sequence:
    truth = np.tile([20.0, 30.0, 40.0, 10.0], (FRAMES, 1))
    truth[:, 0] += np.arange(FRAMES)
    return Sequence(name, truth, index_base=index_base, size=(320, 240))


def dataset_of(benchmark: str, index_base: float) -> Dataset:
    sequences = tuple(moving(name, index_base) for name in ("bag", "ball1"))
    return Dataset(benchmark, Path("data"), sequences, expected=2)


OTB, VOT = dataset_of("otb2015", 1.0), dataset_of("vot2018", 0.0)
SEQUENCE = OTB["bag"]


def boxes_run(sequence: Sequence, seed: int) -> Trajectory:
    generator = np.random.default_rng(seed)
    boxes = sequence.ground_truth - [1, 1, 0, 0] + generator.normal(0, 5, (FRAMES, 4))
    return Trajectory(boxes, generator.uniform(0.01, 0.1, FRAMES), np.full(FRAMES, np.nan))


def regions_run(sequence: Sequence, seed: int) -> RegionTrajectory:
    """A run that fails in frame 12 and restarts in frame 17."""
    generator = np.random.default_rng(seed)
    rows = (sequence.ground_truth + generator.normal(0, 2, (FRAMES, 4))).tolist()
    rows[0], rows[12], rows[17] = [INITIALISED], [FAILED], [INITIALISED]
    rows[13:17] = [[SKIPPED]] * 4
    times = generator.uniform(0.01, 0.1, FRAMES)
    return RegionTrajectory(Regions.from_rows(rows), times, np.full(FRAMES, np.nan))


def copied(disk: Store) -> MemoryStore:
    memory = MemoryStore(disk.benchmark, disk.experiment)
    for tracker in disk.trackers():
        memory.copy_from(disk, tracker)
    return memory


@pytest.fixture
def onepass(tmp_path: Path) -> OnePassStore:
    store = OnePassStore(tmp_path, "otb2015")
    for seed, sequence in enumerate(OTB):
        for tracker in ("A", "b"):
            store.write(tracker, sequence, boxes_run(sequence, 10 * seed + ord(tracker)))
    return store


@pytest.fixture
def baseline(tmp_path: Path) -> VotStore:
    store = VotStore(tmp_path, "vot2018", "baseline")
    for seed, sequence in enumerate(VOT):
        for tracker in ("A", "b"):
            for repetition in (1, 2, 3)[: 3 - seed]:
                run = regions_run(sequence, 100 * seed + 10 * repetition + ord(tracker))
                store.write(tracker, sequence, run, repetition)
    return store


def test_boxes_return_in_file_coordinates() -> None:
    store, run = MemoryStore("otb2015"), boxes_run(SEQUENCE, 0)
    assert not store.finished("T", SEQUENCE)
    store.write("T", SEQUENCE, run)
    assert store.finished("T", SEQUENCE)
    assert (store.trackers(), store.sequences("T")) == (["T"], {"bag"})
    assert store.repetitions("T", "bag") == (1,)
    regions = store.read_run("T", "bag", frames=FRAMES)
    np.testing.assert_array_equal(regions.values[:, :4], run.boxes + np.array([1, 1, 0, 0]))
    np.testing.assert_array_equal(store.read_times("T", "bag"), run.times)


def test_regions_and_repetitions_return_unchanged() -> None:
    store, sequence = MemoryStore("vot2018", "baseline"), VOT["bag"]
    runs = {repetition: regions_run(sequence, repetition) for repetition in (3, 1)}
    for repetition, run in runs.items():
        store.write("T", sequence, run, repetition)
    assert store.repetitions("T", "bag") == (1, 3)
    assert store.finished("T", sequence, 3)
    assert not store.finished("T", sequence, 2)
    assert store.read_run("T", "bag") is runs[1].regions, "the first run by default"
    assert store.read_runs("T", "bag", FRAMES) == [runs[1].regions, runs[3].regions]
    times = store.read_times("T", "bag")
    assert times is not None
    np.testing.assert_array_equal(times[:, [0, 2]].T, [runs[1].times, runs[3].times])
    assert np.isnan(times[:, 1]).all()


@pytest.mark.parametrize("experiment", ["onepass", "baseline"])
def test_missing_runs_and_times(experiment: str) -> None:
    store = MemoryStore("vot2018", experiment)
    assert (store.trackers(), store.sequences("T")) == ([], frozenset())
    assert store.read_times("T", "bag") is None
    store.add("T", "bag", StoredRun(Regions.from_rows([[1], [1, 2, 3, 4]])))
    assert store.read_times("T", "bag") is None
    with pytest.raises(ResultError, match=r"vot2018/T: expected run 2 of bag, found 1"):
        store.read_run("T", "bag", 2)
    with pytest.raises(ResultError, match=r"T/bag: expected 3 rows, .* found 2"):
        store.read_run("T", "bag", frames=3)


def test_a_copy_equals_the_store_on_disk(onepass: OnePassStore, baseline: VotStore) -> None:
    stores: tuple[tuple[Store, Dataset], ...] = ((onepass, OTB), (baseline, VOT))
    for disk, dataset in stores:
        memory = copied(disk)
        assert memory.trackers() == disk.trackers() == ["A", "b"]
        for name in (sequence.name for sequence in dataset):
            assert memory.repetitions("A", name) == disk.repetitions("A", name)
            pairs = zip(memory.read_runs("A", name), disk.read_runs("A", name), strict=True)
            for ours, theirs in pairs:
                np.testing.assert_array_equal(ours.values, theirs.values)
            np.testing.assert_array_equal(memory.read_times("A", name), disk.read_times("A", name))


def test_a_copy_may_have_another_name_and_fewer_sequences(onepass: OnePassStore) -> None:
    memory = MemoryStore("otb2015")
    memory.copy_from(onepass, "A", "C", ["bag"])
    assert (memory.trackers(), memory.sequences("C")) == (["C"], {"bag"})


def test_scores_equal_those_of_the_store_on_disk(
    onepass: OnePassStore, baseline: VotStore
) -> None:
    stores: tuple[tuple[Store, Dataset], ...] = ((onepass, OTB), (baseline, VOT))
    for disk, dataset in stores:
        (expected,) = evaluate(dataset, disk)
        (found,) = evaluate(dataset, copied(disk))
        assert set(found.trackers) == {"A", "b"}
        assert found.to_json() == expected.to_json()


@pytest.mark.parametrize("format_", ["got10k", "otb-mat", "vot"])
def test_exports_equal_those_of_the_store_on_disk(
    onepass: OnePassStore, baseline: VotStore, tmp_path: Path, format_: str
) -> None:
    disk, dataset = (baseline, VOT) if format_ == "vot" else (onepass, OTB)
    for store, folder in ((disk, "disk"), (copied(disk), "memory")):
        assert export_results(store, "A", dataset, format_, tmp_path / folder) == 2
    files = [path.relative_to(tmp_path / "disk") for path in (tmp_path / "disk").rglob("*.*")]
    assert files
    for path in files:
        assert (tmp_path / "memory" / path).read_bytes() == (tmp_path / "disk" / path).read_bytes()

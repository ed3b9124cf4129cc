"""Whole runs on real worker processes: results, failures of every kind, refusals."""

from __future__ import annotations

import dataclasses
import json
import os
import platform
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from bench.errors import ConfigError, DatasetError, ResultError, TrackerError
from bench.registry import TrackerSpec
from bench.results.onepass import OnePassStore
from bench.runner import RunOptions, RunSummary, run_tracker
from bench.sequence import Dataset

LENGTHS = {"a": 6, "b": 12, "c": 9}


def spec(tracker: str, name: str = "fake", **options: Any) -> TrackerSpec:
    return TrackerSpec(name, f"fake_trackers:{tracker}", options)


@pytest.fixture
def dataset(fakes: ModuleType) -> Dataset:
    made: Dataset = fakes.make_dataset(**LENGTHS)
    return made


def files(store: OnePassStore, name: str = "fake") -> dict[str, bytes]:
    """Contents of boxes and scores; times differ from run to run."""
    folder = store.folder(name)
    paths = [*folder.glob("*.txt"), *folder.glob("scores/*.txt")]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def record(store: OnePassStore, name: str = "fake") -> dict[str, Any]:
    content: dict[str, Any] = json.loads(store.record_path(name).read_text())
    return content


def test_results_do_not_depend_on_jobs_order_or_earlier_sequences(
    dataset: Dataset, store: OnePassStore
) -> None:
    one = run_tracker(dataset, spec("Wanderer", "one"), store)
    assert one == RunSummary(("b", "c", "a"), (), ())  # the longest first
    two = run_tracker(dataset, spec("Wanderer", "two"), store, RunOptions(jobs=2))
    assert sorted(two.finished) == ["a", "b", "c"]
    run_tracker(dataset, spec("Wanderer", "alone"), store, RunOptions(sequences=["a"]))
    assert files(store, "one") == files(store, "two")
    assert files(store, "alone") == {k: v for k, v in files(store, "one").items() if "a" in k}
    other = run_tracker(
        dataset, spec("Wanderer", "seed"), store, RunOptions(seed=1, sequences=["a"])
    )
    assert other.finished == ("a",)
    assert files(store, "seed")["a.txt"] != files(store, "one")["a.txt"]


def test_what_is_stored(dataset: Dataset, store: OnePassStore) -> None:
    run_tracker(dataset, spec("Wanderer"), store)
    boxes, times = store.read_boxes("fake", "a"), store.read_times("fake", "a")
    assert boxes.shape == (6, 4)
    assert boxes[0].tolist() == [3, 4, 5, 6]  # the row of the annotation file, 1-based
    assert times is not None
    assert times.shape == (6,)
    assert (times > 0).all()
    assert store.confidence_path("fake", "a").read_text().startswith("nan\n0.")
    written = record(store)
    assert written["kind"] == "run"
    (place,) = written["sessions"][0]["places"]
    assert (place["device"], place["host"]) == ("cpu", platform.node())
    assert sorted(place["runs"]) == ["a", "b", "c"]
    assert written["failures"] == []
    assert written["sessions"][0]["ended"] >= written["sessions"][0]["started"]
    assert written["sessions"][0]["threads"] == 1
    assert written["sessions"][0]["caveats"] == ["partial: 3 of 100 sequences"]


def test_nothing_is_run_twice(dataset: Dataset, store: OnePassStore, tmp_path: Path) -> None:
    log = tmp_path / "starts.log"
    wanderer = spec("Wanderer", start_log=str(log))
    run_tracker(dataset, wanderer, store, RunOptions(sequences=["a", "a"]))
    before = store.boxes_path("fake", "a").stat()
    store.boxes_path("fake", "b").write_text("1,2,3,4\n")  # too short to be finished
    again = run_tracker(dataset, wanderer, store)
    assert (again.finished, again.skipped) == (("b", "c"), ("a",))
    after = store.boxes_path("fake", "a").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
    done, session_count = store.record_path("fake").read_bytes(), len(record(store)["sessions"])
    assert run_tracker(dataset, wanderer, store) == RunSummary((), ("a", "b", "c"), ())
    assert store.record_path("fake").read_bytes() == done
    assert session_count == 2
    starts = [line.split()[1] for line in log.read_text().splitlines()]
    assert len(starts) == len(set(starts)) == 3


TROUBLES = {
    "raise": r"ValueError: lost my mind \(.*fake_trackers.py:\d+\)",
    "hang": "no answer within 3 s",
    "exit": "ended with exit code 7",
    "quit": "ended with exit code 9",
    "crash": r"killed by signal 11 \(Segmentation fault\)",
    "killed": r"killed by signal 9 \(Killed, perhaps because memory ran out\)",
    "nothing": "expected a Prediction, found None",
    "nan": "expected finite numbers",
    "shape": r"found shape \(5,\)",
}


def test_trouble_costs_its_sequence_only(fakes: ModuleType, store: OnePassStore) -> None:
    dataset = fakes.make_dataset(**dict.fromkeys(TROUBLES, 6), **LENGTHS)
    plan = {int(dataset[kind].frames[0].sum()): kind for kind in TROUBLES}
    trouble = spec("Trouble", plan=plan)
    summary = run_tracker(dataset, trouble, store, RunOptions(jobs=2, timeout=3.0))
    assert set(summary.finished) == store.sequences("fake") == {"a", "b", "c"}
    assert {(f.sequence, f.frame) for f in summary.failures} == {(kind, 3) for kind in TROUBLES}
    for failure in summary.failures:
        assert re.search(TROUBLES[failure.sequence], failure.cause)
    assert record(store)["failures"] == [dataclasses.asdict(f) for f in summary.failures]


def test_a_failed_sequence_is_tried_again_and_its_failure_cleared(
    dataset: Dataset, store: OnePassStore
) -> None:
    frames = dataset["b"].frames
    broken = dataclasses.replace(frames, missing=4)  # type: ignore[type-var]
    sequences = (dataclasses.replace(dataset["b"], frames=broken), dataset["a"])
    partial = dataclasses.replace(dataset, sequences=sequences)
    (failure,) = run_tracker(partial, spec("Wanderer"), store, RunOptions(jobs=2)).failures
    assert (failure.sequence, failure.frame) == ("b", 5)
    assert failure.cause == "frame 5 of 12: /no/where.jpg does not exist"
    assert record(store)["failures"] == [dataclasses.asdict(failure)]
    again = run_tracker(dataset, spec("Wanderer"), store)
    assert (again.finished, again.skipped, again.failures) == (("b", "c"), ("a",), ())
    assert record(store)["failures"] == []


def test_every_sequence_may_fail(dataset: Dataset, store: OnePassStore) -> None:
    plan = {int(sequence.frames[0].sum()): "exit" for sequence in dataset}  # type: ignore[index]
    summary = run_tracker(dataset, spec("Trouble", plan=plan, at=1), store)
    assert [(f.sequence, f.frame) for f in summary.failures] == [("b", 1), ("c", 1), ("a", 1)]
    assert summary.finished == ()


def test_sequences_that_cannot_be_run_are_failures(
    fakes: ModuleType, dataset: Dataset, store: OnePassStore
) -> None:
    short = fakes.make_sequence("short", 5, frames=fakes.Noise(1, 4))
    bare = fakes.make_sequence("bare", 5, frames=None)
    locked = fakes.make_sequence("locked", 5, frames=_Unpicklable())
    mixed = dataclasses.replace(dataset, sequences=(short, bare, locked, dataset["a"]))
    summary = run_tracker(mixed, spec("Wanderer"), store)
    assert summary.finished == ("a",)
    causes = {failure.sequence: failure.cause for failure in summary.failures}
    assert "expected 5 frames, found 4" in causes["short"]
    assert "annotation only" in causes["bare"]
    assert "cannot be sent to a worker process" in causes["locked"]
    assert all(failure.frame is None for failure in summary.failures)


class _Unpicklable:
    def __len__(self) -> int:
        return 5

    def __reduce__(self) -> str:
        raise TypeError("cannot pickle a lock")


def test_annotation_alone_cannot_be_run(
    fakes: ModuleType, dataset: Dataset, store: OnePassStore
) -> None:
    bare = tuple(dataclasses.replace(sequence, frames=None) for sequence in dataset)
    with pytest.raises(DatasetError, match="annotation only; running a tracker needs the images"):
        run_tracker(dataclasses.replace(dataset, sequences=bare), spec("Wanderer"), store)


@pytest.mark.parametrize(
    ("how", "limit", "message"),
    [
        ("say", 60, "^needs a licence$"),
        ("exit", 60, "could not be built: its process ended with exit code 5"),
        ("hang", 1, "could not be built: no answer within 1 s"),
    ],
)
def test_a_tracker_that_cannot_be_built_is_one_error(
    how: str, limit: float, message: str, dataset: Dataset, store: OnePassStore
) -> None:
    with pytest.raises(TrackerError, match=message):
        run_tracker(dataset, spec("Unbuildable", how=how), store, RunOptions(start_timeout=limit))
    assert store.sequences("fake") == frozenset()


def test_a_name_without_results_is_free(dataset: Dataset, store: OnePassStore) -> None:
    message = r"'fake_trackers:Unbuildable' could not be built .*OSError: no such weights"
    with pytest.raises(TrackerError, match=message):
        run_tracker(dataset, spec("Unbuildable"), store, RunOptions(jobs=2))
    one = run_tracker(dataset, spec("Wanderer"), store, RunOptions(sequences=["a"]))
    assert one.finished == ("a",)
    assert len(record(store)["sessions"]) == 1


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"jobs": 0}, ConfigError, "--jobs: expected 1 or more, found 0"),
        ({"timeout": 0.0}, ConfigError, "--timeout: expected 0.1 or more"),
        ({"timeout": float("nan")}, ConfigError, "--timeout: expected 0.1 or more"),
        ({"shard": "3/2"}, ConfigError, "--shard expects i/n"),
        ({"job": 2}, ConfigError, "unknown option of a run 'job'. Did you mean 'jobs'?"),
        ({"sequences": ["a", "bb"]}, ConfigError, "unknown sequence 'bb'. Did you mean 'b'?"),
        ({"spec": spec("Wanderer", "../up")}, ConfigError, "plain folder name"),
        ({"spec": spec("Wanderer", ".hidden")}, ConfigError, "plain folder name"),
        ({"spec": spec("Wonderer")}, ConfigError, "Did you mean 'Wanderer'?"),
    ],
)
def test_arguments_that_make_no_sense(
    changes: dict[str, Any],
    error: type[Exception],
    message: str,
    dataset: Dataset,
    store: OnePassStore,
) -> None:
    chosen = {name: value for name, value in changes.items() if name != "spec"}
    with pytest.raises(error, match=re.escape(message)):
        run_tracker(dataset, changes.get("spec", spec("Wanderer")), store, RunOptions.of(chosen))
    assert not store.root.exists()


def test_results_of_another_provenance_are_refused(dataset: Dataset, store: OnePassStore) -> None:
    run_tracker(dataset, spec("Wanderer"), store, RunOptions(sequences=["a"]))
    before = store.record_path("fake").read_bytes()
    with pytest.raises(ResultError, match="seed: expected 1, found 0") as caught:
        run_tracker(dataset, spec("Wanderer", pause=0.1), store, RunOptions(seed=1))
    assert "options.pause: expected 0.1, found None" in str(caught.value)
    assert "--name" in str(caught.value)
    with pytest.raises(ResultError, match="miniature: expected True, found False"):
        run_tracker(dataclasses.replace(dataset, miniature=True), spec("Wanderer"), store)
    assert store.record_path("fake").read_bytes() == before
    assert store.sequences("fake") == {"a"}


def test_another_device_is_recorded_and_refused_on_request(
    dataset: Dataset, store: OnePassStore
) -> None:
    run_tracker(dataset, spec("Wanderer"), store, RunOptions(sequences=["a"]))
    path = store.record_path("fake")
    path.write_text(path.read_text().replace('"device": "cpu"', '"device": "Giant GPU"'))
    with pytest.raises(ResultError, match="were made on Giant GPU, this one on cpu"):
        run_tracker(dataset, spec("Wanderer"), store, RunOptions(same_device=True))
    assert store.sequences("fake") == {"a"}
    run_tracker(dataset, spec("Wanderer"), store)
    places = [place for each in record(store)["sessions"] for place in each.get("places", ())]
    assert {place["device"]: sorted(place["runs"]) for place in places} == {
        "Giant GPU": ["a"], "cpu": ["b", "c"],
    }  # fmt: skip


@pytest.mark.parametrize(("jobs", "seen"), [(2, {0, 3}), (4, {0, 3})])
def test_each_worker_sees_a_gpu_of_its_own(
    jobs: int,
    seen: set[int],
    fakes: ModuleType,
    store: OnePassStore,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr("bench.runner.devices.installed_gpus", tuple)  # numbers are believed
    dataset = fakes.make_dataset(**dict.fromkeys("abcdefgh", 4))
    chosen = RunOptions(gpus="0,3", per_gpu=jobs // 2)
    run_tracker(dataset, spec("SeesGpu", pause=0.3), store, chosen)
    boxes = [store.read_boxes("fake", name)[1] - (1, 1, 0, 0) for name in "abcdefgh"]
    workers = {int(box[1]): int(box[0]) for box in boxes}
    assert set(workers.values()) == seen
    assert len(workers) == jobs
    assert [list(workers.values()).count(gpu) for gpu in seen] == [jobs // 2] * 2
    assert record(store)["sessions"][0]["gpus"] == ["0", "3"]
    assert "CUDA_VISIBLE_DEVICES" not in os.environ


def test_results_without_a_record_are_refused(dataset: Dataset, store: OnePassStore) -> None:
    store.folder("fake").mkdir(parents=True)
    store.boxes_path("fake", "a").write_text("1,2,3,4\n" * 6)
    with pytest.raises(ResultError, match="expected a record"):
        run_tracker(dataset, spec("Wanderer"), store)
    store.record_path("fake").write_text('{"kind": "import", "source": "/raw"}')
    with pytest.raises(ResultError, match="found kind 'import'"):
        run_tracker(dataset, spec("Wanderer"), store)
    store.record_path("fake").write_text("{}")
    with pytest.raises(ResultError, match="expected the record of a run"):
        run_tracker(dataset, spec("Wanderer"), store)


def test_a_result_folder_that_cannot_be_made(dataset: Dataset, tmp_path: Path) -> None:
    (tmp_path / "results").write_text("a file")
    with pytest.raises(ResultError, match="cannot be written to"):
        run_tracker(dataset, spec("Wanderer"), OnePassStore(tmp_path / "results", "otb2015"))


def test_leftovers_of_a_killed_writer_are_swept(dataset: Dataset, store: OnePassStore) -> None:
    run_tracker(dataset, spec("Wanderer"), store)
    folder = store.folder("fake")
    leftovers = [
        folder / ".a.txt.abcd_123", folder / "times/.a_time.txt.00000000",
        folder / "scores/.a_score.txt.zzzzzzzz", folder / ".run.json.q1w2e3r4",
    ]  # fmt: skip
    kept = [folder / ".gitignore", folder / ".note.txt", folder / "notes.txt.abcd_123"]
    for path in leftovers + kept:
        path.touch()
    run_tracker(dataset, spec("Wanderer"), store)
    assert not any(path.exists() for path in leftovers)
    assert all(path.exists() for path in kept)


@pytest.mark.parametrize("jobs", [1, 2])
def test_threads_do_not_follow_from_jobs(
    jobs: int, dataset: Dataset, store: OnePassStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.delenv("PYTHONHASHSEED", raising=False)
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "3")  # what the caller says is respected
    run_tracker(dataset, spec("Threads"), store, RunOptions(jobs=jobs, sequences=["a"]))
    assert store.read_boxes("fake", "a")[1].tolist() == [1 + 1, 1 + 1, 3, 0]  # 1-based file
    assert "OMP_NUM_THREADS" not in os.environ


def test_nothing_is_printed_unless_asked(
    dataset: Dataset, store: OnePassStore, capfd: pytest.CaptureFixture[str]
) -> None:
    run_tracker(dataset, spec("Wanderer", "quiet"), store, RunOptions(sequences=["a"]))
    assert capfd.readouterr() == ("", "")
    shown = spec("Wanderer", "shown", pause=0.1)
    run_tracker(dataset, shown, store, RunOptions(sequences=["a"]), progress=True)
    assert "0/1 sequences" in capfd.readouterr().err

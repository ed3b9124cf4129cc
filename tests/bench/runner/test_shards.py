"""Shards of a run: equal shares, one folder, and a record that is whole in the end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import ConfigError, ResultError
from bench.loading import ROOT
from bench.locks import locked
from bench.registry import TrackerSpec
from bench.results.onepass import OnePassStore
from bench.results.record import read_record
from bench.runner import RunOptions, run_tracker
from bench.runner.merging import merge_results, remove_results
from bench.runner.shards import Shard, close_records, gathered_record, parts, running_shards
from bench.sequence import Dataset

HERE = Path(__file__).parent
LENGTHS = {"a": 8, "b": 12, "c": 30, "d": 10, "e": 9}
RUN = """
import json, sys
from pathlib import Path
import fake_trackers
from bench.registry import TrackerSpec
from bench.results.onepass import OnePassStore
from bench.runner import RunOptions, run_tracker

root, shard, lengths = sys.argv[1:]
spec = TrackerSpec("fake", "fake_trackers:Wanderer", {"pause": 0.02})
dataset = fake_trackers.make_dataset(**json.loads(lengths))
run_tracker(dataset, spec, OnePassStore(Path(root), "otb2015"), RunOptions(shard=shard))
"""


@pytest.fixture
def dataset(fakes: ModuleType) -> Dataset:
    made: Dataset = fakes.make_dataset(**LENGTHS)
    return made


def spec(name: str = "fake", kind: str = "Wanderer", **options: Any) -> TrackerSpec:
    return TrackerSpec(name, f"fake_trackers:{kind}", options)


def files(store: OnePassStore, name: str = "fake") -> dict[str, bytes]:
    folder = store.folder(name)
    paths = [*folder.glob("*.txt"), *folder.glob("scores/*.txt")]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


@given(st.lists(st.integers(1, 3000), max_size=60), st.integers(1, 9))
def test_every_sequence_is_in_one_share_and_shares_are_even(counts: list[int], n: int) -> None:
    class Length(str):
        name = property(str)
        count = 0

        def __len__(self) -> int:
            return self.count

    sequences = [Length(f"s{index}") for index in range(len(counts))]
    for each, count in zip(sequences, counts, strict=True):
        each.count = count
    shares = [Shard(i, n).share(sequences) for i in range(1, n + 1)]  # type: ignore[arg-type]
    assert sorted(str(each) for share in shares for each in share) == sorted(map(str, sequences))
    loads = [sum(map(len, share)) for share in shares]
    assert max(loads) - min(loads) <= max(counts, default=0)


@pytest.mark.parametrize("text", ["0/3", "4/3", "1", "1/0", "a/b", "-1/2", "1/2/3", ""])
def test_a_shard_is_i_of_n_counted_from_one(text: str) -> None:
    with pytest.raises(ConfigError, match="i from 1 to n"):
        Shard.parse(text)
    assert Shard.parse("3/20") == Shard(3, 20)


def test_shards_together_are_the_run(dataset: Dataset, store: OnePassStore) -> None:
    run_tracker(dataset, spec("whole"), store)
    for index in (2, 1, 3):
        run_tracker(dataset, spec(), store, RunOptions(shard=f"{index}/3"))
    assert files(store) == files(store, "whole")
    record = read_record(store.record_path("fake"))
    assert record is not None
    runs = [run for s in record.sessions for place in s["places"] for run in place["runs"]]
    assert sorted(runs) == sorted(LENGTHS)
    assert len(record.sessions) == 3
    assert all(session["ended"] for session in record.sessions)
    assert list(parts(store.folder("fake"))) == []
    assert run_tracker(dataset, spec(), store).finished == ()


def test_a_failure_of_a_shard_is_recorded_and_cleared(
    fakes: ModuleType, store: OnePassStore
) -> None:
    dataset = fakes.make_dataset(a=6, b=5)
    first = int(dataset["a"].frames[0].sum())
    plan = spec(kind="Trouble", plan={first: "raise"})
    for index in (1, 2):
        run_tracker(dataset, plan, store, RunOptions(shard=f"{index}/2"))
    record = read_record(store.record_path("fake"))
    assert record is not None
    assert [failure.sequence for failure in record.failures] == ["a"]
    store.boxes_path("fake", "a").write_text("1,2,3,4\n" * 6)  # as if it had run since
    run_tracker(dataset, plan, store, RunOptions(shard="1/2"))
    record = read_record(store.record_path("fake"))
    assert record is not None
    assert record.failures == ()


def test_shards_and_whole_runs_keep_out_of_each_other(
    dataset: Dataset, store: OnePassStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.runner.shards._PATIENCE", 0.1)
    folder = store.folder("fake")
    with locked(folder, name=Shard(1, 2).lock):
        assert running_shards(folder) == ["1-of-2"]
        with pytest.raises(ResultError, match="shard 1/2 of a run is writing there"):
            run_tracker(dataset, spec(), store)
        with pytest.raises(ResultError, match="is writing there"):
            run_tracker(dataset, spec(), store, RunOptions(shard="1/2"))
        run_tracker(dataset, spec(), store, RunOptions(shard="2/2"))
        with pytest.raises(ResultError, match="shard 1/2 of a run is writing there"):
            remove_results(store, "fake")
    with locked(folder), pytest.raises(ResultError, match="is writing there"):
        run_tracker(dataset, spec(), store, RunOptions(shard="1/2"))


def test_shards_that_differ_are_refused(dataset: Dataset, store: OnePassStore) -> None:
    run_tracker(dataset, spec(), store, RunOptions(shard="1/2"))
    with pytest.raises(ResultError, match=r"seed: expected 1, found 0"):
        run_tracker(dataset, spec(), store, RunOptions(shard="2/2", seed=1))
    assert run_tracker(dataset, spec(), store, RunOptions(shard="2/2")).failures == ()


class Shards:
    """Shards in processes of their own."""

    def __init__(self, folder: Path) -> None:
        self.script = folder / "script.py"
        self.script.write_text(RUN)
        self.started: list[subprocess.Popen[bytes]] = []

    def start(self, store: OnePassStore, shard: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, self.script, store.root, shard, json.dumps(LENGTHS)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE), ROOT])},
        )
        self.started.append(process)
        return process


@pytest.fixture
def shards(tmp_path: Path) -> Iterator[Shards]:
    made = Shards(tmp_path)
    yield made
    for process in made.started:
        process.kill()
        process.wait()


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_a_killed_shard_costs_the_sequence_in_hand_and_leaves_its_part(
    shards: Shards, dataset: Dataset, store: OnePassStore, tmp_path: Path
) -> None:
    folder = store.folder("fake")
    both = [shards.start(store, f"{index}/2") for index in (1, 2)]
    mine = {each.name for each in Shard(2, 2).share(list(dataset))}
    deadline = time.monotonic() + 60
    while not (mine & store.sequences("fake")) and time.monotonic() < deadline:
        time.sleep(0.005)
    both[1].send_signal(signal.SIGKILL)
    both[1].wait()
    assert both[0].wait(timeout=60) == 0
    kept = store.sequences("fake")
    record = gathered_record(store, "fake")  # whoever ends takes in what the killed one left
    assert record is not None
    runs = {run for s in record.sessions for place in s["places"] for run in place["runs"]}
    assert kept <= runs
    assert shards.start(store, "2/2").wait(timeout=60) == 0
    run_tracker(dataset, spec("whole", pause=0.02), store)
    assert files(store) == files(store, "whole")
    assert not any(folder.glob("run-*.json"))


def test_merge_closes_and_gathers_what_is_left(
    dataset: Dataset, store: OnePassStore, tmp_path: Path
) -> None:
    run_tracker(dataset, spec(), store, RunOptions(shard="1/2"))
    record = read_record(store.record_path("fake"))
    assert record is not None
    folder = store.folder("fake")
    left = {"kind": "run", **vars(record), "failures": []}
    left["sessions"] = [{"started": "then", "ended": None}]
    (folder / "run-2-of-2.json").write_text(json.dumps(left))
    merge_results([store.root], tmp_path / "other")
    copied = read_record(OnePassStore(tmp_path / "other", "otb2015").record_path("fake"))
    assert copied is not None
    assert [each["started"] for each in copied.sessions][1] == "then"
    assert [(name, count) for _, name, count in close_records([store])] == [("fake", 1)]
    assert close_records([store]) == []
    assert not (folder / "run-2-of-2.json").exists()
    closed = read_record(store.record_path("fake"))
    assert closed is not None
    assert len(closed.sessions) == 2

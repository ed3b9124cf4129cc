"""Runs that are killed or interrupted: real processes, real signals."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from bench.errors import ResultError
from bench.loading import ROOT
from bench.locks import locked
from bench.registry import TrackerSpec
from bench.results.onepass import OnePassStore
from bench.runner import RunOptions, run_tracker
from bench.sequence import Dataset

HERE = Path(__file__).parent
LENGTHS = {"a": 8, "b": 12, "c": 60, "d": 10}
RUN = """
import json
import sys
from pathlib import Path
from bench.results.onepass import OnePassStore
from bench.runner import RunOptions, run_tracker
from bench.registry import TrackerSpec

if __name__ == "__main__":
    import fake_trackers
    root, name, kind, log, jobs, lengths = sys.argv[1:]
    options = {"log": log} if kind == "WithChild" else {"pause": 0.02, "start_log": log}
    spec = TrackerSpec(name, "fake_trackers:" + kind, options)
    dataset = fake_trackers.make_dataset(**json.loads(lengths))
    run_tracker(dataset, spec, OnePassStore(Path(root), "otb2015"), RunOptions(jobs=int(jobs)))
"""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")


class Runner:
    """A run in a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.store = OnePassStore(folder / "results", "otb2015")
        self.log = folder / "started.log"
        self.errors = folder / "errors.txt"
        self.script = folder / "script.py"
        self.script.write_text(RUN)
        self.started: list[subprocess.Popen[bytes]] = []

    def start(
        self, name: str, *, kind: str = "Wanderer", jobs: int = 1, **lengths: int
    ) -> subprocess.Popen[bytes]:
        lengths = lengths or LENGTHS
        arguments = [self.store.root, name, kind, self.log, jobs]
        with self.errors.open("ab") as stream:
            process = subprocess.Popen(
                [sys.executable, str(self.script), *map(str, arguments), json.dumps(lengths)],
                env={**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE), ROOT])},
                stderr=stream,
                start_new_session=True,
            )
        self.started.append(process)
        return process

    def wait_for(self, condition: Callable[[], bool], seconds: float = 30.0) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def logged(self) -> list[list[int]]:
        text = self.log.read_text() if self.log.exists() else ""
        return [[int(word) for word in line.split()] for line in text.splitlines()]

    def files(self, name: str) -> dict[str, bytes]:
        folder = self.store.folder(name)
        paths = [*folder.glob("*.txt"), *folder.glob("scores/*.txt")]
        return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


@pytest.fixture
def runner(fakes: ModuleType, tmp_path: Path) -> Iterator[Runner]:
    made = Runner(tmp_path)
    yield made
    for process in made.started:
        process.kill()
        process.wait()


@pytest.fixture
def dataset(fakes: ModuleType) -> Dataset:
    made: Dataset = fakes.make_dataset(**LENGTHS)
    return made


def stat(path: Path) -> tuple[int, int, bytes]:
    status = path.stat()
    return status.st_ino, status.st_mtime_ns, path.read_bytes()


def test_killed_and_continued_equals_uninterrupted(
    runner: Runner, all_gone: Callable[..., bool]
) -> None:
    process = runner.start("killed", jobs=2)
    runner.wait_for(lambda: bool(runner.store.sequences("killed")))
    # One more has begun, so that the kill falls into the middle of a sequence.
    begun = len(runner.logged())
    runner.wait_for(lambda: len(runner.logged()) > begun or process.poll() is not None)
    process.kill()
    process.wait()
    workers = {line[0] for line in runner.logged()}
    assert workers
    assert all_gone(*workers)

    kept = runner.store.sequences("killed")
    assert 0 < len(kept) < len(LENGTHS)
    before = {name: stat(runner.store.boxes_path("killed", name)) for name in kept}
    leftover = runner.store.folder("killed") / ".d.txt.abcd1234"
    leftover.write_text("1,2")
    assert runner.start("killed").wait(timeout=60) == 0
    assert {name: stat(runner.store.boxes_path("killed", name)) for name in kept} == before
    assert not leftover.exists()

    runner.log.unlink()
    assert runner.start("whole").wait(timeout=60) == 0
    assert runner.files("killed") == runner.files("whole")
    sessions = json.loads(runner.store.record_path("killed").read_text())["sessions"]
    assert [session["ended"] is None for session in sessions] == [True, False]


def test_interrupted_run_stops_at_once_and_says_so_in_its_record(
    runner: Runner, all_gone: Callable[..., bool]
) -> None:
    process = runner.start("stopped", jobs=2, **{**LENGTHS, "c": 1000})
    runner.wait_for(lambda: bool(runner.store.sequences("stopped")))
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=30) == -signal.SIGINT  # KeyboardInterrupt left run_tracker
    errors = runner.errors.read_text()
    assert errors.count("Traceback") == errors.count("KeyboardInterrupt") == 1  # no worker's
    assert all_gone(*{line[0] for line in runner.logged()}, seconds=1.0)
    record = json.loads(runner.store.record_path("stopped").read_text())
    assert record["sessions"][0]["ended"] is not None
    assert record["failures"] == []
    assert 0 < len(runner.store.sequences("stopped")) < len(LENGTHS)


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_what_a_tracker_started_ends_with_the_run(
    end: signal.Signals, runner: Runner, all_gone: Callable[..., bool]
) -> None:
    process = runner.start("parent", kind="WithChild", a=5)
    runner.wait_for(lambda: bool(runner.logged()))
    process.send_signal(end)
    process.wait(timeout=30)
    assert all_gone(*runner.logged()[0])


def test_what_a_hanging_tracker_started_ends_with_it(
    fakes: ModuleType, runner: Runner, all_gone: Callable[..., bool]
) -> None:
    spec = TrackerSpec("hung", "fake_trackers:WithChild", {"log": str(runner.log)})
    summary = run_tracker(fakes.make_dataset(a=5), spec, runner.store, RunOptions(timeout=2.0))
    assert [failure.frame for failure in summary.failures] == [2]
    assert all_gone(*runner.logged()[0], seconds=1.0)


def test_two_runs_of_one_name_at_a_time_are_refused(dataset: Dataset, runner: Runner) -> None:
    process = runner.start("same")
    runner.wait_for(lambda: bool(runner.logged()))
    spec = TrackerSpec("same", "fake_trackers:Wanderer")
    with pytest.raises(ResultError, match=rf"another run \(process {process.pid}\) is writing"):
        run_tracker(dataset, spec, runner.store)
    process.kill()
    process.wait()
    with locked(runner.store.folder("same")):
        pass  # the system let go of it

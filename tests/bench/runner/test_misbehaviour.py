"""Trackers that misbehave cost their sequence only, and leave their traceback."""

from __future__ import annotations

import importlib
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from bench.registry import TrackerSpec
from bench.results.onepass import OnePassStore
from bench.results.record import RunFailure, read_record, write_record
from bench.runner import RunOptions, RunSummary, run_tracker
from bench.sequence import Dataset

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX processes")

MISBEHAVING = """
import os, sys, threading, time
import numpy as np
from bench.tracker import Prediction


class Mute(Exception):
    def __str__(self):
        raise RuntimeError("no words")


class Closed(Exception):
    def __init__(self, lock):
        self.lock = lock

    def __reduce__(self):
        raise TypeError("cannot be pickled")


class Odd:
    def __init__(self, plan: dict):
        self.plan = plan

    def init(self, image, region):
        self.region, self.frame = region, 1
        self.kind = self.plan.get(int(image.sum()))

    def update(self, image) -> Prediction:
        self.frame += 1
        if self.kind and self.frame == 3:
            getattr(self, self.kind)()
        return Prediction(self.region)

    def surrogate(self): raise ValueError("lost \\udc80 here")
    def control(self): raise ValueError("\\x1b[31mred\\x07")
    def mute(self): raise Mute
    def closed(self): raise Closed(threading.Lock())
    def interrupt(self): raise KeyboardInterrupt
    def leave(self): sys.exit(3)
    def fork(self): os.fork()
    def forks(self): [os.fork() for _ in range(3)]
    def fork_and_fail(self):
        if os.fork() == 0:
            raise ValueError("the child's own")
    def fork_and_end(self):
        if os.fork():
            os._exit(0)
        time.sleep(30)
    def garbage(self):
        for fd in range(3, 256):
            try:
                os.write(fd, b"\\xff" * 4096)
            except OSError:
                pass
        time.sleep(1)
    def close_all(self): os.closerange(3, 256)
    def close_output(self): os.close(1); os.close(2); print("nobody hears")
    def close_stdout(self): sys.stdout.close(); sys.stderr.close(); sys.stdout = None
    def shout(self):
        for _ in range(200): print("x" * 100_000)
    def segfault(self):
        import ctypes
        print("last words")
        ctypes.string_at(0)
    def deep(self): self.deep()
    def stop(self): os.kill(os.getpid(), 19)
    def thread(self):
        threading.Thread(target=lambda: 1 / 0).start()
    def swallow(self):
        for fd in range(3, 256):
            try:
                os.set_blocking(fd, False); os.read(fd, 10)
            except OSError:
                pass
    def answer(self):
        class Liar(np.ndarray):
            def __array_finalize__(self, other): raise SystemError("odd")
        self.region = np.zeros(4).view(Liar)
"""

HARMLESS = {"fork", "forks", "fork_and_fail", "close_stdout", "shout", "thread", "swallow"}
CAUSES = {
    "surrogate": r"ValueError: lost \udc80 here",
    "control": r"ValueError: \x1b[31mred\x07",
    "mute": "Mute: (its message cannot be read: RuntimeError)",
    "closed": "Closed",
    "interrupt": "KeyboardInterrupt",
    "leave": "its process ended with exit code 3",
    "fork_and_end": "its process ended with exit code 0",
    "garbage": "something wrote into the channel",
    "close_all": "its process",
    "close_output": "OSError",
    "segfault": "killed by signal 11",
    "deep": "RecursionError",
    "stop": "no answer within 4 s",
    "answer": "SystemError: odd",
}


def write_tracker(folder: Path) -> str:
    path = folder / "odd.py"
    path.write_text(MISBEHAVING)
    return f"{path}:Odd"


@pytest.fixture
def tracker(tmp_path: Path) -> str:
    return write_tracker(tmp_path)


@pytest.fixture
def make_dataset(fakes: ModuleType) -> Callable[..., Dataset]:
    made: Callable[..., Dataset] = fakes.make_dataset
    return made


Outcome = tuple[RunSummary, tuple[RunFailure, ...]]


def misbehave(folder: Path, *kinds: str, timeout: float = 60.0) -> dict[str, Outcome]:
    """Run a sequence for each kind, a good one after each; what the run says and its record."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).parent))
        fakes = importlib.import_module("fake_trackers")
        dataset = fakes.make_dataset(**{n: 12 for kind in kinds for n in (kind, f"good_{kind}")})
        plan = {int(dataset[kind].frames[0].sum()): kind for kind in kinds}
        store = OnePassStore(folder / "results", "otb2015")
        spec = TrackerSpec("odd", write_tracker(folder), {"plan": plan})
        summary = run_tracker(dataset, spec, store, RunOptions(timeout=timeout))
    record = read_record(store.record_path("odd"))
    assert record is not None
    for name in summary.finished:
        assert len(store.read_boxes("odd", name)) == 12
    return dict.fromkeys(kinds, (summary, record.failures))


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    """All kinds in one run, and one more run for that which needs a short time-out: on a busy
    machine the others may be silent for as long."""
    waits = misbehave(tmp_path_factory.mktemp("stopped"), "stop", timeout=4.0)
    at_once = [kind for kind in (*CAUSES, *sorted(HARMLESS)) if kind != "stop"]
    return waits | misbehave(tmp_path_factory.mktemp("odd"), *at_once)


@pytest.mark.parametrize("kind", [*CAUSES, *sorted(HARMLESS)])
def test_a_fault_costs_its_sequence_only(kind: str, outcomes: dict[str, Outcome]) -> None:
    summary, recorded = outcomes[kind]
    assert f"good_{kind}" in summary.finished
    assert recorded == summary.failures
    failures = [failure for failure in recorded if failure.sequence == kind]
    if kind in HARMLESS:
        assert kind in summary.finished
        assert failures == []
        return
    (failure,) = failures
    # Without its channel it runs to the end, and garbage may hit the number of the frame too.
    assert kind in ("close_all", "garbage") or failure.frame == 3
    assert CAUSES[kind] in failure.cause
    assert failure.cause.isprintable()


def test_the_traceback_and_the_output_of_a_crash_are_kept(
    tracker: str, tmp_path: Path, make_dataset: Callable[..., Dataset]
) -> None:
    dataset = make_dataset(bad=6, good=6)
    assert dataset["bad"].frames is not None
    guilty = int(dataset["bad"].frames[0].sum())
    store = OnePassStore(tmp_path / "results", "otb2015")

    def log(kind: str) -> str:
        spec = TrackerSpec(kind, tracker, {"plan": {guilty: kind}})
        summary = run_tracker(dataset, spec, store)
        path = summary.logs["bad"]
        assert path == store.folder(kind) / "logs" / "bad.log"
        return path.read_text()

    raised = log("control")
    assert "in control" in raised
    assert "odd.py" in raised
    assert "\x1b" not in raised
    crashed = log("segfault")
    assert "last words" in crashed
    assert "in segfault" in crashed  # the traceback of a crash in C


def test_a_build_that_fails_names_its_line_and_keeps_its_traceback(
    tmp_path: Path, make_dataset: Callable[..., Dataset]
) -> None:
    path = tmp_path / "unbuilt.py"
    path.write_text(
        "def deep(): return {}['bilinear']\n"
        "class T:\n"
        "    def __init__(self): deep()\n"
        "    def init(self, image, box): pass\n"
        "    def update(self, image): pass\n"
    )
    store = OnePassStore(tmp_path / "results", "otb2015")
    spec = TrackerSpec("t", f"{path}:T")
    with pytest.raises(Exception, match=r"KeyError: 'bilinear' \(.*unbuilt.py:1\)") as caught:
        run_tracker(make_dataset(a=3), spec, store)
    log = store.folder("t") / "logs" / "build.log"
    assert str(log) in str(caught.value)
    assert "unbuilt.py" in log.read_text()


def test_a_log_goes_when_its_sequence_is_finished(
    tracker: str, tmp_path: Path, make_dataset: Callable[..., Dataset]
) -> None:
    dataset = make_dataset(a=3)
    store = OnePassStore(tmp_path / "results", "otb2015")
    log = store.folder("odd") / "logs" / "a.log"
    log.parent.mkdir(parents=True)
    log.write_text("old")
    run_tracker(dataset, TrackerSpec("odd", tracker, {"plan": {}}), store)
    assert not log.exists()


def test_the_failure_of_a_killed_run_is_cleared_once_its_sequence_is_there(
    tracker: str, tmp_path: Path, make_dataset: Callable[..., Dataset]
) -> None:
    dataset, store = make_dataset(a=3), OnePassStore(tmp_path / "results", "otb2015")
    spec = TrackerSpec("odd", tracker, {"plan": {}})
    run_tracker(dataset, spec, store)
    path = store.record_path("odd")
    record = read_record(path)
    assert record is not None
    write_record(path, record.failed(RunFailure("a", 2, "stale")))  # killed before it was cleared
    assert run_tracker(dataset, spec, store).skipped == ("a",)
    again = read_record(path)
    assert again is not None
    assert again.failures == ()


SLOW = """
import time
from bench.tracker import Prediction
class Slow:
    def init(self, image, region): self.region = region
    def update(self, image) -> Prediction:
        time.sleep(0.3)
        return Prediction(self.region)
"""
STOPPED = """
import sys
from pathlib import Path
from bench.results.onepass import OnePassStore
from bench.runner import RunOptions, run_tracker
from bench.registry import TrackerSpec
import fake_trackers
store = OnePassStore(Path(sys.argv[1]), "otb2015")
dataset, spec = fake_trackers.make_dataset(a=8), TrackerSpec("slow", sys.argv[2])
summary = run_tracker(dataset, spec, store, RunOptions(timeout=1.5))
print(summary.finished, summary.failures)
"""


def test_a_stop_longer_than_the_time_out_is_no_failure(tmp_path: Path) -> None:
    import subprocess

    from bench.loading import ROOT

    (tmp_path / "slow.py").write_text(SLOW)
    path = os.pathsep.join([str(Path(__file__).parent), ROOT])
    process = subprocess.Popen(
        [sys.executable, "-c", STOPPED, str(tmp_path / "r"), f"{tmp_path / 'slow.py'}:Slow"],
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        text=True,
    )
    folder = tmp_path / "r/otb2015/slow"
    deadline = time.monotonic() + 60
    while not (folder / "run.json").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(1.0)
    workers = _children(process.pid)
    for pid in (process.pid, *workers):
        os.kill(pid, signal.SIGSTOP)
    time.sleep(3.0)
    for pid in (process.pid, *workers):
        os.kill(pid, signal.SIGCONT)
    answer, _ = process.communicate(timeout=60)
    assert answer.strip() == "('a',) ()"


def _children(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children")
    if not found.exists():
        pytest.skip("needs /proc")
    return [int(child) for child in found.read_text().split()]

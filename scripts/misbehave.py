"""Run a family of misbehaving trackers: each may cost its own sequence only.

    python scripts/misbehave.py [--jobs 2] [--only PATTERN] [--list]

A tracker behaves on the clips a and c, and misbehaves on the second frame of clip b. Afterwards
the results of a and c must equal those of a sane tracker to the byte, clip b must have failed (or,
where that is allowed, be done), and the command must have ended in time, in its own words.
"""

from __future__ import annotations

import argparse
import builtins
import contextlib
import ctypes
import datetime
import fnmatch
import gc
import locale
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np

from bench.tracker import Prediction

FRAMES, LIMIT = 4, 4.0  # of a clip; seconds per frame
PATIENCE = 90.0  # seconds for a whole command
ROOT = Path(__file__).resolve().parent.parent
BOX = np.array([10.0, 11.0, 12.0, 13.0])
_kept: list[Any] = []  # what misbehaving trackers leave behind


@dataclass(frozen=True)
class Trick:
    """A misbehaviour.

    Attributes:
        do: called with the image; what it returns is the answer, unless that is ``GOES_ON``.
        fails: whether the sequence must fail; None if it may.
    """

    do: Callable[[Any], Any]
    fails: bool | None = True


GOES_ON = object()


class Misbehaving:
    """Follows a box by the mean of the image and a random number; on clip b it plays a trick."""

    def __init__(self, what: str = "nothing", where: str = "update") -> None:
        self.trick, self.where = TRICKS[what], where

    def init(self, image: Any, region: Any) -> None:
        self.bad = int(image[0, 0, 0]) == 200
        self.count = 0
        if self.bad and self.where == "init":
            self.trick.do(image)

    def update(self, image: Any) -> Any:
        self.count += 1
        if self.bad and self.where == "update" and self.count == 1:
            answer = self.trick.do(image)
            if answer is not GOES_ON:
                return answer
        # Arithmetic and a draw that what ran before would change, if it could.
        step = float(image.astype(np.float64).mean() / 3 + np.random.rand())  # noqa: NPY002
        return Prediction(BOX + step, score=0.5)


def raising(make: Callable[[], BaseException]) -> Trick:
    def do(image: Any) -> Any:
        raise make()

    return Trick(do)


def returning(make: Callable[[Any], Any], fails: bool | None = True) -> Trick:
    return Trick(make, fails)


def doing(call: Callable[[], Any], fails: bool | None = None) -> Trick:
    """Does something, and goes on as if nothing had happened."""

    def do(image: Any) -> Any:
        call()
        return GOES_ON

    return Trick(do, fails)


class SilentError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")

    __repr__ = __str__


class WrongTextError(Exception):
    def __str__(self) -> str:
        return 3  # type: ignore[return-value]


class NamelessError(BaseException):
    pass


class UnpicklableError(Exception):
    def __init__(self) -> None:
        super().__init__(lambda: None, threading.Lock())


class HaltingError(Exception):
    def __str__(self) -> str:
        raise SystemExit(0)


class Evil:
    """Raises whatever it is asked for."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(f"no {name}")

    def _no(self, *arguments: Any) -> Any:
        raise ValueError("no")

    __array__ = __iter__ = __len__ = __float__ = __repr__ = __eq__ = __getitem__ = _no
    __hash__ = None  # type: ignore[assignment]


def chained(length: int = 2000) -> Exception:
    error = ValueError("last")
    for _ in range(length):
        following = ValueError("next")
        following.__cause__ = error
        error = following
    return error


def circular() -> Exception:
    one, two = ValueError("one"), ValueError("two")
    one.__context__, two.__context__ = two, one
    return one


def exceptions() -> Iterator[tuple[str, Trick]]:
    """Every exception that Python has, and some that it has not."""
    for name, kind in sorted(vars(builtins).items()):
        if isinstance(kind, type) and issubclass(kind, BaseException):
            made = _made(kind)
            if made is not None:
                yield f"raises {name}", raising(lambda made=made: made)  # type: ignore[misc]
    texts = {
        "a lone surrogate": "\ud800 \udfff", "a null": "a\0b", "colours": "\x1b[31mred\x1b[2J\x07",
        "lines": "a\r\nb\u2028c\n" * 9, "much text": "x" * 20_000_000, "an emoji": "\U0001f600",
        "nothing": "", "markup": "[bold]x[/] [/nothing] {0} %s", "wrong order": "\u202eabc",
    }  # fmt: skip
    for name, text in texts.items():
        yield f"raises with {name}", raising(lambda text=text: ValueError(text))  # type: ignore[misc]
    special: dict[str, Callable[[], BaseException]] = {
        "an exit of 0": lambda: SystemExit(0), "an exit of 3": lambda: SystemExit(3),
        "an exit with text": lambda: SystemExit("bye"), "no text": SilentError,
        "a text that is none": WrongTextError, "no ordinary exception": NamelessError,
        "what cannot be pickled": UnpicklableError, "a text that exits": HaltingError,
        "a long chain": chained, "a circle": circular,
        "bytes": lambda: ValueError(b"\xff\xfe"),
        "many arguments": lambda: ValueError(*range(9999)),
        "itself in it": _self_containing, "an errno": lambda: OSError(28, "No space left"),
    }  # fmt: skip
    for name, make in special.items():
        yield f"raises with {name}", raising(make)


def _self_containing() -> Exception:
    error = ValueError()
    error.args = (error,)
    return error


def _made(kind: type[BaseException]) -> BaseException | None:
    for arguments in ((), ("text",), ("utf-8", b"\xff", 0, 1, "bad"), ("a", "\ud800", 0, 1, "bad"),
                      ("\ud800", 0, 1, "bad"), ("group", [ValueError("one")])):  # fmt: skip
        with contextlib.suppress(TypeError, ValueError):
            return kind(*arguments)
    return None


def answers() -> Iterator[tuple[str, Trick]]:
    """Answers that are no regions, and scores that are no numbers."""
    nan, inf = float("nan"), float("inf")
    regions: dict[str, Callable[[Any], Any]] = {
        "a number": lambda image: 7, "a text": lambda image: "1,2,3,4",
        "bytes": lambda image: b"1234",
        "three numbers": lambda image: [1, 2, 3], "five numbers": lambda image: [1, 2, 3, 4, 5],
        "NaN": lambda image: [nan] * 4, "one NaN": lambda image: [1, 2, nan, 4],
        "infinity": lambda image: [inf, 0, 1, 1], "minus infinity": lambda image: [0, -inf, 1, 1],
        "complex numbers": lambda image: np.array([1, 2, 3, 4j]),
        "dates": lambda image: np.array(["2020-01-01"] * 4, "datetime64[D]"),
        "a date": lambda image: datetime.datetime(2020, 1, 1),
        "spans of time": lambda image: np.array([1, 2, 3, 4], "timedelta64[s]"),
        "texts": lambda image: ["1", "2", "3", "4"],
        "objects": lambda image: np.array([object()] * 4),
        "a dict": lambda image: {"x": 1}, "a set": lambda image: {1, 2, 3, 4},
        "a generator": lambda image: (n for n in range(4)), "a function": lambda image: len,
        "a class": lambda image: Prediction, "something evil": lambda image: Evil(),
        "a huge array": lambda image: np.ones(30_000_000),
        "a huge mask": lambda image: np.ones((9000, 9000), bool),
        "a mask of another shape": lambda image: np.ones((5, 6), bool),
        "a mask of truths in a row": lambda image: np.ones(4, bool),
        "a cube": lambda image: np.ones((2, 2, 2)), "two corners": lambda image: np.ones((2, 2)),
        "the image": lambda image: image, "a nested list": lambda image: [[[[1]]], [2], 3, 4],
        "a ragged list": lambda image: [[1, 2], [3]], "a list of itself": _self_list,
        "a record": lambda image: np.zeros(4, "f8,i4"), "a number of no dimension": np.mean,
        "a polygon with NaN": lambda image: np.array([[0, 0], [1, nan], [2, 2]]),
    }  # fmt: skip
    for name, make in regions.items():
        yield f"answers {name}", returning(make)
        yield f"predicts {name}", returning(lambda image, make=make: Prediction(make(image)))  # type: ignore[misc]
    allowed = {
        "nothing": lambda image: None, "an empty list": lambda image: [],
        "an empty mask": lambda image: np.zeros(image.shape[:2], bool),
        "huge numbers": lambda image: [1e300, 1e300, 1e300, 1e300],
        "a negative size": lambda image: [5.0, 5.0, -3.0, -3.0],
        "no size": lambda image: [0, 0, 0, 0],
        "a masked array": lambda image: np.ma.masked_equal([1, 2, 3, 4], 2),
    }  # fmt: skip
    for name, make in allowed.items():
        yield f"predicts {name}", returning(lambda image, make=make: Prediction(make(image)), None)  # type: ignore[misc]
        yield f"answers {name}", returning(make, None)
    scores: dict[str, Any] = {
        "NaN": nan, "infinity": inf, "text": "sure", "complex": 1j, "a huge number": 10**400,
        "an array": np.ones(3), "a date": datetime.datetime(2020, 1, 1), "evil": Evil(),
    }  # fmt: skip
    for name, score in scores.items():
        yield f"scores {name}", returning(lambda image, score=score: Prediction(BOX, score))  # type: ignore[misc]


def _self_list(image: Any) -> list[Any]:
    found: list[Any] = []
    found.append(found)
    return found


def kills() -> Iterator[tuple[str, Trick]]:
    """Ends of the process, and of others."""
    for number in (0, 1, 7, 255):
        yield f"ends with {number}", doing(partial(os._exit, number), True)
    fatal = ["KILL", "TERM", "SEGV", "ABRT", "BUS", "FPE", "ILL", "QUIT", "ALRM", "USR1", "STOP"]
    for name in fatal:
        yield f"sends itself {name}", doing(partial(_send, name), True)
    for name in ["PIPE", "CHLD", "TSTP", "INT", "XCPU", "HUP"]:
        yield f"sends itself {name}", doing(partial(_send, name))
    yield "reads from nowhere", doing(lambda: ctypes.string_at(0), True)
    yield "kills its group", doing(lambda: os.killpg(0, signal.SIGKILL), True)
    yield "kills its children", doing(lambda: os.system("kill -9 $$"))
    yield "sleeps", doing(lambda: time.sleep(3600), True)
    yield "sleeps deaf", doing(_deaf, True)
    yield "computes for ever", doing(_forever, True)
    yield "recurses", doing(_recurse, True)
    yield "recurses without limit", doing(_recurse_deeper, True)
    yield "takes memory", doing(_take_memory, True)
    yield "takes much memory at once", doing(lambda: np.ones(1 << 50), True)
    yield "waits for a lock", doing(_wait_for_lock, True)
    yield "waits for input", doing(lambda: sys.stdin.read(), None)


def _send(name: str) -> None:
    os.kill(os.getpid(), getattr(signal, f"SIG{name}"))


def _deaf() -> None:
    for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
        with contextlib.suppress(OSError, ValueError):
            signal.signal(number, signal.SIG_IGN)
    time.sleep(3600)


def _forever() -> None:
    while True:
        pass


def _recurse() -> None:
    _recurse()


def _recurse_deeper() -> None:
    sys.setrecursionlimit(1 << 30)
    _recurse()


def _take_memory() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))
    while True:
        _kept.append(bytearray(64 << 20))


def _wait_for_lock() -> None:
    lock = threading.Lock()
    lock.acquire()
    lock.acquire()


def streams() -> Iterator[tuple[str, Trick]]:
    """What is done to open files, processes and threads."""
    yield "prints a flood", doing(lambda: print("flood " * 2_000_000))
    yield "prints without a newline", doing(lambda: print("fps 30", end=" ", flush=True))
    yield "prints surrogates", doing(lambda: print("\ud800"))
    yield "prints bytes", doing(lambda: os.write(1, bytes(range(256)) * 99))
    yield "floods its errors", doing(lambda: sys.stderr.write("error " * 2_000_000))
    for number in (0, 1, 2):
        yield f"closes stream {number}", doing(lambda number=number: os.close(number))  # type: ignore[misc]
    yield (
        "closes all streams",
        doing(lambda: [stream.close() for stream in (sys.stdin, sys.stdout, sys.stderr)]),
    )
    yield "has no streams", doing(_no_streams)
    yield "closes every file", doing(lambda: os.closerange(0, 256))
    yield "closes every file of others", doing(lambda: os.closerange(3, 256))
    yield "writes garbage into every file", doing(_garbage)
    yield "writes a short message into every file", doing(lambda: _garbage(b"\0\0\0\4abcd"))
    yield "writes the start of a message into every file", doing(lambda: _garbage(b"\0\0\xff\xff"))
    yield (
        "writes an endless message into every file",
        doing(lambda: _garbage(b"\xff\xff\xff\xff" + b"\x7f" + b"\xff" * 7)),
    )
    yield "reads every file", doing(_read_all)
    yield "takes all files", doing(_take_files)
    yield "forks, and both go on", doing(os.fork)
    yield "forks, and the child ends", doing(lambda: os.fork() or os._exit(0))
    yield "forks, and the parent ends", doing(lambda: os.fork() and os._exit(0))
    yield "forks, and the child raises", doing(_fork_and_raise)
    yield "forks, and the child sleeps", doing(_fork_and_sleep)
    yield "leaves a process", doing(lambda: _kept.append(subprocess.Popen(["sleep", "60"])))
    yield (
        "leaves a process without pipes",
        doing(lambda: _kept.append(subprocess.Popen(["sleep", "60"], start_new_session=True))),
    )
    yield "leaves threads", doing(_leave_threads)
    yield (
        "leaves a thread that raises",
        doing(lambda: threading.Timer(0.01, lambda: 1 / 0).start()),
    )
    yield "leaves a thread that exits", doing(lambda: threading.Timer(0.01, sys.exit).start())
    yield (
        "leaves a thread that ends all",
        doing(lambda: threading.Timer(0.5, lambda: os._exit(5)).start()),
    )
    yield "starts a session", doing(_session)
    yield "limits its files", doing(lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3)))
    yield "limits what it writes", doing(lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)))
    yield "limits its time", doing(lambda: resource.setrlimit(resource.RLIMIT_CPU, (1, 1)))


def _no_streams() -> None:
    sys.stdin = sys.stdout = sys.stderr = None


def _garbage(content: bytes = b"garbage" * 99) -> None:
    for number in range(3, 64):
        with contextlib.suppress(OSError):
            os.set_blocking(number, False)
            os.write(number, content)
            os.set_blocking(number, True)


def _read_all() -> None:
    for number in range(3, 64):
        with contextlib.suppress(OSError):
            os.set_blocking(number, False)
            os.read(number, 1 << 20)


def _take_files() -> None:
    with contextlib.suppress(OSError):
        while True:
            _kept.append(os.open(os.devnull, os.O_RDONLY))


def _fork_and_raise() -> None:
    if os.fork() == 0:
        raise RuntimeError("in the child")


def _fork_and_sleep() -> None:
    if os.fork() == 0:
        time.sleep(3600)


def _leave_threads() -> None:
    for _ in range(20):
        threading.Thread(target=time.sleep, args=(3600,)).start()


def _session() -> None:
    with contextlib.suppress(OSError):
        os.setpgid(0, 0)
    with contextlib.suppress(OSError):
        os.setsid()


def states() -> Iterator[tuple[str, Trick]]:
    """What is changed in the process, for whatever comes after."""
    yield "changes the folder", doing(lambda: os.chdir("/"))
    yield "deletes its folder", doing(_delete_folder)
    yield "clears the path", doing(lambda: sys.path.clear())
    yield "puts nonsense on the path", doing(lambda: sys.path.insert(0, cast(str, None)))
    yield "clears the environment", doing(lambda: os.environ.clear())
    yield "changes signals", doing(lambda: signal.signal(signal.SIGTERM, signal.SIG_IGN))
    yield "changes the alarm", doing(lambda: signal.setitimer(signal.ITIMER_REAL, 0.2))
    yield "changes the locale", doing(_other_locale)
    yield "makes NumPy raise", doing(lambda: np.seterr(all="raise"))
    yield "makes NumPy call", doing(lambda: np.seterrcall(lambda *_: os._exit(4)))
    yield "changes how NumPy prints", doing(lambda: np.set_printoptions(precision=1, threshold=1))
    yield "seeds NumPy", doing(lambda: np.random.seed(7))  # noqa: NPY002
    yield "draws", doing(lambda: [np.random.rand(99), random.random()], None)  # noqa: NPY002
    yield "seeds Python", doing(lambda: random.seed(7))
    yield "makes warnings errors", doing(lambda: warnings.simplefilter("error"))
    yield "warns", doing(lambda: warnings.warn("\ud800", stacklevel=1))
    yield "stops the collector", doing(gc.disable)
    yield "collects at once", doing(lambda: gc.set_threshold(1))
    yield "traces", doing(lambda: sys.settrace(lambda *_: None))
    yield "profiles", doing(lambda: sys.setprofile(lambda *_: None))
    yield "hooks exceptions", doing(lambda: setattr(sys, "excepthook", None))
    yield "switches threads slowly", doing(lambda: sys.setswitchinterval(1))
    yield "forgets modules", doing(_forget_modules)
    yield "changes the answer's class", doing(_change_prediction)
    yield "changes open", doing(lambda: setattr(builtins, "open", None))
    yield "changes print", doing(lambda: setattr(builtins, "print", None))
    yield "changes len", doing(lambda: setattr(builtins, "isinstance", lambda *_: False))
    yield "changes the clock", doing(lambda: setattr(time, "perf_counter", lambda: 0.0))
    yield "turns the clock back", doing(_backward_clock)
    yield "changes the mask of files", doing(lambda: os.umask(0o777))
    yield "hangs at the end", doing(lambda: _at_exit(lambda: time.sleep(3600)))
    yield "raises at the end", doing(lambda: _at_exit(lambda: 1 / 0))
    yield "ends otherwise at the end", doing(lambda: _at_exit(lambda: os._exit(6)))
    yield "hangs when deleted", doing(lambda: _kept.append(_Deleted()))
    yield "uses OpenCV's threads", doing(_opencv_threads)
    yield "is nice", doing(lambda: os.nice(5))
    yield "changes the image", Trick(_change_image, None)
    yield "keeps the image", Trick(_keep_image, None)
    yield "changes itself", doing(lambda: setattr(Misbehaving, "extra", 1))


def _delete_folder() -> None:
    folder = tempfile.mkdtemp()
    os.chdir(folder)
    Path(folder).rmdir()


def _other_locale() -> None:
    for name in ("de_DE.UTF-8", "tr_TR.UTF-8", "C"):
        with contextlib.suppress(locale.Error):
            locale.setlocale(locale.LC_ALL, name)
            return


def _forget_modules() -> None:
    for name in [name for name in sys.modules if name.startswith(("bench", "numpy"))]:
        del sys.modules[name]


def _change_prediction() -> None:
    Prediction.__init__ = lambda self, *a: None  # type: ignore[method-assign]


def _backward_clock() -> None:
    times = iter(range(10**9, 0, -1))
    time.perf_counter = lambda: float(next(times))


def _at_exit(call: Callable[[], Any]) -> None:
    import atexit

    atexit.register(call)


class _Deleted:
    def __del__(self) -> None:
        time.sleep(3600)


def _opencv_threads() -> None:
    import cv2

    cv2.setNumThreads(16)
    cv2.setUseOptimized(False)
    cv2.setRNGSeed(5)


def _keep_image(image: Any) -> Any:
    _kept.append(image)
    return GOES_ON


def _change_image(image: Any) -> Any:
    image[:] = 0
    return Prediction(BOX)


TRICKS: dict[str, Trick] = {
    "nothing": doing(lambda: None, False),
    **dict(exceptions()),
    **dict(answers()),
    **dict(kills()),
    **dict(streams()),
    **dict(states()),
}


@dataclass(frozen=True)
class Place:
    """A folder of clips, and what a sane tracker says of them."""

    folder: Path
    jobs: int

    def command(self, what: str, where: str, name: str) -> list[str]:
        settings = ("--set", f"what={what}", "--set", f"where={where}")
        return [
            sys.executable, "-m", "bench", "run", "folder",
            "--data", "clips", "--results", "results",
            "--tracker", "misbehave:Misbehaving", *settings, "--name", name,
            "--jobs", str(self.jobs), "--timeout", str(LIMIT), "--repetitions", "1",
        ]  # fmt: skip

    def results(self, name: str) -> dict[str, bytes]:
        """The stored boxes of a tracker, by clip."""
        found = (self.folder / "results" / "folder" / name).rglob("*.txt")
        return {p.stem: p.read_bytes() for p in found if p.stem in ("a", "b", "c")}


def make_place(folder: Path, jobs: int = 1) -> Place:
    """Write the clips, and run the sane tracker."""
    import cv2

    rng = np.random.default_rng(0)
    for clip, mark in (("a", 100), ("b", 200), ("c", 50)):
        place = folder / "clips" / clip
        place.mkdir(parents=True)
        # One frame more or less decides which runs first, in the middle, and last.
        count = FRAMES + {"a": 1, "b": 0, "c": -1}[clip]
        for number in range(1, count + 1):
            image = rng.integers(0, 255, (48, 64, 3), dtype=np.uint8)
            image[0, 0] = mark
            cv2.imwrite(str(place / f"{number:04d}.png"), image)
        (place / "groundtruth.txt").write_text("10,11,12,13\n" * count)
    made = Place(folder, jobs)
    found = run(made, "nothing", "update")
    if found is not None:
        raise SystemExit(f"the sane tracker itself: {found}")
    return made


def run(place: Place, what: str, where: str) -> str | None:
    """What went wrong beside the trick's own sequence; None if nothing did."""
    name = f"{where}-{list(TRICKS).index(what)}"
    paths = (str(ROOT), str(ROOT / "scripts"))
    # Its own folder to work in, so that nothing it deletes or writes is missed by others.
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "COLUMNS": "300"}
    process = subprocess.Popen(
        place.command(what, where, name), cwd=place.folder, env=environment, text=True,
        errors="replace", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        start_new_session=True,
    )  # fmt: skip
    try:
        _, errors = process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return f"the command did not end within {PATIENCE:g} s"
    fails = TRICKS[what].fails if where == "update" else None  # init has no answer
    return judge(place, name, fails, process.returncode, errors)


def judge(place: Place, name: str, fails: bool | None, code: int, errors: str) -> str | None:
    """Compare with the sane tracker."""
    found = place.results(name)
    if name == "update-0":  # the sane one itself
        return None if code == 0 and set(found) == {"a", "b", "c"} else f"exit {code}: {errors}"
    sane = place.results("update-0")
    for clip in ("a", "c"):
        if found.get(clip) != sane[clip]:
            state = "differs" if clip in found else "is missing"
            return f"clip {clip} {state}; exit {code}; {errors[-300:]!r}"
    if code not in (0, 1):
        return f"exit {code}; {errors[-300:]!r}"
    failed = "b" not in found
    if failed != (code == 1):
        return f"exit {code}, but clip b is {'missing' if failed else 'there'}; {errors[-300:]!r}"
    if fails is not None and failed != fails:
        return f"clip b {'failed' if failed else 'is done'}; {errors[-300:]!r}"
    own = [line for line in errors.splitlines() if line.startswith("failed: b")]
    if failed and len(own) != 1:
        return f"clip b is not named once: {errors[-300:]!r}"
    return None


def main() -> None:
    """Run the chosen tricks, and list what they cost beside their own sequence."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=1, help="of each run")
    parser.add_argument("--parallel", type=int, default=2, help="runs at once")
    parser.add_argument("--only", default="*", help="a pattern of names")
    parser.add_argument("--where", default="update", choices=("init", "update"))
    parser.add_argument("--list", action="store_true", help="print the names only")
    given = parser.parse_args()
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)  # a shell's `&` ignores both for all
    signal.signal(signal.SIGINT, signal.default_int_handler)
    chosen = [name for name in TRICKS if fnmatch.fnmatch(name, given.only) and name != "nothing"]
    if given.list:
        print("\n".join(chosen))
        return
    folder = Path(tempfile.mkdtemp(prefix="bench-misbehave-"))
    try:
        place = make_place(folder, given.jobs)
        with ThreadPoolExecutor(given.parallel) as pool:
            found = list(pool.map(lambda what: run(place, what, given.where), chosen))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    wrong = [(what, why) for what, why in zip(chosen, found, strict=True) if why is not None]
    for what, why in wrong:
        print(f"{what}: {why}")
    print(f"{len(chosen) - len(wrong)} of {len(chosen)} trackers cost their own sequence only")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()

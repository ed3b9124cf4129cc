"""Kill writing verbs at random moments and at chosen calls, and look at what is left: no test.

``python scripts/kills.py --signals 200 --calls 200 --out kills.jsonl`` prints a line for each
fault and a summary; called again, it goes on, and repeats the rounds that had faults.
``tests/bench/cli/test_kills.py`` does a little of it. After each kill the same command runs again,
and then: what was there before is there, what it writes is equal to an undisturbed run to the
byte, and nothing else lies about.

A kill at a system call needs no help from the system: a ``sitecustomize`` module on the search
path counts the calls that change files, and ends the process before the n-th.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[1]
COUNTING = """
import os, signal, sys
_at, _count = int(os.environ.get("KILL_AT", "-1")), 0
if _at >= 0 and not any("multiprocessing" in each for each in sys.orig_argv):
    def _counted(call, matters=lambda *a: True):
        def wrapper(*a, **k):
            global _count
            if matters(*a):
                _count += 1
                if _count == _at:
                    os.kill(os.getpid(), signal.SIGKILL)
            return call(*a, **k)
        return wrapper
    def _writes(path, flags=0, *a):
        return bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
    for _name in ("replace", "rename", "link", "symlink", "fsync", "unlink", "remove", "mkdir",
                  "rmdir", "ftruncate"):
        setattr(os, _name, _counted(getattr(os, _name)))
    os.open = _counted(os.open, _writes)
    if os.environ.get("KILL_COUNT"):
        import atexit
        @atexit.register
        def _tell(path=os.environ["KILL_COUNT"]):
            with open(path, "w") as stream:
                stream.write(str(_count))
"""
LIMIT = 600  # seconds for a command, on a machine that does other things too
LITTER = re.compile(r"\..+\.[A-Za-z0-9_]{6,12}|\.removed-.*|\..*\.(part|tmp|new|old|building).*")
TIMED = re.compile(r"(^|/)(run\.json|\.lock|.*_time\.(txt|value)|logs/.*|.*\.journal.*)$")


@dataclass(frozen=True)
class Verb:
    """A command that writes."""

    line: tuple[str, ...]
    again: tuple[int, ...] = (0,)  # exit codes of the second call
    module: str = "bench"


def _training(*line: str) -> Verb:
    return Verb(line, module="trackers.siamattn.training")


_TINY = (
    "schedule.epochs=2", "schedule.pairs=4", "schedule.batch=2", "schedule.warmup=0",
    "data.scenes=2", "data.streams=1", "data.parts=0", "data.motley=0",
)  # fmt: skip
FIT = (
    "--accelerator", "cpu", "--validate-every", "0",
    *(part for setting in _TINY for part in ("--set", setting)),
)  # fmt: skip
VERBS = {
    "run": Verb(("run", "otb2015", "-t", "static", "-j", "2")),
    "run-vot": Verb(("run", "vot2018", "-t", "static")),
    "import": Verb(("import", "otb2015", "theirs", "--name", "new")),
    "export": Verb(("export", "otb2015", "out", "-t", "kcf", "--format", "pysot")),
    "pack": Verb(("pack", "trackingnet", "-t", "static", "--out", "p.zip", "--partial")),
    "mini": Verb(("mini", "more", "--benchmark", "vot2018")),
    "eval": Verb(("eval", "otb2015", "--json", "o/s.json", "--csv", "o/s.csv")),
    "plots": Verb(("plots", "otb2015", "--only", "success", "--out", "figures")),
    "tables": Verb(("tables", "--out", "tab")),
    "report": Verb(("report", "-b", "otb2015", "--videos", "none", "--out", "page")),
    "video": Verb(("video", "otb2015", "Crossing", "--out", "c.mp4")),
    "tune": Verb(
        ("tune", "otb2015", "--study", "st/k.journal", "-t", "kcf", "--search", "scales=1,3",
         "--trials", "2", "--sequence", "Crossing", "--on-test-set")
    ),
    "merge": Verb(("merge", "elsewhere")),
    "remove": Verb(("remove", "otb2015", "kcf", "--yes"), (0, 1)),
    "workspace": Verb(("workspace", "vot2018", "space", "-t", "kcf"), (0, 1)),
    "fit": _training("fit", "net", *FIT),
    "fit-export": _training("export", "old", "e.safetensors"),
    "average": _training("average", *["old/weights.safetensors"] * 2, "a.safetensors"),
}  # fmt: skip


BENCHMARKS = ("otb2015", "vot2018", "trackingnet")


def command(verb: Verb) -> list[str]:
    """The arguments of a process."""
    return [sys.executable, "-m", verb.module, *verb.line]


class Trials:
    """A prepared folder, and what each verb writes into a copy of it when nobody disturbs.

    Args:
        folder: an empty one.
        names: the verbs to measure.
        data: miniatures of ``BENCHMARKS``; drawn by default.
    """

    def __init__(self, folder: Path, names: list[str], data: Path | None = None) -> None:
        self.folder, self.base = folder, folder / "base"
        (folder / "count").mkdir()
        (folder / "count/sitecustomize.py").write_text(COUNTING)
        self._prepare(names, data)
        self.expected: dict[str, dict[str, str]] = {}
        self.seconds: dict[str, float] = {}
        self.calls: dict[str, int] = {}
        for name in names:
            self._measure(name)

    def _prepare(self, names: list[str], data: Path | None) -> None:
        self.base.mkdir()
        if data is None:
            self._prepared(Verb(("mini", "data", "--benchmark", ",".join(BENCHMARKS))))
        else:
            shutil.copytree(data, self.base / "data")
        for line in (
            ("run", "otb2015", "-t", "kcf", "--no-progress"),
            ("run", "vot2018", "-t", "kcf", "--no-progress"),
            ("run", "trackingnet", "-t", "static", "--no-progress"),
            ("run", "otb2015", "-t", "static", "-r", "elsewhere", "--no-progress"),
            ("export", "otb2015", "theirs", "-t", "kcf", "--format", "pysot"),
        ):
            self._prepared(Verb(line))
        if {"fit-export", "average"} & set(names):
            self._prepared(_training("fit", "old", *FIT))

    def _prepared(self, verb: Verb) -> None:
        done = self.call(self.base, verb)
        if done.returncode:
            raise RuntimeError(f"{' '.join(verb.line)}: {done.stderr}")

    def environment(self, at: int = -1, count: Path | None = None) -> dict[str, str]:
        """The environment of a command, which is killed before its n-th call."""
        path = os.pathsep.join([str(self.folder / "count"), str(ROOT)])
        told = {"KILL_COUNT": str(count)} if count else {}
        return {
            **os.environ,
            "OMP_NUM_THREADS": "1",
            "PYTHONPATH": path,
            "KILL_AT": str(at),
            **told,
        }

    def call(
        self, folder: Path, verb: Verb, at: int = -1, count: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            command(verb), cwd=folder, text=True, capture_output=True,
            env=self.environment(at, count), check=False, timeout=LIMIT,
        )  # fmt: skip

    def _measure(self, name: str) -> None:
        verb, found = VERBS[name], []
        for attempt in range(2):
            with self.copy() as folder:
                started = time.monotonic()
                counter = self.folder / "calls"
                done = self.call(folder, verb, 0, counter)
                if done.returncode:
                    raise RuntimeError(f"{name}: {done.stderr}")
                self.seconds[name] = time.monotonic() - started
                self.calls[name] = int(counter.read_text())
                found.append(hashes(folder))
            del attempt
        self.expected[name] = {
            path: digest if found[1].get(path) == digest else "differs by itself"
            for path, digest in found[0].items()
        }

    def copy(self) -> Copy:
        """A copy of the prepared folder, for one trial."""
        return Copy(self.base)

    def judge(self, name: str, folder: Path) -> list[str]:
        """What is wrong after a kill: the command runs again, and then everything is looked at."""
        verb = VERBS[name]
        try:
            again = self.call(folder, verb)
        except subprocess.TimeoutExpired:
            return ["the next call does not end"]
        if again.returncode not in verb.again:
            return [f"the next call ends with {again.returncode}: {again.stderr[-400:]}"]
        faults = ["the next call shows a traceback"] if "Traceback" in again.stderr else []
        found = hashes(folder)
        for path, digest in self.expected[name].items():
            if path not in found:
                faults.append(f"{path} is missing")
            elif digest not in (found[path], "differs by itself"):
                faults.append(f"{path} differs")
        faults += [f"{path} lies about" for path in found if path not in self.expected[name]]
        return faults


class Copy:
    """A temporary copy of a folder; a context manager."""

    def __init__(self, base: Path) -> None:
        self._base, self._holder = base, TemporaryDirectory(prefix="kills-")

    def __enter__(self) -> Path:
        folder = Path(self._holder.name, "w")
        shutil.copytree(self._base, folder, symlinks=True, copy_function=_link_data)
        return folder

    def __exit__(self, *error: object) -> None:
        self._holder.cleanup()


def _link_data(source: str, target: str) -> None:
    """Copy a file; frames, which nothing writes to, are linked."""
    if source.endswith((".jpg", ".png")):
        os.link(source, target)
    else:
        shutil.copy2(source, target)


def hashes(folder: Path) -> dict[str, str]:
    """What lies in a folder; contents that tell times of day, or durations, count as present."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and not name.startswith("data/"):
            timed = TIMED.search(name) and not LITTER.fullmatch(path.name)
            if path.name == ".lock" or "/logs/" in name:
                continue
            found[name] = hashlib.sha256(b"" if timed else _content(path)).hexdigest()
    return found


def _content(path: Path) -> bytes:
    """What a file holds; of weights the tensors alone, as the record beside them has a date."""
    content = path.read_bytes()
    if path.suffix != ".safetensors":
        return content
    return content[8 + int.from_bytes(content[:8], "little") :]


def trial(trials: Trials, name: str, how: str, generator: random.Random) -> list[str]:
    """Disturb one command, and say what is wrong afterwards."""
    with trials.copy() as folder:
        at = generator.randint(1, max(1, trials.calls[name])) if how == "call" else -1
        process = subprocess.Popen(
            command(VERBS[name]), cwd=folder, text=True, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, env=trials.environment(at),
        )  # fmt: skip
        if how != "call":
            time.sleep(generator.uniform(0, trials.seconds[name] * 1.05))
            if how == "SIGSTOP":
                process.send_signal(signal.SIGSTOP)
                time.sleep(0.3)
                process.send_signal(signal.SIGCONT)
            else:
                process.send_signal(getattr(signal, how))
        try:
            _, errors = process.communicate(timeout=LIMIT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            return ["does not end"]
        faults = []
        if how == "SIGSTOP" and process.returncode not in VERBS[name].again:
            faults.append(f"ends with {process.returncode} after a stop: {errors[-300:]}")
        if "Traceback" in errors and ("bench/" in errors or "trackers/" in errors):
            faults.append(f"a traceback after {how}: {errors[-600:]}")
        return [*faults, *trials.judge(name, folder)]


def rounds(names: list[str], signals: int, calls: int, seed: int) -> Iterator[tuple[str, str]]:
    """The verb and the way of each trial, verbs in turn."""
    generator = random.Random(seed)
    kinds = ("SIGINT", "SIGTERM", "SIGKILL", "SIGSTOP")
    plan = [generator.choice(kinds) for _ in range(signals)] + ["call"] * calls
    generator.shuffle(plan)
    for number, how in enumerate(plan):
        yield names[number % len(names)], how


def _sound(out: Path) -> set[int]:
    """Rounds of a file of outcomes whose last outcome has no fault."""
    faults = {}
    if out.is_file():
        for line in out.read_text(encoding="utf-8").splitlines():
            if line.endswith("}"):  # the last one may be cut
                one = json.loads(line)
                faults[one["round"]] = one["faults"]
    return {number for number, found in faults.items() if not found}


def main() -> int:
    """Run the trials and print what was found; 1 if anything was."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--signals", type=int, default=200)
    parser.add_argument("--calls", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--verbs", nargs="*", default=list(VERBS))
    parser.add_argument("--out", type=Path, default=Path("kills.jsonl"))
    chosen = parser.parse_args()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's `&` ignores it for all
    plan = list(enumerate(rounds(chosen.verbs, chosen.signals, chosen.calls, chosen.seed)))
    sound, bad = _sound(chosen.out), 0
    left = [each for each in plan if each[0] not in sound]
    with TemporaryDirectory(prefix="kills-") as folder, chosen.out.open("a") as stream:
        trials = Trials(Path(folder), sorted({name for _, (name, _) in left}))
        for done, (number, (name, how)) in enumerate(left, start=1):
            faults = trial(trials, name, how, random.Random(f"{chosen.seed} {number}"))
            bad += bool(faults)
            one = {"round": number, "verb": name, "how": how, "faults": faults}
            print(json.dumps(one), file=stream, flush=True)
            for fault in faults:
                print(f"{number}, {name}, {how}: {fault}", flush=True)
            if done % 20 == 0:
                print(f"{done} rounds, {bad} with faults", flush=True)
    print(f"{len(plan)} rounds, {len(left)} of them run now, {bad} with faults")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())

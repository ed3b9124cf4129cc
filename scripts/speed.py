"""Time scoring beside other toolkits on generated results, in CPU seconds: no test.

``speed_onepass`` and ``speed_vot`` say what is scored, and by whom; with the name of sets (say,
``vot2018-x1``) only those are timed. Results are generated into a temporary folder. Every run is
a fresh process of the same interpreter; the figure is user + system time of all its threads and
children, imports apart from scoring. Sets called ``kept`` show what scores kept beside the results
save (``bench.evaluation.score_cache``): with none kept, with all, and with one tracker new.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import speed_onepass
import speed_vot


@dataclass(frozen=True)
class Side:
    """One toolkit on one set.

    Attributes:
        module: what has to be installed for it.
        prepare: from the set's name and folder to the work to be timed, all imports done.
        repeats: how many processes are timed.
    """

    module: str
    prepare: Callable[[str, Path], Callable[[], object]]
    repeats: int = 5


def with_kept(module: Any, forgotten: str) -> Side:
    """Ours with scores kept, but of the trackers whose names match ``forgotten``."""

    def prepare(name: str, root: Path) -> Callable[[], object]:
        for folder in root.glob(f"results/*/{forgotten}/**/.cache"):
            shutil.rmtree(folder)
        prepared: Callable[[], object] = module.prepare_ours(name, root, cache=True)
        return prepared

    return Side("bench", prepare, 3)


def kept_sides(module: Any) -> dict[str, Side]:
    """In this order: each turn leaves the scores that the next one finds."""
    forgotten = {"none kept": "T*", "all kept": "-", "one new": "T00"}
    return {f"ours, {label}": with_kept(module, names) for label, names in forgotten.items()}


KEPT = "-kept"
TRACKERS_KEPT = 20
ONE_PASS = {
    "ours": Side("bench", speed_onepass.prepare_ours),
    "got10k": Side("got10k", speed_onepass.prepare_got10k),
}
VOT = {"ours": Side("bench", speed_vot.prepare_ours, 3)}
TOOLKIT = {"vot-toolkit": Side("vot", speed_vot.prepare_toolkit, 1)}
SETS: dict[str, tuple[Any, dict[str, Side]]] = {
    "otb2015": (speed_onepass, ONE_PASS),
    "lasot": (speed_onepass, ONE_PASS),
    "vot2018-x1": (speed_vot, VOT | TOOLKIT),
    "vot2018-x15": (speed_vot, VOT),
    f"otb2015{KEPT}": (speed_onepass, kept_sides(speed_onepass)),
    f"lasot{KEPT}": (speed_onepass, kept_sides(speed_onepass)),
    f"vot2018-x15{KEPT}": (speed_vot, kept_sides(speed_vot)),
}


def cpu_seconds() -> float:
    """User and system time of this process and of its children that have ended."""
    return sum(os.times()[:4])


def time_once(name: str, toolkit: str, root: Path) -> None:
    """The child process: do the work once and print what it took, and what came out."""
    _, sides = SETS[name]
    work = sides[toolkit].prepare(name.removesuffix(KEPT), root)
    before = cpu_seconds()
    work()
    after = cpu_seconds()
    print(json.dumps({"scoring": after - before, "process": after}))


def measure(name: str, toolkit: str, root: Path) -> dict[str, float]:
    """CPU seconds of one fresh process."""
    command = [sys.executable, __file__, name, toolkit, str(root)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{toolkit} on {name} failed:\n{done.stdout}{done.stderr}")
    spent: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return spent


def time_set(name: str) -> list[tuple[str, str, str, str]]:
    """Rows of the table: every toolkit that is installed, in turns, on a set generated anew."""
    generator, known = SETS[name]
    sides = {toolkit: side for toolkit, side in known.items() if find_spec(side.module)}
    runs: dict[str, list[dict[str, float]]] = {toolkit: [] for toolkit in sides}
    base, trackers = name.removesuffix(KEPT), TRACKERS_KEPT if KEPT in name else generator.TRACKERS
    with TemporaryDirectory(prefix="speed-") as folder:
        generator.generate(base, Path(folder), trackers)
        for turn in range(max(side.repeats for side in sides.values())):
            for toolkit, side in sides.items():
                if turn < side.repeats:
                    runs[toolkit].append(measure(name, toolkit, Path(folder)))
    return [
        (f"{generator.describe(base)}, {trackers} trackers", toolkit, *_columns(spent))
        for toolkit, spent in runs.items()
    ]


def _columns(spent: list[dict[str, float]]) -> tuple[str, str]:
    scoring, process = ([run[key] for run in spent] for key in ("scoring", "process"))
    return _median_and_min(scoring), _median_and_min(process)


def _median_and_min(values: list[float]) -> str:
    return f"{statistics.median(values):.2f} ({min(values):.2f})"


def main(names: list[str]) -> None:
    """Time the named sets and print a table."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title="Scoring, CPU seconds: median (min)")
    for heading in ("set", "toolkit", "scoring", "whole process"):
        table.add_column(heading)
    for name in names:
        for row in time_set(name):
            table.add_row(*row)
    Console().print(table)


if __name__ == "__main__":
    if len(sys.argv) == 4 and sys.argv[1] in SETS and sys.argv[2] not in SETS:
        time_once(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
    elif unknown := [name for name in sys.argv[1:] if name not in SETS]:
        sys.exit(f"unknown set {unknown[0]!r}; known: {', '.join(SETS)}")
    else:
        main(sys.argv[1:] or list(SETS))

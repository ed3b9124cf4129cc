"""Writing the miniature with parallel processes; each folder appears complete or not at all."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import shutil
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from filelock import Timeout

from bench.benchmarks import adopt, declared_here, get_benchmark
from bench.errors import ConfigError, DatasetError, ResultError
from bench.locks import locked
from bench.mini.layouts import list_path
from bench.mini.plan import Plan, Video, enlarged, get_plan, plans
from bench.processes import end_with_parent

GENERATOR = 1  # increment when any pixel or box of the miniature changes
MARK = "miniature.json"


def write_miniature(
    root: Path,
    *,
    seed: int = 0,
    benchmarks: Collection[str] | None = None,
    sequences: int = 0,
    jobs: int = 2,
) -> None:
    """Write generated stand-ins as ``<root>/<benchmark>/...``, each in its own layout.

    Equal seeds give equal bytes (for equal versions of NumPy and OpenCV). A benchmark's folder
    appears complete or not at all and replaces an older miniature.

    Args:
        root: created if it does not exist.
        seed: any integer >= 0.
        benchmarks: benchmarks to write; all six by default.
        sequences: minimum number of test sequences per benchmark.
        jobs: number of processes.

    Raises:
        ConfigError: an unknown benchmark, a negative seed or number of sequences, no jobs, or more
            sequences than a benchmark has.
        DatasetError: ``<root>/<benchmark>`` holds something that was not generated, or another
            process is writing into ``root``.
    """
    if seed < 0 or sequences < 0 or jobs < 1:
        raise ConfigError(
            "expected seed >= 0, sequences >= 0 and jobs >= 1, found "
            f"seed={seed}, sequences={sequences}, jobs={jobs}"
        )
    wanted = plans() if benchmarks is None else map(_canonical, benchmarks)
    names = list(dict.fromkeys(wanted))
    chosen = {name: enlarged(get_plan(name), name, sequences) for name in names}
    tasks = [(name, video) for name, plan in chosen.items() for video in plan.videos]
    tasks.sort(key=lambda task: -task[1].frames)
    with _alone_in(root):
        for name in names:
            _refuse_foreign(root / name)
            _sweep(root, name)
        if jobs == 1:
            for name, video in tasks:
                _write_video(_unfinished(root, name), name, video, seed)
        else:
            _write_parallel(root, tasks, seed, jobs)
        for name, plan in chosen.items():
            _finish(root, name, plan, seed)


def _canonical(name: str) -> str:
    """The name of a benchmark, which may be given in another spelling."""
    return name if name in plans() else get_benchmark(name).name


@contextlib.contextmanager
def _alone_in(root: Path) -> Iterator[None]:
    """Hold ``root`` for this process, so that two miniatures never mix.

    The system lets go of the lock of a process that is killed.

    Raises:
        DatasetError: another process is writing a miniature there.
    """
    with contextlib.ExitStack() as held:
        try:
            held.enter_context(locked(root))
        except ResultError as error:
            if not isinstance(error.__cause__, Timeout):
                raise DatasetError(str(error)) from error
            raise DatasetError(
                f"{root}: another `bench mini` is writing there. Wait for it to end, or choose "
                "another folder."
            ) from error
        yield


def _write_parallel(root: Path, tasks: list[tuple[str, Video]], seed: int, jobs: int) -> None:
    # Not forked, since a fork would copy the locks of OpenCV's threads.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(
        jobs, mp_context=context, initializer=_begin, initargs=(declared_here(),)
    ) as pool:
        running = [
            pool.submit(_write_video, _unfinished(root, name), name, video, seed)
            for name, video in tasks
        ]
        try:
            for future in running:
                future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _begin(declared: Mapping[str, Any]) -> None:
    """In a new process: the benchmarks of the first one, one thread, and the same end."""
    import cv2

    end_with_parent()  # else it would wait for work for ever
    adopt(declared)
    cv2.setNumThreads(1)


def _write_video(root: Path, benchmark: str, video: Video, seed: int) -> None:
    # Imported lazily: OpenCV would slow down the start of the command line.
    from bench.mini.clip import write_video

    write_video(root, benchmark, video, seed)


def _unfinished(root: Path, benchmark: str) -> Path:
    return root / f".{benchmark}.unfinished"


def _replaced(root: Path, benchmark: str) -> Path:
    return root / f".{benchmark}.replaced"


def _sweep(root: Path, benchmark: str) -> None:
    """Remove what a call that was killed left behind; only for who holds the lock."""
    for folder in (_unfinished(root, benchmark), _replaced(root, benchmark)):
        shutil.rmtree(folder, ignore_errors=True)


def _refuse_foreign(folder: Path) -> None:
    """Refuse to replace what this module did not write."""
    if folder.exists() and not (folder / MARK).is_file() and any(folder.iterdir()):
        raise DatasetError(
            f"{folder} exists but is not a generated miniature: expected no folder, an empty one, "
            f"or one with {MARK}. Nothing was written; choose another folder."
        )


def _finish(root: Path, benchmark: str, plan: Plan, seed: int) -> None:
    """Mark a folder as generated and move it into place."""
    unfinished = _unfinished(root, benchmark)
    entries = [entry for video in plan.videos for entry in video.entries]
    record = {
        "generated": True,
        "note": "Generated video in this benchmark's layout; not the benchmark.",
        "benchmark": benchmark,
        "generator": "bench.mini",
        "version": GENERATOR,
        "seed": seed,
        "names": plan.source,
        "sequences": {entry.name: entry.frames for entry in entries},
    }
    lists = {path: "" for entry in entries if (path := list_path(benchmark, entry))}
    for entry in entries if lists else ():
        lists[list_path(benchmark, entry)] += f"{entry.name}\n"
    for path, names in lists.items():
        (unfinished / path).write_text(names, encoding="utf-8")
    (unfinished / MARK).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    # Renamed before it is deleted: a folder half deleted would not be known for a miniature.
    target, replaced = root / benchmark, _replaced(root, benchmark)
    if target.exists():
        target.rename(replaced)
    unfinished.rename(target)
    shutil.rmtree(replaced, ignore_errors=True)

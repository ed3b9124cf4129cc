"""Scores kept beside results: the same as computed anew, and never used when anything differs."""

from __future__ import annotations

import dataclasses
import errno
import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bench
from bench.benchmarks import benchmarks
from bench.evaluation import evaluate, score_cache
from bench.geometry import Regions
from bench.measures.conventions import convention_names, read_table
from bench.results import open_store
from bench.results.checksums import CACHE
from bench.results.memory import MemoryStore
from bench.results.onepass import OnePassStore
from bench.results.stores import Store
from bench.results.vot.store import VotStore
from bench.sequence import Dataset, RegionTrajectory, Sequence, Trajectory
from bench.tracker import ABSENT
from tests.test_architecture import MODULES, imports

FRAMES = 24
KINDS = [
    (name, experiment) for name, row in benchmarks().items() for experiment in row.experiments
]


def sequence(benchmark: str, name: str, seed: int) -> Sequence:
    rng = np.random.default_rng(seed)
    truth = np.tile([40.0, 60.0, 30.0, 20.0], (FRAMES, 1))
    truth[:, :2] += np.cumsum(rng.integers(-3, 4, (FRAMES, 2)), axis=0)
    absent = rng.random(FRAMES) < 0.2
    absent[0] = False
    corners = truth[:, None, :2] + truth[:, None, 2:] * [[0, 0], [1, 0], [1, 1], [0, 1]]
    is_vot = benchmarks()[benchmark].kind == "vot"
    return Sequence(
        name, truth, index_base=benchmarks()[benchmark].index_base, benchmark=benchmark,
        polygons=corners if is_vot else None, absent=absent, size=(160, 120),
        attributes=frozenset({"OCC", "SV"} if seed % 2 else {"OCC"}),
        tags={"occlusion": rng.random(FRAMES) < 0.4, "empty": np.zeros(FRAMES, bool)},
    )  # fmt: skip


def dataset_of(benchmark: str) -> Dataset:
    names = ("one-1", "two-2", "three-3")
    sequences = tuple(sequence(benchmark, name, seed) for seed, name in enumerate(names))
    return Dataset(benchmark, Path("data"), sequences, expected=9, doubts=("one-1: doubtful",))


def write(store: Store, tracker: str, one: Sequence, seed: int, repetition: int = 1) -> None:
    """A run that wanders off, with confidences, absent and invalid frames."""
    rng = np.random.default_rng([seed, repetition, *map(ord, one.name)])
    boxes = one.ground_truth - [one.index_base, one.index_base, 0, 0]
    boxes = boxes + rng.normal(0, 1 + seed, boxes.shape)
    times, scores = np.full(FRAMES, 0.01 * (1 + seed)), rng.random(FRAMES)
    if store.experiment == "onepass":
        boxes[5], boxes[7] = np.nan, ABSENT
        store.write(tracker, one, Trajectory(boxes, times, scores), repetition)
        return
    rows: list[list[float]] = boxes.tolist()
    rows[0] = [1.0]
    if store.experiment != "unsupervised":
        rows[9:15] = [[2.0], [0.0], [0.0], [0.0], [0.0], [1.0]]
    regions = Regions.from_rows(rows)
    store.write(tracker, one, RegionTrajectory(regions, times, scores), repetition)


def fill(store: Store, dataset: Dataset, trackers: str = "abcdef") -> None:
    """Trackers that are whole, repeated, unfinished, broken, changed since, and without scores."""
    for seed, tracker in enumerate(trackers):
        for one in dataset.sequences[: 2 if tracker == "c" else None]:
            for repetition in (1, 2, 3) if tracker == "b" else (1,):
                write(store, tracker, one, seed, repetition)
        texts = sorted(store.folder(tracker).rglob("one-1*.txt"))
        run = next(path for path in texts if path.stem in ("one-1", "one-1_001"))
        if tracker == "d":
            run.write_text("no numbers\n")
        if tracker == "e":
            change_byte(run)
        if tracker == "f":
            shutil.rmtree(run.parent / "scores", ignore_errors=True)


@pytest.fixture
def make(tmp_path: Path) -> Callable[[str, str], tuple[Dataset, Store]]:
    def made(benchmark: str, experiment: str) -> tuple[Dataset, Store]:
        dataset, store = dataset_of(benchmark), open_store(tmp_path, benchmark, experiment)
        fill(store, dataset)
        return dataset, store

    return made


@pytest.fixture
def lasot(make: Callable[[str, str], tuple[Dataset, Store]]) -> tuple[Dataset, Store]:
    return make("lasot", "onepass")


def kept(store: Store) -> dict[Path, bytes]:
    found = (store.root / store.benchmark).rglob(f"{CACHE}/*")
    return {path: path.read_bytes() for path in found}


def anew(dataset: Dataset, store: Store, **options: Any) -> str:
    """All that is found without kept scores, to the last bit."""
    return repr(evaluate(dataset, store, cache=False, **options))


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Names of the trackers whose results are read."""
    found: list[str] = []
    for kind in (OnePassStore, VotStore):
        for name in ("read_run", "read_runs"):
            original = getattr(kind, name)

            def read(self: Any, tracker: str, *rest: Any, _call: Any = original, **more: Any) -> Any:  # fmt: skip  # noqa: E501
                found.append(tracker)
                return _call(self, tracker, *rest, **more)

            monkeypatch.setattr(kind, name, read)
    return found


@pytest.mark.parametrize(("benchmark", "experiment"), KINDS)
def test_kept_scores_are_those_computed_anew(
    make: Callable[[str, str], tuple[Dataset, Store]],
    reads: list[str],
    benchmark: str,
    experiment: str,
) -> None:
    dataset, store = make(benchmark, experiment)
    every = list(convention_names(benchmark))
    for rules, partial in ((None, False), (every, True)):
        options: dict[str, Any] = {"conventions": rules, "partial": partial}
        expected = anew(dataset, store, **options)
        assert repr(evaluate(dataset, store, **options)) == expected
        reads.clear()
        assert repr(evaluate(dataset, store, **options)) == expected
        assert not reads
        some = anew(dataset, store, trackers="fab", **options)  # in another order
        assert repr(evaluate(dataset, store, "fab", **options)) == some
        shutil.rmtree(store.folder("b") / CACHE)
        reads.clear()
        assert repr(evaluate(dataset, store, **options)) == expected
        assert set(reads) == {"b"}


def test_presence_counts_by_who_else_is_scored(lasot: tuple[Dataset, Store]) -> None:
    dataset, store = lasot
    for one in dataset:  # "f" has no confidences, and now says nothing of absence either
        boxes = one.ground_truth - [1, 1, 0, 0]
        run = Trajectory(boxes, np.ones(FRAMES), np.full(FRAMES, np.nan))
        store.write("f", one, run)
    for trackers in ("f", "fa", "f", "af"):
        assert repr(evaluate(dataset, store, trackers)) == anew(dataset, store, trackers=trackers)
    (alone,), (beside,) = evaluate(dataset, store, "f"), evaluate(dataset, store, "fa")
    assert not any("presence" in note for note in alone.trackers["f"].notes)
    assert any("presence" in note for note in beside.trackers["f"].notes)


def sequence_with(dataset: Dataset, **changes: Any) -> Dataset:
    first, *others = dataset.sequences
    changed = dataclasses.replace(first, **changes)
    return dataclasses.replace(dataset, sequences=(changed, *others))


def moved(dataset: Dataset) -> Dataset:
    truth = dataset[0].ground_truth.copy()
    truth[3, 0] = np.nextafter(truth[3, 0], np.inf)
    return sequence_with(dataset, ground_truth=truth)


ANNOTATIONS: dict[str, Callable[[Dataset], Dataset]] = {
    "a box": moved,
    "absence": lambda d: sequence_with(d, absent=~d[0].absent),
    "attributes": lambda d: sequence_with(d, attributes=frozenset({"OCC", "SV", "FM"})),
    "size": lambda d: sequence_with(d, size=(50, 50)),
    "tags": lambda d: sequence_with(d, tags={"occlusion": np.ones(FRAMES, bool)}),
    "first frame": lambda d: sequence_with(d, first_frame=7),
    "fewer sequences": lambda d: dataclasses.replace(d, sequences=d.sequences[1:]),
    "order": lambda d: dataclasses.replace(d, sequences=d.sequences[::-1]),
    "stand-in": lambda d: dataclasses.replace(d, miniature=True),
    "folder": lambda d: dataclasses.replace(d, root=Path("elsewhere")),
}


@pytest.mark.parametrize("what", ANNOTATIONS)
@pytest.mark.parametrize(("benchmark", "experiment"), [("lasot", "onepass"), ("vot2018", "baseline")])  # fmt: skip  # noqa: E501
def test_other_annotation_is_scored_anew(
    make: Callable[[str, str], tuple[Dataset, Store]],
    reads: list[str],
    what: str,
    benchmark: str,
    experiment: str,
) -> None:
    dataset, store = make(benchmark, experiment)
    evaluate(dataset, store)
    other = ANNOTATIONS[what](dataset)
    expected = anew(other, store)
    reads.clear()
    assert repr(evaluate(other, store)) == expected
    assert {"a", "b"} <= set(reads)


def change_byte(path: Path) -> None:
    """Another last digit, of the same size, with the old times of change."""
    before = path.stat()
    content = bytearray(path.read_bytes().rstrip())
    content[-1] = ord("7") if content[-1] != ord("7") else ord("8")
    path.write_bytes(bytes(content) + b"\n")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size


FILES: dict[str, Callable[[Path], object]] = {
    "a box": lambda a: change_byte(a / "two-2.txt"),
    "a time": lambda a: change_byte(a / "times/two-2_time.txt"),
    "a confidence": lambda a: change_byte(a / "scores/two-2_score.txt"),
    "times gone": lambda a: (a / "times/two-2_time.txt").unlink(),
    "confidences gone": lambda a: shutil.rmtree(a / "scores"),
    "a run gone": lambda a: (a / "two-2.txt").unlink(),
    "another run": lambda a: shutil.copytree(
        a, a / "repetitions/002", ignore=shutil.ignore_patterns("repetitions", CACHE, "*.json")
    ),
    "a surplus run": lambda a: shutil.copy(a / "two-2.txt", a / "four-4.txt"),
    "what was written": lambda a: (a / "SHA256SUMS").write_text(f"{'0' * 64}  one-1.txt\n"),
    "a record": lambda a: (a / "run.json").write_text('{"tuned_on": "lasot"}'),
    "a pipe": lambda a: os.mkfifo(a / "four-4.txt"),
    "a link to nothing": lambda a: (a / "four-4.txt").symlink_to("nowhere.txt"),
}


@pytest.mark.parametrize("what", FILES)
def test_other_files_are_scored_anew(
    lasot: tuple[Dataset, Store], reads: list[str], what: str
) -> None:
    dataset, store = lasot
    before = repr(evaluate(dataset, store))
    FILES[what](store.folder("a"))
    expected = anew(dataset, store)
    assert expected != before or what == "a confidence"
    reads.clear()
    assert repr(evaluate(dataset, store)) == expected
    assert set(reads) <= {"a"}
    assert reads or what == "a record" or "a" in evaluate(dataset, store)[0].refused


def test_other_code_libraries_and_folders_are_scored_anew(
    lasot: tuple[Dataset, Store], reads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset, store = lasot
    evaluate(dataset, store)
    for target, name in ((score_cache, "_CODE"), (np, "__version__")):
        with monkeypatch.context() as patched:
            patched.setattr(target, name, "other")
            reads.clear()
            evaluate(dataset, store)
            assert set(reads) > {"a", "b"}
    with monkeypatch.context() as patched:
        patched.setitem(read_table("conventions.json")["lasot"], "success", "at least")
        reads.clear()
        evaluate(dataset, store)
        assert set(reads) > {"a", "b"}
    elsewhere = dataclasses.replace(store, root=store.root / ".")
    assert evaluate(dataset, elsewhere)
    monkeypatch.chdir(store.root)
    reads.clear()
    relative = dataclasses.replace(store, root=Path())
    assert repr(evaluate(dataset, relative)) == anew(dataset, relative)  # paths in messages


def test_every_module_that_scores_is_in_the_hash() -> None:
    """What evaluation and the stores import, down to the ground."""
    waiting = ["bench.results.onepass", "bench.results.vot.store"]
    waiting += [name for name in MODULES if name.startswith("bench.evaluation")]
    found: set[str] = set()
    while waiting:
        module = waiting.pop()
        if module not in found:
            found.add(module)
            waiting += imports(MODULES[module])
    rooms = {room.removesuffix(".py") for room in score_cache.ROOMS}
    assert {module.split(".")[1] for module in found if "." in module} <= rooms
    assert all((Path(bench.__file__).parent / room).exists() for room in score_cache.ROOMS)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-9]),
    "empty": lambda path: path.write_bytes(b""),
    "another digit": lambda path: path.write_bytes(path.read_bytes().replace(b"0.", b"1.", 1)),
    "no text": lambda path: path.write_bytes(b"\x00\xff\n" * 99),
    "another tracker's": lambda path: shutil.copy(path.parents[2] / "b" / CACHE / path.name, path),
    "huge": lambda path: os.truncate(path, 1 << 40),
}


@pytest.mark.parametrize("what", DAMAGES)
def test_damaged_files_are_ignored_and_replaced(
    lasot: tuple[Dataset, Store], reads: list[str], what: str
) -> None:
    dataset, store = lasot
    expected, before = repr(evaluate(dataset, store)), kept(store)
    (path,) = (store.folder("a") / CACHE).iterdir()
    DAMAGES[what](path)
    reads.clear()
    assert repr(evaluate(dataset, store)) == expected
    assert set(reads) == {"a"}
    assert kept(store) == before


def test_scoring_goes_on_where_nothing_can_be_kept(
    lasot: tuple[Dataset, Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset, store = lasot
    expected = anew(dataset, store)
    assert not kept(store)
    (store.folder("a") / CACHE).write_text("no folder")

    def full(*arguments: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "open", lambda path, flags, *mode, _open=os.open: (
            full() if flags & os.O_CREAT else _open(path, flags, *mode)
        ))  # fmt: skip
        assert repr(evaluate(dataset, store)) == expected
    assert not kept(store)
    assert repr(evaluate(dataset, store)) == expected
    assert {path.parents[1].name for path in kept(store)} == set("bcdef")


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_scored(lasot: tuple[Dataset, Store]) -> None:
    dataset, store = lasot
    expected = anew(dataset, store)
    folders = [store.folder(tracker) for tracker in store.trackers()]
    for folder in folders:
        folder.chmod(0o555)
    try:
        assert repr(evaluate(dataset, store)) == expected
    finally:
        for folder in folders:
            folder.chmod(0o755)
    assert not kept(store)


def test_results_that_change_meanwhile_are_not_kept(
    lasot: tuple[Dataset, Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset, store = lasot
    path = store.folder("a") / "two-2.txt"
    first = path.read_bytes()
    original = type(store).read_run

    def read(self: Store, tracker: str, name: str, *rest: Any, **more: Any) -> Regions:
        if (tracker, name) == ("a", "two-2"):
            change_byte(path)
        return original(self, tracker, name, *rest, **more)

    with monkeypatch.context() as patched:
        patched.setattr(type(store), "read_run", read)
        evaluate(dataset, store)
    assert {found.parents[1].name for found in kept(store)} == set("bcdef")
    path.write_bytes(first)
    assert repr(evaluate(dataset, store)) == anew(dataset, store)


def test_two_at_once_keep_the_same(lasot: tuple[Dataset, Store]) -> None:
    dataset, store = lasot
    expected = anew(dataset, store)
    with ThreadPoolExecutor(4) as pool:
        for _ in range(3):
            found = pool.map(lambda _: repr(evaluate(dataset, store)), range(4))
            assert set(found) == {expected}
            assert len(kept(store)) == 6
            for path in kept(store):
                path.unlink()


def test_ranks_and_results_in_memory_are_always_computed(
    make: Callable[[str, str], tuple[Dataset, Store]], reads: list[str]
) -> None:
    dataset, store = make("vot2018", "baseline")
    for _ in range(2):
        reads.clear()
        assert evaluate(dataset, store, "ab", ranks=True)[0].ranks
        assert set(reads) == {"a", "b"}
    memory = MemoryStore("vot2018", "baseline")
    memory.copy_from(store, "a")
    evaluate(dataset, memory)
    assert not kept(store)


def test_python_keeps_scores_of_a_folder(lasot: tuple[Dataset, Store], reads: list[str]) -> None:
    dataset, store = lasot
    bench.evaluate(store.root, dataset, cache=False)
    assert not kept(store)
    first = bench.evaluate(store.root, dataset)
    assert len(kept(store)) == 6
    reads.clear()
    assert dataclasses.asdict(bench.evaluate(str(store.root), dataset)) == dataclasses.asdict(
        first
    )
    assert not reads

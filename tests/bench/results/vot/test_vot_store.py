"""The store of a VOT experiment reads and writes official files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bench.errors import ResultError
from bench.geometry import Regions
from bench.results.vot.store import VotStore
from bench.sequence import RegionTrajectory, Sequence

BOX = [[10.0, 20.0, 30.0, 40.0]]


def sequence(name: str = "bag", frames: int = 3) -> Sequence:
    return Sequence(name, np.repeat(BOX, frames, axis=0))


def trajectory(
    *rows: list[float], seconds: float = 0.5, score: float = np.nan
) -> RegionTrajectory:
    times = np.full(len(rows), seconds)
    return RegionTrajectory(Regions.from_rows(rows), times, np.full(len(rows), score))


RUN = trajectory([1], [1.23456, 2, 3, 4], [0, 0, 9, 0, 9, 9, 0.5, 9])


def fill(folder: Path, **files: str | bytes) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        data = content.encode() if isinstance(content, str) else content
        (folder / name.replace("__", ".")).write_bytes(data)
    return folder


@pytest.fixture
def store(tmp_path: Path) -> VotStore:
    return VotStore(tmp_path, "vot2018", "baseline")


def test_written_as_the_official_files(store: VotStore, tmp_path: Path) -> None:
    store.write("T", sequence(), RUN)
    folder = tmp_path / "vot2018/T/baseline/bag"
    assert (folder / "bag_001.txt").read_text() == (
        "1\n1.2346,2.0000,3.0000,4.0000\n0.0000,0.0000,9.0000,0.0000,9.0000,9.0000,0.5000,9.0000\n"
    )
    assert (folder / "bag_time.txt").read_text() == "0.500000\n" * 3
    assert sorted(p.name for p in folder.iterdir()) == ["bag_001.txt", "bag_time.txt"]


def test_a_repetition_left_out_has_no_times(store: VotStore) -> None:
    """The challenge's own files have zeros there, which would distort the speed."""
    store.write("T", sequence(), RUN, 3)
    store.write("T", sequence(), trajectory([1], [2], [0], seconds=0.25, score=0.75))
    assert store.repetitions("T", "bag") == (1, 3)
    times = store.read_times("T", "bag")
    np.testing.assert_array_equal(times, [[0.25, np.nan, 0.5]] * 3)
    assert store.confidence_path("T", "bag", 1).read_text() == "0.750000\n" * 3
    assert store.read_run("T", "bag").codes.tolist() == [1, 2, 0]
    assert [run.codes.tolist() for run in store.read_runs("T", "bag")] == [[1, 2, 0], [1, -1, -1]]


def test_written_again_in_place(store: VotStore) -> None:
    for seconds in (0.5, 0.125):
        store.write("T", sequence(), trajectory([1], [2], [0], seconds=seconds))
    np.testing.assert_array_equal(store.read_times("T", "bag"), [[0.125]] * 3)


@pytest.mark.parametrize("name", ["bag", "bag_001", "car1", "0", "ball_0", "x_time"])
def test_names_with_digits_differ_from_repetitions(store: VotStore, name: str) -> None:
    store.write("T", sequence(name), RUN, 10)
    assert store.sequences("T") == {name}
    assert store.repetitions("T", name) == (10,)
    assert store.finished("T", sequence(name), 10)
    assert not store.finished("T", sequence(name), 1)


def test_only_folders_with_runs_count(store: VotStore, tmp_path: Path) -> None:
    store.write("b", sequence(), RUN)
    store.write("A", sequence(), RUN)
    fill(tmp_path / "vot2018/times-only/baseline/bag", bag_time__txt="1\n")
    fill(tmp_path / "vot2018/other/unsupervised/bag", bag_001__txt="1\n")
    fill(tmp_path / "vot2018/A/baseline/car1", bag_001__txt="1\n", car1_1__txt="1\n")
    fill(tmp_path / "vot2018/A/baseline/gone", **{".gone_001__txt__tmp": "1\n"})
    (tmp_path / "vot2018/notes.txt").write_text("")
    assert store.trackers() == ["A", "b"]
    assert store.sequences("A") == {"bag"}
    assert store.sequences("nobody") == frozenset()
    assert VotStore(tmp_path / "nowhere", "vot2018", "baseline").trackers() == []


@pytest.mark.parametrize("content", ["1\n0\n", "1\n0\n0\n0\n", ""])
def test_a_run_with_other_rows_is_not_finished(store: VotStore, content: str) -> None:
    fill(store.folder("T") / "bag", bag_001__txt=content)
    assert not store.finished("T", sequence(), 1)
    rows = content.count("\n")
    where = r"bag_001\.txt: expected .* found "
    with pytest.raises(ResultError, match=where + str(rows)):
        store.read_run("T", "bag", 1, frames=3)


@pytest.mark.parametrize("content", ["1\n0\n0\n", "1\r\n0\r\n0\r\n", "1\n0\n0"])
def test_line_ends_do_not_matter(store: VotStore, content: str) -> None:
    fill(store.folder("T") / "bag", bag_001__txt=content)
    assert store.finished("T", sequence(), 1)
    assert store.read_run("T", "bag", 1, frames=3).codes.tolist() == [1, 0, 0]


def test_text_before_binary(store: VotStore) -> None:
    binary = b"\x01\x00\x01\x00\x00\x00" + b"\x00\x02\x00\x00\x00"
    folder = fill(store.folder("T") / "bag", bag_001__txt="1\n", bag_001__bin=binary)
    assert store.read_run("T", "bag", 1).codes.tolist() == [1]
    (folder / "bag_001.txt").unlink()
    assert store.read_run("T", "bag", 1).codes.tolist() == [2]
    assert store.finished("T", sequence(frames=1), 1)


def test_a_missing_run(store: VotStore) -> None:
    with pytest.raises(ResultError, match=r"bag_004\.txt: no such run"):
        store.read_run("T", "bag", 4)
    assert store.read_runs("T", "bag") == []
    assert store.read_times("T", "bag") is None


def test_stored_masks_are_rejected(store: VotStore) -> None:
    fill(store.folder("T") / "bag", bag_001__txt="1\nm4,5,2,3,0,6\n")
    with pytest.raises(ResultError, match=r"found 1 masks\..*`bench import`"):
        store.read_run("T", "bag", 1)


def test_times_of_vot_toolkit(store: VotStore) -> None:
    folder = fill(store.folder("T") / "bag", bag_001__txt="1\n0\n", bag_002__txt="1\n0\n")
    assert store.read_times("T", "bag") is None
    fill(folder, bag_002_time__value="0.5\n\n")
    np.testing.assert_array_equal(store.read_times("T", "bag"), [[np.nan, 0.5], [np.nan, np.nan]])
    fill(folder, bag_001_time__value="0.5\nfast\n")
    with pytest.raises(ResultError, match=r"bag_001_time.value:2: expected a number"):
        store.read_times("T", "bag")


def test_times_of_another_sequence_are_not_mixed(store: VotStore) -> None:
    fill(store.folder("T") / "bag", bag_time__txt="1,2\n1,2\n")
    with pytest.raises(ResultError, match=r"bag_time\.txt: expected 3 rows, .* found 2"):
        store.write("T", sequence(), RUN)


def test_the_trajectory_comes_last(store: VotStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run killed between two files must not count as finished."""
    from bench.results.vot import store as experiments

    written: list[str] = []
    monkeypatch.setattr(experiments, "write_atomically", lambda path, _: written.append(path.name))
    store.write("T", sequence(), trajectory([1], score=1.0))
    assert written == ["bag_time.txt", "bag_001_confidence.value", "bag_001.txt"]


# Lines of 1, 4 and 8 numbers over all files of a tracker, counted with awk -F, '{print NF}'.
REAL = {
    ("vot2018", "SiamRPN"): (3, {1: 1179, 4: 62889}),
    ("vot2018", "UPDT"): (15, {1: 4406, 8: 315934}),
    ("vot2018", "SiamAttn-rerun"): (1, {1: 312, 8: 21044}),
    ("vot2016", "MCCT"): (3, {1: 885, 4: 63480}),
    ("vot2016", "TADT"): (1, {1: 470, 8: 20985}),
}


@pytest.mark.parametrize(("benchmark", "tracker"), REAL)
def test_real_results(shared: Path, tmp_path: Path, benchmark: str, tracker: str) -> None:
    (tmp_path / benchmark).symlink_to(shared / "data" / benchmark / "results")
    store = VotStore(tmp_path, benchmark, "baseline")
    repetitions, lines = REAL[benchmark, tracker]
    counts = dict.fromkeys(lines, 0)
    assert tracker in store.trackers()
    assert len(store.sequences(tracker)) == 60
    for name in store.sequences(tracker):
        runs = store.read_runs(tracker, name)
        times = store.read_times(tracker, name)
        if tracker == "UPDT":  # two sequences have only a few runs
            assert 3 <= len(runs) <= repetitions
        else:
            assert len(runs) == repetitions
        assert times is None or times.shape == (len(runs[0]), len(runs))
        for run in runs:
            assert run.codes[0] == 1
            for count in lines:
                counts[count] += int((run.counts == count).sum())
    assert counts == lines

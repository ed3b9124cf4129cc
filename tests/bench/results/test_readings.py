"""Boxes in another convention are recognised, and real results never are taken for such."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bench.arrays import FloatArray
from bench.datasets import open_dataset
from bench.errors import ConfigError, ResultError
from bench.evaluation import evaluate
from bench.files import format_exact
from bench.geometry import INITIALISED, TRACKED, Regions, outlines
from bench.results.formats import get_format, open_source, sniff_format
from bench.results.importing import import_results
from bench.results.names import SequenceNames
from bench.results.onepass import OnePassStore
from bench.results.readings import FirstRows, findings, reading_after_starts
from bench.results.vot.store import VotStore
from bench.results.vot.text import format_text
from bench.sequence import Dataset, Sequence
from bench.tracker import ABSENT

NAMES = ("Bolt", "Car1", "Dog", "Girl")
Write = Callable[[FloatArray], FloatArray]


def truth_of(seed: int, frames: int = 8) -> FloatArray:
    """A target that moves by a few pixels in each frame."""
    rng = np.random.default_rng(seed)
    start = rng.uniform([40, 200, 20, 60], [160, 400, 50, 120])
    steps = rng.uniform(-3, 3, (frames, 4)) * [1, 1, 0, 0]
    return np.round(start + np.cumsum(steps, axis=0))


def made(index_base: float = 1.0, benchmark: str = "otb2015") -> Dataset:
    sequences = tuple(
        Sequence(name, truth_of(seed), index_base=index_base) for seed, name in enumerate(NAMES)
    )
    return Dataset(benchmark, Path("data"), sequences)


def corners(boxes: FloatArray) -> FloatArray:
    return np.hstack([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]])


def centres(boxes: FloatArray) -> FloatArray:
    return np.hstack([boxes[:, :2] + boxes[:, 2:] / 2, boxes[:, 2:]])


WRITTEN: dict[str, tuple[Write, str]] = {
    "corners": (corners, "--boxes corners"),
    "corners-inclusive": (
        lambda b: corners(b) - np.array([0, 0, 1, 1]),
        "--boxes corners-inclusive",
    ),
    "centres": (centres, "--boxes centres"),
    "yx": (lambda b: b[:, [1, 0, 3, 2]], "--boxes yx"),
    "yx-corners": (lambda b: corners(b)[:, [1, 0, 3, 2]], "--boxes yx-corners"),
    "yx-centres": (lambda b: centres(b)[:, [1, 0, 3, 2]], "--boxes yx-centres"),
    "xyhw": (lambda b: b[:, [0, 1, 3, 2]], "--boxes xyhw"),
    "yxwh": (lambda b: b[:, [1, 0, 2, 3]], "--boxes yxwh"),
    "short": (lambda b: b - np.array([0, 0, 1, 1]), "--boxes short"),
    "long": (lambda b: b + np.array([0, 0, 1, 1]), "--boxes long"),
}


def written(folder: Path, dataset: Dataset, write: Write) -> Path:
    folder.mkdir()
    for sequence in dataset:
        content = format_exact(write(sequence.ground_truth.copy()))
        (folder / f"{sequence.name}.txt").write_bytes(content)
    return folder


@pytest.mark.parametrize("name", WRITTEN)
def test_a_set_in_another_convention_is_refused_and_read_on_request(
    tmp_path: Path, name: str
) -> None:
    dataset, (write, remedy) = made(), WRITTEN[name]
    store = OnePassStore(tmp_path / "r", "otb2015")
    source = written(tmp_path / "raw", dataset, write)
    with pytest.raises(ResultError, match=remedy) as caught:
        import_results(source, store, "T", dataset)
    assert "4 of 4 files (Bolt, Car1, Dog, Girl)" in str(caught.value)
    assert not store.root.exists()
    import_results(source, store, "T", dataset, boxes=name)
    for sequence in dataset:
        np.testing.assert_allclose(store.read_boxes("T", sequence.name), sequence.ground_truth)
    import_results(source, store, "as-is", dataset, boxes="xywh")
    (scores,) = evaluate(dataset, store)
    assert not any("first row" in note for note in scores.trackers["T"].notes)
    assert any("first row" in note for note in scores.trackers["as-is"].notes)


@pytest.mark.parametrize("image", [(640, 480), (1280, 720)])
@pytest.mark.parametrize("write", [np.array, corners, centres])
def test_fractions_of_the_image(tmp_path: Path, image: tuple[int, int], write: Write) -> None:
    dataset, store = made(), OnePassStore(tmp_path / "r", "otb2015")
    size = np.array([*image, *image], dtype=float)
    source = written(tmp_path / "raw", dataset, lambda b: np.round(write(b) / size, 4))
    with pytest.raises(ResultError, match="fractions of the image"):
        import_results(source, store, "T", dataset)


@pytest.mark.parametrize(
    ("base", "by", "remedy"),
    [(1.0, -1, "--origin 0"), (0.0, 1, "--origin 1"), (1.0, 1, "Add -1"), (0.0, -1, "Add .1")],
)
def test_another_first_pixel(tmp_path: Path, base: float, by: int, remedy: str) -> None:
    dataset = made(base)
    store = OnePassStore(tmp_path / "r", "otb2015")
    source = written(tmp_path / "raw", dataset, lambda b: b + np.array([by, by, 0, 0]))
    with pytest.raises(ResultError, match=remedy):
        import_results(source, store, "T", dataset)
    report = import_results(source, store, "stated", dataset, index_base=base)
    assert any("first row" in note for note in report.notes)


@pytest.mark.parametrize("factor", [0.5, 2.0, [1.6, 0.75, 1.6, 0.75]])
def test_boxes_of_resized_images(tmp_path: Path, factor: float | list[float]) -> None:
    dataset, store = made(), OnePassStore(tmp_path / "r", "otb2015")
    source = written(tmp_path / "raw", dataset, lambda b: np.round(b * np.array(factor)))
    with pytest.raises(ResultError, match=r"resized images \(about .* 4 of 4 files"):
        import_results(source, store, "T", dataset)


@pytest.mark.parametrize("name", ["corners", "corners-inclusive", "centres", "yx", "yxwh"])
def test_rows_after_a_right_first_row_are_checked_too(tmp_path: Path, name: str) -> None:
    """Scripts copy the given box as it is, and write a tracker's own boxes as it answers them."""

    def write(boxes: FloatArray) -> FloatArray:
        return np.vstack([boxes[:1], WRITTEN[name][0](boxes)[1:]])

    dataset, store = made(), OnePassStore(tmp_path / "r", "otb2015")
    source = written(tmp_path / "raw", dataset, write)
    with pytest.raises(ResultError, match=rf"rows after the first.*--boxes {name}\. If"):
        import_results(source, store, "T", dataset)
    import_results(source, store, "T", dataset, boxes=name)
    for sequence in dataset:
        np.testing.assert_allclose(store.read_boxes("T", sequence.name), sequence.ground_truth)
    import_results(source, store, "as-is", dataset, boxes="xywh")
    (scores,) = evaluate(dataset, store)
    assert not any("first" in note for note in scores.trackers["T"].notes)
    assert any("rows after the first" in note for note in scores.trackers["as-is"].notes)


def test_fractions_after_a_first_row_in_pixels(tmp_path: Path) -> None:
    """A tracker that answers fractions, of which only the box it was given is in pixels."""

    def write(boxes: FloatArray) -> FloatArray:
        return np.vstack([boxes[:1], boxes[1:] / [640, 480, 640, 480]])

    dataset, store = made(), OnePassStore(tmp_path / "r", "otb2015")
    source = written(tmp_path / "raw", dataset, write)
    with pytest.raises(ResultError, match=r"rows after the first lie within one pixel.*Multiply"):
        import_results(source, store, "T", dataset)
    import_results(source, store, "T", dataset, boxes="xywh")
    (scores,) = evaluate(dataset, store)
    assert any("as fractions of the image, in 4 of 4" in n for n in scores.trackers["T"].notes)
    tiny = [FirstRows.of("a", np.array([[9.0, 9, 9, 9], *[[0, 0, 1, 1]] * 5]), truth_of(0))]
    gone = [FirstRows.of("a", np.array([[9.0, 9, 9, 9], *[[0, 0, 0, 0]] * 5]), truth_of(0))]
    corner = [FirstRows.of("a", np.array([[9.0, 9, 9, 9], *[[0, 0, 0.5, 0.5]] * 5]), truth_of(0))]
    assert not any(each.after_first for file in (tiny, gone, corner) for each in findings(file))


def files_of(count: int, write: Write) -> list[FirstRows]:
    truths = [truth_of(seed, 8) + np.arange(8)[:, None] * [9, 0, 0, 0] for seed in range(count)]
    return [FirstRows.of(f"S{n}", write(truth), truth) for n, truth in enumerate(truths)]


def test_rows_of_the_frames_after_are_noted() -> None:
    """Without the row that a tracker is started on, every row is a frame early."""
    (found,) = findings(files_of(25, lambda boxes: np.vstack([boxes[1:], boxes[-1:]])))
    assert "nearer to the target of the next frame" in str(found)
    assert "25 of 25" in str(found)
    assert not found.whole
    assert findings(files_of(25, lambda boxes: boxes)) == []
    late = files_of(25, lambda boxes: np.vstack([boxes[:1], boxes[:-1]]))
    assert findings(late) == [], "as a tracker that lags"


def test_rows_off_the_target_right_after_the_first_are_noted() -> None:
    def doubled(boxes: FloatArray) -> FloatArray:
        return np.vstack([boxes[:1], boxes[1:] * 2])

    right = files_of(8, lambda boxes: boxes)
    (found,) = findings([*files_of(5, doubled), *right[5:]])
    assert "right after the first lie off the target in 5 of 8 files" in str(found)
    assert not found.whole
    assert findings([*files_of(3, doubled), *right[3:]]) == [], "a tracker may lose some"
    assert findings(files_of(3, doubled)) == [], "too few to tell"

    def not_visible(boxes: FloatArray) -> FloatArray:
        return np.vstack([boxes[:1], np.tile(np.add(ABSENT, [1, 1, 0, 0]), (7, 1))])

    assert findings(files_of(8, not_visible)) == [], "no answers"


def test_first_rows_that_almost_all_lie_off_the_target_are_noted() -> None:
    truths = {f"{at}": truth_of(at) for at in range(6)}
    beside = np.array([80, -70, 5, 9])
    (found,) = findings([FirstRows(n, t + beside, t) for n, t in truths.items()], 1.0)
    assert "not the first box of the ground truth in 6 of 6 files (0, 1," in str(found)
    assert not found.whole  # noted, not refused
    assert findings([FirstRows(n, t * 0, t) for n, t in truths.items()], 1.0) == []  # no answers


def test_a_first_row_alone_in_corners_is_noted(tmp_path: Path) -> None:
    def write(boxes: FloatArray) -> FloatArray:
        return np.vstack([corners(boxes)[:1], boxes[1:]])

    dataset, store = made(), OnePassStore(tmp_path / "r", "otb2015")
    report = import_results(written(tmp_path / "raw", dataset, write), store, "T", dataset)
    assert any("first row alone reads as corners" in note for note in report.notes)
    (scores,) = evaluate(dataset, store)
    assert scores.trackers["T"].measures["success"] == pytest.approx(20 / 21)
    assert any("first row alone" in note for note in scores.trackers["T"].notes)


def test_a_few_files_in_corners_are_noted_by_name(tmp_path: Path) -> None:
    dataset, store = made(), OnePassStore(tmp_path / "r", "otb2015")
    source = written(tmp_path / "raw", dataset, np.array)
    path = source / "Dog.txt"
    path.write_bytes(format_exact(corners(dataset["Dog"].ground_truth)))
    report = import_results(source, store, "T", dataset)
    assert any("corners" in note and "1 of 4 files (Dog)" in note for note in report.notes)


def test_a_file_that_starts_beside_the_target_is_named(tmp_path: Path) -> None:
    dataset, store = made(), OnePassStore(tmp_path / "r", "otb2015")
    source = written(tmp_path / "raw", dataset, np.round)
    moved = np.roll(dataset["Dog"].ground_truth, 1, axis=0)
    (source / "Dog.txt").write_bytes(format_exact(moved))
    report = import_results(source, store, "T", dataset)
    note = "the first row is not the first box of the ground truth in 1 of 4 files (Dog)"
    assert note in report.notes
    (scores,) = evaluate(dataset, store)
    assert note in scores.trackers["T"].notes


def test_a_tracker_that_starts_nowhere_on_its_target_is_not_named() -> None:
    beside = np.array([9, 0, 0, 0])
    files = [FirstRows(n, truth_of(i) + beside, truth_of(i)) for i, n in enumerate(NAMES)]
    assert findings(files, 1.0) == []


def test_numbers_that_are_no_pixels_are_noted(tmp_path: Path) -> None:
    dataset, store = made(), OnePassStore(tmp_path / "r", "otb2015")
    source = written(tmp_path / "raw", dataset, np.array)
    boxes = dataset["Dog"].ground_truth.copy()
    boxes[3, 0], boxes[5, 1] = 1e5, 1e-40
    (source / "Dog.txt").write_bytes(format_exact(boxes))
    report = import_results(source, store, "T", dataset)
    assert "rows with numbers that are not pixels kept: Dog (2)" in report.notes


def test_an_unknown_reading(tmp_path: Path) -> None:
    dataset, store = made(), OnePassStore(tmp_path / "r", "otb2015")
    source = written(tmp_path / "raw", dataset, np.array)
    with pytest.raises(ConfigError, match=r"unknown reading 'corner'\. Did you mean 'corners'"):
        import_results(source, store, "T", dataset, boxes="corner")


REAL = {
    "otb2015": ("SiamRPN++", "DaSiamRPN", "SiamFC", "ATOM", "LADCF", "SRDCF", "MUSTER", "ASLA"),
    "uav123": ("SRDCF", "SiamFDB"),
    "lasot": ("ATOM", "DiMP50"),
}


@pytest.mark.parametrize(("benchmark", "tracker"), [(b, t) for b in REAL for t in REAL[b]])
def test_real_results_are_right_as_they_are_and_wrong_when_turned(
    shared: Path, benchmark: str, tracker: str
) -> None:
    data = shared / "data" / benchmark
    dataset = open_dataset(benchmark, data / "annotations")
    names = SequenceNames.of(dataset)
    source = open_source(data / "results" / tracker)
    reader = get_format(sniff_format(source, benchmark))
    files = []
    for found in reader.find(source, names.resolve):
        if (name := names.resolve(found.spelling)) is not None:
            boxes, sequence = reader.read(found).boxes, dataset[name]
            truth = sequence.ground_truth[sequence.leading(len(boxes)) :]
            files.append(FirstRows.of(name, boxes, truth))
    assert findings(files, 1.0) == []
    turns: dict[str, Write] = {
        "corners": corners,
        "centres": centres,
        "yx": lambda b: b[:, [1, 0, 3, 2]],
    }
    for kind, turn in turns.items():
        turned = [FirstRows(f.sequence, turn(f.rows), f.truth) for f in files]
        if tracker == "ASLA" and kind == "centres":  # whole pixels: half a pixel is lost
            continue
        assert [f.reading.name for f in findings(turned, 1.0) if f.whole] == [kind]


# --- runs that start with a code in place of a box

TURNS: dict[str, Write] = {name: write for name, (write, _) in WRITTEN.items()}


def test_rectangles_after_starts_tell_the_reading(tmp_path: Path) -> None:
    """Of 12 starts the target is left a little at each; the import is refused with the reading."""
    sequences = tuple(Sequence(name, truth_of(seed, 40)) for seed, name in enumerate(NAMES))
    dataset = Dataset("vot2018", Path("data"), sequences)

    def written(turn: Write) -> Path:
        for sequence in sequences:
            boxes = turn(sequence.ground_truth + np.array([3.0, -2.0, 1.0, 2.0]))
            rows = [[1.0] if at % 15 == 0 else row for at, row in enumerate(boxes.tolist())]
            path = tmp_path / "raw/baseline" / sequence.name / f"{sequence.name}_001.txt"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(format_text(Regions.from_rows(rows), decimals=None))
        return tmp_path / "raw"

    store = VotStore(tmp_path, "vot2018", "baseline")
    import_results(written(np.array), store, "right", dataset)
    right = store.read_run("right", NAMES[0], 1)
    for name in ("corners", "centres", "yx"):
        source = written(TURNS[name])
        with pytest.raises(ResultError, match=rf"right after starts.*--boxes {name}\. If"):
            import_results(source, store, name, dataset)
        import_results(source, store, name, dataset, boxes=name)
        found = store.read_run(name, NAMES[0], 1)
        np.testing.assert_allclose(found.values, right.values)
    import_results(source, store, "insisted", dataset, boxes="xywh")
    assert reading_after_starts(np.ones((4, 4)), np.ones((4, 4))) is None  # too few to tell


@pytest.mark.parametrize("benchmark", ["vot2016", "vot2018"])
def test_real_runs_with_starts_are_read_as_they_are(shared: Path, benchmark: str) -> None:
    """Polygons count by the box around them; turned, each set is found out."""
    data = shared / "data" / benchmark
    dataset = open_dataset(benchmark, data / "annotations")
    tried = 0
    for tracker in sorted(path.name for path in (data / "results").iterdir()):
        store = VotStore(data, "results", "baseline")
        rows, truth = [], []
        for sequence in dataset:
            for number in store.repetitions(tracker, sequence.name)[:1]:
                regions = store.read_run(tracker, sequence.name, number)
                at = np.flatnonzero(regions.codes[:-1] == INITIALISED) + 1
                at = at[regions.codes[at] == TRACKED]
                shown = outlines(regions[at], 0.0).reshape(len(at), -1, 2)
                low, high = shown.min(axis=1), shown.max(axis=1)
                boxes = (
                    shown.reshape(-1, 4) if shown.shape[1] == 2 else np.hstack([low, high - low])
                )
                rows.append(boxes)
                truth.append(sequence.ground_truth[at])
        first, there = np.concatenate(rows), np.concatenate(truth)
        assert reading_after_starts(first, there) is None, tracker
        for name in ("corners", "centres", "yx", "yxwh"):
            found = reading_after_starts(TURNS[name](first), there)
            assert found is not None, (tracker, name)
            assert found.name.startswith(name), (tracker, name)  # a pixel more or less is not told
        tried += 1
    assert tried >= 2

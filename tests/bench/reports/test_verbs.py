"""``bench plots``, ``bench video`` and ``bench show`` on one's own clips and a little of VOT."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from bench.reports.palette import looks

Bench = Callable[..., tuple[int, str, str]]
FRAMES = 24


def write_frames(folder: Path, count: int = FRAMES) -> None:
    folder.mkdir(parents=True)
    for index in range(count):
        image = np.full((60, 80, 3), 40 + index, dtype=np.uint8)
        cv2.imwrite(str(folder / f"{index + 1:08d}.jpg"), image)


def write_boxes(path: Path, start: float, count: int = FRAMES) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{start + i},20,20,20\n" for i in range(count)))


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """Two clips, and results of a good tracker, a bad one and one with a strange name."""
    for name in ("clip_a", "clip_b"):
        write_frames(tmp_path / "data" / name)
        write_boxes(tmp_path / "data" / name / "groundtruth.txt", 5)
        for tracker, start in (("good", 6), ("bad", 12), ("$we_ird", 8)):
            write_boxes(tmp_path / "results" / "folder" / tracker / f"{name}.txt", start)
    return tmp_path


def places(work: Path) -> tuple[object, ...]:
    return ("--data", work / "data", "--results", work / "results")


def test_plots_of_ones_own_clips(bench: Bench, work: Path) -> None:
    out = work / "out"
    code, printed, _ = bench(
        "plots", "folder", *places(work), "--out", out, "--only", "success,strip",
        "--format", "png,svg",
    )  # fmt: skip
    assert code == 0
    written = {path.name for path in (out / "folder").iterdir()}
    assert written == {"success.png", "success.svg", "strip.png", "strip.svg", "captions.md"}
    assert str(out / "folder" / "success.svg") in printed
    image = cv2.imread(str(out / "folder" / "success.png"))
    assert image is not None
    assert image.shape[1] == 975  # 3.25 inches at 300 dots
    assert (image < 100).any()


def captions_of(work: Path) -> str:
    return (work / "out" / "folder" / "captions.md").read_text(encoding="utf-8")


def test_a_broken_result_is_named_and_the_others_are_drawn(bench: Bench, work: Path) -> None:
    write_boxes(work / "results" / "folder" / "bad" / "clip_b.txt", 12, count=7)
    code, _, errors = bench(
        "plots", "folder", *places(work), "--out", work / "out", "--only", "success",
        "--format", "svg",
    )  # fmt: skip
    assert code == 1
    assert "not scored: bad" in errors
    assert (work / "out" / "folder" / "success.svg").is_file()
    assert "bad" in captions_of(work)
    assert "PARTIAL" not in captions_of(work)  # what is drawn is complete


def test_missing_results_are_refused_unless_partial(bench: Bench, work: Path) -> None:
    (work / "results" / "folder" / "bad" / "clip_b.txt").unlink()
    arguments = ("plots", "folder", *places(work), "--out", work / "out", "--only", "ranking")
    code, _, errors = bench(*arguments)
    assert (code, "not scored: bad" in errors) == (1, True)
    code, _, errors = bench(*arguments, "--partial")
    assert (code, "not scored" in errors) == (0, False)
    assert "PARTIAL RESULTS" in captions_of(work)
    assert "1 of 2 sequences" in captions_of(work)


def test_nothing_that_can_be_scored_is_an_error(bench: Bench, work: Path) -> None:
    for tracker in ("good", "bad", "$we_ird"):
        (work / "results" / "folder" / tracker / "clip_b.txt").write_text("no,boxes\n")
    code, _, errors = bench("plots", "folder", *places(work), "--out", work / "out")
    assert code == 1
    assert "clip_b.txt" in errors
    assert not (work / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--only", "sucess"), "Did you mean 'success'"),
        (("--only", "ar"), "has no robustness"),
        (("--format", "jpg"), "unknown format 'jpg'"),
        (("--trackers", "god"), "Did you mean 'good'"),
        (("--only", "strip", "--frames", "x"), "expects numbers"),
        (("--only", "strip", "--frames", "99"), "expected frames 1 to 24, found 99"),
        (("--only", "strip", "--sequences", "clip_c"), "unknown sequence 'clip_c'"),
    ],
)
def test_wrong_words_are_one_line_errors(
    bench: Bench, work: Path, arguments: tuple[str, ...], message: str
) -> None:
    code, _, errors = bench("plots", "folder", *places(work), "--out", work / "out", *arguments)
    assert code == 1
    assert message in errors


def read_video(path: Path) -> tuple[float, list[np.ndarray]]:
    with av.open(str(path)) as container:
        rate = float(container.streams.video[0].average_rate or 0)
        return rate, [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def test_a_video_has_every_frame_and_the_speed_given(bench: Bench, work: Path) -> None:
    path = work / "clip.mp4"
    code, printed, _ = bench(
        "video", "folder", "clip_a", *places(work), "--out", path, "--fps", 12,
        "--trackers", "good,$we_ird",
    )  # fmt: skip
    assert code == 0
    assert f"{FRAMES} frames, ground truth and good, $we_ird" in printed
    rate, frames = read_video(path)
    assert rate == 12
    assert len(frames) == FRAMES
    assert frames[0].shape[:2] > (480, 640)
    assert (np.abs(frames[0][:480] - np.array([41.0] * 3)) > 60).any()  # regions are drawn


def test_show_writes_the_same_kind_of_video(bench: Bench, work: Path) -> None:
    path = work / "clip.webm"
    code, _, _ = bench("show", "folder", "clip_a", *places(work), "--output", path)
    assert code == 0
    assert len(read_video(path)[1]) == FRAMES


def test_a_video_of_what_is_not_there_is_an_error(bench: Bench, work: Path) -> None:
    (work / "results" / "folder" / "bad" / "clip_a.txt").unlink()
    for name, message in (("bad", "no result of clip_a"), ("god", "Did you mean 'good'")):
        code, _, errors = bench(
            "video", "folder", "clip_a", *places(work), "--out", work / "x.mp4", "-t", name
        )
        assert code == 1
        assert message in errors
        assert not (work / "x.mp4").exists()


@pytest.fixture
def vot(tmp_path: Path) -> Path:
    """Two sequences of VOT2018, and a tracker that fails in one of them."""
    data = tmp_path / "data" / "vot2018"
    for name in ("bag", "ball1"):
        write_frames(data / name / "color", 40)
        write_boxes(data / name / "groundtruth.txt", 5, 40)
        run = ["1"] + [f"{6 + i},20,20,20" for i in range(1, 40)]
        if name == "bag":
            run[10:16] = ["2", "0", "0", "0", "0", "1"]
        path = tmp_path / "results" / "vot2018" / "jumpy" / "baseline" / name / f"{name}_001.txt"
        path.parent.mkdir(parents=True)
        path.write_text("\n".join(run) + "\n")
    (data / "list.txt").write_text("bag\nball1\n")
    return tmp_path


def test_the_frame_of_a_failure_stays_in_a_vot_video(bench: Bench, vot: Path) -> None:
    path = vot / "bag.mp4"
    code, _, _ = bench("video", "vot2018", "bag", *places(vot), "--out", path, "--hold", 0.4)
    assert code == 0
    _, frames = read_video(path)
    assert len(frames) == 40 + 10
    pairs = itertools.pairwise(frame.astype(float) for frame in frames)
    steps = [float(np.abs(before - after).mean()) for before, after in pairs]
    assert max(steps[10:20]) < 0.5 < min(steps[9], steps[20])  # nothing moves meanwhile


def test_plots_of_a_part_of_vot(bench: Bench, vot: Path) -> None:
    code, _, errors = bench(
        "plots", "vot2018", *places(vot), "--out", vot / "o", "--format", "png"
    )
    assert code == 0
    assert {path.stem for path in (vot / "o" / "vot2018").glob("*.png")} == {
        "ar", "expected_overlap", "ranking", "sequences", "failures", "strip"
    }  # fmt: skip
    assert "no attributes plot" in errors  # differences need two trackers
    assert "no speed plot" in errors  # no times are stored
    assert "PARTIAL" in (vot / "o" / "vot2018" / "captions.md").read_text()


def nearest(frame: np.ndarray, colour: tuple[int, int, int]) -> int:
    """The least distance of a pixel to a colour."""
    return int(np.abs(frame.astype(int) - colour).max(axis=2).min())


def test_a_tracker_has_one_colour_in_plot_page_and_video(bench: Bench, work: Path) -> None:
    """Also where a part of the trackers is drawn, and others have results elsewhere."""
    write_boxes(work / "results" / "otb2015" / "a5" / "Board.txt", 5)
    look, alone = looks(["a5", "good", "bad", "$we_ird"])["good"], looks(["good"])["good"]
    assert look.colour != alone.colour  # the tracker elsewhere has the colour that it prefers
    out, only = work / "out", ("--trackers", "good")
    code, _, _ = bench(
        "plots", "folder", *places(work), "--out", out, *only, "--format", "svg",
        "--only", "success,ranking",
    )  # fmt: skip
    assert code == 0
    for plot in ("success", "ranking"):
        assert look.hex in (out / "folder" / f"{plot}.svg").read_text()
    bench("report", *places(work), "-b", "folder", "--videos", "none", "--out", work / "report")
    data = (work / "report" / "data" / "folder.js").read_text()
    assert f'"name":"good","share":"","color":"{look.hex}"' in data
    page = (work / "report" / "data" / "folder" / "clip_a.js").read_text()
    assert f'"name":"good","color":"{look.hex}"' in page
    bench("video", "folder", "clip_a", *places(work), *only, "--out", work / "one.avi")
    frame = read_video(work / "one.avi")[1][3]
    assert nearest(frame, look.colour) < 30 < nearest(frame, alone.colour)


def test_no_file_that_is_passed_on_names_a_folder(bench: Bench, work: Path) -> None:
    """Whatever is wrong with a tracker's files is told without saying where they are."""
    (work / "results" / "folder" / "bad" / "clip_b.txt").write_text("no,boxes\n")
    private, out = str(work), work / "out"
    code, printed, errors = bench(
        "eval", "folder", *places(work), "--json", out / "s.json", "--csv", out / "s.csv"
    )
    assert code == 1
    assert private in printed + errors  # the person at the terminal needs it
    bench("plots", "folder", *places(work), "--out", out, "--only", "ranking", "--format", "svg")
    bench("report", *places(work), "-b", "folder", "--videos", "none", "--out", out / "page")
    written = [path for path in out.rglob("*") if path.suffix in
               (".json", ".csv", ".md", ".svg", ".html", ".js")]  # fmt: skip
    assert len(written) > 10
    for path in written:
        text = path.read_text(encoding="utf-8")
        assert private not in text, path
    assert "clip_b.txt:1: expected 4 numbers" in (out / "s.json").read_text(encoding="utf-8")
    assert "clip\\_b.txt:1:" in (out / "folder" / "captions.md").read_text(encoding="utf-8")


def test_tables_of_a_broken_tracker_name_no_folder(bench: Bench, work: Path) -> None:
    folder = work / "results" / "otb2015" / "bad"
    write_boxes(folder / "Board.txt", 5)
    bench("tables", "otb", *places(work), "--out", work / "tables")
    for path in (work / "tables").iterdir():
        text = path.read_text(encoding="utf-8")
        assert str(work) not in text.replace("\\_", "_"), path
        assert "bad" in text

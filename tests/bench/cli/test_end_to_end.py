"""The real command line, from the miniature to scores, archives and a video."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Miniature

Bench = Callable[..., subprocess.CompletedProcess[str]]
PLUGIN = """
from bench.tracker import Prediction

class Drift:
    def __init__(self, step: float = 1.0, fail_at: int = -1):
        self.step, self.fail_at = step, fail_at
    def init(self, image, region):
        self.box, self.frame = region.copy(), 0
    def update(self, image):
        self.frame += 1
        if self.frame == self.fail_at:
            raise RuntimeError("lost my mind")
        self.box[0] += self.step
        return Prediction(self.box.copy(), score=0.5)
"""


@pytest.fixture(scope="module")
def work(bench: Bench, miniature: Miniature, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the miniature of three benchmarks, one run and a plug-in module."""
    folder = tmp_path_factory.mktemp("work")
    (folder / "my_plugin.py").write_text(PLUGIN)
    bench("mini", "data", "--benchmark", "trackingnet", cwd=folder)
    miniature.into(folder / "data", "otb2015", "lasot", frames=40)
    (folder / "data" / "a.mp4").mkdir()
    bench("run", "otb2015", "--tracker", "static", "--jobs", 2, cwd=folder)
    bench("run", "otb2015", "--tracker", "my_plugin:Drift", "--name", "drift", cwd=folder)
    return folder


def sequences(work: Path, tracker: str = "static") -> list[Path]:
    return sorted((work / "results" / "otb2015" / tracker).glob("*.txt"))


def test_a_finished_run_is_not_run_again(bench: Bench, work: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in sequences(work)}
    assert len(before) >= 4
    done = bench("run", "otb2015", "--tracker", "static", cwd=work)
    assert "0 sequences done" in done.stdout
    assert f"{len(before)} were finished before" in done.stdout
    assert before == {path: path.stat().st_mtime_ns for path in sequences(work)}


def test_kept_scores_are_no_part_of_the_results(bench: Bench, work: Path, tmp_path: Path) -> None:
    shutil.copytree(work / "results/otb2015", tmp_path / "results/otb2015")
    for folder in tmp_path.rglob(".cache"):
        shutil.rmtree(folder)
    data = ("--data", work / "data")
    score = ("eval", "otb2015", *data, "--convention", "all", "--per-sequence")

    def seen(number: int) -> tuple[list[str], dict[str, bytes]]:
        """What verbs say of the results, and the files that they make of them."""
        results, out = tmp_path / "results", tmp_path / f"out{number}"
        with zipfile.ZipFile(tmp_path / "drift.zip", "w") as archive:
            for path in sorted((results / "otb2015/drift").rglob("*")):
                archive.write(path, path.relative_to(results))
        again = ("--results", out, "--format", "pysot", "--partial")
        said = [
            bench(*words, cwd=tmp_path).stdout.replace(str(out), "")
            for words in (
                ("list",),
                ("export", "otb2015", out / "to", "-t", "drift", *data, "--format", "pysot"),
                ("merge", results, "--results", out / "merged"),
                ("import", "otb2015", "drift.zip", "--name", "again", *data, *again),
                ("diff", "drift", "static", *data, "--benchmark", "otb2015"),
            )
        ]
        return said, {
            str(path.relative_to(out)): path.read_bytes()
            for path in out.rglob("*")
            if path.is_file() and path.name not in ("run.json", ".lock")  # of the time and process
        }

    bench(*score, "--no-cache", cwd=tmp_path)
    assert not list(tmp_path.rglob(".cache"))
    before, first = seen(1), bench(*score, cwd=tmp_path).stdout
    kept = sorted(tmp_path.rglob(".cache/*"))
    assert [path.parents[1].name for path in kept] == ["drift", "static"]
    assert bench(*score, cwd=tmp_path).stdout == first
    assert bench(*score, "--no-cache", cwd=tmp_path).stdout == first
    said, files = seen(2)
    assert said == before[0]
    assert {path for path, content in files.items() if before[1].get(path) != content} == set()
    assert files.keys() == before[1].keys()
    assert first.count("miniature") > 0
    bench("remove", "otb2015", "drift", "--yes", cwd=tmp_path)
    assert not (tmp_path / "results/otb2015/drift").exists()


def test_other_options_under_the_same_name_are_refused(bench: Bench, work: Path) -> None:
    done = bench(
        "run", "otb2015", "--tracker", "my_plugin:Drift", "--name", "drift", "--set", "step=2",
        cwd=work, code=1,
    )  # fmt: skip
    assert "step" in done.stderr
    assert "--name" in done.stderr


def test_scores_are_labelled_miniature_everywhere(bench: Bench, work: Path) -> None:
    done = bench("eval", "otb2015", "--json", "s.json", "--csv", "s.csv", cwd=work)
    assert "MINIATURE" in done.stdout
    assert "generated video, not the benchmark" in done.stdout
    plain = json.loads((work / "s.json").read_text())
    assert set(plain["trackers"]) == {"static", "drift"}
    assert "miniature" in plain["caveats"][0]
    rows = list(csv.DictReader((work / "s.csv").read_text().splitlines()))
    assert all(row["caveat"] == "miniature" for row in rows)
    assert ["miniature" in row["notes"] for row in rows if row["notes"]] == [True, True]
    success = {row["tracker"]: row["value"] for row in rows if row["measure"] == "success"}
    assert float(success["static"]) == plain["trackers"]["static"]["measures"]["success"]


def test_conventions_breakdowns_and_comparison_are_printed(bench: Bench, work: Path) -> None:
    done = bench("eval", "otb2015", "--convention", "all", cwd=work)
    assert "so a perfect tracker scores 1" in done.stdout
    done = bench(
        "eval", "otb2015", "--compare", "static", "drift", "--per-sequence", "--per-attribute",
        cwd=work,
    )  # fmt: skip
    assert "Wilcoxon" in done.stdout
    assert sequences(work)[0].stem in done.stdout


def test_a_failing_tracker_costs_its_sequences_and_the_exit_code(bench: Bench, work: Path) -> None:
    done = bench(
        "run", "otb2015", "--tracker", "my_plugin:Drift", "--name", "fails", "--set", "fail_at=5",
        cwd=work, code=1,
    )  # fmt: skip
    assert "lost my mind" in done.stderr
    for path in sequences(work):
        assert path.stem in done.stderr
    assert sequences(work, "fails") == []


@pytest.mark.parametrize("format_", ["pysot", "got10k", "pytracking", "otb-mat", "otb-json"])
def test_export_and_import_give_the_same_numbers(
    bench: Bench, work: Path, format_: str, tmp_path: Path
) -> None:
    bench("export", "otb2015", tmp_path, "--tracker", "static", "--format", format_, cwd=work)
    folders = [p for p in [tmp_path, *tmp_path.rglob("*")] if p.is_dir() and p.name != "times"]
    source = max(folders, key=lambda p: len([f for f in p.iterdir() if f.is_file()]))
    bench(
        "import", "otb2015", source, "--name", f"from-{format_}", "--results", tmp_path / "back",
        cwd=work,
    )  # fmt: skip
    for path in sequences(work):
        back = tmp_path / "back" / "otb2015" / f"from-{format_}" / path.name
        theirs = [[float(v) for v in line.split(",")] for line in back.read_text().split()]
        ours = [[float(v) for v in line.split(",")] for line in path.read_text().split()]
        assert theirs == ours


def test_trackingnet_archive_of_the_miniature_must_be_asked_for(bench: Bench, work: Path) -> None:
    bench("run", "trackingnet", "--tracker", "static", cwd=work)
    arguments = ("pack", "trackingnet", "--tracker", "static", "--archive", "static.zip")
    done = bench(*arguments, cwd=work, code=1)
    assert "miniature" in done.stderr.lower()
    assert not (work / "static.zip").exists()
    bench(*arguments, "--partial", cwd=work)
    with zipfile.ZipFile(work / "static.zip") as archive:
        assert all("/" not in name for name in archive.namelist())
        assert len(archive.namelist()) >= 4


def test_video_has_every_frame(bench: Bench, work: Path) -> None:
    import cv2

    path = sequences(work)[0]
    bench("show", "otb2015", path.stem, "--output", "clip.mp4", cwd=work)
    video = cv2.VideoCapture(str(work / "clip.mp4"))
    assert int(video.get(cv2.CAP_PROP_FRAME_COUNT)) == len(path.read_text().split())
    ok, frame = video.read()
    assert ok
    assert frame.std() > 10


def test_check_names_a_missing_frame(bench: Bench, work: Path) -> None:
    bench("check", "lasot", cwd=work)
    frame = sorted((work / "data" / "lasot").rglob("*.jpg"))[7]
    content = frame.read_bytes()
    frame.unlink()
    try:
        done = bench("check", "lasot", cwd=work, code=1)
        assert frame.stem.lstrip("0") in done.stdout
        assert "fix:" in done.stdout
    finally:
        frame.write_bytes(content)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "otb2105"], ["unknown benchmark", "Did you mean 'otb2015'"]),
        (["run", "uav123"], ["data", "anno", "cemse.kaust.edu.sa", "make demo"]),
        (["run", "otb2015", "--tracker", "kfc"], ["unknown tracker", "Did you mean 'kcf'"]),
        (["run", "otb2015", "--set", "sigma"], ["NAME=VALUE"]),
        (["eval", "otb2015", "--trackers", "nobody"], ["nobody", "static"]),
        (["eval", "otb2015", "--convention", "pysott"], ["Did you mean 'pysot'"]),
        (["eval", "otb2015", "--json", "results"], ["results", "cannot be written"]),
        (["eval", "otb2015", "--trackers", ","], ["names separated by commas"]),
        (["eval", "otb2015", "--compare", "static", "static"], ["one and the same"]),
        (["run", "otb2015", "--tracker", "os:path"], ["expected a class", "module"]),
        (["show", "otb2015", "{sequence}", "-t", "nobody", "-o", "x.mp4"], ["nobody", "static"]),
        (["show", "otb2015", "{sequence}", "-o", "data/a.mp4"], ["a.mp4", "folder"]),
        (["eval", "otb2015", "--results", "nowhere"], ["no results", "bench run"]),
        (["show", "otb2015", "Crosing", "-o", "x.mp4"], ["unknown sequence"]),
        (["show", "otb2015", "{sequence}", "-o", "x.txt"], [".mp4"]),
        (["pack", "lasot", "-t", "static", "-o", "x.zip"], ["trackingnet"]),
        (["import", "otb2015", "nowhere", "-n", "x"], ["nowhere"]),
        (["export", "otb2015", "out", "-t", "nobody", "--format", "pysot"], ["nobody"]),
        (["export", "otb2015", "out", "-t", "static", "--format", "word"], ["pysot"]),
    ],
)
def test_mistakes_get_one_clear_error(
    bench_here: Bench, work: Path, arguments: list[str], words: list[str]
) -> None:
    filled = [part.format(sequence=sequences(work)[0].stem) for part in arguments]
    done = bench_here(*filled, cwd=work, code=1)
    assert done.stderr.startswith(("error: ", "note: "))
    for word in words:
        assert word in done.stderr


def test_own_clip_of_the_first_box_only(bench: Bench, work: Path, tmp_path: Path) -> None:
    clip = tmp_path / "clips" / "walk"
    clip.mkdir(parents=True)
    frames = sorted((work / "data" / "otb2015").rglob("0*.jpg"))[:5]
    for number, frame in enumerate(frames):
        (clip / f"{number:04}.jpg").write_bytes(frame.read_bytes())
    (clip / "groundtruth.txt").write_text("10,20,30,40\n")
    bench("run", "folder", "--data", "clips", "--tracker", "static", cwd=tmp_path)
    stored = tmp_path / "results" / "folder" / "static" / "walk.txt"
    assert len(stored.read_text().split()) == len(frames)
    bench("show", "folder", "walk", "--data", "clips", "--output", "walk.avi", cwd=tmp_path)


def test_own_clip_with_too_few_boxes_is_refused(bench: Bench, work: Path, tmp_path: Path) -> None:
    clip = tmp_path / "clips" / "walk"
    clip.mkdir(parents=True)
    for number, frame in enumerate(sorted((work / "data" / "otb2015").rglob("0*.jpg"))[:5]):
        (clip / f"{number:04}.jpg").write_bytes(frame.read_bytes())
    (clip / "groundtruth.txt").write_text("10,20,30,40\n" * 3)
    done = bench("run", "folder", "--data", "clips", "--tracker", "static", cwd=tmp_path, code=1)
    assert "5 frames, but 3 rows" in done.stderr


def test_a_run_names_known_traps(monkeypatch: pytest.MonkeyPatch) -> None:
    """In one line, of what `bench doctor` lists."""
    from bench.cli import doctor, run

    monkeypatch.setattr(doctor, "_ships_cv2", lambda name: "contrib" not in name)
    (line,) = run._traps()
    assert "bench doctor" in line
    assert "2 OpenCV builds" in line
    assert "\n" not in line


def test_doctor_trackers_version_and_help(bench: Bench, bench_here: Bench, work: Path) -> None:
    assert "no known trap" in bench("doctor", cwd=work).stdout
    assert "trackers.kcf:KCF" in bench("trackers", cwd=work).stdout
    assert "float" in bench("trackers", "kcf", cwd=work).stdout
    assert bench("--version", cwd=work).stdout.startswith("bench ")
    verbs = "run eval show video plots tables report tune check import pack mini"
    for verb in verbs.split():
        assert "Examples" in bench_here(verb, "--help", cwd=work).stdout


def test_the_help_waits_for_no_library() -> None:
    """Options of a run come from the runner, which loads the rest of itself on first use."""
    script = "import sys, bench.cli.run, bench.cli.tune; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script]).returncode == 0


def test_scoring_does_not_import_torch() -> None:
    script = (
        "import sys, bench.evaluation, bench.cli.main, bench.reports.terminal;"
        "import bench.datasets.forms;"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script]).returncode == 0

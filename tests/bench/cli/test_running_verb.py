"""``bench run``: what is refused up front, what is shown, and where it looks."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Miniature

Bench = Callable[..., subprocess.CompletedProcess[str]]
TRACKERS = """
import os

import sys


class Base:
    def init(self, image, box):
        self.box, self.image, self.n = box, image, 0
    def update(self, image):
        self.n += 1
        return self.box


class Wanders(Base):
    def init(self, image, box):
        super().init(image, box)
        os.chdir("/")


class Blind(Base):
    def update(self, image):
        return None if self.n > 2 else super().update(image)


class Crash(Base):
    def update(self, image):
        print("before the end")
        raise ValueError("\\x1b[31mlost")


class Negative(Base):
    def update(self, image):
        return [10, 10, -5, 5]


class Half:
    def init(self, image, box): ...


class Odd(Base):
    def __init__(self, scale: "Unknown[1/0]" = 2): ...


class Draws(Base):
    def update(self, image):
        import random
        return self.box + [random.random() * 40, 0, 0, 0]


class Sees(Base):
    def update(self, image):
        return [int(os.environ["CUDA_VISIBLE_DEVICES"]), os.getpid(), 1, 1]


Made = type("Made", (Base,), {})
"""


@pytest.fixture(scope="module")
def work(bench: Bench, miniature: Miniature, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("work")
    miniature.into(folder / "data", "otb2015", "vot2018")
    (folder / "mine.py").write_text(TRACKERS)
    (folder / "leaves.py").write_text("import sys\nsys.exit(0)\n")
    (folder / "bench.py").write_text("raise RuntimeError('not this one')\n")
    (folder / "trackers").mkdir()
    (folder / "trackers/__init__.py").write_text("raise RuntimeError('nor this one')\n")
    return folder


ONE = ("--sequence", "Crossing")


def test_one_runs_whatever_it_does_to_the_working_folder(bench: Bench, work: Path) -> None:
    done = bench("run", "otb2015", "-t", "mine.py:Wanders", "--data", "data", cwd=work)
    assert "6 sequences done" in done.stdout
    assert "written for no toolkit: images rgb, first box as-is" in done.stderr
    record = json.loads((work / "results/otb2015/Wanders/run.json").read_text())
    assert "images rgb" in record["sessions"][0]["adapter"]


def test_ours_are_found_beside_other_packages_of_their_names(bench: Bench, work: Path) -> None:
    done = bench("run", "otb2015", "-t", "static,kcf", *ONE, "--quiet", cwd=work)
    assert (done.stdout, done.stderr) == ("", "")
    assert "1 was finished before" in bench("run", "otb2015", "-t", "kcf", *ONE, cwd=work).stdout


def test_images_and_first_box_are_chosen_and_recorded(bench: Bench, work: Path) -> None:
    line = ("-t", "mine.py:Base", "--name", "bgr", "--images", "bgr", "--first-box", "pysot")
    done = bench("run", "otb2015", *line, *ONE, cwd=work)
    assert "images bgr, first box pysot" in done.stderr
    record = json.loads((work / "results/otb2015/bgr/run.json").read_text())
    assert record["provenance"]["options"] == {"images": "bgr", "first_box": "pysot"}


def test_not_visible_is_stored_and_overlaps_nothing(bench: Bench, work: Path) -> None:
    bench("run", "otb2015", "-t", "mine.py:Blind", *ONE, cwd=work)
    rows = (work / "results/otb2015/Blind/Crossing.txt").read_text().splitlines()
    assert rows[-1] == "-9999.0000,-9999.0000,1.0000,1.0000"
    bench("eval", "otb2015", "-t", "Blind", "--partial", "--json", "b.json", cwd=work)
    scores = json.loads((work / "b.json").read_text())["trackers"]["Blind"]
    assert scores["measures"]["success"] < 0.06  # 4 of 86 frames
    done = bench("run", "vot2018", "-t", "mine.py:Blind", "--repetitions", 1, cwd=work)
    assert "0 failed" in done.stdout
    text = next((work / "results/vot2018/Blind/baseline").glob("*/*_001.txt")).read_text()
    assert "\n2\n" in text


def test_foreign_classes_are_taken_as_stochastic(bench: Bench, work: Path) -> None:
    first = sorted(p.name for p in (work / "data/vot2018").iterdir() if p.is_dir())[0]
    done = bench("run", "vot2018", "-t", "mine.py:Draws", "--sequence", first, cwd=work)
    assert "15 runs done" in done.stdout


def test_several_one_pass_runs_are_kept(bench: Bench, work: Path) -> None:
    line = ("run", "otb2015", "-t", "mine.py:Draws", *ONE, "--repetitions")
    assert "2 runs done" in bench(*line, 2, cwd=work).stdout
    assert "1 run done" in bench(*line, 3, cwd=work).stdout
    folder = work / "results/otb2015/Draws"
    runs = [folder / "Crossing.txt", *sorted(folder.glob("repetitions/*/Crossing.txt"))]
    assert len({path.read_bytes() for path in runs}) == 3


def test_a_crash_leaves_its_traceback(bench: Bench, work: Path) -> None:
    done = bench("run", "otb2015", "-t", "mine.py:Crash", *ONE, cwd=work, code=1)
    log = Path("results/otb2015/Crash/logs/Crossing.log")
    assert str(log) in done.stderr
    assert "\x1b[31mlost" not in done.stderr
    assert r"\x1b[31mlost" in done.stderr
    assert "before the end" in (work / log).read_text()
    assert "mine.py" in (work / log).read_text()
    assert "before the end" not in done.stdout + done.stderr
    loud = bench("run", "otb2015", "-t", "mine.py:Crash", *ONE, "-v", cwd=work, code=1)
    assert "before the end" in loud.stderr


def test_debug_shows_the_traceback_and_keeps_nothing(work: Path) -> None:
    command = [Path(sys.executable).with_name("bench"), "run", "otb2015", "-t", "mine.py:Crash"]
    line = [*map(str, command), *ONE, "--debug", "--name", "debugged"]
    done = subprocess.run(line, cwd=work, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert "mine.py" in done.stderr
    assert not (work / "results/otb2015/debugged").exists()


REFUSED = [
    (("-t", "mine.py:Half"), ["Half", "mine.py", "init and update"]),
    (("-t", "leaves.py:T"), ["called sys.exit(0)", "leaves.py:2"]),
    (("-t", "mine.py:Base", "--device", "cuda"), ["no option to choose where it runs"]),
    (("-t", "kcf", "--images", "bgr"), ["this toolkit's own interface", "--images bgr"]),
    (("-t", "mine.py:Base", "--images", "xyz"), ["xyz"]),
    (("-t", "kcf,static", "--name", "x"), ["--name x", "found 2"]),
]


@pytest.mark.parametrize(("line", "words"), REFUSED)
def test_what_is_refused_before_anything_runs(
    line: tuple[object, ...], words: list[str], bench: Bench, work: Path
) -> None:
    done = bench("run", "otb2015", *line, cwd=work, code=2 if "xyz" in line else 1)
    assert all(word in done.stderr for word in words), done.stderr
    assert not (work / "results/otb2015/Half").exists()


def test_a_negative_size_fails_its_sequence(bench: Bench, work: Path) -> None:
    done = bench("run", "otb2015", "-t", "mine.py:Negative", *ONE, cwd=work, code=1)
    assert "Crossing, frame 2: expected a width and a height of at least 0" in done.stderr


@pytest.mark.parametrize("name", ["Odd", "Made"])
def test_odd_classes_run(name: str, bench: Bench, work: Path) -> None:
    bench("run", "otb2015", "-t", f"mine.py:{name}", *ONE, cwd=work)


def test_a_plan_runs_nothing(bench: Bench, work: Path) -> None:
    done = bench("run", "otb2015", "-t", "mine.py:Base", "--name", "new", "--dry-run", cwd=work)
    assert "new: 6 sequences to run, 0 done" in done.stdout
    assert "Crossing" in done.stdout
    assert not (work / "results/otb2015/new").exists()
    line = ("run", "otb2015", "-t", "static", "--name", "half")
    bench(*line, *ONE, cwd=work)
    done = bench(*line, "--dry-run", cwd=work)
    assert "5 sequences to run, 1 done" in done.stdout
    assert "done: Crossing" in done.stdout


def test_ranks_are_of_vot(bench: Bench, work: Path) -> None:
    done = bench("eval", "otb2015", "--ranks", cwd=work, code=1)
    assert "only VOT ranks" in done.stderr


def test_most_sequences_without_frames_are_refused_at_once(bench: Bench, work: Path) -> None:
    bare = work / "bare"
    shutil.copytree(work / "data/otb2015", bare)
    folders = sorted(path for path in bare.iterdir() if (path / "img").is_dir())
    for folder in folders[1:]:
        shutil.rmtree(folder / "img")
    done = bench("run", "otb2015", "--data", bare, "--results", "r2", cwd=work, code=1)
    assert "have no frames" in done.stderr
    assert "--sequence" in done.stderr
    assert "--partial" in done.stderr
    assert not (work / "r2").exists()
    bench("run", "otb2015", "--data", bare, "--results", "r2", "--partial", cwd=work)


def test_lines_without_a_terminal(bench: Bench, work: Path) -> None:
    line = ("run", "otb2015", "-t", "static", "--name")
    done = bench(*line, "lines", cwd=work)
    assert "6 sequences to run" in done.stderr
    assert done.stderr.count("6/6 sequences") == 1
    assert "to run" not in bench(*line, "silent", "--no-progress", cwd=work).stderr


def test_a_full_disk_is_one_line(work: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full")
    for line in (["trackers"], ["list"], ["doctor"], ["--help"]):
        with Path("/dev/full").open("w") as full:
            done = subprocess.run(
                [Path(sys.executable).with_name("bench"), *line],
                cwd=work, stdout=full, stderr=subprocess.PIPE, text=True, check=False,
            )  # fmt: skip
        assert done.returncode == 1
        assert "Traceback" not in done.stderr
        assert "No space left" in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_ctrl_c_at_any_moment_is_at_most_one_line(work: Path) -> None:
    for delay in (0.1, 0.2, 0.35, 0.6):
        process = subprocess.Popen(
            [Path(sys.executable).with_name("bench"), "run", "otb2015", "-t", "kcf",
             "--name", f"stopped{delay}"],
            cwd=work, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        time.sleep(delay)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
        if "bench/cli" in errors:  # else Python itself was starting
            assert "Traceback" not in errors
        assert process.returncode != 0 or delay > 0.5


def test_settings_come_from_options_environment_and_files(
    bench: Bench, work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("BENCH_DATA", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "user"))
    (tmp_path / "user/bench").mkdir(parents=True)
    (tmp_path / "here").mkdir()
    user, here = tmp_path / "user/bench/bench.toml", tmp_path / "here/bench.toml"
    line = ("run", "otb2015", "-t", "static", "--dry-run")

    user.write_text(f'results = "u"\n[data]\notb2015 = "{work / "data/otb2015"}"\n')
    assert str(tmp_path / "user/bench/u/otb2015/static") in bench(*line, cwd=here.parent).stdout
    here.write_text('results = "h"\n')
    assert str(here.parent / "h/otb2015/static") in bench(*line, cwd=here.parent).stdout
    monkeypatch.setenv("BENCH_RESULTS", "e")
    assert " e/otb2015/static" in bench(*line, cwd=here.parent).stdout
    assert " o/otb2015/static" in bench(*line, "-r", "o", cwd=here.parent).stdout

    here.write_text(f'\ufeff[data]\n"OTB-100" = "{here.parent}"\n', "utf-8")  # by any of its names
    assert str(here.parent) in bench(*line, cwd=here.parent, code=1).stderr
    here.write_text('data = "nowhere"\n')  # hides the user's folder of one benchmark
    assert "nowhere" in bench(*line, cwd=here.parent, code=1).stderr
    monkeypatch.setenv("BENCH_DATA", str(work / "data"))
    bench(*line, cwd=here.parent)
    said = bench("doctor", cwd=here.parent).stdout
    assert f"{work / 'data'} (BENCH_DATA)" in said
    assert str(here) in said


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("results = 3", "results: expected a path in quotes, found 3"),
        ("resuls = 'x'", "Did you mean 'results'"),
        ("[data]\notb2051 = 'x'", "unknown benchmark 'otb2051'"),
        ("x = ", "cannot be read as TOML"),
    ],
)
def test_settings_that_are_wrong(content: str, message: str, bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "bench.toml").write_text(content)
    assert message in bench("list", cwd=tmp_path, code=1).stderr


@pytest.mark.parametrize("verb", ["run", "eval", "list", "remove", "merge"])
def test_every_verb_explains_itself(verb: str, bench: Bench, tmp_path: Path) -> None:
    said = bench(verb, "-h", cwd=tmp_path).stdout
    assert "Examples" in said
    assert f"bench {verb}" in said


def test_former_spellings_are_still_accepted(bench: Bench, work: Path) -> None:
    bench("run", "otb2015", "-t", "static", "--name", "former", *ONE, cwd=work)
    bench("eval", "otb2015", "--trackers", "former", "--partial", cwd=work)
    bench("report", "--benchmarks", "otb2015", "--output", "page", "--videos", "none", cwd=work)
    assert (work / "page/index.html").exists()


def test_workers_see_the_gpus_that_are_named(bench: Bench, work: Path) -> None:
    done = bench(
        "run", "otb2015", "-t", "mine:Sees", "--gpus", "1,3", "--per-gpu", "2", "-r", "gpus",
        cwd=work,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    folder = work / "gpus/otb2015/Sees"
    second_rows = [path.read_text().splitlines()[1] for path in folder.glob("*.txt")]
    assert {float(row.split(",")[0]) - 1 for row in second_rows} <= {1.0, 3.0}
    assert json.loads((folder / "run.json").read_text())["sessions"][0]["gpus"] == ["1", "3"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--per-gpu", "2"), "--per-gpu 2 needs --gpus"),
        (("--gpus", "0", "--jobs", "2"), "--jobs 2: with --gpus"),
        (("--gpus", "zero"), "--gpus expects auto, or numbers"),
        (("--ray-address", "auto"), "--ray-address belongs to --engine ray"),
        (("--data-map", "a=b"), "--data-map belongs to --engine ray"),
        (("--engine", "ray", "--data-map", "ab"), "expects HERE=THERE"),
        (("--engine", "ray", "--gpus", "0"), "Ray chooses the GPUs"),
        (("--shard", "5/4"), "--shard expects i/n"),
    ],
)
def test_places_for_workers_that_make_no_sense(
    words: tuple[str, ...], message: str, bench: Bench, work: Path
) -> None:
    done = bench("run", "otb2015", "-t", "static", "-r", "none", *words, cwd=work, code=1)
    assert message in " ".join(done.stderr.split())
    assert not (work / "none").exists()

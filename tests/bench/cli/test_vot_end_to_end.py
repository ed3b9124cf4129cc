"""The real command line on VOT: from the miniature to accuracy, robustness and a video."""

from __future__ import annotations

import csv
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Miniature

Bench = Callable[..., subprocess.CompletedProcess[str]]
PLUGIN = """
import random
from bench.tracker import Prediction

class Jump:
    def init(self, image, region):
        self.region = region
    def update(self, image):
        return Prediction(self.region + (500 if random.random() < 0.03 else 0), score=0.5)
"""


@pytest.fixture(scope="module")
def work(bench: Bench, miniature: Miniature, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the miniature of VOT2018, and three trackers' runs."""
    folder = tmp_path_factory.mktemp("work")
    (folder / "my_plugin.py").write_text(PLUGIN)
    miniature.into(folder / "data", "vot2018")
    bench("run", "vot2018", "--tracker", "static", cwd=folder)
    bench("run", "vot2018", "-t", "my_plugin:Jump", "--repetitions", 4, "-j", 2, cwd=folder)
    return folder


def scores(bench: Bench, work: Path, *arguments: object) -> Any:
    bench("eval", "vot2018", "--json", "s.json", *arguments, cwd=work)
    return json.loads((work / "s.json").read_text())


def test_json_has_the_promised_measures(bench: Bench, work: Path) -> None:
    plain = scores(bench, work)
    assert plain["convention"] == "vot"
    assert plain["experiment"] == "baseline"
    assert "miniature" in plain["caveats"][0]
    low, high = plain["interval"]
    assert 1 < low < high
    static, jump = plain["trackers"]["static"], plain["trackers"]["Jump"]
    for tracker in (static, jump):
        assert {"accuracy", "robustness", "failures", "eao", "fps"} <= set(tracker["measures"])
        curve = tracker["curves"]["expected_overlap"]
        assert curve[0] == 1
        assert len(curve) == len(plain["thresholds"]["expected_overlap"])
        assert {"accuracy", "robustness", "failures", "eao", "frames"} <= set(
            next(iter(tracker["per_tag"].values()))
        )
    assert static["spread"] == {}
    assert jump["spread"]["failures"] > 0
    frames = sum(len(path.read_text().split()) for path in trajectories(work, "static"))
    assert static["measures"]["robustness"] == pytest.approx(
        100 * static["measures"]["failures"] / frames
    )


def trajectories(work: Path, tracker: str) -> list[Path]:
    return sorted((work / "results/vot2018" / tracker / "baseline").glob("*/*_001.txt"))


def test_official_layout(work: Path) -> None:
    for path in trajectories(work, "Jump"):
        names = {p.name for p in path.parent.iterdir()}
        sequence = path.parent.name
        assert {f"{sequence}_{n:03d}.txt" for n in (1, 2, 3, 4)} <= names
        rows = (path.parent / f"{sequence}_time.txt").read_text().split()
        assert all(len(row.split(",")) == 4 for row in rows)
        lines = path.read_text().split()
        assert len(lines) == len(rows)
        assert lines[0] == "1"
        for index in [i for i, line in enumerate(lines) if line == "2"]:
            assert (
                lines[index + 1 : index + 6] == ["0", "0", "0", "0", "1"][: len(lines) - index - 1]
            )


def test_failures_of_the_files_are_those_that_are_scored(bench: Bench, work: Path) -> None:
    plain = scores(bench, work, "-t", "static")
    counted = sum(path.read_text().split().count("2") for path in trajectories(work, "static"))
    assert plain["trackers"]["static"]["measures"]["failures"] == counted


def test_the_other_experiments(bench: Bench, work: Path) -> None:
    for experiment in ("unsupervised", "realtime"):
        bench("run", "vot2018", "-t", "static", "--experiment", experiment, cwd=work)
    plain = scores(bench, work, "--experiment", "unsupervised")
    overlap = plain["trackers"]["static"]["measures"]["average_overlap"]
    assert 0 < overlap < 1
    plain = scores(bench, work, "--experiment", "realtime")
    again = scores(bench, work, "-t", "static")
    # no tracker is faster, so real time changes nothing
    for measure in ("accuracy", "failures", "eao"):
        assert (
            plain["trackers"]["static"]["measures"][measure]
            == (again["trackers"]["static"]["measures"][measure])
        )


def test_tables_conventions_ranks_and_comparison(bench: Bench, work: Path) -> None:
    done = bench(
        "eval", "vot2018", "--ranks", "--per-attribute", "--per-sequence", "--csv", "s.csv",
        "--compare", "static", "Jump", cwd=work,
    )  # fmt: skip
    for word in ("MINIATURE", "EAO", "AR x", "camera_motion", "Rank 1 is best", "Wilcoxon", "±"):
        assert word in done.stdout
    assert "estimated from these sequences, not 100..356" in done.stdout
    rows = list(csv.DictReader((work / "s.csv").read_text().splitlines()))
    assert {row["measure"] for row in rows} >= {"eao", "accuracy", "robustness"}
    done = bench("eval", "vot2018", "--convention", "all", cwd=work)
    for name in ("vot-matlab-head", "pysot", "vot-toolkit", "got10k"):
        assert name in done.stdout


def test_runs_can_be_handed_out_and_brought_in(bench: Bench, work: Path, tmp_path: Path) -> None:
    bench("export", "vot2018", tmp_path, "-t", "Jump", "--format", "vot", cwd=work)
    (source,) = (path.parent for path in tmp_path.rglob("baseline"))
    bench("import", "vot2018", source, "--name", "back", "--format", "vot", cwd=work)
    plain = scores(bench, work, "-t", "Jump,back")
    assert (
        plain["trackers"]["back"]["measures"]["eao"]
        == (plain["trackers"]["Jump"]["measures"]["eao"])
    )


def test_video_with_failures(bench: Bench, work: Path) -> None:
    path = trajectories(work, "static")[0]
    bench("show", "vot2018", path.parent.name, "-o", "clip.mp4", cwd=work)
    assert (work / "clip.mp4").stat().st_size > 10_000


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "vot2018", "--experiment", "realtme"], ["Did you mean 'realtime'"]),
        (["run", "vot2016", "--experiment", "realtime"], ["experiment of vot2016", "baseline"]),
        (["run", "otb2015", "--experiment", "baseline"], ["one-pass", "VOT"]),
        (["run", "vot2018", "-t", "static", "--lockstep", "4"], ["no batch form"]),
        (["eval", "vot2018", "--convention", "otb"], ["unknown convention", "vot-toolkit"]),
        (
            ["eval", "vot2018", "--experiment", "realtime", "-r", "none"],
            ["no results", "realtime"],
        ),
        (["eval", "vot2018", "-t", "nobody"], ["nobody", "static"]),
    ],
)
def test_mistakes_get_one_clear_error(
    bench_here: Bench, work: Path, arguments: list[str], words: list[str]
) -> None:
    done = bench_here(*arguments, cwd=work, code=1)
    assert done.stderr.startswith(("error: ", "note: "))
    for word in words:
        assert word in done.stderr


def test_a_short_run_is_scored_as_officially_and_named(bench: Bench, work: Path) -> None:
    path = trajectories(work, "static")[0]
    content = path.read_text()
    path.write_text("\n".join(content.splitlines()[:-1]) + "\n")
    try:
        done = bench("eval", "vot2018", "-t", "static", cwd=work)
        assert "scored as far as it goes" in done.stdout
        assert "changed since" in done.stdout, "the record knows the file's hash"
    finally:
        path.write_text(content)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda lines: [*lines[:3], "1,2,3", *lines[4:]], [":4", "found 3"]),
        (lambda lines: [*lines[:3], "7", *lines[4:]], [":4", "code"]),
    ],
)
def test_a_broken_file_is_named(bench: Bench, work: Path, spoil: Any, words: list[str]) -> None:
    path = trajectories(work, "static")[0]
    content = path.read_text()
    path.write_text("\n".join(spoil(content.splitlines())) + "\n")
    try:
        done = bench("eval", "vot2018", "-t", "static", cwd=work, code=1)
        for word in (path.name, *words):
            assert word in done.stderr
    finally:
        path.write_text(content)

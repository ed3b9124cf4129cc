"""Trackers of stand-in repositories, run by the real command line in one line each."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.trackers.repositories.stand_ins import CONFIG, STEP, save

Bench = Callable[..., subprocess.CompletedProcess[str]]
EXPERIMENT = "experiments/siammask_r50_l3"
FIRST = {"Crossing": (202.0, 101.0, 15.0, 51.0), "Board": (113.0, 76.0, 57.0, 39.0)}


def libtest(repo: Path, tracker: str = "ostrack", *more: str) -> list[str]:
    """The options of a tracker of the lib/test family."""
    settings = (f"repo={repo}", f"tracker={tracker}", f"config={CONFIG}", *more)
    return ["--tracker", "libtest", *(word for each in settings for word in ("--set", each))]


def ran(done: subprocess.CompletedProcess[str]) -> str:
    """What a command printed; it did its work without a traceback."""
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


def refused(done: subprocess.CompletedProcess[str]) -> str:
    """The one error of a command."""
    assert done.returncode != 0
    (error,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert "Traceback" not in done.stdout + done.stderr
    return error


def rows(folder: Path, sequence: str = "Crossing") -> np.ndarray[Any, Any]:
    return np.loadtxt(folder / f"{sequence}.txt", delimiter=",")


def steps(first: tuple[float, ...], dx: float, dy: float, shift: float = 0.0) -> Any:
    """Boxes that move by the network's step; from the second on by the shift, too."""
    box = np.tile(first, (6, 1))
    box[:, 0] += dx * np.arange(6)
    box[:, 1] += dy * np.arange(6)
    box[1:, :2] += shift
    return box


def record_of(folder: Path) -> dict[str, Any]:
    record: dict[str, Any] = json.loads((folder / "run.json").read_text())
    return record


def contents(root: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_a_tracker_of_lib_test(bench: Bench, otb: Path, repo: Path, tmp_path: Path) -> None:
    before = contents(repo)
    line = ["run", "otb2015", "--data", str(otb), *libtest(repo)]
    printed = ran(bench(*line, "--jobs", "2"))
    assert "dataset_name 'otb', images rgb, origin 0" in printed
    folder = tmp_path / "results" / "otb2015" / f"ostrack-{CONFIG}"
    for name, first in FIRST.items():
        assert np.allclose(rows(folder, name), steps(first, 1.5, 0.25)), name
    record = record_of(folder)
    files = record["provenance"]["tracker_files"]
    assert {"lib.models.network", "lib.test.tracker.ostrack", "lib.test.parameter.ostrack"} < {
        *files
    }
    assert {"OSTrack_ep0300.pth.tar", f"{CONFIG}.yaml"} < set(files)
    assert record["provenance"]["options"]["repo"] == "OSTrack"
    assert record["provenance"]["options"]["benchmark"] == "otb2015"
    assert "tuned" not in record["sessions"][0], "this tracker does not read the name"
    assert contents(repo) == before, "nothing is written into the repository"
    assert "2 were finished before" in ran(bench(*line))

    # Trained again under the same path: refused although nothing is left to run.
    checkpoint = next(repo.rglob("*.pth.tar"))
    save(checkpoint, {"net": {"step.weight": 2 * STEP}})
    assert "tracker_files.OSTrack_ep0300.pth.tar: expected" in refused(bench(*line))
    ran(bench(*line, "--name", "again"))
    again = rows(folder.parent / "again")
    assert np.allclose(again, steps(FIRST["Crossing"], 3.0, 0.5))


def test_a_tracker_that_is_tuned_per_benchmark(
    bench: Bench, otb: Path, repo: Path, tmp_path: Path
) -> None:
    line = ["run", "otb2015", "--data", str(otb)]
    for name, settings in {
        "own": libtest(repo, "sutrack"),
        "fixed": libtest(repo, "sutrack", "as=lasot"),
    }.items():
        ran(bench(*line, *settings, "--name", name))
    said = {
        name: record_of(tmp_path / "results" / "otb2015" / name)["sessions"][0].get("tuned")
        for name in ("own", "fixed")
    }
    changed = "it has update_intervals {} instead of 100"
    assert said["own"] == f"tuned per benchmark: for 'otb' {changed.format(25)}"
    assert said["fixed"] == (
        f"told the benchmark 'lasot' on every benchmark: for 'lasot' {changed.format(50)}"
    )
    shown = " ".join(ran(bench("eval", "otb2015", "--data", str(otb))).split())
    assert f"* own: {said['own']}" in shown
    assert f"* fixed: {said['fixed']}" in shown


def test_a_tracker_of_pytracking(bench: Bench, otb: Path, tmp_path: Path) -> None:
    from tests.trackers.repositories.stand_ins import write_pytracking

    repo = write_pytracking(tmp_path / "pytracking")
    before = contents(repo)
    line = ["run", "otb2015", "--data", str(otb), "--tracker", "pytracking", "--set",
        f"repo={repo}", "--set", "tracker=dimp", "--set", "parameters=dimp50"]  # fmt: skip
    ran(bench(*line, "--jobs", "2"))
    folder = tmp_path / "results" / "otb2015" / "dimp-dimp50"
    assert np.allclose(rows(folder), steps(FIRST["Crossing"], 1.5, 0.25), atol=0.01)
    assert "dimp50.pth" in record_of(folder)["provenance"]["tracker_files"]
    assert contents(repo) == before

    # It draws random numbers: another order, process and interruption make no difference.
    ran(bench(*line, "--name", "parts", "--sequence", "Crossing"))
    ran(bench(*line, "--name", "parts"))
    for name in FIRST:
        assert (rows(folder, name) == rows(folder.parent / "parts", name)).all()
    (repo / "pytracking" / "networks" / "dimp50.pth").unlink()
    error = refused(bench(*line, "--name", "lacking"))
    assert f"Without a local.py, networks are expected in {repo}" in error
    assert "--set network_path=FOLDER names another place" in error


def test_a_tracker_of_pysot(bench: Bench, otb: Path, tmp_path: Path) -> None:
    from tests.trackers.repositories.stand_ins import write_pysot

    repo = write_pysot(tmp_path / "pysot")
    line = ["run", "otb2015", "--data", str(otb), "--tracker", "pysot", "--set", f"repo={repo}",
        "--set", f"config={EXPERIMENT}/config.yaml",
        "--set", f"weights={EXPERIMENT}/model.pth"]  # fmt: skip
    ran(bench(*line))
    folder = tmp_path / "results" / "otb2015" / "siammask_r50_l3"
    assert np.allclose(rows(folder), steps(FIRST["Crossing"], 3.0, 0.25, shift=0.5))
    files = record_of(folder)["provenance"]["tracker_files"]
    assert {"pysot.core.config", "pysot.tracker.tracker_builder"} < set(files)
    assert {"config.yaml", "model.pth"} < set(files)
    (repo / EXPERIMENT / "config.yaml").write_text("STEP: 1.0\n")
    assert "tracker_files.config.yaml: expected" in refused(bench(*line))


def test_a_package_called_like_ours(bench: Bench, otb: Path, repo: Path, tmp_path: Path) -> None:
    """The repository's ``trackers`` and ``bench`` are its own, and ours stay ours."""
    for package in ("trackers", "bench"):
        (repo / package).mkdir()
        (repo / package / "__init__.py").write_text("MOVES = 7.0")
    tracker = repo / "lib" / "test" / "tracker" / "ostrack.py"
    tracker.write_text(
        tracker.read_text().replace("dx, dy = ", "import numpy as np; dx, dy = moves + np.array(")
        .replace(".tolist()", ".tolist())")
        .replace("import torch\n", "import torch\nimport bench, trackers\n"
            "moves = bench.MOVES + trackers.MOVES\n", 1)
    )  # fmt: skip
    ran(bench("run", "otb2015", "--data", str(otb), *libtest(repo), "--name", "own"))
    folder = tmp_path / "results" / "otb2015" / "own"
    assert np.allclose(rows(folder), steps(FIRST["Crossing"], 15.5, 14.25))
    files = record_of(folder)["provenance"]["tracker_files"]
    assert {"trackers/__init__.py", "bench/__init__.py", "trackers.adapted"} < set(files)


def test_a_checkpoint_with_objects_of_python(
    bench: Bench, otb: Path, repo: Path, tmp_path: Path
) -> None:
    """As the trainers of these repositories write them, settings included."""
    script = f"""
import sys, torch
sys.path.insert(0, {str(repo)!r})
from tests.trackers.repositories.stand_ins import STEP, save
from trackers.repositories.checkout import Checkout
from trackers.repositories.libtest import LAYOUT
from pathlib import Path
Checkout(Path({str(repo)!r}), LAYOUT).provide_settings({{}}, instead=False)
from lib.train.admin.local import EnvironmentSettings
path = next(Path({str(repo)!r}).rglob("*.pth.tar"))
save(path, {{"net": {{"step.weight": STEP}}, "settings": EnvironmentSettings()}})
"""
    import sys

    from tests.conftest import REPOSITORY

    subprocess.run([sys.executable, "-c", script], cwd=REPOSITORY, check=True)
    line = ["run", "otb2015", "--data", str(otb), *libtest(repo), "--name", "own"]
    error = refused(bench(*line))
    assert "holds objects of Python beside the weights" in error
    assert "If you trust the file, set the environment variable" in error
    ran(bench(*line, TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD="1"))
    folder = tmp_path / "results" / "otb2015" / "own"
    assert np.allclose(rows(folder), steps(FIRST["Crossing"], 1.5, 0.25))


@pytest.mark.parametrize("gone", ["lib/models/network.py", "output"])
def test_what_is_missing_is_one_error(bench: Bench, otb: Path, repo: Path, gone: str) -> None:
    import shutil

    (repo / gone).unlink() if (repo / gone).is_file() else shutil.rmtree(repo / gone)
    error = refused(bench("run", "otb2015", "--data", str(otb), *libtest(repo)))
    expected = {
        "lib/models/network.py": "The repository lacks its module lib.models.network",
        "output": f"checkpoints/ is expected in {repo / 'output'}; --set save_dir=FOLDER names",
    }[gone]
    assert expected in error


def test_the_options_are_listed(bench: Bench) -> None:
    printed = ran(bench("trackers", "libtest"))
    assert [line.split()[0] for line in printed.splitlines()] == [
        "repo", "tracker", "config", "as", "benchmark", "params", "save_dir", "origin"
    ]  # fmt: skip

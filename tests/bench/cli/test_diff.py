"""``bench diff`` and ``bench check --fingerprint`` as a user calls them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from bench.files import format_rows

Bench = Callable[..., object]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Two clips of 20 frames with a patch that moves, and nothing else."""
    random = np.random.default_rng(0)
    for name in ("street", "harbour"):
        folder = tmp_path / "clips" / name
        folder.mkdir(parents=True)
        back, patch = (
            cv2.resize(random.integers(0, 255, (n, n, 3), dtype=np.uint8), (size, size))
            for n, size in ((12, 96), (6, 24))
        )
        rows = []
        for at in range(20):
            image = back.copy()
            image[30:54, 20 + at : 44 + at] = patch
            cv2.imwrite(str(folder / f"{at + 1:04d}.png"), image)
            rows.append([20.0 + at, 30, 24, 24])
        (folder / "groundtruth.txt").write_bytes(format_rows(np.array(rows)))
    return tmp_path


def test_a_planted_option_is_named_and_proven(project: Path, bench) -> None:  # type: ignore[no-untyped-def]
    for name, options in (("plain", ()), ("fast", ("--set", "learning_rate=0.3"))):
        bench(
            "run", "folder", "--data", "clips", "--tracker", "kcf", "--name", name, *options,
            cwd=project,
        )  # fmt: skip
    done = bench(
        "diff", "fast", "plain", "--benchmark", "folder", "--data", "clips", "--rerun",
        "--picture", "out/parting.png", "--json", "diff.json", cwd=project,
    )  # fmt: skip
    assert "hyper-parameters: learning_rate = 0.3" in done.stdout
    assert "100% of" in done.stdout
    assert "first cause: learning_rate = 0.3" in done.stdout
    found = json.loads((project / "diff.json").read_text())
    assert found["causes"][0]["name"] == "hyper-parameters"
    assert found["facts"][0]["name"] == "options.learning_rate"
    control, *others = found["reruns"]
    assert control["equal"] == 1
    assert any(one["equal"] == 1 for one in others)
    assert (project / "out" / "parting.png").stat().st_size > 10_000
    same = bench(
        "diff", "results/folder/plain", "results/folder/plain/run.json", "--data", "clips",
        cwd=project,
    )  # fmt: skip
    assert "the boxes are the same on every sequence" in same.stdout
    kept = json.loads((project / "results/folder/plain/run.json").read_text())
    assert len(kept["sessions"][0]["annotation_sha256"]) == 64
    page = bench(
        "report", "--data", "clips", "--benchmark", "folder", "--pair", "fast", "plain",
        "--videos", "none", "--out", "report", cwd=project,
    )  # fmt: skip
    assert "report/index.html" in page.stdout
    text = (project / "report" / "folder-pair.html").read_text()
    assert "hyper-parameters" in text
    assert "data/folder-pair.png" in text
    assert (project / "report" / "data" / "folder-pair.png").is_file()
    assert 'href="folder-pair.html"' in (project / "report" / "folder.html").read_text()


def test_results_of_two_benchmarks_are_not_compared(project: Path, bench) -> None:  # type: ignore[no-untyped-def]
    for place in ("vot2018/mine", "vot2016/theirs", "folder/others"):
        (project / "results" / place).mkdir(parents=True)
    mine, theirs, others = (
        f"results/{p}" for p in ("vot2018/mine", "vot2016/theirs", "folder/others")
    )
    done = bench("diff", mine, theirs, "--data", "clips", cwd=project, code=1)
    assert f"{mine} is of VOT2018, {theirs} is of VOT2016" in done.stderr
    assert "--benchmark" in done.stderr
    record = project / theirs / "run.json"  # outranks a folder's name
    facts = {"kind": "run", "failures": [], "sessions": [], "provenance": {"benchmark": "vot2018"}}
    record.write_text(json.dumps(facts))
    done = bench("diff", mine, theirs, "--data", "clips", cwd=project, code=1)
    assert "no VOT2018 dataset" in done.stderr
    record.unlink()
    for sides in ((mine, theirs, "--benchmark", "vot2018"), (others, mine), (mine, "paper")):
        done = bench("diff", *sides, "--data", "clips", cwd=project, code=1)
        assert "no VOT2018 dataset" in done.stderr


def test_errors_say_what_to_do(project: Path, bench) -> None:  # type: ignore[no-untyped-def]
    done = bench("diff", "x", "y", "--data", "clips", cwd=project, code=1)
    assert "--benchmark" in done.stderr
    done = bench(
        "diff", "x", "y", "-b", "folder", "--data", "clips", "-t", "kcf", cwd=project, code=1
    )
    assert "add --rerun" in done.stderr
    done = bench("report", "--data", "clips", "--pair", "x", "y", cwd=project, code=1)
    assert "no benchmark has scores of both" in done.stderr


def test_the_fingerprint_is_printed(project: Path, bench) -> None:  # type: ignore[no-untyped-def]
    command = ("check", "folder", "--data", "clips", "--fingerprint")
    few = bench(*command, cwd=project).stdout.splitlines()
    assert few[0].startswith("annotation of 2 sequences: sha256 ")
    assert few[1].startswith("frames, first, middle and last of each (6 files): sha256 ")
    assert "not recorded" in few[2]
    every = bench(*command, "--deep", cwd=project).stdout.splitlines()
    assert every[0] == few[0]
    assert every[1].startswith("frames, all (40 files)")
    picture = project / "clips" / "street" / "0002.png"  # neither first, middle nor last
    picture.write_bytes(picture.read_bytes() + b"x")
    assert bench(*command, cwd=project).stdout.splitlines() == few
    assert bench(*command, "--deep", cwd=project).stdout.splitlines() != every

"""``bench list``, ``bench remove`` and ``bench merge``."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Miniature

Bench = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def made(bench: Bench, miniature: Miniature, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The miniature, and results of two machines: each ran half of the sequences."""
    folder = tmp_path_factory.mktemp("made")
    miniature.into(folder / "data", "otb2015", "vot2018", frames=20)
    otb = ["Crossing", "David", "Board", "Human4-2", "Jogging-1", "Jogging-2"]
    vot = sorted(p.name for p in (folder / "data/vot2018").iterdir() if p.is_dir())
    for number in range(2):
        line = ("-t", "kcf", "-r", f"r{number}", "-q", "--sequence")
        bench("run", "otb2015", *line, ",".join(otb[number::2]), cwd=folder)
        bench("run", "vot2018", *line, ",".join(vot[number::2]), cwd=folder)
    bench("run", "otb2015", "-t", "kcf", "-r", "whole", "-q", cwd=folder)
    return folder


def boxes(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*.txt")}


def test_results_of_two_machines_become_one(bench: Bench, made: Path) -> None:
    done = bench("merge", "r0", "r1", "--results", "all", cwd=made)
    assert "otb2015, onepass, kcf: 3 runs from r0 -> all/otb2015/kcf" in done.stdout
    assert boxes(made / "all/otb2015/kcf") == boxes(made / "whole/otb2015/kcf")
    record = json.loads((made / "all/otb2015/kcf/run.json").read_text())
    assert len(record["sessions"]) == 2
    before = (made / "all/otb2015/kcf/run.json").read_bytes()
    again = bench("merge", "r0", "r1", "--results", "all", cwd=made)  # nothing twice
    assert "0 runs from r0" in again.stdout
    assert (made / "all/otb2015/kcf/run.json").read_bytes() == before
    bench("eval", "vot2018", "--results", "all", cwd=made)
    done = bench("run", "otb2015", "-t", "kcf", "-r", "all", cwd=made)  # and it goes on
    assert "6 were finished before" in done.stdout


def test_results_made_in_another_way_are_not_mixed(bench: Bench, made: Path) -> None:
    bench(
        "run", "otb2015", "-t", "kcf", "-r", "other", "-q", "--set", "scales=1",
        "--sequence", "Crossing", cwd=made,
    )  # fmt: skip
    done = bench("merge", "r1", "other", "--results", "whole", cwd=made, code=1)
    assert "scales" in done.stderr
    assert "another provenance" in done.stderr
    assert not (made / "whole/vot2018").exists()  # nothing of r1 either


def test_two_results_of_one_sequence_are_refused(bench: Bench, made: Path) -> None:
    bench("merge", "r0", "--results", "twice", cwd=made)
    path = made / "twice/otb2015/kcf/Crossing.txt"
    path.write_text(path.read_text().replace("1", "2"))
    done = bench("merge", "r0", "--results", "twice", cwd=made, code=1)
    assert "another result of Crossing" in done.stderr


def test_list_says_what_is_there(bench: Bench, made: Path) -> None:
    said = bench("list", "-r", "r0", cwd=made).stdout
    assert "3 of 100" in said
    assert "baseline" in said
    assert "vot2018" not in bench("list", "-r", "r0", "-b", "otb2015", cwd=made).stdout
    assert "no results" in bench("list", "-r", "nowhere", cwd=made).stdout


def test_remove_asks_and_removes_results_only(bench: Bench, made: Path) -> None:
    bench("run", "otb2015", "-t", "static", "-r", "gone", "-q", "--sequence", "David", cwd=made)
    folder = made / "gone/otb2015/static"
    assert (
        "Known: static"
        in bench("remove", "otb2015", "nobody", "-r", "gone", cwd=made, code=1).stderr
    )
    assert "unknown" in bench("remove", "otb2015", "../..", "-r", "gone", cwd=made, code=1).stderr
    assert "--yes" in bench("remove", "otb2015", "static", "-r", "gone", cwd=made, code=1).stderr
    assert folder.exists()
    left = folder.parent / ".removed-old-999999999"
    left.mkdir()
    bench("remove", "otb2015", "static", "-r", "gone", "--yes", cwd=made)
    assert list(folder.parent.iterdir()) == []


def test_merging_needs_folders_of_results(bench: Bench, made: Path) -> None:
    (made / "empty").mkdir()
    assert "expected a folder of results" in bench("merge", "empty", cwd=made, code=1).stderr
    assert "expected a run.json" in bench("merge", "data", cwd=made, code=1).stderr
    assert "destination itself" in bench("merge", "r0", "-r", "r0", cwd=made, code=1).stderr

"""The leaderboard of real result sets, as ``scripts/board.py`` imports them."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

# What papers print and these raw results do not give.
DIFFER = {
    ("otb2015", "SiamRPN++", "success"), ("otb2015", "SiamRPN++", "precision"),
    ("otb2015", "DaSiamRPN", "precision"), ("otb2015", "SiamFC", "success"),
    ("otb2015", "SRDCF", "precision"),
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sets of four benchmarks, imported and scored by every convention."""
    target = tmp_path_factory.mktemp("board")
    script = [sys.executable, REPOSITORY / "scripts" / "board.py", shared, target]
    wanted = [f"--benchmark={name}" for name in ("otb2015", "otb2013", "uav123", "uav20l")]
    done = subprocess.run(
        [*script, *wanted], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert "Traceback" not in done.stderr, done.stderr
    (target / "log").write_text(done.stdout + done.stderr)
    return target


def test_each_claim_is_recomputed_or_refused(folder: Path) -> None:
    spec = importlib.util.spec_from_file_location("board", REPOSITORY / "scripts" / "board.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    log = (folder / "log").read_text()
    assert "9 contributions checked, 6 complaints" in log
    for row in script.rows():
        if row["benchmark"] not in ("otb2015", "otb2013", "uav123", "uav20l"):
            continue
        for measure in row["claims"].split()[1::2]:
            refused = f"{row['name']} on {row['benchmark']}: {measure}, convention otb" in log
            assert refused == ((row["benchmark"], row["name"], measure) in DIFFER), row
    assert "MUSTER on otb2015: no figure is claimed" in log


def test_the_site_has_a_page_for_every_benchmark(folder: Path) -> None:
    for name in ("index", "otb2015", "otb2015-conventions", "uav123", "uav20l", "otb2013"):
        assert (folder / "board" / f"{name}.html").is_file(), name
    assert "GNU GPL claimed" in (folder / "board" / "otb2015.html").read_text()

"""A report of made-up results on the miniature, written by the real command, and a browser."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from bench.datasets import open_dataset
from bench.geometry import Regions, Runs
from bench.results.onepass import OnePassStore
from bench.results.vot.store import VotStore
from bench.sequence import Dataset, RegionTrajectory, Sequence, Trajectory, to_tracker
from tests.conftest import Miniature

if TYPE_CHECKING:
    from playwright.sync_api import Browser

HOSTILE = """<img src=x onerror=alert(1)>"'&<b>{{7*7}}"""
UNICODE = "跟踪器 Ω"
MASKED = 5  # index of the frame where every made-up run of VOT has a mask
FAILS_AT = 20  # index of the frame where every made-up run of VOT fails
CHROMIUM_OPTIONS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking",
    "--no-first-run", "--disable-component-update", "--disable-sync",
)  # fmt: skip


@dataclass(frozen=True)
class Made:
    """The inputs of the report, and its folder."""

    data: Path
    results: Path
    report: Path

    def dataset(self, benchmark: str) -> Dataset:
        return open_dataset(benchmark, self.data / benchmark)


def bench(*arguments: object, code: int = 0) -> subprocess.CompletedProcess[str]:
    """Run the command line and expect an exit code; there is never a traceback."""
    command = [sys.executable, "-m", "bench", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert "Traceback" not in done.stderr, done.stderr
    assert done.returncode == code, done.stdout + done.stderr
    return done


def near(sequence: Sequence, pixels: float) -> Trajectory:
    """The ground truth, shifted to the right by ``pixels`` from the second frame on."""
    boxes = to_tracker(sequence.ground_truth, sequence.index_base)
    boxes[1:, 0] += pixels
    return Trajectory(boxes, np.full(len(boxes), 0.01), np.full(len(boxes), np.nan))


def failing_run(sequence: Sequence) -> RegionTrajectory:
    """Ground truth as polygons, with a failure and a restart five frames later."""
    polygons = sequence.regions.values[:, :8]
    rows: list[list[float]] = [row.tolist() for row in polygons]
    rows[0] = [1]
    rows[FAILS_AT : FAILS_AT + 6] = [[2], [0], [0], [0], [0], [1]]
    nothing = np.full(len(rows), np.nan)
    masks: list[Runs | None] = [None] * len(rows)
    masks[MASKED] = np.array([2, 3, 10, 8, 0, 80])  # a full mask of 10 x 8 pixels
    times = np.full(len(rows), 0.01)
    return RegionTrajectory(Regions.from_rows(rows), times, nothing, tuple(masks))


def make_results(made: Made) -> None:
    """Trackers that are good, bad, partial, broken and badly named."""
    store = OnePassStore(made.results, "otb2015")
    sequences = made.dataset("otb2015").sequences
    for pixels, name in enumerate(("steady", HOSTILE, UNICODE)):
        for sequence in sequences:
            store.write(name, sequence, near(sequence, 2.0 + 3 * pixels))
    for sequence in sequences[:2]:
        store.write("half", sequence, near(sequence, 0))
    for sequence in sequences:
        store.write("broken", sequence, near(sequence, 1))
    store.boxes_path("broken", sequences[1].name).write_text("1,2,three,4\n")
    runs = VotStore(made.results, "vot2018", "baseline")
    for sequence in made.dataset("vot2018"):
        runs.write("steady", sequence, failing_run(sequence))


@pytest.fixture(scope="session")
def made(miniature: Miniature, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """The report, with videos of the first sequences."""
    folder = tmp_path_factory.mktemp("made")
    made = Made(folder / "data", folder / "results", folder / "report")
    miniature.into(made.data, "otb2015", "vot2018")
    make_results(made)
    options = ("--data", made.data, "--results", made.results, "--out", made.report)
    done = bench("report", *options, code=1)  # since one result is broken
    assert "broken" in done.stderr
    return made


def find_chromium() -> str | None:
    """A Chromium of the system, or the one that `playwright install` fetched."""
    named = os.environ.get("CHROMIUM")
    if named:
        return named
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    return None


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    api = pytest.importorskip("playwright.sync_api", reason="needs Playwright (extra `dev`)")
    with api.sync_playwright() as playwright:
        own = playwright.chromium.executable_path
        path = find_chromium() or (own if Path(own).is_file() else None)
        if path is None:
            pytest.skip(
                "needs Chromium: set CHROMIUM, install it, or `playwright install chromium`"
            )
        browser = playwright.chromium.launch(executable_path=path, args=list(CHROMIUM_OPTIONS))
        yield browser
        browser.close()

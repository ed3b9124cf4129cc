"""The official Python toolkit itself runs our trackers, by both ways, and scores our files.

Needs the extra ``vot-toolkit``. Nothing here touches the network: the data is the miniature.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import shapely

from bench.arrays import FloatArray
from bench.datasets import open_dataset
from bench.geometry import Regions
from bench.interop.workspace import Served, write_workspace
from bench.registry import TrackerSpec
from bench.results.importing import import_results
from bench.results.onepass import OnePassStore
from bench.results.vot.store import VotStore
from bench.sequence import Dataset, RegionTrajectory
from tests.conftest import Miniature

pytest.importorskip("trax")
pytest.importorskip("vot", exc_type=(ImportError, TypeError))

STEP = 1.25
PLUGIN = """
from bench.arrays import Image
from bench.tracker import Prediction, Region

class Drift:
    deterministic = True
    starts_on = "polygon"
    def __init__(self, step: float = 1.0) -> None:
        self.step = step
    def init(self, image: Image, region: Region) -> None:
        self.region = region
    def update(self, image: Image) -> Prediction:
        self.region = self.region + self.step
        return Prediction(self.region, score=0.5)
"""
SERVED = ("drift", "drift-in-python")


def run(*arguments: object, cwd: Path) -> str:
    """Output of a command that must succeed."""
    done = subprocess.run(
        [sys.executable, "-m", "bench", *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=300,
        env=os.environ | {"PYTHONWARNINGS": "ignore"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@dataclass(frozen=True)
class Place:
    """A folder with a plug-in, two miniature sequences, and a workspace made of them."""

    folder: Path
    dataset: Dataset

    def runs(self, tracker: str, sequence: str) -> list[Regions]:
        """Results that the toolkit wrote to the workspace."""
        store = VotStore(self.folder / "w", "results", "baseline")
        return store.read_runs(tracker, sequence, len(self.dataset[sequence]))


@pytest.fixture(scope="module")
def place(miniature: Miniature, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """The workspace after `vot evaluate`: a drifting tracker in both protocols."""
    folder = tmp_path_factory.mktemp("vot")
    (folder / "drift_plugin.py").write_text(PLUGIN)
    miniature.into(folder, "vot2018")
    whole = open_dataset("vot2018", folder / "vot2018")
    dataset = replace(whole, sequences=(whole["fish1"], whole["motocross1"]))
    for sequence in dataset:
        rows = sequence.regions.values.tolist()
        regions = Regions.from_rows([[1], *rows[1:]])
        nothing = np.full(len(rows), np.nan)
        perfect = RegionTrajectory(regions, np.ones(len(rows)), nothing)
        VotStore(folder, "vot2018", "baseline").write("perfect", sequence, perfect)
    served = [
        Served(TrackerSpec(name, "drift_plugin:Drift", {"step": STEP}), protocol)
        for name, protocol in zip(SERVED, ("trax", "python"), strict=True)
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)  # the folder of the plug-in
        write_workspace(
            folder / "w",
            dataset,
            results=folder,
            trackers=["perfect"],
            served=served,
            images="link",
            interval=(20, 60),
        )
    run("vot", "evaluate", "--workspace", "w", "--experiments", "baseline", *SERVED, cwd=folder)
    return Place(folder, dataset)


@pytest.fixture(scope="module")
def analysis(place: Place) -> dict[str, dict[str, float]]:
    """Accuracy, failures and expected overlap by tracker from `vot analysis`."""
    names = ("perfect", *SERVED)
    options = ("--workspace", "w", "--experiments", "baseline", "--name", "out")
    run("vot", "analysis", *options, *names, cwd=place.folder)
    report = json.loads((place.folder / "w/analysis/out.json").read_text())
    pairs, scores, _ = report["results"]["baseline"]["results"]
    return {
        name: {"accuracy": pair[0], "failures": pair[1], "eao": score[0]}
        for name, pair, score in zip(names, pairs, scores, strict=True)
    }


def corners(regions: Regions, frame: int) -> FloatArray:
    return regions.values[frame, :8].reshape(4, 2)


@pytest.mark.parametrize("tracker", SERVED)
@pytest.mark.parametrize("sequence", ["fish1", "motocross1"])
def test_the_tracker_ran_as_it_should(place: Place, tracker: str, sequence: str) -> None:
    """After every initialisation it drifts from the ground truth until they are disjoint."""
    truth = place.dataset[sequence].regions
    runs = place.runs(tracker, sequence)
    assert len(runs) == 3  # the toolkit stops when runs are equal
    for regions in runs:
        start = 0
        codes = regions.codes
        for frame in range(len(regions)):
            if codes[frame] == 1:
                start = frame
                continue
            expected = corners(truth, start) + STEP * (frame - start)
            common = shapely.Polygon(expected).intersection(shapely.Polygon(corners(truth, frame)))
            if codes[frame] == -1:
                assert corners(regions, frame) == pytest.approx(expected, abs=1e-3)
            elif codes[frame] == 2:
                assert common.area < 20  # a corner may touch a pixel or not
                assert codes[frame + 1 : frame + 5].tolist() == [0] * len(codes[frame + 1 :][:4])
                assert codes[frame + 5 :][:1].tolist() in ([1], [])
        assert (codes == 2).any()


def test_both_ways_agree(place: Place) -> None:
    for sequence in place.dataset:
        over_trax, in_python = (place.runs(name, sequence.name)[0] for name in SERVED)
        np.testing.assert_array_equal(over_trax.counts, in_python.counts)
        np.testing.assert_allclose(over_trax.values, in_python.values, atol=1e-3)


def test_what_it_wrote_can_be_brought_in(place: Place, tmp_path: Path) -> None:
    """Binary trajectories, times and confidences."""
    results = OnePassStore(tmp_path, "vot2018")
    report = import_results(place.folder / "w/results/drift", results, "drift", place.dataset)
    assert report.imported == ("fish1", "motocross1")
    assert report.notes == ()
    store = VotStore(tmp_path, "vot2018", "baseline")
    np.testing.assert_array_equal(
        store.read_run("drift", "fish1", 1).values, place.runs("drift", "fish1")[0].values
    )
    times = store.read_times("drift", "fish1")
    assert times is not None
    assert times.shape == (80, 3)
    assert np.nanmin(times) > 0
    confidences = store.confidence_path("drift", "fish1", 1).read_text().splitlines()
    assert set(confidences) == {"", "0.5"}


def test_it_scores_our_files(analysis: dict[str, dict[str, float]]) -> None:
    assert analysis["perfect"]["accuracy"] == pytest.approx(1)
    assert analysis["perfect"]["failures"] == 0
    assert analysis["perfect"]["eao"] == pytest.approx(1)


@pytest.mark.parametrize("tracker", SERVED)
def test_it_scores_what_it_ran(
    place: Place, analysis: dict[str, dict[str, float]], tracker: str
) -> None:
    """Robustness is the mean number of failures per sequence, weighted by length."""
    lengths = [len(sequence) for sequence in place.dataset]
    failures = [(place.runs(tracker, s.name)[0].codes == 2).sum() for s in place.dataset]
    scores = analysis[tracker]
    assert scores["failures"] == pytest.approx(np.average(failures, weights=lengths))
    assert 0 < scores["accuracy"] < 1
    assert 0 < scores["eao"] < 1
    assert scores == pytest.approx(analysis[SERVED[0]], abs=1e-4)


def test_our_own_run_is_the_same(place: Place) -> None:
    """This toolkit's reset-based protocol gives the codes and corners of the official one."""
    pytest.importorskip("bench.protocols.vot")
    names = ",".join(sequence.name for sequence in place.dataset)
    options = ("--tracker", "drift_plugin:Drift", "--set", f"step={STEP}", "--name", "own")
    places = ("--data", place.folder / "vot2018", "--results", "r", "--sequence", names)
    run("run", "vot2018", *options, *places, cwd=place.folder)
    own = VotStore(place.folder / "r", "vot2018", "baseline")
    for sequence in place.dataset:
        ours = own.read_runs("own", sequence.name)[0]
        theirs = place.runs("drift", sequence.name)[0]
        np.testing.assert_array_equal(ours.codes, theirs.codes)
        np.testing.assert_allclose(ours.values, theirs.values, atol=1e-3)

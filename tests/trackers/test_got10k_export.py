"""Our trackers in the live got10k package, on two real sequences."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from bench.errors import ConfigError, TrackerError
from bench.files import read_rows
from bench.images import ImageFiles
from bench.registry import TrackerSpec
from bench.sequence import to_file, to_tracker
from trackers.got10k_export import as_got10k
from trackers.kcf import KCF
from trackers.static import Static

FRAMES = 12


@pytest.fixture(scope="module")
def otb(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sequences of OTB, cut to a few frames."""
    root = tmp_path_factory.mktemp("OTB")
    for name in ("Crossing", "Couple"):
        source = shared / "data/otb2015/sequences" / name
        (root / name / "img").mkdir(parents=True)
        for image in sorted((source / "img").glob("*.jpg"))[:FRAMES]:
            (root / name / "img" / image.name).symlink_to(image)
        lines = (source / "groundtruth_rect.txt").read_text().splitlines()[:FRAMES]
        (root / name / "groundtruth_rect.txt").write_text("\n".join(lines) + "\n")
    return root


def our_run(folder: Path, tracker: KCF | Static) -> np.ndarray:
    """The same sequence through our own interface, in file coordinates."""
    first = to_tracker(read_rows(folder / "groundtruth_rect.txt")[0], 1.0)
    frames = [ImageFiles(tuple(sorted((folder / "img").glob("*.jpg"))))[i] for i in range(FRAMES)]
    tracker.init(frames[0], first)
    return to_file(np.array([first, *(tracker.update(f).region for f in frames[1:])]), 1.0)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("name", "tracker"), [("static", Static()), ("kcf", KCF())])
def test_an_experiment_of_got10k_gives_our_boxes(
    otb: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    tracker: KCF | Static,
) -> None:
    experiments = pytest.importorskip("got10k.experiments")
    # Its constructor would download the sequences that are missing here.
    monkeypatch.setattr("got10k.datasets.OTB._download", lambda *_: None)
    experiment = experiments.ExperimentOTB(str(otb), 2015, str(tmp_path), str(tmp_path))
    experiment.run(as_got10k(name, origin=1.0))
    for sequence in ("Crossing", "Couple"):
        found = read_rows(tmp_path / "OTB2015" / name / f"{sequence}.txt")
        # It decodes JPEG with Pillow and writes three decimals.
        assert np.abs(found - our_run(otb / sequence, tracker)).max() < 0.5


@pytest.mark.filterwarnings("ignore")
def test_specification_class_and_name() -> None:
    pytest.importorskip("got10k")
    assert as_got10k(Static).name == "Static"
    assert as_got10k("static", name="floor").name == "floor"
    tracker = as_got10k(TrackerSpec("fixed-size", "kcf", {"scales": 1}))
    assert tracker.name == "fixed-size"
    assert tracker.is_deterministic is True
    with pytest.raises(ConfigError, match="Did you mean 'kcf'"):
        as_got10k("kfc")


def test_without_got10k(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "got10k.trackers", None)
    with pytest.raises(TrackerError, match=r"pip install 'siamattn-bench\[got10k\]'"):
        as_got10k("static")

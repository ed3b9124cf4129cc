"""``bench convert`` and ``bench confidence``, with trackers made for the test."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner, Result

from bench.cli import weights
from bench.errors import BenchError, ConfigError

PLUGIN = '''
from pathlib import Path
from bench.tracker import Prediction

class Maps:
    def __init__(self, told):
        self.told = told
    def save(self, path):
        path.write_text(repr(self.told))

class Looking:
    """Tells the frames it saw, and the box it was started on."""
    def __init__(self, step: int = 1, weights: Path | None = None) -> None:
        self.step = step
    def init(self, image, region):
        self.told = {"box": region.tolist(), "seen": [int(image[0, 0, 0])], "step": self.step}
        self.region = region
    def update(self, image) -> Prediction:
        self.told["seen"].append(int(image[0, 0, 0]))
        return Prediction(self.region)
    def confidence_maps(self, image):
        return Maps({**self.told, "drawn": int(image[0, 0, 0])})
    @staticmethod
    def convert(source, target, preset):
        target.write_text(f"{source.read_text()} {preset}")
        return {"preset": preset or "found out"}

class Plain:
    def init(self, image, region):
        pass
    def update(self, image) -> Prediction:
        raise NotImplementedError
'''


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a plug-in, a file of weights and a clip of five grey frames."""
    import cv2

    (tmp_path / "plug_weights.py").write_text(PLUGIN)
    (tmp_path / "model.pth").write_text("weights")
    clip = tmp_path / "clips" / "clip"
    clip.mkdir(parents=True)
    for number in range(1, 6):
        image = np.full((20, 30, 3), 10 * number, np.uint8)
        cv2.imwrite(str(clip / f"{number:04d}.png"), image)
    (clip / "groundtruth.txt").write_text("".join(f"{n},2,8,9\n" for n in range(1, 6)))
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def call(*arguments: object) -> Result:
    """The two verbs as the command offers them; a known error is raised."""
    app = typer.Typer()
    weights.register(app)
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if isinstance(result.exception, BenchError):
        raise result.exception
    return result


def test_convert_goes_through_the_tracker(work: Path) -> None:
    result = call("convert", "model.pth", "--tracker", "plug_weights:Looking")
    assert result.exit_code == 0, result.output
    assert (work / "model.safetensors").read_text() == "weights None"
    assert "found out" in result.output
    assert "model.safetensors" in result.output
    call("convert", "model.pth", "-t", "plug_weights:Looking", "-o", "b.x", "--preset", "nano")
    assert (work / "b.x").read_text() == "weights nano"


def test_convert_needs_a_tracker_with_weights(work: Path) -> None:
    with pytest.raises(ConfigError, match="has no weights to convert"):
        call("convert", "model.pth", "--tracker", "plug_weights:Plain")
    with pytest.raises(ConfigError, match="unknown tracker"):
        call("convert", "model.pth", "--tracker", "nothing")


def test_confidence_follows_up_to_the_frame_before(work: Path) -> None:
    common = ("confidence", "folder", "clip", "--data", "clips", "-t", "plug_weights:Looking")
    result = call(*common, "--frame", 4, "-o", "four.png", "--set", "step=3")
    assert result.exit_code == 0, result.output
    told = {"box": [1.0, 2.0, 8.0, 9.0], "seen": [10, 20, 30], "step": 3, "drawn": 40}
    assert (work / "four.png").read_text() == repr(told)
    call(*common, "--frame", 5, "--start", 4, "-o", "five.png")
    told = {"box": [4.0, 2.0, 8.0, 9.0], "seen": [40], "step": 1, "drawn": 50}
    assert (work / "five.png").read_text() == repr(told)


def test_confidence_uses_as_many_threads_as_a_run(
    work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch = pytest.importorskip("torch")
    code = PLUGIN.replace(
        "self.region = region", "import torch; self.told['step'] = torch.get_num_threads()"
    )
    (work / "plug_threads.py").write_text(
        code.replace("Prediction(self.region)", "Prediction(self.told['box'])")
    )
    before = torch.get_num_threads()
    for count in (None, 2):
        if count:
            monkeypatch.setenv("OMP_NUM_THREADS", str(count))
        else:
            monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
        common = ("confidence", "folder", "clip", "--data", "clips", "-t", "plug_threads:Looking")
        call(*common, "--frame", 2, "-o", "two.png")
        assert f"'step': {count or 1}" in (work / "two.png").read_text()
        assert torch.get_num_threads() == before


@pytest.mark.parametrize(("frame", "start"), [(6, 1), (3, 3), (2, 4)])
def test_confidence_needs_a_frame_after_the_start(work: Path, frame: int, start: int) -> None:
    common = ("confidence", "folder", "clip", "--data", "clips", "-t", "plug_weights:Looking")
    with pytest.raises(ConfigError, match=rf"--frame {frame}: expected {start + 1} to 5"):
        call(*common, "--frame", frame, "--start", start, "-o", "four.png")


def test_confidence_needs_a_tracker_that_shows_it(work: Path) -> None:
    with pytest.raises(ConfigError, match="no attention to look at"):
        call(
            *("confidence", "folder", "clip", "--data", "clips"),
            *("-t", "plug_weights:Plain", "--frame", 2, "-o", "four.png"),
        )

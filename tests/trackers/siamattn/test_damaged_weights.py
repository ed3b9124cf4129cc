"""Damaged or untrained weights give a clear error, never a traceback."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import pytest
import torch

from bench.cli.main import main
from bench.errors import TrackerError
from trackers.siamattn.tracker import SiamAttn

Tensors = dict[str, torch.Tensor]
NAN, HUGE = float("nan"), 1e4  # exp(HUGE) overflows


def damaged(weights: Tensors, key: str, value: float, path: Path) -> Path:
    """A file of ``weights`` with one tensor full of ``value``."""
    assert key in weights
    torch.save({**weights, key: torch.full_like(weights[key], value)}, path)
    return path


@pytest.mark.parametrize(
    ("key", "value", "what"),
    [
        ("backbone.conv1.weight", NAN, "score or box of a proposal"),
        ("feature_enhance.deform_convs.0.conv_offset.bias", NAN, "score or box of a proposal"),
        ("rpn_head.rpn3.cls.head.3.bias", NAN, "score or box of a proposal"),
        ("rpn_head.rpn3.loc.head.3.bias", HUGE, "score or box of a proposal"),
        ("bbox_head.roi_pool_b.offset_fc.4.bias", NAN, "refined box"),
        ("bbox_head.tail_det_box.bias", HUGE, "refined box"),
        ("mask_head.conv_logits.bias", NAN, "mask"),
    ],
)
def test_non_finite_outputs_are_named(
    nano_weights: Tensors, golden: Any, tmp_path: Path, key: str, value: float, what: str
) -> None:
    path = damaged(nano_weights, key, value, tmp_path / "weights.pth")
    tracker = SiamAttn(weights=path, preset="siamattn-nano", device="cpu", mode="mask")
    tracker.init(golden.frames[0], golden.first_box)
    before = tracker.state
    with pytest.raises(TrackerError, match=f"finite {what} .*'siamattn-nano'.*never trained"):
        tracker.update(golden.frames[1])
    assert tracker.state is before


@pytest.fixture
def clips(golden: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The start of the generated sequence as a user's clip, and damaged weights."""
    folder = tmp_path / "clips" / "ellipse"
    folder.mkdir(parents=True)
    for number, frame in enumerate(golden.frames[:3], start=1):
        cv2.imwrite(str(folder / f"{number:04d}.png"), frame[..., ::-1])
    row = ",".join(f"{number:g}" for number in golden.first_box)
    (folder / "groundtruth.txt").write_text(f"{row}\n" * 3)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "300")
    return tmp_path


@pytest.mark.parametrize(
    "command",
    [
        ("run", "folder", "--results", "results", "--jobs", "1"),
        ("confidence", "folder", "ellipse", "--frame", "3", "--output", "three.png"),
    ],
)
def test_the_command_names_the_frame(
    nano_weights: Tensors,
    clips: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    command: tuple[str, ...],
) -> None:
    damaged(nano_weights, "backbone.conv1.weight", NAN, clips / "damaged.pth")
    given = ("--tracker", "siamattn", "--weights", "damaged.pth", "--data", "clips")
    monkeypatch.setattr("sys.argv", ["bench", *command, *given, "--device", "cpu"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    said = " ".join("".join(capfd.readouterr()).split())
    assert "frame 2: expected a finite score or box of a proposal" in said
    assert "preset 'siamattn-nano'" in said
    assert "Traceback" not in said
    assert not (clips / "three.png").exists()

"""Lower precision: close, refused where a device has none, and never mixed with other results."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from bench.datasets import open_dataset
from bench.errors import ConfigError, ResultError
from bench.registry import make_spec
from bench.results.onepass import OnePassStore
from bench.runner import run_here, run_tracker
from trackers.siamattn.tracker import SiamAttn, SiamAttnLite


def boxes(tracker: SiamAttn, golden: Any) -> np.ndarray:
    tracker.init(golden.frames[0], golden.first_box)
    return np.array([tracker.update(image).box for image in golden.frames[1:]])


def test_bf16_stays_close_and_is_another_arithmetic(golden: Any) -> None:
    """The shipped weights follow the target of the generated sequence in either."""
    exact, short = (boxes(SiamAttnLite(device="cpu", precision=p), golden) for p in KINDS)
    drift = np.abs(short - exact).max()
    assert 0 < drift < 4


KINDS = ("float32", "bf16")


def test_only_the_backbone_is_shortened(nano_file: Path) -> None:
    network = SiamAttn(nano_file, "siamattn-nano", "cpu", "bf16").engine.network
    kinds = {name.split(".")[0]: tensor.dtype for name, tensor in network.named_parameters()}
    assert kinds.pop("backbone") == torch.bfloat16
    assert set(kinds.values()) == {torch.float32}
    levels = network.backbone(torch.full((1, 3, 127, 127), 255.0))
    assert {level.dtype for level in levels} == {torch.float32}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"precision": "fp16"}, "precision 'fp16' needs a GPU"),
        ({"precision": "tf32"}, "precision 'tf32' needs a GPU"),
        ({"precision": "half"}, "unknown value of option precision"),
        ({"cuda_graphs": True}, "cuda_graphs needs a GPU"),
    ],
)
def test_what_a_cpu_does_not_compute_is_refused(options: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        SiamAttnLite(device="cpu", **options)


def test_results_of_different_precision_are_not_mixed(golden: Any, tmp_path: Path) -> None:
    for name in ("a", "b"):
        clip = tmp_path / "clips" / name
        clip.mkdir(parents=True)
        for number, frame in enumerate(golden.frames[:3], 1):
            cv2.imwrite(str(clip / f"{number:04d}.png"), frame[..., ::-1])
        (clip / "groundtruth.txt").write_text("76,94,68,52\n" * 3)
    dataset = open_dataset("folder", tmp_path / "clips")
    store = OnePassStore(tmp_path / "results", "folder")
    short, exact = (
        make_spec("siamattn-lite", {"precision": each}, device="cpu") for each in KINDS[::-1]
    )

    def run(spec: Any) -> None:
        run_tracker(
            dataset, spec, store, engine=lambda units, spec, seed: run_here(units, spec, seed)
        )

    run(short)
    record = json.loads(store.record_path("siamattn-lite").read_text())
    assert record["provenance"]["options"]["precision"] == "bf16"
    with pytest.raises(ResultError, match=r"options\.precision: expected 'float32', found 'bf16'"):
        run(exact)

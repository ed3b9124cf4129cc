"""The shipped weights: small, with a record, and able to track."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from safetensors import safe_open

from bench.geometry import box_iou
from bench.registry import registered_trackers
from trackers.siamattn.checkpoints import load_network
from trackers.siamattn.tracker import LITE, SiamAttnLite
from trackers.siamattn.training.holdout import track_videos, videos


def test_the_file_is_small_and_records_its_origin() -> None:
    assert LITE.stat().st_size <= 12 * 10**6
    with safe_open(LITE, "pt") as file:
        record = file.metadata()
    assert record["preset"] == "siamattn-lite"
    assert record["data"] == "stills"
    assert int(record["pairs"]) > 0
    assert int(record["steps"]) > 0
    card = (LITE.parent / "README.md").read_text(encoding="utf-8")
    assert f"{int(record['steps']):,} steps" in card
    assert record["recipe"] in card


def test_it_is_registered() -> None:
    assert registered_trackers()["siamattn-lite"] == "trackers.siamattn.tracker:SiamAttnLite"


def test_a_run_starts_without_waiting_for_pytorch_or_its_compiler() -> None:
    """What starts workers only reads the class; a worker that loads weights compiles nothing."""
    script = (
        "import sys; from bench.registry import make_spec; spec = make_spec('siamattn-lite');"
        "assert spec.is_batch() and spec.is_deterministic() and 'torch' not in sys.modules;"
        "spec.build(); assert 'torch' in sys.modules and 'torch._dynamo' not in sys.modules"
    )
    assert subprocess.run([sys.executable, "-c", script]).returncode == 0


@pytest.mark.parametrize("multicoloured", [False, True])
def test_it_tracks_held_out_targets(multicoloured: bool) -> None:
    """On four hold-out videos of twelve frames, it doubles the static tracker's overlap."""
    chosen = videos(count=4, frames=12, multicoloured=multicoloured)
    found = track_videos(load_network(LITE), chosen)
    overlaps = [
        box_iou(track, video.boxes) for track, video in zip(found.boxes, chosen, strict=True)
    ]
    still = [box_iou(np.repeat(video.boxes[:1], 12, axis=0), video.boxes) for video in chosen]
    assert np.nanmean(overlaps) > 2 * np.nanmean(still)


def test_it_is_confident_of_its_target() -> None:
    """As a plug-in with its own weights, it predicts a box and a probability per frame."""
    video = videos(count=4, frames=12)[1]
    tracker = SiamAttnLite()
    tracker.init(video.images[0], video.boxes[0])
    answers = [tracker.update(image) for image in video.images[1:]]
    assert np.mean([answer.score for answer in answers]) > 0.5
    assert all(np.shape(answer.region) == (4,) for answer in answers)

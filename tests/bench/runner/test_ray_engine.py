"""What the Ray engine does before it needs Ray; ``test_clusters`` runs it on clusters."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from bench.datasets.frames import NumberedFrames, VideoFrames
from bench.errors import ConfigError
from bench.images import ImageFiles
from bench.registry import TrackerSpec
from bench.runner.ray_engine import RayCluster, parse_data_map
from bench.runner.session import with_paths
from bench.sequence import Sequence

CLUSTER = RayCluster(data_map=((Path("/home/me/data"), Path("/scratch")),))


def test_folders_are_mapped_by_their_beginning() -> None:
    assert CLUSTER.elsewhere(Path("/home/me/data/a/1.jpg")) == Path("/scratch/a/1.jpg")
    assert CLUSTER.elsewhere(Path("/home/me/data2/1.jpg")) == Path("/home/me/data2/1.jpg")


def test_a_data_map_is_two_folders() -> None:
    assert parse_data_map(["/a=/b", "c=/d=e"]) == (
        (Path("/a"), Path("/b")),
        (Path("c").absolute(), Path("/d=e")),
    )
    for wrong in ("/a", "=/b", "/a="):
        with pytest.raises(ConfigError, match="HERE=THERE"):
            parse_data_map([wrong])


def test_frames_of_every_kind_are_found_elsewhere(bare: Sequence) -> None:
    home = Path("/home/me/data/x")
    for frames, expected in (
        (ImageFiles((home / "1.jpg",)), ImageFiles((Path("/scratch/x/1.jpg"),))),
        (NumberedFrames(home, 3, 9), NumberedFrames(Path("/scratch/x"), 3, 9)),
        (VideoFrames(home / "v.mp4"), VideoFrames(Path("/scratch/x/v.mp4"))),
    ):
        moved = with_paths(dataclasses.replace(bare, frames=frames), CLUSTER.elsewhere)
        assert moved.frames == expected


@pytest.fixture
def bare() -> Sequence:
    import numpy as np

    return Sequence("x", np.ones((2, 4)))


def test_files_of_options_are_found_elsewhere_too() -> None:
    spec = TrackerSpec("x", "m:X", {"weights": Path("/home/me/data/w.pth"), "steps": 3})
    assert CLUSTER._moved(spec).options == {"weights": Path("/scratch/w.pth"), "steps": 3}

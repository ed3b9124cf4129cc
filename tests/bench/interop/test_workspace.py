"""Contents of workspaces; another module tests that vot-toolkit accepts them."""

from __future__ import annotations

import configparser
import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from bench.datasets import open_dataset
from bench.errors import ConfigError, DatasetError, ResultError
from bench.geometry import Regions
from bench.images import ImageFiles
from bench.interop.workspace import Served, write_workspace
from bench.registry import TrackerSpec
from bench.results.vot.store import VotStore
from bench.sequence import Dataset, RegionTrajectory, Sequence

POLYGONS = np.array([[[1, 2], [5.5, 2], [5.5, 8], [1, 8]]] * 3, dtype=np.float64)
TAGS = {"occlusion": np.array([False, True, False]), "empty": np.array([True, False, True])}


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    paths = tuple(tmp_path / f"images/frame{i}.jpg" for i in (7, 8, 9))
    paths[0].parent.mkdir()
    for index, path in enumerate(paths):
        cv2.imwrite(str(path), np.full((12, 16, 3), 50 * index, dtype=np.uint8))
    boxes = np.array([[1.0, 2.0, 4.5, 6.0]] * 3)
    polygons = Sequence(
        "bag",
        boxes,
        ImageFiles(paths),
        polygons=POLYGONS,
        tags=TAGS,
        practical=np.array([0.0, 0.1, 1e-7]),
        size=(16, 12),
    )
    return Dataset("vot2018", tmp_path, (polygons, Sequence("car1", boxes)))


def content(folder: Path, name: str) -> str:
    return (folder / name).read_text()


def test_annotation_as_the_toolkit_reads_it(tmp_path: Path, dataset: Dataset) -> None:
    folder = tmp_path / "w"
    write_workspace(folder, dataset)
    assert content(folder, "config.yaml") == (
        "registry:\n- ./trackers.ini\nstack: vot2018/shortterm\n"
    )
    assert content(folder, "sequences/list.txt") == "bag\ncar1\n"
    bag = folder / "sequences/bag"
    assert set(content(bag, "sequence").splitlines()) == {
        "name=bag",
        "length=3",
        "width=16",
        "height=12",
        "fps=20",
        "format=default",
        "channel.default=color",
        "channels.color=color/%08d.jpg",
    }
    assert content(bag, "groundtruth.txt") == "1,2,5.5,2,5.5,8,1,8\n" * 3
    assert content(bag, "occlusion.tag") == "0\n1\n0\n"
    assert content(bag, "practical.value") == "0\n0.1\n1e-07\n"
    assert content(folder, "sequences/car1/groundtruth.txt") == "1,2,4.5,6\n" * 3
    assert "width" not in content(folder, "sequences/car1/sequence")
    assert not (bag / "color").exists()


def test_it_reads_back_as_the_dataset(shared: Path, tmp_path: Path) -> None:
    """Our own reader finds the real sequence unchanged in the workspace."""
    there = open_dataset("vot2018", shared / "data/vot2018/sequences")["bag"]
    dataset = Dataset("vot2018", tmp_path, (there,))
    write_workspace(tmp_path / "w", dataset, images="link")
    here = open_dataset("vot2018", tmp_path / "w")["bag"]
    np.testing.assert_array_equal(here.regions.values, there.regions.values)
    for tag, flags in there.tags.items():
        np.testing.assert_array_equal(here.tags[tag], flags)
    np.testing.assert_array_equal(here.practical, there.practical)
    assert here.size == there.size
    np.testing.assert_array_equal(here.frames[195], there.frames[195])  # type: ignore[index]


@pytest.mark.parametrize("images", ["link", "copy"])
def test_images_are_numbered_from_one(tmp_path: Path, dataset: Dataset, images: str) -> None:
    dataset = replace(dataset, sequences=dataset.sequences[:1])
    write_workspace(tmp_path / "w", dataset, images=images)  # type: ignore[arg-type]
    placed = sorted((tmp_path / "w/sequences/bag/color").iterdir())
    assert [p.name for p in placed] == [f"{i:08d}.jpg" for i in (1, 2, 3)]
    assert [p.is_symlink() for p in placed] == [images == "link"] * 3
    assert placed[2].read_bytes() == (tmp_path / "images/frame9.jpg").read_bytes()


def test_results_and_trackers(tmp_path: Path, dataset: Dataset) -> None:
    results = tmp_path / "results"
    regions = Regions.from_rows([[1], [1, 2, 3, 4], [2]])
    run = RegionTrajectory(regions, np.ones(3), np.full(3, np.nan))
    for sequence in dataset:
        VotStore(results, "vot2018", "baseline").write("Siam++ 2", sequence, run)
    options = {"scale": 1.5, "path": Path("w%.pt"), "note": "two words"}
    served = [
        Served(TrackerSpec("kcf", "kcf", {})),
        Served(TrackerSpec("mine", "my.module:Mine", options)),
        Served(TrackerSpec("mine-in-python", "my.module:Mine", options), "python"),
    ]
    folder = tmp_path / "w"
    write_workspace(folder, dataset, results=results, trackers=["Siam++ 2"], served=served)
    stored = content(folder, "results/Siam---2/baseline/bag/bag_001.txt")
    assert stored == "1\n1,2,3,4\n2\n"
    registry = configparser.ConfigParser()
    registry.read(folder / "trackers.ini")
    assert dict(registry["Siam---2"]) == {"label": "Siam++ 2", "command": ""}
    assert registry["kcf"]["protocol"] == "trax"
    assert registry["kcf"]["command"].endswith("-m bench serve --tracker kcf")
    weights = Path("w%.pt").absolute()
    assert registry["mine"]["command"].endswith(
        f"--tracker my.module:Mine --set scale=1.5 --set path={weights} --set 'note=two words'"
    )
    assert registry["mine"]["env_pythonpath"].startswith(str(Path.cwd()))
    python = registry["mine-in-python"]
    assert (python["protocol"], python["arg_tracker"]) == ("python", "my.module:Mine")
    assert json.loads(python["arg_options"]) == {
        "scale": "1.5",
        "path": str(weights),
        "note": "two words",
    }


def test_other_lengths_for_a_part_of_the_benchmark(tmp_path: Path, dataset: Dataset) -> None:
    write_workspace(tmp_path / "w", dataset, interval=(30, 90))
    assert content(tmp_path / "w", "config.yaml").endswith("stack: stack.yaml\n")
    stack = json.loads(content(tmp_path / "w", "stack.yaml"))
    assert "dataset" not in stack  # the toolkit would try to download it
    experiments = stack["experiments"]
    assert list(experiments) == ["baseline", "realtime", "unsupervised"]
    assert experiments["baseline"]["repetitions"] == 15
    score = {"type": "supervised_eao_score", "low": 30, "high": 90}
    assert score in experiments["realtime"]["analyses"]


def test_the_stacks_are_those_of_the_toolkit() -> None:
    """The numbers in our table equal those in the installed toolkit's files."""
    pytest.importorskip("vot", exc_type=(ImportError, TypeError))
    yaml = pytest.importorskip("yaml")
    import vot

    from bench.benchmarks import benchmarks, get_benchmark

    rows = {name: each.stack for name, each in benchmarks().items() if each.stack}
    assert len(rows) == 4
    for benchmark, row in rows.items():
        path = Path(vot.__file__).parent / "stack" / f"{row['name']}.yaml"
        theirs = yaml.safe_load(path.read_text())["experiments"]
        assert set(row["experiments"]) == set(get_benchmark(benchmark).experiments)
        for name, experiment in row["experiments"].items():
            assert {k: v for k, v in theirs[name].items() if k != "analyses"} == experiment


def test_never_over_something_else(tmp_path: Path, dataset: Dataset) -> None:
    folder = tmp_path / "w"
    folder.mkdir()
    write_workspace(folder, dataset)  # an empty folder is allowed
    with pytest.raises(ResultError, match="exists and is not empty"):
        write_workspace(folder, dataset)


def test_a_failure_leaves_nothing_behind(tmp_path: Path, dataset: Dataset) -> None:
    before = set(tmp_path.iterdir())
    with pytest.raises(DatasetError, match=r"'car1' is annotation only.*expected images"):
        write_workspace(tmp_path / "w", dataset, images="copy")
    with pytest.raises(ConfigError, match="unknown tracker with results"):
        write_workspace(tmp_path / "w", dataset, results=tmp_path, trackers=["nobody"])
    (tmp_path / "images/frame8.jpg").unlink()
    with pytest.raises(DatasetError, match="expected the image of frame 2 of bag"):
        write_workspace(tmp_path / "w", dataset, images="link")
    assert set(tmp_path.iterdir()) == before


def test_names_that_would_meet(tmp_path: Path, dataset: Dataset) -> None:
    served = [Served(TrackerSpec(name, "kcf", {})) for name in ("a+", "a.")]
    with pytest.raises(ConfigError, match=r"a\+, a\.: expected different names.*a-, a-"):
        write_workspace(tmp_path / "w", dataset, served=served)


def test_other_benchmarks_have_none(tmp_path: Path, dataset: Dataset) -> None:
    with pytest.raises(ConfigError, match="otb2015 has no VOT experiments"):
        write_workspace(tmp_path / "w", replace(dataset, benchmark="otb2015"))

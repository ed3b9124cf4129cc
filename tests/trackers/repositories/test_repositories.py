"""Trackers of stand-in repositories in this process: what they are given, and every error."""

from __future__ import annotations

import os
import re
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bench
from bench.errors import BenchError, ConfigError, TrackerError
from bench.registry import TrackerSpec, make_spec
from tests.trackers.repositories.stand_ins import CONFIG, save
from trackers.repositories.checkout import opened_into, that_count
from trackers.repositories.libtest import dataset_name
from trackers.repositories.tuned import difference, reads_name, takes_name

IMAGE = np.zeros((24, 32, 3), np.uint8)
BOX = np.array([3.0, 4.0, 5.0, 6.0])
WEIGHTS = "experiments/siammask_r50_l3/model.pth"

pytestmark = pytest.mark.usefixtures("forgetful")


def spec(repo: Path, tracker: str = "ostrack", **settings: str) -> TrackerSpec:
    given = {"repo": str(repo), "tracker": tracker, "config": CONFIG, **settings}
    return make_spec("libtest", given).on("otb2015")


def answers(tracker: Any, frames: int = 2) -> list[Any]:
    """The regions of a tracker on black frames."""
    tracker.init(IMAGE, BOX)
    return [tracker.update(IMAGE).region.tolist() for _ in range(frames)]


def test_every_start_has_a_tracker_of_its_own(repo: Path) -> None:
    """As in the repositories' own scripts; this stand-in refuses to be started twice."""
    tracker: Any = spec(repo).build()
    first = answers(tracker)
    assert first == [[4.5, 4.25, 5.0, 6.0], [6.0, 4.5, 5.0, 6.0]]
    assert answers(tracker) == first
    assert tracker.update(IMAGE).score == 0.75


def test_the_origin_of_its_boxes(repo: Path) -> None:
    """The tracker sees boxes that count from 1, as its own scripts read them from the files."""
    tracker: Any = spec(repo, origin="1").build()
    tracker.init(IMAGE, BOX)
    assert tracker.wrapped.state[:2] == [4.0, 5.0]
    assert tracker.update(IMAGE).region.tolist() == [4.5, 4.25, 5.0, 6.0]


def test_a_tracker_with_arguments_of_its_own(repo: Path) -> None:
    checkpoint = next(repo.rglob("*.pth.tar"))
    checkpoint.rename(checkpoint.with_name("mixformer.pth.tar"))
    given = "model=mixformer.pth.tar, search_area_scale=4.5, online_sizes=3"
    tracker: Any = spec(repo, "mixformer", params=given).build()
    tracker.init(IMAGE, BOX)
    said = tracker.update(IMAGE)
    assert (said.region.tolist(), said.score) == (BOX.tolist(), 0.5)
    assert "dataset_name" not in tracker.adapter_choice


@pytest.mark.parametrize(
    ("benchmark", "expected"),
    [("lasot", "lasot"), ("otb2015", "otb"), ("uav123", "uav"), ("trackingnet", "trackingnet"),
     ("vot2018", "vot18"), ("folder", "video"), ("", "video"), ("nfs", "nfs")],
)  # fmt: skip
def test_benchmarks_as_these_repositories_spell_them(benchmark: str, expected: str) -> None:
    assert dataset_name(benchmark) == expected


@pytest.mark.parametrize(
    ("tracker", "as_", "said"),
    [
        ("ostrack", "lasot", ""),
        ("sutrack", "video", ""),
        ("sutrack", "nfs", ""),
        ("keyed", None, "tuned per benchmark: it can be built for 'otb', but not for a video"),
    ],
)
def test_whether_it_is_tuned_per_benchmark(
    repo: Path, tracker: str, as_: str | None, said: str
) -> None:
    given = {} if as_ is None else {"as": as_}
    built: Any = spec(repo, tracker, **given).build()
    assert built.dataset_name == (as_ or "otb")
    assert built.tuned_per_benchmark.startswith(said)
    assert bool(built.tuned_per_benchmark) == bool(said)


def test_differences_in_words() -> None:
    here = {"a": 1, "b": [2], "name": "OTB", "same": 3}
    there = {"a": 2, "b": [1], "name": "VIDEO", "same": 3}
    assert (
        difference("otb", here, there) == "for 'otb' it has a 1 instead of 2, b [2] instead of [1]"
    )
    assert difference("otb", {"name": "otb"}, {"name": "video"}) == (
        "it keeps the name 'otb' in name, and may act on it"
    )
    assert difference("otb", there, there) == ""
    many = dict.fromkeys("abcde", 1)
    assert difference("otb", many, {}).endswith("c 1 instead of None and 2 more")


def test_whether_a_constructor_reads_the_name() -> None:
    class Ignores:
        def __init__(self, params: Any, dataset_name: str) -> None:
            self.params = params

    class Reads(Ignores):
        def __init__(self, params: Any, name: str) -> None:
            super().__init__(params, name)

    class Closes(Ignores):
        def __init__(self, params: Any, name: str) -> None:
            self.say = lambda: name

    class Starred:
        def __init__(self, *args: Any) -> None:
            self.args = args

    class Alone:
        def __init__(self, params: Any) -> None:
            self.params = params

    kinds = (Ignores, Reads, Closes, Starred, Alone)
    assert [reads_name(kind) for kind in kinds] == [False, True, True, True, False]
    assert [takes_name(kind) for kind in kinds] == [True, True, True, True, False]


def test_its_own_local_py_counts_unless_another_folder_is_given(
    repo: Path, tmp_path: Path
) -> None:
    local = repo / "lib" / "test" / "evaluation" / "local.py"
    local.write_text(
        "from types import SimpleNamespace\n"
        f"def local_env_settings(): return SimpleNamespace(prj_dir={str(repo)!r},"
        " save_dir='/home/author/output')\n"
    )
    with pytest.raises(TrackerError, match=r"'/home/author/output/checkpoints.*/local\.py "
        r"says where checkpoints/ is; --set save_dir=FOLDER names another"):  # fmt: skip
        spec(repo).build()
    assert answers(spec(repo, save_dir=str(repo / "output")).build(), 1) == [[4.5, 4.25, 5, 6]]


ERRORS = [
    ({"repo": "nowhere"}, r"option 'repo': there is no folder .*nowhere"),
    ({"repo": "."}, r"laid out like lib/test, with lib/test/tracker/, found none in .*empty"),
    (
        {"tracker": "ostrak"},
        r"unknown tracker .*'ostrak'\. Did you mean 'ostrack'\? Known: dated, keyed, mixformer, "
        r"needy, ostrack, stored, sutrack",
    ),
    ({"config": "vitb"}, rf"no configuration 'vitb' .*Known: {CONFIG}\."),
    ({"tracker": "needy"}, r"needs the package a_package_of_its_own: install it"),
    ({"tracker": "dated"}, r"The installed torch has no torch\.removed_long_ago: the repository"),
    ({"tracker": "stored"}, r"No module named 'lmdb' .*It needs the package lmdb: install it"),
    ({"tracker": "mixformer"}, r"also needs model: give it with --set params=model="),
    (
        {"tracker": "keyed", "as": "nfs"},
        r"KeyError: 'NFS' \(.*keyed\.py:\d+\)\. It was told the benchmark 'nfs'; .*--set as=NAME",
    ),
    (
        {"save_dir": "elsewhere"},
        r"OSTrack_ep0300\.pth\.tar' .*Without a local\.py, checkpoints/ is expected in .*elsewh",
    ),
    ({"params": "model"}, r"option 'params': expected name=value, found 'model'"),
    ({"asx": "otb"}, r"unknown option .*'asx'\. Did you mean 'as'\?"),
]


@pytest.mark.parametrize(("settings", "message"), ERRORS)
def test_every_error_says_how_to_mend_it(
    repo: Path,
    settings: dict[str, str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    given = {"repo": str(repo), "tracker": "ostrack", "config": CONFIG, **settings}
    with pytest.raises(BenchError, match=message):
        make_spec("libtest", given).on("otb2015").build()


@pytest.mark.parametrize("repo", ["pytracking"], indirect=True)
@pytest.mark.parametrize(
    ("tracker", "parameters", "message"),
    [
        ("dipm", "dimp50", r"unknown tracker of .* 'dipm'\. Did you mean 'dimp'"),
        ("dimp", "dimp18", r"unknown parameters of 'dimp' of .* 'dimp18'\. Did you mean 'dimp50'"),
    ],
)
def test_errors_of_pytracking(repo: Path, tracker: str, parameters: str, message: str) -> None:
    settings = {"repo": str(repo), "tracker": tracker, "parameters": parameters}
    with pytest.raises(ConfigError, match=message):
        make_spec("pytracking", settings).build()


@pytest.mark.parametrize("repo", ["pysot"], indirect=True)
def test_errors_of_pysot(repo: Path) -> None:
    config = repo / "experiments" / "siammask_r50_l3" / "config.yaml"
    given = {"repo": str(repo), "config": str(config), "weights": WEIGHTS}
    with pytest.raises(
        ConfigError, match=r"option 'config': there is no file none\.yaml, neither"
    ):
        make_spec("pysot", {**given, "config": "none.yaml"}).build()
    save(repo / WEIGHTS, {"state_dict": {"module.other": np.float64(1).item()}})
    with pytest.raises(TrackerError, match=r"1 are missing \(step\.weight\)\. Give weights and"):
        make_spec("pysot", given).build()
    (repo / WEIGHTS).write_text("version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(ConfigError, match="found a Git LFS pointer"):
        make_spec("pysot", given).build()


@pytest.mark.parametrize("repo", ["pysot"], indirect=True)
def test_pysot_starts_on_the_upright_box_of_a_polygon(repo: Path) -> None:
    """And answers with SiamMask's polygon then, but with its box where it started on a box."""
    config = "experiments/siammask_r50_l3/config.yaml"
    tracker: Any = make_spec(
        "pysot", {"repo": str(repo), "config": config, "weights": WEIGHTS}
    ).build()
    corners = np.array([[2.0, 4.0], [10.0, 4.0], [10.0, 8.0], [2.0, 8.0]])
    tracker.init(IMAGE, corners)
    assert tracker.wrapped.box == [2.0, 4.0, 9.0, 5.0]  # the centre less (w - 1) / 2
    assert tracker.update(IMAGE).region.shape == (4, 2)
    tracker.init(IMAGE, BOX)
    assert tracker.wrapped.box == [3.5, 4.5, 5.0, 6.0]
    assert tracker.update(IMAGE).region.tolist() == [6.5, 4.75, 5.0, 6.0]


def test_a_process_runs_one_use_of_a_repository(repo: Path, tmp_path: Path) -> None:
    """Else the second would change the configuration of the first."""
    from tests.trackers.repositories.stand_ins import write_libtest

    spec(repo).build()
    spec(repo).build()
    with pytest.raises(ConfigError, match=r"this process already runs ostrack .*over a dataset"):
        spec(repo, "sutrack").build()
    other = write_libtest(tmp_path / "other")
    with pytest.raises(ConfigError, match=rf"already runs ostrack .* of {repo}"):
        spec(other).build()


def test_from_python(repo: Path, otb: Path) -> None:
    sequence = bench.load("otb2015", otb)["Crossing"]
    options = {"repo": repo, "tracker": "sutrack", "config": CONFIG}
    boxes = bench.run("libtest", sequence, options=options).boxes
    assert np.allclose(np.diff(boxes[:, 0]), 1.5)


def test_which_opened_files_count(tmp_path: Path) -> None:
    root = tmp_path / "repo"
    root.mkdir()
    inside, weights, other = root / "a.txt", tmp_path / "b.pth", tmp_path / "c.txt"
    for path in (inside, weights, other, root / "code.py"):
        path.write_text("")
    found: set[str] = set()
    with opened_into(found):
        for path in (inside, weights, other, root / "code.py"):
            path.read_text()
        os.close(os.open(inside, os.O_RDONLY))
        (root / "written.txt").write_text("")
    weights.with_name("d.pth").write_text("")
    assert that_count(found, root) == [weights, inside]


def test_ground_truth_is_never_given(repo: Path) -> None:
    """The stand-ins check what they get; one that asks for more fails there."""
    tracker = repo / "lib" / "test" / "tracker" / "ostrack.py"
    asks = tracker.read_text().replace("self.frames += 1", "self.frames += len(info['gt_bbox'])")
    tracker.write_text(asks)
    built: Any = spec(repo).build()
    built.init(IMAGE, BOX)
    with pytest.raises(KeyError, match="gt_bbox"):
        built.update(IMAGE)


def test_a_tracker_that_cannot_do_without_a_gpu(repo: Path) -> None:
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    tracker = repo / "lib" / "test" / "tracker" / "ostrack.py"
    asks = tracker.read_text().replace("self.frames = 0", "torch.zeros(1, device='cuda')")
    tracker.write_text(asks)
    with pytest.raises(TrackerError, match=r"asks for a GPU, and PyTorch finds none here"):
        spec(repo).build()


def test_the_message_of_a_tracker_that_cannot_be_built_is_one_line(repo: Path) -> None:
    with pytest.raises(TrackerError) as caught:
        spec(repo, save_dir="elsewhere").build()
    assert "\n" not in str(caught.value)
    assert re.match(r"lib/test tracker 'ostrack' of /.* cannot be built: ", str(caught.value))


def test_packages_that_are_imported_and_not_used(repo: Path) -> None:
    """They need not be there, and nobody but the repository finds a stand-in for them."""
    lacking = [name for name in ("jpeg4py", "lmdb", "visdom") if find_spec(name) is None]
    assert answers(spec(repo).build(), 1) == [[4.5, 4.25, 5, 6]]
    assert not set(lacking) & set(sys.modules)
    assert [name for name in lacking if find_spec(name) is not None] == []


def test_a_module_of_the_gpu_that_says_so_in_words_of_its_own(repo: Path) -> None:
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    tracker = repo / "lib" / "test" / "tracker" / "ostrack.py"
    says = "raise NotImplementedError('this pooling only supports GPU (cuda)')"
    tracker.write_text(tracker.read_text().replace("self.frames = 0", says))
    with pytest.raises(TrackerError, match=r"asks for a GPU, and PyTorch finds none here"):
        spec(repo).build()


def test_a_description_that_is_not_given_is_named(repo: Path) -> None:
    tracker: Any = spec(repo, "sutrack").build()
    assert "description" not in tracker.adapter_choice
    answers(tracker)
    assert tracker.wrapped.words == (None, False)
    assert tracker.adapter_choice.endswith(
        "; it asked for a description of the target ('init_nlp'), which is not given"
    )

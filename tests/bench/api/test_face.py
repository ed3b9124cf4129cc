"""``import bench``: fast, complete, and equal to the command line."""

from __future__ import annotations

import ast
import inspect
import json
import os
import re
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import bench
from bench.runner.options import run_options
from tests.conftest import Miniature, keep_frames

FACE = Path(bench.__file__)


class Still:
    """The first box for ever."""

    deterministic = True

    def init(self, image: np.ndarray, region: np.ndarray) -> None:
        self.box = region

    def update(self, image: np.ndarray) -> bench.Prediction:
        return bench.Prediction(self.box)


class Faulty(Still):
    """Fails on the sequences whose first frame is dark."""

    def update(self, image: np.ndarray) -> bench.Prediction:
        raise ValueError("lost my nerve")


class Seeing(Still):
    """Answers the GPU that it sees."""

    def update(self, image: np.ndarray) -> bench.Prediction:
        return bench.Prediction(np.array([float(os.environ["CUDA_VISIBLE_DEVICES"]), 1, 1, 1]))


@pytest.fixture(scope="module")
def root(miniature: Miniature, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("face")
    return miniature.into(folder, "otb2015", "vot2018", frames=40)


@pytest.fixture(scope="module")
def data(root: Path) -> bench.Dataset:
    return bench.load("otb2015", root)


@pytest.fixture(scope="module")
def runs(data: bench.Dataset) -> dict[str, bench.Runs]:
    return {"still": bench.run(Still, data), "static": bench.run("static", data, jobs=2)}


@pytest.fixture(scope="module")
def scores(runs: dict[str, bench.Runs], data: bench.Dataset) -> bench.Scores:
    return bench.evaluate(runs, data)


def test_every_public_name_is_there_and_listed() -> None:
    (typed,) = [
        node for node in ast.parse(FACE.read_text()).body if isinstance(node, ast.If)
    ]  # what type checkers see
    seen = {alias.name for node in ast.walk(typed) if isinstance(node, ast.ImportFrom)
            for alias in node.names}  # fmt: skip
    assert seen == set(bench.__all__)
    for name in bench.__all__:
        assert getattr(bench, name).__doc__, name
        assert name in dir(bench)
    with pytest.raises(AttributeError, match="no attribute 'trackers_of'"):
        bench.trackers_of  # noqa: B018


def test_every_name_is_documented() -> None:
    guide = (FACE.parents[1] / "docs" / "python.md").read_text(encoding="utf-8")
    for name in bench.__all__:
        assert name in guide or name in ("Scores", "Picture", "Dataset", "Sequence", "Runs")


def test_importing_loads_no_room_and_no_library() -> None:
    script = (
        "import sys; import bench; "
        "print(sorted(m for m in sys.modules if m.startswith(('bench.', 'numpy', 'cv2'))))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "['bench.version']\n", "it then takes milliseconds"


def test_datasets_read_like_sequences(data: bench.Dataset, root: Path) -> None:
    assert data[0] is data[data[0].name]
    assert data[-1] is list(data)[-1]
    assert f"{len(data)} sequences, miniature" in repr(data)
    assert data[0].name in data._repr_html_()
    assert "120 frames" in repr(data["Crossing"]) or "frames" in repr(data["Crossing"])
    assert bench.load("otb2015", root / "otb2015").root == data.root


def test_results_equal_those_of_the_command_line(
    data: bench.Dataset, runs: dict[str, bench.Runs], root: Path, tmp_path: Path
) -> None:
    commands = (
        ["run", "otb2015", "--data", root, "--results", "r", "-t", "static"],
        ["eval", "otb2015", "--data", root, "--results", "r", "--json", "s.json"],
    )
    for command in commands:
        subprocess.run(
            [sys.executable, "-m", "bench", *map(str, command)], cwd=tmp_path, check=True,
            capture_output=True,
        )  # fmt: skip
    theirs = json.loads((tmp_path / "s.json").read_text())["trackers"]["static"]["per_sequence"]
    ours = bench.evaluate(runs, data).trackers["static"].per_sequence
    for name, row in ours.items():
        for measure in ("success", "precision", "normalized_precision"):
            assert row[measure] == theirs[name][measure]


def test_an_object_a_class_and_a_name_give_the_same_boxes(
    data: bench.Dataset, runs: dict[str, bench.Runs], tmp_path: Path
) -> None:
    sequence = data[0]
    (tmp_path / "own.py").write_text(
        "import bench\n\n\nclass Own:\n    def init(self, image, region):\n"
        "        self.box = region\n\n    def update(self, image):\n"
        "        return bench.Prediction(self.box)\n"
    )
    expected = np.tile(sequence.initial_box, (len(sequence), 1))
    for tracker in (Still(), Still, "static", "trackers.static:Static", f"{tmp_path}/own.py:Own"):
        found = bench.run(tracker, sequence)
        np.testing.assert_array_equal(np.asarray(found), expected)
    np.testing.assert_allclose(runs["still"][sequence.name].boxes, expected, atol=1e-4)
    whole = bench.run(Still(), data)
    np.testing.assert_array_equal(whole[sequence.name].boxes, runs["still"][sequence.name].boxes)


def test_one_sequence_scores_as_its_row(
    data: bench.Dataset, runs: dict[str, bench.Runs], scores: bench.Scores
) -> None:
    name = data[0].name
    alone = bench.score(runs["still"][name].boxes, data[0])
    row = scores.trackers["still"].per_sequence[name]
    assert alone["success"] == pytest.approx(row["success"])
    assert alone["precision"] == pytest.approx(row["precision"])


def test_what_is_doubtful_of_one_result_is_a_warning(data: bench.Dataset) -> None:
    boxes = data[0].ground_truth - np.array([1.0, 1.0, 0.0, 0.0]) * data[0].index_base
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        bench.score(boxes, data[0])
    with pytest.warns(UserWarning, match="equals the ground truth if read as corners"):
        bench.score(np.hstack([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]]), data[0])


def test_scores_as_frames_and_tables(scores: bench.Scores, data: bench.Dataset) -> None:
    frame = scores.frame()
    assert set(frame.index) == {"still", "static"}
    assert frame.loc["still", "success"] == scores.trackers["still"].measures["success"]
    assert list(scores.per_sequence("success").index) == [s.name for s in data]
    assert set(scores.per_attribute("success").columns) == {"still", "static"}
    assert scores.intervals().loc["still", ("success", "low")] <= frame.loc["still", "success"]
    assert scores.compare("still", "static").loc["success", "difference"] == 0
    assert isinstance(scores.compare("still", "static"), pd.DataFrame)
    for text in (scores.table().to_latex(), scores.table().to_markdown(), scores._repr_html_()):
        assert "still" in text
        assert "MINIATURE" in text
    assert "MINIATURE" in repr(scores)
    with pytest.raises(bench.ConfigError, match=r"sucess.*success"):
        scores.per_sequence("sucess")


def test_a_failing_sequence_is_named_and_costs_itself(data: bench.Dataset) -> None:
    with pytest.raises(bench.TrackerError, match="lost my nerve"):
        bench.run(Faulty, data)
    with pytest.raises(bench.TrackerError, match="lost my nerve") as raised:
        bench.run(Faulty(), data[0])
    assert isinstance(raised.value.__cause__, ValueError)

    first = data[0].name
    state = {"sequence": None}

    class Half(Still):
        def init(self, image: np.ndarray, region: np.ndarray) -> None:
            super().init(image, region)
            state["sequence"] = region.tolist()

        def update(self, image: np.ndarray) -> bench.Prediction:
            if state["sequence"] == data[first].initial_box.tolist():
                raise ValueError("not this one")
            return super().update(image)

    with pytest.warns(UserWarning, match="not this one"):
        runs = bench.run(Half(), data)
    assert [failure.sequence for failure in runs.failures] == [first]
    assert first not in runs
    assert len(runs) == len(data) - 1
    with pytest.raises(bench.ResultError, match=first):
        bench.evaluate({"half": runs}, data)
    assert bench.evaluate({"half": runs}, data, partial=True).trackers["half"].missing == (first,)


def test_results_kept_in_a_folder_are_found_again(data: bench.Dataset, tmp_path: Path) -> None:
    bench.run(Still, data, name="mine", results=tmp_path / "r")
    again = bench.run(Still, data, name="mine", results=tmp_path / "r")
    assert len(again) == len(data)
    assert bench.load_results(tmp_path / "r", data).keys() == {"mine"}
    stored = bench.evaluate(str(tmp_path / "r"), data, convention="pysot")
    assert stored.convention == "pysot"
    assert bench.export_results(again, tmp_path / "out", format="pysot") == len(data)
    report = bench.import_results(
        tmp_path / "out" / "mine", data, name="theirs", results=tmp_path / "r"
    )
    assert len(report.imported) == len(data)
    both = bench.evaluate(tmp_path / "r", data).frame()
    assert both.loc["mine", "success"] == both.loc["theirs", "success"]


def test_vot_works_through_the_same_names(root: Path) -> None:
    vot = bench.load("vot2018", root)
    runs = bench.run("static", vot, jobs=2)
    assert all(isinstance(each, bench.RegionTrajectory) for each in runs[vot[0].name])
    scores = bench.evaluate({"static": runs, "still": bench.run(Still, vot)}, vot, ranks=True)
    assert scores.frame().loc["static", "eao"] == scores.frame().loc["still", "eao"]
    assert scores.interval is not None
    assert set(scores.ranks) == {"accuracy", "robustness"}
    assert "empty" in scores.per_attribute("accuracy").index
    alone = bench.score(bench.run(Still(), vot[0]), vot[0])
    row = scores.trackers["still"].per_sequence[vot[0].name]
    assert alone["accuracy"] == pytest.approx(row["accuracy"], abs=1e-3)
    free = bench.run("static", vot, experiment="unsupervised")
    measures = bench.evaluate({"static": free}, vot).trackers["static"].measures
    assert "average_overlap" in measures
    with pytest.raises(bench.ConfigError, match="one experiment"):
        bench.evaluate({"a": free, "b": runs}, vot)
    picture = bench.show(vot[0], {"static": runs})
    assert picture.image.shape[2] == 3


def test_plots_and_pictures(
    scores: bench.Scores, data: bench.Dataset, runs: dict[str, bench.Runs], tmp_path: Path
) -> None:
    from matplotlib.figure import Figure

    bench.plot(scores, "success").savefig(tmp_path / "success.pdf")
    assert (tmp_path / "success.pdf").stat().st_size > 1000
    assert bench.plot(scores, "precision")._repr_png_().startswith(b"\x89PNG")
    axes = Figure().add_subplot()
    assert bench.plot(scores, "success", axes=axes).figure is axes.figure
    first = data[0].first_frame
    picture = bench.show(data[0], {"still": runs["still"], "boxes": runs["still"][data[0].name]},
                         frame=first + 1)  # fmt: skip
    assert picture._repr_jpeg_().startswith(b"\xff\xd8")
    assert picture.save(tmp_path / "frame.png").is_file()
    with pytest.raises(bench.ConfigError, match=rf"{first - 1}.*frames {first} to"):
        bench.show(data[0], frame=first - 1)


def test_wrong_arguments_give_the_projects_errors(
    data: bench.Dataset, scores: bench.Scores
) -> None:
    wrong = [
        lambda: bench.load(3),  # type: ignore[arg-type]
        lambda: bench.load("otb2015", 3),  # type: ignore[arg-type]
        lambda: bench.load("otb2014", "."),
        lambda: data[99],
        lambda: data["Crosing"],
        lambda: bench.run(3, data),
        lambda: bench.run("static", "data"),  # type: ignore[arg-type]
        lambda: bench.run(Still(), data, jobs=2),
        lambda: bench.run(Still(), data, options={"a": 1}),
        lambda: bench.run(Still, data, experiment="baseline"),
        lambda: bench.score("boxes.txt", data[0]),
        lambda: bench.score(np.ones((3, 5)), data[0]),
        lambda: bench.score(np.ones((3, 4)), data),  # type: ignore[arg-type]
        lambda: bench.evaluate(3, data),
        lambda: bench.evaluate({"a": 3}, data),
        lambda: bench.evaluate({}, "data"),  # type: ignore[arg-type]
        lambda: bench.evaluate({"a": {"Nowhere": np.ones((3, 4))}}, data),
        lambda: bench.plot("scores"),  # type: ignore[arg-type]
        lambda: bench.plot(scores, "succes"),
        lambda: bench.show(data),  # type: ignore[arg-type]
        lambda: bench.show(data[0], {"a": np.ones(4)}),
        lambda: bench.show(data[0], {"a": np.ones((3, 4))}),
        lambda: bench.show(data[0], np.ones((len(data[0]), 4))),  # type: ignore[arg-type]
        lambda: bench.evaluate({1: {}}, data),
        lambda: bench.evaluate({"a": {}}, data, convention=["otb"]),  # type: ignore[arg-type]
        lambda: bench.run("kcf", data[0], options=["a"]),  # type: ignore[arg-type]
        lambda: bench.export_results(3, ".", format="pysot"),  # type: ignore[arg-type]
        lambda: scores.compare("still", "nobody"),
    ]
    for call in wrong:
        with pytest.raises(bench.ConfigError):
            call()
    with pytest.raises(bench.ResultError, match="rows"):
        bench.score(np.ones((3, 4)), data[0])


def test_boxes_of_other_libraries(data: bench.Dataset) -> None:
    """Named columns count by their names, and what is masked is no box."""
    pd, torch = pytest.importorskip("pandas"), pytest.importorskip("torch")
    clip = data[np.int64(0)]
    boxes = np.tile(clip.initial_box, (len(clip), 1)) + np.linspace(0, 9, len(clip))[:, None]
    right = bench.score(boxes, clip)
    frame = pd.DataFrame(boxes, columns=list("xywh"))
    masked = np.ma.masked_array(boxes, mask=np.zeros(boxes.shape, dtype=bool))
    tensor = torch.tensor(boxes, requires_grad=True)
    shuffled = frame.assign(score=0.5)[["score", *"whyx"]]
    for same in (pd.DataFrame(boxes), frame, shuffled, masked, tensor, boxes.astype(object)):
        assert bench.score(same, clip) == right
    masked[5] = np.ma.masked
    with_nan = boxes.copy()
    with_nan[5] = np.nan
    with pytest.warns(UserWarning, match="1 of 39 rows contain NaN"):
        assert bench.score(masked, clip) == bench.score(with_nan, clip)
    corners = frame.rename(columns={"w": "x2", "h": "y2"})
    for wrong in (corners, boxes.astype(complex), boxes.astype(str)):
        with pytest.raises(bench.ConfigError, match=f"result of {clip.name}: expected"):
            bench.score(wrong, clip)


def test_a_tracker_may_change_the_working_folder(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Wanderer(Still):
        def update(self, image: np.ndarray) -> bench.Prediction:
            os.chdir(tmp_path)
            return super().update(image)

    monkeypatch.chdir(root)
    near = bench.load("otb2015", ".")
    assert len(bench.run(Wanderer(), near[0]).boxes) == len(near[0])
    monkeypatch.chdir(root)
    bench.run(Wanderer(), near, results="kept", name="w", sequences=[near[0].name])
    assert (root / "kept/otb2015/w" / f"{near[0].name}.txt").is_file()


def test_a_script_without_a_main_guard_runs(miniature: Miniature, tmp_path: Path) -> None:
    """A newcomer's lines: a class of the script, worker processes, a table and a plot."""
    miniature.into(tmp_path, "otb2015")
    for images in tmp_path.glob("otb2015/*/img"):
        keep_frames(images.parent, "img", 20)
    (tmp_path / "script.py").write_text(
        "import bench\n"
        "class Mine:\n"
        "    def init(self, image, region):\n"
        "        self.box = region\n"
        "    def update(self, image):\n"
        "        return bench.Prediction(self.box)\n"
        "data = bench.load('otb2015', '.')\n"
        "runs = {'kcf': bench.run('kcf', data, jobs=2), 'mine': bench.run(Mine, data, jobs=2)}\n"
        "scores = bench.evaluate(runs, data)\n"
        "print(scores)\n"
        "bench.plot(scores, 'success').savefig('success.png')\n"
    )
    done = subprocess.run(
        [sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "mine" in done.stdout
    assert (tmp_path / "success.png").is_file()


def test_no_warning_escapes_from_a_run_without_failures(data: bench.Dataset) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        bench.run(Still(), data)


def test_run_takes_every_option_of_the_command(data: bench.Dataset, tmp_path: Path) -> None:
    """Signatures of both faces come from one record, and a value reaches the runner."""
    from bench.cli.run import run as verb

    names = [option.name for option in run_options()]
    assert {"gpus", "per_gpu", "engine", "shard", "same_device", "data_map"} < set(names)
    for face in (bench.run, verb):
        shown = inspect.signature(face).parameters
        assert [name for name in shown if name in names] == names
        assert shown["timeout"].default == bench.RunOptions().timeout == 120.0
    there = [
        len(bench.run(Still, data, shard=f"{index}/2", results=tmp_path, same_device=True))
        for index in (1, 2)
    ]
    assert 0 < there[0] < there[1] == len(data)
    one = bench.run(Still, data, sequences=("Crossing",), repetitions=2)
    assert list(one) == ["Crossing"]


def test_workers_of_a_run_see_the_gpus_that_are_named(
    data: bench.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr("bench.runner.devices.installed_gpus", tuple)
    runs = bench.run(Seeing, data, gpus="3", sequences=["Crossing"])
    assert runs["Crossing"].boxes[1, 0] == 3


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"job": 2}, "unknown option of a run 'job'. Did you mean 'jobs'"),
        ({"per_gpu": 2}, "--per-gpu 2 needs --gpus"),
        ({"data_map": ["/a=/b"]}, "--data-map belongs to --engine ray"),
        ({"shard": "0/2"}, "--shard expects i/n"),
        ({"timeout": -1}, "--timeout: expected 0.1 or more, found -1"),
        ({"engine": "threads"}, "--engine: expected processes or ray, found 'threads'"),
        ({"jobs": "many"}, "--jobs: expected int, found 'many'"),
        ({"sequences": "Crossing"}, "--sequence: expected list, found 'Crossing'"),
    ],
)
def test_options_that_make_no_sense_are_refused(
    given: dict[str, Any], message: str, data: bench.Dataset
) -> None:
    with pytest.raises(bench.ConfigError, match=re.escape(message)):
        bench.run("static", data, **given)


def test_nothing_is_ignored_where_no_workers_run(data: bench.Dataset) -> None:
    with pytest.raises(bench.ConfigError, match="gpus='0': an object runs in this process"):
        bench.run(Still(), data, gpus="0")
    with pytest.raises(bench.ConfigError, match="shard='1/2': a single sequence runs once"):
        bench.run(Still, data[0], shard="1/2")

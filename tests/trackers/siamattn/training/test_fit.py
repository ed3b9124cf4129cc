"""Whole training runs: resumed, in two processes, with losses that are not finite."""

from __future__ import annotations

import copy
import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from functools import cache
from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np
import pytest
import torch
import torch.distributed as dist
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from bench.datasets import open_dataset
from bench.errors import BenchError, ConfigError, DatasetError
from trackers.siamattn.checkpoints import load_network, read
from trackers.siamattn.config import preset
from trackers.siamattn.network import Network
from trackers.siamattn.tracker import LITE, SiamAttn
from trackers.siamattn.training import callbacks, fit, trainer
from trackers.siamattn.training.callbacks import contact_sheet
from trackers.siamattn.training.cli import main
from trackers.siamattn.training.config import recipe
from trackers.siamattn.training.data import Samples, collate
from trackers.siamattn.training.fit import new_network, train
from trackers.siamattn.training.graph import Batch, training_pass
from trackers.siamattn.training.holdout import Score, Video, dataset_videos, track_videos, videos
from trackers.siamattn.training.mixtures import open_samples
from trackers.siamattn.training.module import TrainingModule
from trackers.siamattn.training.run import (
    BEST_WEIGHTS,
    WEIGHTS,
    claim,
    describe,
    describe_initial,
    export,
    load_run,
)
from trackers.siamattn.training.trainer import Machine, make_trainer

pytest.importorskip("lightning")

SETTINGS = {
    "data.scenes": 2,
    "data.streams": 1,
    "data.parts": 0.0,  # each pair with a mask
    "schedule.batch": 2,
    "schedule.pairs": 6,
    "schedule.epochs": 2,
    "schedule.frozen": 1,
    "schedule.whole": False,
    "schedule.average": 0.75,
    "schedule.accumulate": 2,
    "labels.regions": 2,
}
RECIPE = recipe("nano", SETTINGS)


@cache
def samples() -> Samples:
    """Those of ``RECIPE``, whatever its schedule; scenes that were drawn stay drawn."""
    return open_samples(RECIPE)


PLAIN = Machine(accelerator="cpu", workers=0, validate_every=0, save_minutes=0.0)
RUN = """
import sys
from pathlib import Path
from tests.trackers.siamattn.training.test_fit import PLAIN, RECIPE
from trackers.siamattn.training.fit import train
from trackers.siamattn.training.mixtures import open_samples
train(RECIPE, open_samples(RECIPE), Path(sys.argv[1]), PLAIN)
"""
pytestmark = pytest.mark.filterwarnings(
    "ignore"
)  # Lightning's and PyTorch's warnings about each other


def losses(folder: Path, version: int = 0, name: str = "total") -> dict[int, str]:
    """A loss of each step, by default the total, as it was logged."""
    path = folder / "logs" / "csv" / f"version_{version}" / "metrics.csv"
    with path.open(newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["train/total"]]
    return {int(row["step"]): row[f"train/{name}"] for row in rows}


Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts Python in a group of its own, with the threads of this process; none outlives the
    test."""
    begun = []

    def begin(*arguments: object) -> subprocess.Popen[bytes]:
        root = Path(__file__).parents[4]
        threads = {"OMP_NUM_THREADS": str(torch.get_num_threads()), "PYTHONPATH": str(root)}
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", *map(str, arguments)],
            env={**os.environ, **threads},
            start_new_session=True,
            stdout=subprocess.DEVNULL,
        )
        begun.append(process)
        return process

    yield begin
    for process in begun:
        if is_group(process.pid):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_until(true: Callable[[], bool], seconds: float = 120.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def is_group(number: int) -> bool:
    """Whether a process of the group is alive."""
    try:
        os.killpg(number, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An uninterrupted run."""
    folder = tmp_path_factory.mktemp("whole")
    train(RECIPE, samples(), folder, PLAIN)
    return folder


def test_a_killed_and_resumed_run_learns_the_same(
    whole: Path, tmp_path: Path, start: Start
) -> None:
    """Killed in the middle of an epoch: losses after the last checkpoint are equal, and so are
    the averaged weights at the end."""
    process = start("-c", RUN, tmp_path)
    last = tmp_path / "checkpoints" / "last.ckpt"
    while not last.exists():
        time.sleep(0.01)
        assert process.poll() is None
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    train(RECIPE, samples(), tmp_path, PLAIN)
    found, expected = losses(tmp_path, 1), losses(whole)
    assert list(expected) == list(range(6))
    assert min(found) > 0
    assert max(found) == 5
    assert found == {step: expected[step] for step in found}
    assert load_weights(tmp_path / WEIGHTS) == load_weights(whole / WEIGHTS)


def test_the_moving_average(tmp_path: Path) -> None:
    """After two steps it is 3/4 of the weights after the first and 1/4 of those after the second;
    it is what a run gives back, exports, and gives back again when it is already finished."""
    two = RECIPE.override({"schedule.pairs": 4, "schedule.epochs": 1, "schedule.frozen": 0})
    one = two.override({"schedule.pairs": 2, "schedule.average": 0.0})
    first = train(one, samples(), tmp_path / "one", PLAIN).state_dict()
    mean = train(two, samples(), tmp_path / "two", PLAIN).state_dict()
    state = torch.load(tmp_path / "two" / "checkpoints" / "last.ckpt", weights_only=True)
    for key, value in mean.items():
        second = state["current_model_state"][f"network.{key}"]
        expected = (0.75 * first[key].double() + 0.25 * second.double()).to(value.dtype)
        assert torch.allclose(value, expected, rtol=1e-4, atol=1e-6), key
        assert torch.equal(value, state["state_dict"][f"network.{key}"])
    assert any(not torch.equal(first[key], value) for key, value in mean.items())
    exported = load_weights(tmp_path / "two" / WEIGHTS)
    (tmp_path / "two" / WEIGHTS).unlink()
    again = train(two, samples(), tmp_path / "two", PLAIN).state_dict()
    assert all(torch.equal(again[key], value) for key, value in mean.items())
    assert load_weights(tmp_path / "two" / WEIGHTS) == exported


@pytest.mark.parametrize("form", ["siamattn-paper", "siamattn-paper-fusion"])
def test_the_papers_own_forms_train_and_track(form: str, tmp_path: Path) -> None:
    settings = {"preset": f"siamattn-nano/{form}", "schedule.pairs": 2, "schedule.epochs": 1}
    own = RECIPE.override(settings)
    machine = replace(PLAIN, save_minutes=5.0)
    network = train(own, samples(), tmp_path, machine)
    assert network.config.refine.fusion == "paper"
    tracker = SiamAttn(weights=tmp_path / WEIGHTS)
    image = np.random.default_rng(0).integers(0, 255, (120, 160, 3), dtype=np.uint8)
    tracker.init(image, np.array([[60.0, 50], [90, 50], [90, 70], [60, 70]]))
    assert np.isfinite(tracker.update(image).region).all()


def test_the_parts_of_a_network_are_compiled_in_place() -> None:
    network = Network(preset(RECIPE.preset)).eval()
    names, x = list(network.state_dict()), torch.rand(1, 3, 31, 31)
    expected = network.backbone(x)
    fit.compile_parts(network, "")
    assert all(part._compiled_call_impl is None for part in network.children())
    fit.compile_parts(network, "eager")
    assert all(part._compiled_call_impl is not None for part in network.children())
    assert list(network.state_dict()) == list(copy.deepcopy(network).state_dict()) == names
    for found, wanted in zip(network.backbone(x), expected, strict=True):
        torch.testing.assert_close(found, wanted)
    with pytest.raises(ConfigError, match=r"unknown backend .*'inductr'.*inductor"):
        fit.compile_parts(network, "inductr")


class Board:
    """Stands in for Lightning's logger of Weights & Biases, whose package tests do without."""

    made: ClassVar[list[dict[str, object]]] = []

    def __init__(self, **settings: object) -> None:
        self.made.append(settings)


def test_logs_to_weights_and_biases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that is resumed goes on in the same run there."""
    machine = replace(PLAIN, wandb="tracking")
    monkeypatch.setattr(trainer, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"--wandb needs the package wandb.*\[wandb\]"):
        make_trainer(RECIPE, tmp_path, machine)
    monkeypatch.setattr(trainer, "find_spec", lambda name: name)
    monkeypatch.setattr(trainer, "WandbLogger", Board)
    for recipe_of_run in (RECIPE, RECIPE, RECIPE.override({"seed": 3})):
        assert len(trainer.loggers(recipe_of_run, tmp_path / "run", "tracking")) == 3
    first, again, other = Board.made
    assert first == again
    assert first["id"] != other["id"]
    assert (first["project"], first["name"], first["resume"]) == ("tracking", "run", "allow")


def load_weights(path: Path) -> dict[str, bytes]:
    return {key: value.numpy().tobytes() for key, value in read(path)[0].items()}


def test_a_run_goes_on_from_the_checkpoint_before(
    whole: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "run"
    shutil.copytree(whole, folder)
    (folder / WEIGHTS).unlink()
    last = folder / "checkpoints" / "last.ckpt"
    last.write_bytes(last.read_bytes()[:5000])
    written = [(folder / name).stat().st_mtime_ns for name in ("recipe.json", "network.json")]
    with pytest.warns(UserWarning, match=r"last\.ckpt: damaged.*; using .*previous\.ckpt"):
        train(RECIPE, samples(), folder, PLAIN)
    assert (folder / WEIGHTS).is_file()
    assert load_weights(folder / WEIGHTS) == load_weights(whole / WEIGHTS)
    names = ("recipe.json", "network.json")
    assert written == [(folder / name).stat().st_mtime_ns for name in names]
    for path in (folder / "checkpoints").iterdir():
        path.write_bytes(b"")
    with pytest.raises(ConfigError, match=r"last\.ckpt: damaged.*previous\.ckpt: damaged"):
        train(RECIPE, samples(), folder, PLAIN)


def test_a_cut_checkpoint_is_one_line_of_error(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim(tmp_path, RECIPE)
    last = tmp_path / "checkpoints" / "last.ckpt"
    last.parent.mkdir()
    last.write_bytes((whole / "checkpoints" / "last.ckpt").read_bytes()[:5000])
    given = [f"--set={name}={json.dumps(value)}" for name, value in SETTINGS.items()]
    words = ["training", "fit", str(tmp_path), "--backbone", "none", *given]
    monkeypatch.setattr(sys, "argv", words)
    with pytest.raises(SystemExit) as left:
        main()
    assert str(left.value.code).startswith(f"error: {last}: damaged")
    assert "\n" not in str(left.value.code)


def test_two_processes_end_when_one_is_terminated(tmp_path: Path, start: Start) -> None:
    brief = {"schedule.pairs": 2, "schedule.epochs": 100, "schedule.accumulate": 1}
    settings = {**SETTINGS, **brief}
    given = [f"--set={name}={json.dumps(value)}" for name, value in settings.items()]
    machine = [
        "--backbone=none",
        "--accelerator=cpu",
        "--devices=2",
        "--workers=0",
        "--validate-every=0",
    ]
    machine.append("--validate-every=0")
    process = start("-m", "trackers.siamattn.training", "fit", tmp_path, *machine, *given)
    last = tmp_path / "checkpoints" / "last.ckpt"
    wait_until(lambda: last.exists() or process.poll() is not None)
    process.terminate()
    assert process.wait(60) == -signal.SIGTERM
    wait_until(lambda: not is_group(process.pid))


def test_unreadable_and_unwritable_files_are_named(whole: Path, tmp_path: Path) -> None:
    _, network, _ = load_run(whole)
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=r"n\.safetensors: cannot be written"):
        export(network, tmp_path / "file" / "n.safetensors", {})
    claim(tmp_path / "run", RECIPE)
    last = tmp_path / "run" / "checkpoints" / "last.ckpt"
    last.parent.mkdir()
    last.write_bytes((whole / "checkpoints" / "last.ckpt").read_bytes()[:5000])
    with pytest.raises(ConfigError, match=r"last\.ckpt: damaged"):
        load_run(tmp_path / "run")


def test_weights_of_another_network_of_the_preset_are_refused(whole: Path, tmp_path: Path) -> None:
    _, network, _ = load_run(whole)
    record = describe(RECIPE, 8)
    other = record["network"].replace('"box_registered": true', '"box_registered": false')
    export(network, tmp_path / "n.safetensors", {**record, "network": other})
    with pytest.raises(ConfigError, match="'siamattn-nano' as it is now"):
        SiamAttn(weights=tmp_path / "n.safetensors")


def test_the_weights_track(whole: Path) -> None:
    path = whole / WEIGHTS
    assert path.stat().st_size < 10 * 2**20
    tracker = SiamAttn(weights=path)
    image = np.random.default_rng(0).integers(0, 255, (120, 160, 3), dtype=np.uint8)
    tracker.init(image, np.array([60.0, 50, 30, 20]))
    assert np.isfinite(tracker.update(image).region).all()


def test_the_record_names_the_initial_weights(tmp_path: Path) -> None:
    weights = tmp_path / "first.safetensors"
    weights.write_bytes(b"abc")
    digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    begun = replace(RECIPE, initial=describe_initial(weights))
    assert describe(begun, 3)["initial"] == f"first.safetensors (SHA-256 {digest})"
    assert describe_initial(backbone=weights) == f"backbone of {begun.initial}"
    assert describe(begun, 3)["pairs"] == "6"
    assert describe_initial() == ""
    assert "initial" not in describe(RECIPE, 3)


def test_another_recipe_is_refused(whole: Path) -> None:
    other = RECIPE.override({"weights.mask": 0.5})
    before = (whole / "recipe.json").read_text()
    with pytest.raises(ConfigError, match=r"recipe\.json: expected the recipe 'nano'"):
        train(other, samples(), whole, PLAIN)
    assert (whole / "recipe.json").read_text() == before
    assert json.loads(before)["schedule"]["batch"] == 2


def test_a_recipe_without_a_newer_setting_resumes(tmp_path: Path) -> None:
    claim(tmp_path, RECIPE)
    path = tmp_path / "recipe.json"
    written = json.loads(path.read_text())
    del written["data"]["parts"]  # whose default is that of RECIPE
    path.write_text(json.dumps(written))
    claim(tmp_path, RECIPE)
    with pytest.raises(ConfigError, match="found another"):
        claim(tmp_path, RECIPE.override({"data.parts": 0.5}))


def test_a_folder_of_another_recipe_is_not_modified(tmp_path: Path) -> None:
    """A folder of an older version, which did not store the architecture."""
    claim(tmp_path, RECIPE)
    (tmp_path / "network.json").unlink()
    with pytest.raises(ConfigError, match="found another"):
        claim(tmp_path, recipe("paper"))
    assert [path.name for path in tmp_path.iterdir()] == ["recipe.json"]
    claim(tmp_path, RECIPE)


def test_another_network_of_the_same_preset_is_refused(whole: Path, tmp_path: Path) -> None:
    """It is neither resumed nor exported, although the shapes are the same."""
    claim(tmp_path, RECIPE)
    (tmp_path / "checkpoints").symlink_to(whole / "checkpoints")
    load_run(tmp_path)
    path = tmp_path / "network.json"
    path.write_text(path.read_text().replace('"box_registered": true', '"box_registered": false'))
    for use in (lambda: claim(tmp_path, RECIPE), lambda: load_run(tmp_path)):
        with pytest.raises(
            ConfigError, match=r"network\.json: .*preset 'siamattn-nano' has changed"
        ):
            use()


def test_the_backbone_stays_frozen_when_a_run_resumes(tmp_path: Path) -> None:
    """Lightning does not call the epoch-start hook when it resumes within an epoch."""
    module = TrainingModule(Network(preset(RECIPE.preset)), RECIPE, tmp_path)
    optimizer = module.configure_optimizers()
    module.optimizers = lambda use_pl_optimizer: optimizer  # type: ignore[assignment,method-assign]
    module.on_train_start()
    backbone = module.network.backbone
    assert not any(p.requires_grad for p in backbone.parameters())
    assert not any(part.training for part in backbone.children())
    rates = [group["lr"] for group in optimizer.param_groups]
    assert rates == [RECIPE.schedule.first, RECIPE.schedule.first * RECIPE.schedule.backbone]


def test_the_hold_out_is_tracked_logged_and_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = videos(2, 6)
    monkeypatch.setattr(callbacks, "videos", lambda: chosen)
    brief = RECIPE.override({"schedule.pairs": 2, "schedule.epochs": 2})
    machine = replace(PLAIN, validate_every=2, save_minutes=5.0)
    network = train(brief, samples(), tmp_path, machine)
    assert [path.name for path in (tmp_path / "hold-out").iterdir()] == ["epoch-002.jpg"]
    metrics = tmp_path / "logs" / "csv" / "version_0" / "metrics.csv"
    with metrics.open(newline="") as stream:
        logged = [row["holdout/success"] for row in csv.DictReader(stream)]
    expected = track_videos(network, chosen).success
    assert [float(value) for value in logged if value] == pytest.approx([expected], rel=1e-6)
    events = EventAccumulator(str(tmp_path / "logs" / "tensorboard" / "version_0")).Reload()
    totals = [event.value for event in events.Scalars("train/total")]
    assert totals == pytest.approx([float(value) for value in losses(tmp_path).values()])
    (picture,) = events.Images("holdout")
    assert (picture.width, picture.height) == (8 * 160, 120)
    assert read(tmp_path / BEST_WEIGHTS)[1]["success"] == f"{expected:.6f}"


def test_the_best_of_the_epochs_that_count_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole: Path
) -> None:
    """Epochs 1 to 4 score .9, .5, .4, .6, those after the first count, and the run is stopped and
    resumed after the third."""
    brief = RECIPE.override(
        {"schedule.pairs": 2, "schedule.epochs": 4, "schedule.accumulate": 1,
         "validation.first": 2, "validation.dataset": "folder"}
    )  # fmt: skip
    given = iter([0.9, 0.5, 0.4, 0.7, 0.6])

    def score(network: Network, chosen: object) -> Score:
        value = next(given)
        if value == 0.7:
            raise KeyboardInterrupt
        return Score(np.array([value]), np.array([value]), (np.zeros((1, 4)),))

    monkeypatch.setattr(callbacks, "track_videos", score)
    image = np.zeros((120, 160, 3), np.uint8)
    chosen = (Video([image], np.array([[10.0, 10, 30, 30]])),)
    machine = replace(PLAIN, validate_every=1, save_minutes=5.0, keep_epochs=True)
    monkeypatch.chdir(tmp_path.parent)
    run = brief, samples(), Path(tmp_path.name), machine, None, chosen
    with pytest.raises((KeyboardInterrupt, SystemExit)):
        train(*run)
    kept = tmp_path / "checkpoints"
    assert torch.load(kept / "best.ckpt", weights_only=True)["epoch"] == 1
    assert torch.load(kept / "last.ckpt", weights_only=True)["epoch"] == 2
    train(*run)
    names = {path.stem for path in kept.glob("*.ckpt")}
    assert names == {"last", "previous", "best", *(f"epoch-00{n}" for n in range(1, 5))}
    assert torch.load(kept / "best.ckpt", weights_only=True)["epoch"] == 3
    record = read(tmp_path / BEST_WEIGHTS)[1]
    assert (record["success"], record["steps"], record["holdout"]) == ("0.600000", "4", "folder")
    _, third, steps = load_run(Path(tmp_path.name), "epoch-003")
    assert steps == 3
    _, fourth, _ = load_run(tmp_path)
    assert not torch.equal(third.rpn_head.cls_weight, fourth.rpn_head.cls_weight)
    with pytest.raises(ConfigError, match=r"unknown checkpoint.*'epoch-009'.*best"):
        load_run(tmp_path, "epoch-009")


def test_a_dataset_of_bench_validates(tmp_path: Path) -> None:
    """Own clips: the longer one goes on alone; where the target is absent, nothing counts."""
    rng = np.random.default_rng(0)
    for name, frames in (("short", 3), ("long", 5)):
        folder = tmp_path / "clips" / name
        folder.mkdir(parents=True)
        for number in range(frames):
            picture = rng.integers(0, 255, (90, 120, 3), dtype=np.uint8)
            cv2.imwrite(str(folder / f"{number + 1:04d}.jpg"), picture)
        rows = ["30,20,40,30"] * (frames - 1) + ["nan,nan,nan,nan"]
        (folder / "groundtruth.txt").write_text("\n".join(rows))
    dataset = open_dataset("folder", tmp_path / "clips")
    chosen = dataset_videos(dataset)
    assert sorted(len(video) for video in chosen) == [3, 5]
    network = load_network(LITE)
    together = track_videos(network, chosen)
    assert len(together.overlaps) == 1 + 3
    for video, boxes in zip(chosen, together.boxes, strict=True):
        assert np.allclose(
            track_videos(network, [video]).boxes[0], boxes, atol=1e-2, equal_nan=True
        )
    assert [len(video) for video in dataset_videos(dataset, 2)] == [2, 2]
    sheet = contact_sheet(chosen[:1], together.boxes[:1])
    assert sheet.shape == (120, 2 * 4 * 160, 3)
    bare = replace(dataset, sequences=(replace(dataset.sequences[0], frames=None),))
    with pytest.raises(DatasetError, match="expected images and a box of each frame"):
        dataset_videos(bare)


def test_gradients_are_clipped(tmp_path: Path) -> None:
    """A step of rate 1 moves the weights by the maximum norm at most."""
    plain = {"schedule.optimizer": "sgd", "schedule.momentum": 0.0, "schedule.weight_decay": 0.0}
    rates = {"schedule.warmup": 0, "schedule.peak": 1.0, "schedule.last": 1.0}
    brief = {"schedule.pairs": 2, "schedule.epochs": 1, "schedule.frozen": 0}
    one = RECIPE.override({**plain, **rates, **brief, "schedule.clip": 1e-2})
    first = new_network(one)
    moved = train(one, samples(), tmp_path, PLAIN, new_network(one))
    old, new = (dict(network.named_parameters()) for network in (first, moved))
    squares = [(new[name] - old[name]).double().square().sum() for name in old]
    outer = [k for k in old if not k.startswith("backbone")]
    assert 0 < float(sum(squares)) ** 0.5 <= 1e-2 * 1.001
    assert any(not torch.equal(new[k], old[k]) for k in outer)


@pytest.mark.parametrize(
    "machine",
    [Machine(accelerator="abacus"), Machine(accelerator="cpu", precision="7-bit")],
    ids=lambda machine: f"{machine.accelerator}, {machine.precision}",
)
def test_an_unavailable_machine_is_named(machine: Machine, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"accelerator '{machine.accelerator}', 1 devices"):
        make_trainer(RECIPE, tmp_path, machine)


def test_a_loss_that_is_not_finite_stops_training(tmp_path: Path) -> None:
    network = Network(preset(RECIPE.preset))
    with torch.no_grad():
        network.bbox_head.tail_det_box.bias.fill_(float("nan"))
    with pytest.raises(BenchError, match=r"step 0: the loss is not finite .*box nan"):
        train(RECIPE, samples(), tmp_path, PLAIN, network)
    saved = torch.load(tmp_path / "broken-batch-0-0.pt", weights_only=True)
    assert saved["batch"]["search"].shape == (1, 3, 191, 191)
    assert saved["weights"]["bbox_head.tail_det_box.bias"].isnan().all()
    assert not (tmp_path / "checkpoints" / "last.ckpt").exists()


def test_a_gradient_that_is_not_finite_stops_training(tmp_path: Path) -> None:
    """The loss is finite; after the step the weights would not be."""
    network = Network(preset(RECIPE.preset))
    network.bbox_head.tail_det_box.bias.register_hook(lambda gradient: gradient * float("nan"))
    with pytest.raises(BenchError, match=r"step 0: the gradient is not finite \(total \d"):
        train(RECIPE, samples(), tmp_path, PLAIN, network)
    saved = torch.load(tmp_path / "broken-batch-0-0.pt", weights_only=True)
    assert all(weights.isfinite().all() for weights in saved["weights"].values())
    assert not (tmp_path / "checkpoints" / "last.ckpt").exists()


def example(count: int) -> Batch:
    """A batch whose pairs have different numbers of positive anchors."""
    return collate([samples()[index] for index in range(count)])


def gradients(batch: Batch) -> dict[str, torch.Tensor]:
    """Of all parameters, with batch norms' statistics as they are: in two processes each norm
    would see its half only."""
    torch.manual_seed(0)
    network = Network(preset(RECIPE.preset)).eval()
    training_pass(network, batch, RECIPE.labels, RECIPE.weights).total.backward()  # type: ignore[no-untyped-call]
    return {k: p.grad for k, p in network.named_parameters() if p.grad is not None}


def test_a_head_with_loss_weight_0_is_not_computed() -> None:
    network = Network(preset(RECIPE.preset))
    weights = recipe("nano", {"weights.mask": 0.0}).weights
    whole = training_pass(network, example(2), RECIPE.labels, RECIPE.weights)
    part = training_pass(network, example(2), RECIPE.labels, weights)
    part.total.backward()
    still = [k for k, p in network.named_parameters() if p.grad is None]
    assert (part.cls, part.box, part.mask) == (whole.cls, whole.box, 0)
    assert whole.mask > 0
    assert still
    assert all("mask" in k or "lateral" in k for k in still), still


def test_the_first_epochs_can_leave_out_the_masks(tmp_path: Path) -> None:
    chosen = RECIPE.override({"schedule.unmasked": 1, "schedule.pairs": 4, "seed": 5})
    train(chosen, open_samples(chosen), tmp_path, PLAIN)
    found = [float(value) for value in losses(tmp_path, name="mask").values()]
    assert found[:2] == [0, 0]
    assert min(found[2:]) > 0


def test_two_processes_have_the_gradients_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also if they have different numbers of pairs. What the processes tell each other, how many
    terms each loss has, is noted in a first round and told in a second."""
    whole = example(3)
    expected = gradients(whole)
    parts = [Batch(*(getattr(whole, f.name)[rank::2] for f in fields(Batch))) for rank in (0, 1)]
    told: list[list[float]] = []
    monkeypatch.setattr(dist, "is_initialized", lambda: True)
    monkeypatch.setattr(dist, "get_world_size", lambda: 2)
    for part in parts:
        told.append([])
        monkeypatch.setattr(dist, "all_reduce", lambda count: told[-1].append(count.item()))
        gradients(part)
    totals = [sum(each) for each in zip(*told, strict=True)]
    assert len(set(map(tuple, told))) == 2
    found = []
    for part in parts:
        left = iter(totals)
        monkeypatch.setattr(dist, "all_reduce", lambda count, left=left: count.fill_(next(left)))
        found.append(gradients(part))
    assert set(found[0]) | set(found[1]) == set(expected)
    for key, wanted in expected.items():
        mean = sum(each.get(key, torch.zeros_like(wanted)) for each in found) / 2
        assert torch.allclose(mean, wanted, rtol=1e-3, atol=1e-5 * wanted.abs().max()), key

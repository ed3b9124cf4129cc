"""Whole training runs: resumed, in two processes, with losses that are not finite."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from bench.errors import BenchError, ConfigError
from trackers.siamattn.checkpoints import read
from trackers.siamattn.config import preset
from trackers.siamattn.network import Network
from trackers.siamattn.tracker import SiamAttn
from trackers.siamattn.training import callbacks
from trackers.siamattn.training.config import recipe
from trackers.siamattn.training.data import collate
from trackers.siamattn.training.fit import Machine, make_trainer, new_network, train
from trackers.siamattn.training.graph import Batch, training_pass
from trackers.siamattn.training.holdout import track_videos, videos
from trackers.siamattn.training.mixtures import open_samples
from trackers.siamattn.training.module import TrainingModule
from trackers.siamattn.training.run import (
    WEIGHTS,
    claim,
    describe,
    describe_initial,
    export,
    load_run,
)

pytest.importorskip("lightning")

SETTINGS = {
    "data.scenes": 2,
    "data.streams": 1,
    "data.parts": 0.0,  # each pair with a mask
    "schedule.batch": 2,
    "schedule.pairs": 8,
    "schedule.epochs": 2,
    "schedule.frozen": 1,
    "schedule.whole": False,
    "schedule.average": 0.75,
    "labels.regions": 2,
}
RECIPE = recipe("nano", SETTINGS)
PLAIN = Machine(accelerator="cpu", workers=0, validate_every=0, save_minutes=0.0)
RUN = """
import sys
from pathlib import Path
from tests.trackers.siamattn.training.test_fit import PLAIN, RECIPE
from trackers.siamattn.training.fit import train
from trackers.siamattn.training.mixtures import open_samples
train(RECIPE, open_samples(RECIPE), Path(sys.argv[1]), PLAIN)
"""
GRADIENTS = """
import sys, torch, torch.distributed as dist
from dataclasses import fields
from pathlib import Path
from tests.trackers.siamattn.training.test_fit import RECIPE, example, gradients
from trackers.siamattn.training.graph import Batch
folder, rank = sys.argv[1], int(sys.argv[2])
dist.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2)
whole = example(4)
part = Batch(*(getattr(whole, f.name)[rank::2] for f in fields(Batch)))
found = gradients(part)
for gradient in found.values():
    dist.all_reduce(gradient)
torch.save({k: g / 2 for k, g in found.items()}, f"{folder}/{rank}.pt")
dist.destroy_process_group()
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
    train(RECIPE, open_samples(RECIPE), folder, PLAIN)
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
    train(RECIPE, open_samples(RECIPE), tmp_path, PLAIN)
    found, expected = losses(tmp_path, 1), losses(whole)
    assert list(expected) == list(range(8))
    assert min(found) > 0
    assert max(found) == 7
    assert found == {step: expected[step] for step in found}
    assert load_weights(tmp_path / WEIGHTS) == load_weights(whole / WEIGHTS)


def test_the_moving_average(tmp_path: Path) -> None:
    """After two steps it is 3/4 of the weights after the first and 1/4 of those after the second;
    it is what a run gives back, exports, and gives back again when it is already finished."""
    two = RECIPE.override({"schedule.pairs": 4, "schedule.epochs": 1, "schedule.frozen": 0})
    one = two.override({"schedule.pairs": 2, "schedule.average": 0.0})
    first = train(one, open_samples(one), tmp_path / "one", PLAIN).state_dict()
    mean = train(two, open_samples(two), tmp_path / "two", PLAIN).state_dict()
    state = torch.load(tmp_path / "two" / "checkpoints" / "last.ckpt", weights_only=True)
    for key, value in mean.items():
        second = state["current_model_state"][f"network.{key}"]
        expected = (0.75 * first[key].double() + 0.25 * second.double()).to(value.dtype)
        assert torch.allclose(value, expected, rtol=1e-4, atol=1e-6), key
        assert torch.equal(value, state["state_dict"][f"network.{key}"])
    assert any(not torch.equal(first[key], value) for key, value in mean.items())
    exported = load_weights(tmp_path / "two" / WEIGHTS)
    (tmp_path / "two" / WEIGHTS).unlink()
    again = train(two, open_samples(two), tmp_path / "two", PLAIN).state_dict()
    assert all(torch.equal(again[key], value) for key, value in mean.items())
    assert load_weights(tmp_path / "two" / WEIGHTS) == exported


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
        train(RECIPE, open_samples(RECIPE), folder, PLAIN)
    assert (folder / WEIGHTS).is_file()
    assert load_weights(folder / WEIGHTS) == load_weights(whole / WEIGHTS)
    names = ("recipe.json", "network.json")
    assert written == [(folder / name).stat().st_mtime_ns for name in names]
    for path in (folder / "checkpoints").iterdir():
        path.write_bytes(b"")
    with pytest.raises(ConfigError, match=r"last\.ckpt: damaged.*previous\.ckpt: damaged"):
        train(RECIPE, open_samples(RECIPE), folder, PLAIN)


def test_a_cut_checkpoint_is_one_line_of_error(whole: Path, tmp_path: Path, start: Start) -> None:
    claim(tmp_path, RECIPE)
    last = tmp_path / "checkpoints" / "last.ckpt"
    last.parent.mkdir()
    last.write_bytes((whole / "checkpoints" / "last.ckpt").read_bytes()[:5000])
    given = [f"--set={name}={json.dumps(value)}" for name, value in SETTINGS.items()]
    command = ["-m", "trackers.siamattn.training", "fit", str(tmp_path), *given]
    done = subprocess.run(
        [sys.executable, "-W", "ignore", *command], cwd=Path(__file__).parents[4],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    errors = [line for line in done.stderr.splitlines() if "error" in line]
    assert len(errors) == 1
    assert errors[0].startswith(f"error: {last}: damaged")
    assert "Traceback" not in done.stderr


def test_two_processes_end_when_one_is_terminated(tmp_path: Path, start: Start) -> None:
    settings = {**SETTINGS, "schedule.epochs": 100}
    given = [f"--set={name}={json.dumps(value)}" for name, value in settings.items()]
    machine = ["--accelerator=cpu", "--devices=2", "--workers=0", "--validate-every=0"]
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
        train(other, open_samples(other), whole, PLAIN)
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
    chosen = videos(2, 41)
    monkeypatch.setattr(callbacks, "videos", lambda: chosen)
    brief = RECIPE.override({"schedule.pairs": 2, "schedule.epochs": 2})
    machine = replace(PLAIN, validate_every=2)
    network = train(brief, open_samples(brief), tmp_path, machine)
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


def test_gradients_are_clipped(tmp_path: Path) -> None:
    """A step of rate 1 moves the weights by the maximum norm at most."""
    plain = {"schedule.optimizer": "sgd", "schedule.momentum": 0.0, "schedule.weight_decay": 0.0}
    rates = {"schedule.warmup": 0, "schedule.peak": 1.0, "schedule.last": 1.0}
    brief = {"schedule.pairs": 2, "schedule.epochs": 1, "schedule.frozen": 0}
    one = RECIPE.override({**plain, **rates, **brief, "schedule.clip": 1e-2})
    first = new_network(one)
    moved = train(one, open_samples(one), tmp_path, PLAIN, new_network(one))
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
        train(RECIPE, open_samples(RECIPE), tmp_path, PLAIN, network)
    saved = torch.load(tmp_path / "broken-batch-0-0.pt", weights_only=True)
    assert saved["batch"]["search"].shape == (2, 3, 191, 191)
    assert saved["weights"]["bbox_head.tail_det_box.bias"].isnan().all()
    assert not (tmp_path / "checkpoints" / "last.ckpt").exists()


def test_a_gradient_that_is_not_finite_stops_training(tmp_path: Path) -> None:
    """The loss is finite; after the step the weights would not be."""
    network = Network(preset(RECIPE.preset))
    network.bbox_head.tail_det_box.bias.register_hook(lambda gradient: gradient * float("nan"))
    with pytest.raises(BenchError, match=r"step 0: the gradient is not finite \(total \d"):
        train(RECIPE, open_samples(RECIPE), tmp_path, PLAIN, network)
    saved = torch.load(tmp_path / "broken-batch-0-0.pt", weights_only=True)
    assert all(weights.isfinite().all() for weights in saved["weights"].values())
    assert not (tmp_path / "checkpoints" / "last.ckpt").exists()


def example(count: int) -> Batch:
    """A batch whose pairs have different numbers of positive anchors."""
    samples = open_samples(RECIPE)
    return collate([samples[index] for index in range(count)])


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


def test_two_processes_have_the_gradients_of_one(tmp_path: Path, start: Start) -> None:
    processes = [start("-c", GRADIENTS, tmp_path, rank) for rank in (0, 1)]
    expected = gradients(example(4))
    assert [process.wait(timeout=120) for process in processes] == [0, 0]
    found = [torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in (0, 1)]
    assert set(found[0]) == set(expected)
    for key, wanted in expected.items():
        assert torch.equal(found[0][key], found[1][key])
        assert torch.allclose(found[0][key], wanted, rtol=1e-3, atol=1e-5 * wanted.abs().max()), (
            key
        )

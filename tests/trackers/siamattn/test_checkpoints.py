"""Weights files: every accepted format, and every refused one."""

from __future__ import annotations

import collections
import datetime
import hashlib
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from bench.errors import ConfigError
from trackers.siamattn import checkpoints
from trackers.siamattn.config import preset, preset_names
from trackers.siamattn.tracker import SiamAttn

Tensors = dict[str, torch.Tensor]
NANO = "siamattn-nano"
KEY = "backbone.conv1.weight"


def hollow(name: str) -> Tensors:
    """Weights of a preset whose file is small: every tensor repeats one number."""
    return {k: torch.ones(()).expand(s) for k, s in checkpoints.shapes(preset(name)).items()}


def write(path: Path, content: object, legacy: bool = False) -> Path:
    torch.save(content, path, _use_new_zipfile_serialization=not legacy)
    return path


WRAPPINGS: dict[str, Callable[[Tensors], object]] = {
    "bare": lambda state: state,
    "ordered": collections.OrderedDict,
    "training state": lambda state: {"epoch": 20, "state_dict": state, "optimizer": {"state": {}}},
    "several devices": lambda state: {"state_dict": {f"module.{k}": v for k, v in state.items()}},
    "no counters": lambda state: {
        k: v for k, v in state.items() if not k.endswith("num_batches_tracked")
    },
    "double precision": lambda state: {k: v.to(torch.float64) for k, v in state.items()},
    "NumPy learning rates": lambda state: {
        "state_dict": state,
        "optimizer": {"param_groups": [{"lr": np.logspace(-2, -3, 5)[1], "step": np.int64(3)}]},
    },
}


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("wrapping", WRAPPINGS)
def test_every_format_gives_the_same_weights(
    nano_weights: Tensors, tmp_path: Path, wrapping: str, legacy: bool
) -> None:
    path = write(tmp_path / "model.pth", WRAPPINGS[wrapping](nano_weights), legacy)
    network = checkpoints.load_network(path)
    assert network.config == preset(NANO)
    assert not network.training
    found = network.state_dict()
    assert list(found) == list(checkpoints.shapes(preset(NANO)))
    for key, tensor in nano_weights.items():
        assert found[key].dtype == tensor.dtype
        assert torch.equal(found[key], tensor), key


def test_learning_rates_as_old_numpy_wrote_them(nano_weights: Tensors, tmp_path: Path) -> None:
    """NumPy 1 stored its scalar function under another module name."""
    path = tmp_path / "model.pth"
    write(path, {"state_dict": nano_weights, "lr": np.float64(0.1)}, legacy=True)
    content = path.read_bytes()
    assert b"cnumpy._core.multiarray\nscalar\n" in content
    path.write_bytes(content.replace(b"cnumpy._core.multiarray\n", b"cnumpy.core.multiarray\n"))
    assert checkpoints.load_network(path).config.name == NANO


def test_counters_are_kept_or_added(nano_weights: Tensors, tmp_path: Path) -> None:
    kept, added = "backbone.bn1.num_batches_tracked", "neck.downsample2.downsample.1."
    state = {k: v for k, v in nano_weights.items() if not k.startswith(added + "num")}
    source = write(tmp_path / "model.pth", {**state, kept: torch.tensor(7)})
    checkpoints.convert(source, tmp_path / "model.safetensors")
    found = checkpoints.load_network(tmp_path / "model.safetensors").state_dict()
    assert found[kept] == 7
    assert found[added + "num_batches_tracked"] == 0
    bare = write(tmp_path / "bare.pth", WRAPPINGS["no counters"](nano_weights))
    checkpoints.convert(bare, tmp_path / "bare.safetensors")
    assert len(checkpoints.load_network(tmp_path / "bare.safetensors").state_dict()) == len(found)


def test_conversion_is_exact_and_records_its_origin(nano_file: Path, tmp_path: Path) -> None:
    target = tmp_path / "new" / "nano.safetensors"
    record = checkpoints.convert(nano_file, target)
    assert record["preset"] == NANO
    assert record["source"] == "nano.pth"
    assert record["source_sha256"] == hashlib.sha256(nano_file.read_bytes()).hexdigest()
    assert datetime.datetime.fromisoformat(record["converted"]).tzinfo is not None
    with safe_open(target, framework="pt") as file:
        assert file.metadata().items() >= record.items()
    before, after = (checkpoints.load_network(path).state_dict() for path in (nano_file, target))
    assert all(torch.equal(tensor, after[key]) for key, tensor in before.items())
    assert [path.name for path in target.parent.iterdir()] == ["nano.safetensors"]


def test_converted_weights_track_the_same(nano_file: Path, tmp_path: Path, golden: Any) -> None:
    target = tmp_path / "nano.safetensors"
    SiamAttn.convert(nano_file, target)
    boxes = []
    for weights in (nano_file, target):
        tracker = SiamAttn(weights=weights, device="cpu")
        tracker.init(golden.frames[0], golden.first_box)
        boxes.append(tracker.update(golden.frames[1]).region)
    np.testing.assert_array_equal(*boxes)


@pytest.mark.parametrize("name", preset_names())
def test_presets_are_recognised_by_their_tensors(tmp_path: Path, name: str) -> None:
    state = hollow(name)
    found = checkpoints.choose(state, None, tmp_path)
    same = checkpoints.shapes(found) == checkpoints.shapes(preset(name))
    assert same  # two ablations disable terms without weights


def test_the_released_keys_match_siamattn(shared: Path, tmp_path: Path) -> None:
    listed = json.loads((shared / "golden/siamattn/state_dict.json").read_text())
    state = released(listed)
    assert checkpoints.choose(state, None, tmp_path).name == "siamattn"


def released(listed: Any) -> Tensors:
    """Meta tensors with the shapes listed in a golden file, in either of its two forms."""
    rows = listed.items() if isinstance(listed, dict) else ((row["key"], row) for row in listed)
    shapes = {key: row["shape"] if isinstance(row, dict) else row for key, row in rows}
    return {key: torch.ones(()).expand(shape) for key, shape in shapes.items()}


def test_missing_surplus_and_misshapen_keys_are_named(tmp_path: Path) -> None:
    state = hollow(NANO)
    for key in list(state)[10:14]:
        if not key.endswith("num_batches_tracked"):
            del state[key]
    state["extra.weight"] = torch.ones(1)
    state[KEY] = torch.ones(64, 3, 7, 7)
    state["rpn_head.cls_weight"] = torch.ones(3, dtype=torch.int64)
    path = write(tmp_path / "model.pth", state)
    with pytest.raises(ConfigError) as caught:
        checkpoints.load_network(path, NANO)
    message = str(caught.value)
    assert str(path) in message
    assert f"not the weights of preset '{NANO}'" in message
    assert "3 missing: backbone.layer1.0." in message
    assert "1 too many: extra.weight" in message
    assert "2 of another shape or type: backbone.conv1.weight (64, 3, 7, 7)" in message
    assert "expected (16, 3, 7, 7)" in message


def test_another_architecture_names_the_nearest_preset(tmp_path: Path) -> None:
    state = hollow("siamattn")
    del state["mask_head.conv_logits.bias"]
    with pytest.raises(ConfigError) as caught:
        checkpoints.load_network(write(tmp_path / "a.pth", state))
    assert "Of the 645 tensors of 'siamattn': 1 missing: mask_head.conv_logits.bias." in str(
        caught.value
    )
    with pytest.raises(
        ConfigError, match=r"not the weights of any preset \(siamattn, .*: .*\.\.\."
    ):
        checkpoints.load_network(write(tmp_path / "b.pth", {"fc.weight": torch.ones(2)}))


@pytest.mark.parametrize(
    "content", [[torch.ones(1)], {}, {"epoch": 3}, {"state_dict": {KEY: [1.0]}}, torch.ones(2)]
)
def test_a_file_without_weights_is_refused(tmp_path: Path, content: object) -> None:
    with pytest.raises(ConfigError, match="expected tensors by key"):
        checkpoints.load_network(write(tmp_path / "model.pth", content))


class Trap:
    """Writes a file when a careless reader unpickles it."""

    def __init__(self, victim: Path) -> None:
        self.victim = victim

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.write_text, (self.victim, "executed")


@pytest.mark.parametrize("form", ["zip", "legacy", "plain pickle"])
def test_code_in_a_file_is_not_executed(nano_weights: Tensors, tmp_path: Path, form: str) -> None:
    victim, path = tmp_path / "victim.txt", tmp_path / "model.pth"
    content = {"state_dict": dict(nano_weights), "extra": Trap(victim)}
    if form == "plain pickle":
        path.write_bytes(pickle.dumps(Trap(victim)))
    else:
        write(path, content, legacy=form == "legacy")
    with pytest.raises(ConfigError, match=r"model\.pth: .*executed"):
        checkpoints.load_network(path)
    assert not victim.exists()
    pickle.loads(pickle.dumps(Trap(victim)))
    assert victim.exists()  # the trap itself works


@pytest.mark.parametrize("ending", [".pth", ".safetensors"])
@pytest.mark.parametrize("share", [0.0, 0.00001, 0.01, 0.5, 0.999])
def test_a_truncated_file_is_refused(
    nano_file: Path, tmp_path: Path, ending: str, share: float
) -> None:
    whole = nano_file
    if ending == ".safetensors":
        whole = tmp_path / "whole.safetensors"
        checkpoints.convert(nano_file, whole)
    content = whole.read_bytes()
    path = tmp_path / f"cut{ending}"
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(ConfigError, match="damaged"):
        checkpoints.load_network(path)


@pytest.mark.parametrize("share", [0.0001, 0.3, 0.9])
def test_a_truncated_legacy_file_is_refused(
    nano_weights: Tensors, tmp_path: Path, share: float
) -> None:
    path = write(tmp_path / "model.pth", nano_weights, legacy=True)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(ConfigError, match="damaged"):
        checkpoints.load_network(path)


def test_files_of_other_kinds_are_refused(tmp_path: Path) -> None:
    page = tmp_path / "download.pth"
    page.write_text("<!DOCTYPE html><title>Quota exceeded</title>")
    with pytest.raises(ConfigError, match=r"download\.pth: .*found an HTML page"):
        checkpoints.load_network(page)
    with pytest.raises(ConfigError, match="no such file"):
        checkpoints.load_network(tmp_path / "none.pth")
    other = tmp_path / "other.safetensors"
    save_file({"a": torch.ones(1)}, other)
    with pytest.raises(ConfigError, match="not the weights of any preset"):
        checkpoints.load_network(other)


def test_an_unwritable_target_is_refused(nano_file: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"ends in \.safetensors"):
        checkpoints.convert(nano_file, tmp_path / "nano.pt")
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot be written"):
        checkpoints.convert(nano_file, tmp_path / "file" / "nano.safetensors")

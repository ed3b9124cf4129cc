"""Weights between two others, by the real command line."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from bench.errors import ConfigError
from trackers.siamattn.checkpoints import load_network
from trackers.siamattn.config import preset
from trackers.siamattn.network import Network
from trackers.siamattn.training.average import average
from trackers.siamattn.training.cli import main
from trackers.siamattn.training.config import recipe
from trackers.siamattn.training.run import describe, export


def weights(folder: Path, name: str, seed: int) -> Path:
    torch.manual_seed(seed)
    path = folder / name
    export(Network(preset("siamattn-nano")), path, describe(recipe("nano", {"seed": seed}), seed))
    return path


def test_weights_lie_between_those_they_are_made_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = weights(tmp_path, "a.safetensors", 1), weights(tmp_path, "b.safetensors", 2)
    target = tmp_path / "c.safetensors"
    told = ["training", "average", str(first), str(second), str(target), "--share", "0.25"]
    monkeypatch.setattr(sys, "argv", told)
    with pytest.raises(SystemExit) as end:
        main()
    assert not end.value.code
    assert "0.75 of a.safetensors, 0.25 of b.safetensors" in capsys.readouterr().out
    a, b, c = (load_file(path) for path in (first, second, target))
    key = "backbone.conv1.weight"
    torch.testing.assert_close(c[key], (0.75 * a[key].float() + 0.25 * b[key].float()).half())
    assert c.keys() == b.keys()
    load_network(target)
    with safe_open(target, "pt") as file:
        record = file.metadata()
    assert record["averaged"].startswith("0.75 of a.safetensors (SHA-256 ")
    assert (record["seed"], record["steps"]) == ("2", "2")


@pytest.mark.parametrize(("share", "as_it_was"), [(0.0, "a"), (1.0, "b")])
def test_a_whole_share_is_one_of_them(tmp_path: Path, share: float, as_it_was: str) -> None:
    paths = {name: weights(tmp_path, f"{name}.safetensors", ord(name)) for name in "ab"}
    average(paths["a"], paths["b"], tmp_path / "c.safetensors", share)
    found, expected = load_file(tmp_path / "c.safetensors"), load_file(paths[as_it_was])
    for key, value in expected.items():
        if value.is_floating_point():
            assert torch.equal(found[key], value)


def test_what_cannot_be_averaged_is_refused(tmp_path: Path, nano_file: Path) -> None:
    first, target = weights(tmp_path, "a.safetensors", 1), tmp_path / "c.safetensors"
    with pytest.raises(ConfigError, match=r"share from 0 to 1, found 1\.5"):
        average(first, first, target, 1.5)
    with pytest.raises(ConfigError, match=r"none\.safetensors: no such file"):
        average(tmp_path / "none.safetensors", first, target, 0.5)
    other = tmp_path / "rr.safetensors"
    network = Network(preset("siamattn-nano/siamattn-rr"))
    export(network, other, {"preset": "siamattn-nano/siamattn-rr"})
    with pytest.raises(ConfigError, match=r"rr\.safetensors: not the weights of preset"):
        average(other, first, target, 0.5)
    older = describe(recipe("nano"), 1)
    older["network"] = preset("siamattn-nano", {"neck.surround": 1.0}).architecture()
    export(Network(preset("siamattn-nano")), other, older)
    with pytest.raises(ConfigError, match=r"rr\.safetensors: expected .*'siamattn-nano' as it is"):
        average(first, other, target, 0.5)
    assert not target.exists()

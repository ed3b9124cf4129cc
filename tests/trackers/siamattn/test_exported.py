"""Graphs for other runtimes compute what the network does."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from bench.cli.main import main
from bench.cli.verbs import app
from bench.errors import ConfigError, TrackerError
from trackers.siamattn import deform
from trackers.siamattn.config import preset
from trackers.siamattn.deform import DeformConv2d, deform_conv2d, deform_roi_pool
from trackers.siamattn.exported import ExportedNetwork, export, require, stages
from trackers.siamattn.fast import fold_batch_norm
from trackers.siamattn.network import Network
from trackers.siamattn.records import filled, join, named_tensors

NARROW = {"backbone.widths": [4, 4, 8, 8], "backbone.blocks": [1, 1, 1, 1], "neck.channels": 16}


def network(name: str) -> Network:
    torch.manual_seed(0)
    made = Network(preset(name, NARROW)).eval().requires_grad_(False)
    fold_batch_norm(made)
    return made


@settings(max_examples=20)
@given(size=st.integers(5, 12), spread=st.floats(0, 20), seed=st.integers(0, 99))
def test_gathers_equal_bags(size: int, spread: float, seed: int) -> None:
    """Taps and bins may lie anywhere, far outside the map too."""
    torch.manual_seed(seed)
    x, weight = torch.randn(2, 8, size, size), torch.randn(4, 8, 3, 3)
    offset = spread * torch.randn(2, 18, size, size)
    corners = 8 * size * torch.rand(3, 4) - 20
    rois = torch.cat([torch.tensor([[0.0], [1.0], [1.0]]), corners], 1)
    moved = spread / 4 * torch.randn(3, 2, 4, 4)

    def answers() -> list[torch.Tensor]:
        pooled = deform_roi_pool(x, rois, moved, 4, 1 / 8)
        return [deform_conv2d(x, offset, weight, padding=1), pooled]

    bags = answers()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(deform, "_in_other_runtimes", lambda: True)
        gathers = answers()
    for found, wanted in zip(gathers, bags, strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-5)


def test_tensors_of_records_by_name() -> None:
    template = network("siamattn-nano").template(torch.rand(1, 3, 127, 127))
    tensors = named_tensors(template)
    assert {"features.0", "terms.2.fixed", "terms.1.channel"} <= set(tensors)
    changed = filled(template, {"terms.1.z": torch.zeros(1)})
    assert changed.terms[1].z.shape == (1,)
    assert changed.terms[0].z is template.terms[0].z
    assert changed.kernels is None
    assert join([template, template]).terms[2].channel.shape[0] == 2


@pytest.mark.parametrize("name", ["siamattn-nano", "siamattn-lite", "siamattn-rr-sa", "siammask"])
def test_stages_pass_on_what_the_next_ones_need(name: str) -> None:
    """Whether the template's kernels are fixed, and whatever heads there are."""
    made = stages(network(name))
    refine = preset(name).refine
    heads = [head for head, there in (("box", refine.box), ("mask", refine.mask)) if there]
    assert list(made) == ["template", "search", *heads]
    known = {"exemplar": made["template"].example["exemplar"]}
    known |= dict.fromkeys(("search", "regions"), torch.zeros(0))
    for stage in made.values():
        assert set(stage.inputs) <= set(known)
        assert not set(stage.outputs) & set(known), "an input is not an output"
        known |= stage.found


@pytest.fixture(scope="module", params=["torchscript", "exported-program", "onnx"])
def graphs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Graphs of a narrow network in every form."""
    if request.param == "onnx":
        for package in ("onnx", "onnxscript", "onnxruntime"):
            pytest.importorskip(package, reason="the extra `export` is not installed")
    folder: Path = tmp_path_factory.mktemp("graphs")
    export(network("siamattn-nano"), folder, request.param, {"preset": "siamattn-nano"})
    return folder


def test_the_card_names_every_graph(graphs: Path) -> None:
    card = json.loads((graphs / "model.json").read_text())
    assert card["preset"] == "siamattn-nano"
    side = preset("siamattn-nano").tracking_for().instance
    assert card["graphs"]["search"]["inputs"]["search"] == [1, 3, side, side]
    assert card["graphs"]["search"]["outputs"]["cls"][:2] == [1, 10]
    assert card["graphs"]["mask"]["outputs"]["logits"] == [1, 64, 64]
    assert all((graphs / each["file"]).is_file() for each in card["graphs"].values())


def test_graphs_answer_as_the_network_does(graphs: Path) -> None:
    torch.manual_seed(1)
    ours = network("siamattn-nano")
    theirs = ExportedNetwork(graphs, ours.config)
    tracking = ours.config.tracking_for()
    z, x = (255 * torch.rand(1, 3, s, s) for s in (tracking.exemplar, tracking.instance))
    rois = torch.tensor([[0.0, 60.5, 40.25, 170.75, 200.0]])
    with torch.inference_mode():
        pairs = zip(_answers(ours, z, x, rois), _answers(theirs, z, x, rois), strict=True)
        for wanted, found in pairs:
            limit = 1e-4 * float(wanted.abs().max())
            torch.testing.assert_close(found, wanted, rtol=0, atol=limit)


def _answers(network: Any, z: torch.Tensor, x: torch.Tensor, rois: torch.Tensor) -> list[Any]:
    found = network.search(x, network.template(z))
    box, mask = network.refine_box(found.features, rois), network.refine_mask(found.features, rois)
    return [found.cls, found.loc, box, mask]


def test_exporting_uses_operators_that_other_runtimes_have() -> None:
    torch.manual_seed(0)
    conv = DeformConv2d(4).eval().requires_grad_(False)
    program = torch.export.export(conv, (torch.randn(1, 4, 6, 6),))
    called = {str(node.target) for node in program.graph.nodes}
    assert any("index" in name for name in called)
    assert not any("embedding" in name for name in called)


def test_other_folders_are_left_alone(tmp_path: Path) -> None:
    kept = tmp_path / "mine.txt"
    kept.write_text("mine")
    with pytest.raises(ConfigError, match="expected a new folder or an earlier export"):
        export(network("siamattn-nano"), tmp_path, "torchscript", {})
    assert [each.name for each in tmp_path.iterdir()] == ["mine.txt"]
    with pytest.raises(ConfigError, match="expected a new folder"):
        export(network("siamattn-nano"), kept, "torchscript", {})


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for package in ("onnx", "onnxscript", "onnxruntime"):
        monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(TrackerError, match=r"needs 'onnx'.*\.\[export\]"):
        require("onnx")


def test_the_verb_checks_what_it_wrote(tmp_path: Path) -> None:
    """The full path of a user, with the shipped weights; a tolerance of 0 cannot be kept."""
    command = ["export-model", "siamattn-lite", "--format", "torchscript", "--frames", "3"]
    done = CliRunner().invoke(app, [*command, "--out", str(tmp_path / "a")])
    assert done.exit_code == 0, done.output
    for name in ("template: terms.0.z", "search: cls", "box: deltas", "mask: logits"):
        assert name in done.output
    assert "boxes differ by" in done.output
    done = CliRunner().invoke(app, [*command, "--out", str(tmp_path / "a"), "--tolerance", "0"])
    assert done.exit_code == 1
    assert "does not compute the same" in done.output


def test_the_verb_refuses_what_it_cannot_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for words, message in (
        (["kcf"], "has no network that can be exported"),
        (["siamattn-lite", "--sequence", "Crossing"], "expected --benchmark and --sequence"),
    ):
        monkeypatch.setattr(
            sys, "argv", ["bench", "export-model", *words, "--out", str(tmp_path / "x")]
        )
        with pytest.raises(SystemExit):
            main()
        assert message in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "x").exists()

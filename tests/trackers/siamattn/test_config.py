"""Presets and overrides: the paper's ablations, and invalid settings."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import ConfigError
from trackers.siamattn.config import PRESETS, Config, preset, preset_names

# Tables 5 and 6 of the paper: self-attention, cross-attention, refined box, mask, deformable
# convolution, deformable pooling.
SWITCHES = {
    "siamrpn++": (False, False, False, False, True, True),
    "siamattn-ml": (False, False, False, True, True, True),
    "siamattn-rr": (False, False, True, True, True, True),
    "siamattn-rr-sa": (True, False, True, True, True, True),
    "siamattn-rr-ca": (False, True, True, True, True, True),
    "siamattn": (True, True, True, True, True, True),
    "siamattn-rigid": (True, True, True, True, False, False),
    "siamattn-rigid-convolution": (True, True, True, True, False, True),
    "siamattn-rigid-pooling": (True, True, True, True, True, False),
}


@pytest.mark.parametrize("name", SWITCHES)
def test_ablations_change_only_what_the_tables_list(name: str) -> None:
    config, full = preset(name), preset("siamattn")
    a, r = config.attention, config.refine
    found = (a.self_attention, a.cross_attention, r.box, r.mask, a.deformable_convolution)
    assert (*found, r.deformable_pooling) == SWITCHES[name]
    assert config.backbone == full.backbone
    assert config.neck == full.neck
    assert config.rpn == full.rpn


def test_hyper_parameters_equal_the_released_files() -> None:
    def triple(name: str, benchmark: str) -> tuple[float, float, float]:
        t = preset(name).tracking_for(benchmark)
        return t.penalty_k, t.window_influence, t.lr

    assert triple("siamattn", "vot") == (0.10, 0.25, 0.45)  # config_vot2018.yaml
    assert triple("siamattn", "otb") == (0.20, 0.35, 0.50)  # config_otb100.yaml
    assert triple("siamrpn++", "vot") == (0.05, 0.42, 0.38)  # siamrpn_r50_l234_dwxcorr
    assert triple("siamrpn++-otb", "otb") == (0.24, 0.5, 0.25)  # siamrpn_r50_l234_dwxcorr_otb
    assert preset("siamrpn++-otb").tracking_for() == preset("siamrpn++").tracking_for("otb")


def test_every_preset_names_its_source() -> None:
    assert all(preset(name).source for name in preset_names())
    assert list(json.loads(PRESETS.read_text(encoding="utf-8"))) != preset_names()  # for readers


def test_settings_are_overridden_by_name() -> None:
    config = preset("siamattn", {"attention.formula": "paper", "backbone.blocks": [1, 1, 1, 1]})
    assert config.attention.formula == "paper"
    assert config.backbone.blocks == (1, 1, 1, 1)
    tracking = config.tracking_for("otb", lr=1, penalty_k=0.5)
    assert (tracking.lr, tracking.penalty_k, tracking.window_influence) == (1.0, 0.5, 0.35)
    assert config.tracking_for("otb").lr == 0.5


def test_a_star_stands_for_every_set_of_hyper_parameters() -> None:
    config = preset("siamattn", {"tracking.*.lr": 0.1})
    assert (config.tracking.vot.lr, config.tracking.otb.lr) == (0.1, 0.1)
    assert config.tracking.otb.penalty_k == preset("siamattn").tracking.otb.penalty_k
    with pytest.raises(ConfigError, match=r"'tracking.vot.lrr'.*Did you mean 'tracking.vot.lr'"):
        preset("siamattn", {"tracking.*.lrr": 0.1})


def test_unknown_names_list_the_known() -> None:
    with pytest.raises(ConfigError, match=r"preset 'siamatn'. Did you mean 'siamattn'"):
        preset("siamatn")
    with pytest.raises(ConfigError, match=r"'refine.masc'. Did you mean 'refine.mask'"):
        preset("siamattn", {"refine.masc": True})
    with pytest.raises(ConfigError, match=r"refine.mask is a single value: it has no 'side'"):
        preset("siamattn", {"refine.mask.side": 64})
    with pytest.raises(ConfigError, match=r"formula 'printed'. .*Known: paper, released"):
        preset("siamattn", {"attention.formula": "printed"})
    with pytest.raises(ConfigError, match=r"hyper-parameters 'vot18'.*Known: otb, vot"):
        preset("siamattn").tracking_for("vot18")
    with pytest.raises(ConfigError, match=r"'tracking.vot.penalty'.*'tracking.vot.penalty_k'"):
        preset("siamattn").tracking_for("vot", penalty=0.1)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("refine.mask", 1),
        ("refine.mask", "true"),
        ("neck.channels", 25.5),
        ("neck.channels", True),
        ("backbone.widths", 64),
        ("backbone.widths", [64, "128", 256, 512]),
        ("rpn", {"stride": 8}),
        ("name", None),
    ],
)
def test_a_value_of_another_type_is_refused(name: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=f"setting {name}: expected .*, found"):
        preset("siamattn", {name: value})


@pytest.mark.parametrize("stages", [[64, 128, 256], [64, 128, 256, 512, 1024], []])
def test_a_backbone_has_four_stages(stages: list[int]) -> None:
    with pytest.raises(ConfigError, match="four stages"):
        preset("siamattn", {"backbone.widths": stages})


@given(st.floats(allow_nan=True))
def test_shares_are_from_0_to_1(value: float) -> None:
    config = preset("siamattn")
    if 0 <= value <= 1:
        assert config.tracking_for("vot", window_influence=value).window_influence == value
    else:
        with pytest.raises(ConfigError, match="from 0 to 1"):
            config.tracking_for("vot", window_influence=value)


def test_surround_is_a_share_and_part_of_the_weights_record() -> None:
    """The release keeps full contrast; weights trained with less do not fit it."""
    assert preset("siamattn").neck.surround == 1
    less = preset("siamattn", {"neck.surround": 0.5})
    assert less.override({"neck.surround": 1.0}).serves(preset("siamattn").architecture())
    assert not less.serves(preset("siamattn").architecture())
    with pytest.raises(ConfigError, match=r"neck: expected surround from 0 to 1, found 1\.5"):
        preset("siamattn", {"neck.surround": 1.5})


def test_a_weights_record_may_lack_newer_settings() -> None:
    """A missing setting had the default; any other difference is another network."""
    config, nano = preset("siamattn"), preset("siamattn-nano")
    assert config.serves(config.architecture())
    assert not config.serves(nano.architecture())
    older = json.loads(config.architecture())
    del older["neck"]["surround"]
    assert config.serves(json.dumps(older))
    assert not preset("siamattn", {"neck.surround": 0.3}).serves(json.dumps(older))
    newer = {**older, "neck": {**older["neck"], "blur": 1}}
    less = {name: older[name] for name in older if name != "rpn"}
    for other in (newer, less, {**older, "head": {}}, [older], {**older, "neck": 3}):
        assert not config.serves(json.dumps(other))
    assert not config.serves("{")


def test_a_record_has_every_setting_as_plain_values() -> None:
    config = preset("siamattn-nano")
    record = json.loads(json.dumps(config.to_dict()))
    assert set(record) == {field.name for field in dataclasses.fields(Config)}
    assert record["backbone"]["widths"] == list(config.backbone.widths)
    assert record["tracking"]["otb"]["lr"] == config.tracking.otb.lr

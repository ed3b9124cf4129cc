"""Published scores of a tracker: printed, released with weights, and an independent re-run."""

from __future__ import annotations

import pytest

from bench.published.papers import expected_of


def test_siamattn_on_vot2018_is_known_from_the_paper_and_from_a_re_run() -> None:
    """.4264 / .6292 / .1967 by the challenge's definition, one run."""
    printed, again = expected_of("siamattn-vot", "vot2018", "baseline")
    assert printed.kind == "printed"
    assert printed.measures == {"eao": "0.470", "accuracy": "0.63", "robustness": "0.16"}
    assert "Table 1" in printed.source
    assert again.kind == "re-run"
    assert again.measures == {"eao": "0.4264", "accuracy": "0.6292", "robustness": "0.1967"}
    assert "third party" in again.source


@pytest.mark.parametrize(
    ("tracker", "benchmark", "measures"),
    [
        ("siamattn", "vot2016", {"eao": "0.537", "accuracy": "0.68", "robustness": "0.14"}),
        ("SiamAttn", "otb2015", {"success": "0.712", "precision": "0.926"}),
        ("siamattn", "lasot", {"success": "0.560", "normalized_precision": "0.648"}),
        ("siamattn", "trackingnet", {"success": "0.752", "normalized_precision": "0.817"}),
        ("siamattn", "uav123", {"precision": "0.845"}),  # success is unreadable
        ("siamrpn++", "uav123", {"precision": "0.807"}),  # success is ambiguous
        ("siamrpn++-otb", "vot2018", {"eao": "0.415", "accuracy": "0.60", "robustness": "0.23"}),
    ],
)
def test_printed_figures(tracker: str, benchmark: str, measures: dict[str, str]) -> None:
    experiment = "baseline" if benchmark.startswith("vot") else "onepass"
    found = [e for e in expected_of(tracker, benchmark, experiment) if e.kind == "printed"]
    assert [each.measures for each in found] == [measures]


@pytest.mark.parametrize(
    ("tracker", "benchmark", "measures"),
    [
        ("siamrpn", "vot2016", {"eao": "0.393", "accuracy": "0.618", "robustness": "0.238"}),
        ("siamrpn", "otb2015", {"success": "0.666", "precision": "0.876"}),
        ("siamrpn++", "vot2018", {"eao": "0.415", "accuracy": "0.601", "robustness": "0.234"}),
        (
            "siamrpn++-mobile",
            "vot2018",
            {"eao": "0.410", "accuracy": "0.586", "robustness": "0.229"},
        ),
        ("siammask", "vot2018", {"eao": "0.423", "accuracy": "0.615", "robustness": "0.248"}),
    ],
)
def test_figures_released_with_weights(
    tracker: str, benchmark: str, measures: dict[str, str]
) -> None:
    experiment = "baseline" if benchmark.startswith("vot") else "onepass"
    (found,) = [e for e in expected_of(tracker, benchmark, experiment) if e.kind == "released"]
    assert found.measures == measures
    assert "MODEL_ZOO.md" in found.source


@pytest.mark.parametrize(
    ("tracker", "benchmark", "eao", "reason"),
    [
        ("siammask", "vot2018", "0.387", "by optimisation"),
        ("siamrpn", "vot2016", "0.344", "the first SiamRPN"),
    ],
)
def test_a_printed_figure_of_a_variant_says_so(
    tracker: str, benchmark: str, eao: str, reason: str
) -> None:
    (printed,) = [e for e in expected_of(tracker, benchmark, "baseline") if e.kind == "printed"]
    assert printed.measures["eao"] == eao
    assert reason in printed.source


def test_a_misprint_is_named() -> None:
    assert "swaps" in expected_of("siamattn", "otb2015", "onepass")[0].source


@pytest.mark.parametrize(
    ("tracker", "experiment"),
    [
        ("siamattn-lite", "baseline"),
        ("eco", "baseline"),
        ("kcf", "baseline"),
        ("siamattn", "realtime"),
    ],
)
def test_nothing_is_known(tracker: str, experiment: str) -> None:
    assert expected_of(tracker, "vot2018", experiment) == []

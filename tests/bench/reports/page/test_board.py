"""The leaderboard: built and checked by the real command, and looked at in a browser."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bench.errors import ConfigError
from bench.evaluation.contributions import agrees, read_contribution, tuned_flags
from bench.results.record import RunRecord, write_record
from tests.bench.reports.page.conftest import Made, bench

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SAID = """
name = "Steady"
reference = "nobody, nowhere"
licence = "CC0"
"""


@pytest.fixture(scope="module")
def claimed(made: Made, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results of one tracker on two benchmarks, with a contribution that claims what they give."""
    folder = tmp_path_factory.mktemp("claimed")
    results, scores, claims = folder / "results", folder / "scores.json", SAID
    for benchmark, measure in (("otb2015", "success"), ("vot2018", "eao")):
        shutil.copytree(made.results / benchmark / "steady", results / benchmark / "steady")
        bench("eval", benchmark, "--data", made.data, "--results", results, "--json", scores)
        content = json.loads(scores.read_text())
        found = content["trackers"]["steady"]["measures"][measure]
        claims += f'[claims.{benchmark}.{content["convention"]}]\n{measure} = "{found:.3f}"\n'
    (results / "steady.toml").write_text(claims)
    return results


@pytest.fixture
def results(claimed: Path, tmp_path: Path) -> Path:
    """The same, to be changed."""
    return shutil.copytree(claimed, tmp_path / "results")


def check(made: Made, results: Path, *more: str, code: int) -> str:
    done = bench("board", "check", "--data", made.data, "--results", results, *more, code=code)
    return done.stdout + done.stderr


def test_a_contribution_that_gives_what_it_claims_is_accepted(made: Made, results: Path) -> None:
    assert "1 contribution checked, 0 complaints" in check(made, results, code=0)


def test_everything_that_is_wrong_is_named(made: Made, results: Path) -> None:
    said = (results / "steady.toml").read_text()
    wrong = re.sub(r'success = "(.+?)"', 'success = "0.111"', said)
    (results / "steady.toml").write_text(wrong + '[claims.lasot.lasot]\nsuccess = "0.5"\n')
    shutil.copytree(results / "otb2015" / "steady", results / "otb2015" / "unknown")
    (results / "gone.toml").write_text(SAID)
    missing = results / "vot2018/steady/baseline/ants1"
    shutil.rmtree(missing)
    record = RunRecord({"protocol": "onepass"}, ({"tuned": "tuned per benchmark"},))
    write_record(results / "otb2015" / "steady" / "run.json", record)
    text = check(made, results, code=1)
    assert "success, convention otb: claimed 0.111, recomputed 0." in text
    assert "unknown: unknown.toml: expected beside the results, found none" in text
    assert "gone: has no results here" in text
    assert "steady: claims figures of lasot, but has no results there" in text
    assert f"1 sequences are missing: {missing.name}" in text
    assert "run.json says 'tuned per benchmark', the contribution does not" in text
    assert "unknown" not in check(made, results, "--tracker", "steady", code=1)


def test_the_site_shows_conventions_origins_claims_and_flags(
    made: Made, results: Path, tmp_path: Path
) -> None:
    said = (results / "steady.toml").read_text()
    (results / "steady.toml").write_text(
        said.replace('licence = "CC0"', 'licence = "CC0"\ntuned_on = ["otb2015"]').replace(
            "nowhere", "nowhere <img src=x onerror=alert(1)>"
        )
    )
    for kept in list(results.rglob(".cache")):
        shutil.rmtree(kept)
    out = tmp_path / "board"
    bench("board", "build", "--data", made.data, "--results", results, "--out", out)
    assert not list(results.rglob(".cache")), "scores beside results are not believed, nor kept"
    page = (out / "otb2015.html").read_text()
    assert "<img src=x" not in page
    for text in ("CC0", "nobody, nowhere", "1 of 1 hold", "tuned on the test set"):
        assert text in page, text
    assert "tuned on the test set" in (out / "index.html").read_text()
    assert "tuned on the test set" not in (out / "vot2018.html").read_text()
    every = (out / "otb2015-conventions.html").read_text()
    for convention in ("otb", "lasot", "trackingnet", "pysot", "got10k", "pytracking"):
        assert f"convention {convention}" in every
    assert len(re.findall(r"\d \[\d\.\d{3}, \d\.\d{3}\]", every)) >= 12


def test_no_page_is_wider_than_the_screen(
    made: Made, results: Path, tmp_path: Path, browser: Browser
) -> None:
    out = tmp_path / "board"
    bench("board", "build", "--data", made.data, "--results", results, "--out", out)
    for width in (1280, 390):
        page = browser.new_page(viewport={"width": width, "height": 800})
        faults: list[str] = []
        page.on("pageerror", lambda error, faults=faults: faults.append(str(error)))
        for name in ("index", "otb2015", "otb2015-conventions", "vot2018"):
            page.goto((out / f"{name}.html").as_uri())
            assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        assert not faults
        page.close()


@pytest.mark.parametrize(
    ("claimed", "found", "holds"),
    [
        (".598", 0.59762, True), ("0.789", 0.788143, False), ("78.8 %", 0.788143, True),
        ("79%", 0.788143, True), ("0.5", 0.55, True), ("0.6", 0.55, True), ("42", 42.0, True),
        ("0.1", float("nan"), False), ("0.690", 0.6949, False),
    ],
)  # fmt: skip
def test_claims_are_compared_at_the_printed_digits(
    claimed: str, found: float, holds: bool
) -> None:
    assert agrees(claimed, found) is holds


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name = 3", "name: expected text in quotes"),
        ('name = "x"', "expected the key 'reference'"),
        (SAID + '[claims.otb2051.otb]\nsuccess = "1"', "Did you mean 'otb2015'"),
        (SAID + '[claims.otb2015.octave]\nsuccess = "1"', "unknown convention"),
        (SAID + '[claims.otb2015.otb]\nsucces = "1"', "Did you mean 'success'"),
        (SAID + "[claims.otb2015.otb]\nsuccess = 0.69", "expected text in quotes"),
        (SAID + '[claims.otb2015.otb]\nsuccess = "high"', "expected a figure as printed"),
        (SAID + 'tuned_on = ["otb"]', "unknown benchmark"),
        ("name =", "cannot be read"),
    ],
)
def test_contributions_that_are_wrong(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_text(text)
    with pytest.raises(ConfigError, match=re.escape(message)):
        read_contribution(tmp_path / "x.toml")


def test_flags_come_from_the_record_too() -> None:
    record = RunRecord({}, ({"tuned": "tuned per benchmark: window"},), tuned_on="otb2015")
    flags = ("tuned on the test set", "tuned per benchmark")
    assert tuned_flags(None, record, "otb2015", "otb2015") == flags
    assert tuned_flags(None, record, "lasot", "lasot") == flags[1:]
    assert tuned_flags(None, None, "lasot", "lasot") == ()

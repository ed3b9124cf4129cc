"""``bench.toml``: the folders in it hold for every verb that reads data or results."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Miniature

Bench = Callable[..., subprocess.CompletedProcess[str]]
FIGURES = """
only = ["success"]
format = ["svg"]
figure = [{ benchmark = "otb2015" }, { benchmark = "uav123" }]
"""


@pytest.fixture(scope="module")
def home(bench: Bench, miniature: Miniature, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """OTB-2015 in a folder of its own, all else in a default folder; results of both."""
    folder = tmp_path_factory.mktemp("home")
    miniature.into(folder / "apart", "otb2015", frames=20)
    miniature.into(folder / "all", "uav123")
    (folder / "bench.toml").write_text(
        'results = "kept"\n[data]\ndefault = "all"\nOTB-2015 = "apart/otb2015"\n'
    )
    (folder / "figures.toml").write_text(FIGURES)
    for benchmark in ("otb2015", "uav123"):
        bench("run", benchmark, "-t", "static", cwd=folder)
    return folder


@pytest.mark.parametrize("benchmark", ["otb2015", "uav123"])
@pytest.mark.parametrize("verb", ["check", "eval", "plots"])
def test_a_verb_of_one_benchmark(bench: Bench, home: Path, verb: str, benchmark: str) -> None:
    extra = ("--only", "success", "--format", "svg") if verb == "plots" else ()
    done = bench(verb, benchmark, *extra, cwd=home)
    assert "miniature" in done.stdout + done.stderr


def test_a_set_of_figures(bench: Bench, home: Path) -> None:
    bench("plots", "--config", "figures.toml", "--out", "figures", cwd=home)
    assert {path.parent.name for path in home.glob("figures/*/*.svg")} == {"otb2015", "uav123"}


def test_tables_of_several_benchmarks(bench: Bench, home: Path) -> None:
    bench("tables", "otb", "2", "--format", "md", cwd=home)
    for name in ("otb", "table2"):
        assert "static" in (home / f"reports/tables/{name}.md").read_text()


@pytest.mark.parametrize("verb", [("report", "--videos", "none"), ("board", "build")])
def test_pages_of_several_benchmarks(bench: Bench, home: Path, verb: tuple[str, ...]) -> None:
    said = bench(*verb, "--benchmark", "otb2015,uav123", "--out", verb[0], cwd=home).stdout
    found = [line.partition(":")[0] for line in said.splitlines() if "miniature" in line]
    assert found == ["OTB-2015", "UAV123"]


def test_the_check_of_a_contribution(bench: Bench, home: Path) -> None:
    said = bench("board", "check", cwd=home, code=1)
    assert "1 contribution checked, 1 complaint" in said.stdout
    assert "static.toml: expected beside the results" in said.stderr


@pytest.mark.parametrize("benchmark", ["otb2015", "uav123"])
def test_a_difference_of_a_benchmark_that_the_path_names(
    bench: Bench, home: Path, benchmark: str
) -> None:
    here = f"kept/{benchmark}/static"
    assert "miniature" in bench("diff", here, here, cwd=home).stdout


def test_results_that_are_here(bench: Bench, home: Path) -> None:
    listed = bench("list", cwd=home).stdout.splitlines()
    assert [line.split()[0] for line in listed[1:]] == ["otb2015", "uav123"]
    assert "every record is closed" in bench("merge", cwd=home).stdout


def test_an_option_wins_though_it_is_the_default(bench: Bench, home: Path) -> None:
    said = bench("plots", "otb2015", "--data", "data", cwd=home, code=1).stderr
    assert f"no OTB-2015 dataset at {home / 'data'}" in said

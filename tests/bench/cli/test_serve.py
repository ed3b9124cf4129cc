"""The verbs beside the challenge's toolkit, from the command line."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from bench.cli import serve
from bench.errors import BenchError, ConfigError, ResultError, TrackerError

app = typer.Typer()
serve.register(app)


def call(*arguments: object) -> str:
    """Output of a verb; its own errors come out as they are."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if isinstance(result.exception, BenchError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One sequence of two frames, in the official layout."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "bag/color").mkdir(parents=True)
    (folder / "bag/groundtruth.txt").write_text("1,2,9,2,9,9,1,9\n" * 2)
    for number in (1, 2):
        path = folder / f"bag/color/{number:08d}.jpg"
        cv2.imwrite(str(path), np.zeros((12, 16, 3), dtype=np.uint8))
    return folder


def test_a_workspace_that_can_run_a_tracker(data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "w"
    options = ("--data", data, "--tracker", "kcf", "--set", "scales=1", "--images", "link")
    said = call("workspace", "vot2018", folder, *options, "--interval", 30, 90)
    assert said.splitlines()[-1] == f"{folder}: 1 sequences, kcf"
    assert "partial: 1 of 60 sequences" in said
    assert "--tracker kcf --set scales=1" in (folder / "trackers.ini").read_text()
    images = folder / "sequences/bag/color"
    assert len(list(images.iterdir())) == 2
    assert '"low": 30' in (folder / "stack.yaml").read_text()


def test_a_workspace_waits_for_a_slow_tracker(data: Path, tmp_path: Path) -> None:
    options = ("--data", data, "--tracker", "kcf", "--timeout", 120)
    call("workspace", "vot2018", tmp_path / "w", *options)
    assert "timeout = 120" in (tmp_path / "w/trackers.ini").read_text()
    call("workspace", "vot2018", tmp_path / "v", *options[:-2])
    assert "timeout" not in (tmp_path / "v/trackers.ini").read_text()


def test_a_tracker_that_exits_on_import(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "leaving_at_once.py").write_text("import sys\nsys.exit()\n")
    monkeypatch.syspath_prepend(tmp_path)
    for verb in (("serve",), ("workspace", "vot2018", tmp_path / "w", "--data", data)):
        with pytest.raises(TrackerError, match=r"called sys\.exit\(None\)"):
            call(*verb, "--tracker", "leaving_at_once:Class")


def test_ctrl_c_in_the_other_toolkit_ends_with_130(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("vot", exc_type=(ImportError, TypeError))
    from vot import experiment
    from vot.utilities import cli

    from bench.interop import vot_toolkit

    def stopped(*arguments: object) -> None:
        raise KeyboardInterrupt

    def main(caught: bool) -> None:
        try:
            experiment.run_experiment()
        except KeyboardInterrupt:
            if not caught:
                raise

    monkeypatch.setattr(experiment, "run_experiment", stopped)
    monkeypatch.setattr(vot_toolkit, "_patch", lambda cli: None)
    monkeypatch.setattr(sys, "argv", ["bench"])
    for caught in (True, False):
        monkeypatch.setattr(cli, "main", lambda caught=caught: main(caught))
        with pytest.raises(SystemExit) as ended:
            vot_toolkit.run(["evaluate"])
        assert ended.value.code == 130
    monkeypatch.setattr(cli, "main", lambda: None)
    vot_toolkit.run(["analysis"])


@pytest.mark.parametrize(
    ("arguments", "kind", "problem"),
    [
        (("--trackers", "kcf"), ConfigError, "unknown tracker with results"),
        (("--tracker", "kfc"), ConfigError, "Did you mean 'kcf'"),
        (("--tracker", "kcf", "--set", "scales"), ConfigError, "--set expects NAME=VALUE"),
    ],
)
def test_bad_workspaces(
    data: Path,
    tmp_path: Path,
    arguments: tuple[str, ...],
    kind: type[BenchError],
    problem: str,
) -> None:
    with pytest.raises(kind, match=problem):
        call("workspace", "vot2018", tmp_path / "w", "--data", data, *arguments)
    with pytest.raises(ResultError, match="not empty"):
        call("workspace", "vot2018", data, "--data", data)


def test_serving_an_unknown_tracker() -> None:
    with pytest.raises(ConfigError, match="Did you mean 'kcf'"):
        call("serve", "--tracker", "kfc")


def test_options_of_the_other_toolkit_are_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    from bench.interop import vot_toolkit

    passed: list[str] = []
    monkeypatch.setattr(vot_toolkit, "run", passed.extend)
    call("vot", "evaluate", "--workspace", "w", "kcf", "--help")
    assert passed == ["evaluate", "--workspace", "w", "kcf", "--help"]


def test_without_the_other_toolkit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "vot", None)
    with pytest.raises(ConfigError, match=r"vot-toolkit cannot be imported .*\[vot-toolkit\]"):
        call("vot", "analysis")


def test_without_trax(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "trax.server", None)
    with pytest.raises(BenchError, match=r"vot-trax .*\[trax\]"):
        call("serve", "--tracker", "static")

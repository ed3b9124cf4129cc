"""Killed writers of plots, tables, videos and reports: nothing stays, and two never mix."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bench.errors import ConfigError
from bench.files import temporary_name
from bench.reports.page import Videos, absent_section, write_report
from bench.reports.page.render import Renderer
from bench.reports.video import write_video

Bench = Callable[..., tuple[int, str, str]]
SLOW_VIDEO = """
import sys, time
import numpy as np
from pathlib import Path
from bench.reports.video import write_video
def frames():
    for _ in range(300):
        yield np.zeros((48, 64, 3), np.uint8)
    print("drawing", flush=True)
    time.sleep(60)
    yield np.zeros((48, 64, 3), np.uint8)
write_video(frames(), Path(sys.argv[1]), 25)
"""
SLOW_TABLE = """
import os, sys, time
from pathlib import Path
def stop(*_):
    print("writing", flush=True)
    time.sleep(60)
os.fsync = stop
from bench.cli.options import write_file
write_file(Path(sys.argv[1]), "half a table")
"""
SLOW_REPORT = """
import sys, time
from pathlib import Path
from bench.reports.page import Videos, absent_section, write_report
from bench.reports.page.render import Renderer
def overview(self):
    print("writing", flush=True)
    time.sleep(60)
Renderer.overview = overview
write_report([absent_section("lasot")], Path(sys.argv[1]), Videos())
"""


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def started(script: str, path: Path) -> subprocess.Popen[str]:
    """A writer in the middle of its work."""
    arguments = [sys.executable, "-c", script, str(path)]
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline()
    return process


def kill(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=30)


@pytest.mark.parametrize(("script", "name"), [(SLOW_VIDEO, "a.mp4"), (SLOW_TABLE, "t.csv")])
def test_what_a_killed_writer_left_is_swept_by_the_next_call(
    tmp_path: Path, script: str, name: str
) -> None:
    process = started(script, tmp_path / name)
    frame = np.zeros((48, 64, 3), np.uint8)
    assert write_video([frame] * 2, tmp_path / "b.avi", 25) == 2
    assert len(names(tmp_path)) == 2  # a living writer is left alone
    kill(process)
    assert len(names(tmp_path)) == 2
    assert write_video([frame] * 2, tmp_path / "b.avi", 25) == 2
    assert names(tmp_path) == ["b.avi"]


def test_plots_and_tables_sweep_their_folder_and_nothing_else(
    bench: Bench, tmp_path: Path
) -> None:
    out = tmp_path / "tables"
    out.mkdir()
    script = "from bench.files import temporary_name as t; print(t('table5.md'), t('ar.pdf'))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    kept = [".table5.md.swp", ".hidden", "table5.md.abcdefgh", temporary_name("table7.tex")]
    for name in (*kept, *done.stdout.split()):
        (out / name).write_text("x")
    code, _, _ = bench("tables", "5", "--out", out, "--format", "md")
    assert code == 0
    assert names(out) == sorted([*kept, "table5.md"])


def test_two_reports_never_mix_and_a_killed_one_is_swept(tmp_path: Path) -> None:
    folder = tmp_path / "report"
    process = started(SLOW_REPORT, folder)
    with pytest.raises(ConfigError, match="another `bench report` is writing there"):
        write_report([absent_section("lasot")], folder, Videos())
    kill(process)
    assert names(tmp_path) == [".report.partial"]
    (tmp_path / ".report.partial" / "of-the-killed-one.html").write_text("x")
    write_report([absent_section("lasot")], folder, Videos())
    assert names(tmp_path) == ["report"]
    assert not {"of-the-killed-one.html", ".lock"} & set(names(folder))


def test_reports_one_after_the_other_while_others_try(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of four at once, some are refused; what is there in the end is one whole report."""
    script = SLOW_REPORT.replace("time.sleep(60)", "time.sleep(0.3); return 'one'")
    arguments = [sys.executable, "-c", script, str(tmp_path / "report")]
    started_ones = []
    for _ in range(4):
        started_ones.append(
            subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        )
        time.sleep(0.1)
    codes = [(p.communicate(timeout=120)[1], p.returncode)[1] for p in started_ones]
    assert 0 in codes
    assert names(tmp_path) == ["report"]
    monkeypatch.setattr(Renderer, "overview", lambda self: "one")
    write_report([absent_section("lasot")], tmp_path / "alone", Videos())
    assert names(tmp_path / "report") == names(tmp_path / "alone")

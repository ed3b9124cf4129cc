"""A benchmark from outside the package, through the installed command."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

Bench = Callable[..., "subprocess.CompletedProcess[str]"]
HARBOUR = """\
title = "Harbour"
layout = "otb"
rule = "otb"
index_base = 1
source = "our own videos of a harbour"
sequences = [
  { name = "crane", frames = 6, attributes = ["OCC", "SV", "FM"] },
  { name = "ferry", frames = 5, attributes = ["OCC", "SV", "FM"] },
]

[attributes]
OCC = "Occlusion"
SV = "Scale Variation"
FM = "Fast Motion"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A declaration, and its two sequences in the layout of OTB."""
    (tmp_path / "harbour.toml").write_text(HARBOUR)
    rng = np.random.default_rng(0)
    for name, frames in (("crane", 6), ("ferry", 5)):
        images = tmp_path / "data/harbour" / name / "img"
        images.mkdir(parents=True)
        for number in range(1, frames + 1):
            image = rng.integers(0, 255, (48, 64, 3), dtype=np.uint8)
            cv2.imwrite(str(images / f"{number:04d}.jpg"), image)
        rows = "".join(f"{10 + n},{12 + n},16,14\n" for n in range(frames))
        (images.parent / "groundtruth_rect.txt").write_text(rows)
    return tmp_path


def test_as_those_inside(bench: Bench, folder: Path) -> None:
    given = ("--benchmarks", "harbour.toml")
    first = bench(*given, "run", "harbour", "-t", "static", "--sequence", "crane", cwd=folder)
    assert "static: 1 sequence done" in first.stdout
    again = bench("run", "harbour.toml", "-t", "static", "--jobs", 2, cwd=folder)
    assert "1 sequence done" in again.stdout
    assert "1 was finished before" in again.stdout
    record = json.loads((folder / "results/harbour/static/run.json").read_text())
    assert record["sessions"][0]["declaration"]["file"] == "benchmark.json"
    (folder / "harbour.toml").unlink()

    scored = bench("eval", "Harbour", "--per-attribute", "--json", "s.json", cwd=folder)
    assert "complete: 2 of 2 sequences" in scored.stdout
    scores = json.loads((folder / "s.json").read_text())
    assert 0 < scores["trackers"]["static"]["measures"]["success"] < 1
    assert set(scores["trackers"]["static"]["per_attribute"]) == {"OCC", "SV", "FM"}
    assert "2 of 2" in bench("list", cwd=folder).stdout
    drawn = bench("plots", "harbour", "--format", "svg", "--only", "success,radar", cwd=folder)
    assert (folder / "reports/plots/harbour/success.svg").is_file(), drawn.stdout
    written = bench("report", "--benchmark", "harbour", "--videos", "none", cwd=folder)
    assert "Harbour: complete" in written.stdout


@pytest.mark.parametrize("results", [(), ("--results", "kept")])
def test_its_folder_stands_in_the_settings(
    bench: Bench, folder: Path, results: tuple[str, ...]
) -> None:
    bench("run", "harbour.toml", "-t", "static", "--results", "kept", cwd=folder)
    (folder / "harbour.toml").unlink()
    (folder / "data/harbour").rename(folder / "port")
    said = "" if results else 'results = "kept"\n'
    (folder / "bench.toml").write_text(f'{said}[data]\nharbour = "port"\n')
    assert "2 of 2 sequences" in bench("eval", "harbour", *results, cwd=folder).stdout


def test_exchange_and_merge(bench: Bench, folder: Path) -> None:
    given = ("--benchmarks", "harbour.toml")
    assert "nothing missing" in bench(*given, "check", "harbour", cwd=folder).stdout
    bench(*given, "run", "harbour", "-t", "static", cwd=folder)
    bench("export", "harbour", "out", "-t", "static", "--format", "pysot", cwd=folder)
    exported = next(path.parent for path in (folder / "out").rglob("crane.txt"))
    imported = bench(
        *given, "import", "harbour", exported, "-n", "theirs", "-r", "other", cwd=folder
    )
    assert "2 of 2 sequences" in imported.stdout
    (folder / "harbour.toml").unlink()
    bench("merge", "results", "other", "--results", "both", cwd=folder)
    listed = bench("list", "--results", "both", cwd=folder).stdout
    assert "theirs" in listed
    assert "static" in listed
    bench("remove", "harbour", "theirs", "--results", "both", "--yes", cwd=folder)
    (folder / "both/harbour/benchmark.json").unlink()
    refused = bench("eval", "harbour", "--results", "both", cwd=folder, code=1)
    assert "declaration benchmark.json is missing there" in refused.stderr


def test_a_malformed_declaration_stops_the_command(bench: Bench, folder: Path) -> None:
    text = HARBOUR.replace('layout = "otb"', 'layout = "otb1"')
    (folder / "harbour.toml").write_text(text)
    for words in (("--benchmarks", "harbour.toml", "list"), ("check", "harbour.toml")):
        done = bench(*words, cwd=folder, code=1)
        assert "unknown layout in" in done.stderr
        assert "Did you mean 'otb'" in done.stderr

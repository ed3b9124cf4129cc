"""Declarations from outside the package: what they may say, and one clear error for the rest."""

from __future__ import annotations

import json
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bench
from bench.benchmarks import benchmarks, declare, get_benchmark, read_declaration
from bench.benchmarks.declaration import layouts
from bench.datasets import open_dataset
from bench.errors import ConfigError
from bench.evaluation import evaluate
from bench.files import format_rows
from bench.geometry import Regions
from bench.results.declared import FILE, declare_beside, keep_declaration
from bench.results.memory import MemoryStore, StoredRun
from bench.results.onepass import OnePassStore

HARBOUR = """\
title = "Harbour"
aliases = ["HB"]
layout = "otb"
rule = "otb"
index_base = 1
source = "our own videos of a harbour"
sequences = [{ name = "crane", frames = 3, attributes = ["OCC"] }, "ferry"]

[attributes]
OCC = "Occlusion"
"""


def harbour(folder: Path, name: str = "harbour.toml", text: str = HARBOUR) -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_a_declaration_of_a_few_lines(tmp_path: Path) -> None:
    found = declare(harbour(tmp_path))
    assert found is get_benchmark("harbour") is get_benchmark("Harbour") is get_benchmark("hb")
    assert list(found.rows) == ["crane", "ferry"]
    assert found.rows["crane"].attributes == {"OCC"}
    assert found.expected_sequences == 2
    assert found.kind == "onepass"
    assert "harbour" in bench.list_benchmarks()


def test_json_and_a_table_say_the_same(tmp_path: Path) -> None:
    first = read_declaration(harbour(tmp_path))
    table = "name,frames,attributes,source\ncrane,3,OCC,counted\nferry,,,counted\n"
    (tmp_path / "list.csv").write_text(table)
    content = {
        "title": "Harbour", "aliases": ["HB"], "layout": {"name": "otb"}, "rule": "otb",
        "index_base": 1, "source": "our own videos of a harbour", "sequences": "list.csv",
        "attributes": {"OCC": "Occlusion"},
    }  # fmt: skip
    text = json.dumps(content)
    second = read_declaration(harbour(tmp_path, "harbour.json", text))
    assert first.table == second.table
    assert (first.title, first.layout) == (second.title, second.layout)
    twice = text.replace('"rule"', '"index_base": 0, "rule"')
    with pytest.raises(ConfigError, match="the key 'index_base' stands twice"):
        read_declaration(harbour(tmp_path, "harbour.json", twice))


def test_files_of_windows_editors_begin_with_a_mark(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("\ufeffname,frames\r\ncrane,3\r\n", "utf-8")
    text = HARBOUR.replace(HARBOUR.splitlines()[6], 'sequences = "list.csv"')
    path = tmp_path / "harbour.toml"
    path.write_text(f"\ufeff{text}", "utf-8", newline="\r\n")
    assert read_declaration(path).rows["crane"].frames == 3


def test_what_is_kept_beside_results_is_whole(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("name\ncrane\n")
    text = HARBOUR.replace(HARBOUR.splitlines()[6], 'sequences = "list.csv"')
    first = declare(harbour(tmp_path, text=text))
    keep_declaration(OnePassStore(tmp_path / "r", "harbour"))
    (tmp_path / "list.csv").unlink()
    (tmp_path / "harbour.toml").unlink()
    kept = read_declaration(tmp_path / "r/harbour" / FILE)
    assert (kept.name, kept.table, kept.title) == (first.name, first.table, first.title)


def test_what_lies_beside_results_becomes_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    declare(harbour(tmp_path))
    keep_declaration(OnePassStore(tmp_path / "r", "harbour"))
    keep_declaration(OnePassStore(tmp_path / "r", "otb2015"))
    assert not (tmp_path / "r/otb2015").exists(), "of those inside the package nothing is kept"
    monkeypatch.setattr("bench.benchmarks.known._declared", {})
    with pytest.raises(ConfigError, match=r"unknown benchmark 'harbour'.*--benchmarks FILE"):
        get_benchmark("harbour")
    declare_beside(tmp_path / "r")
    assert get_benchmark("harbour").title == "Harbour"
    changed = harbour(tmp_path, text=HARBOUR.replace('"Harbour"', '"Port"'))
    assert declare(changed).title == "Port", "a file that is given wins"


def test_a_box_in_the_first_pixel_is_valid_where_that_is_0(tmp_path: Path) -> None:
    """OTB's rule asks for x, y > 0: its toolkit calls the first pixel 1."""
    data = tmp_path / "data" / "crane"
    data.mkdir(parents=True)
    rows = np.tile([0.0, 40.0, 20.0, 30.0], (3, 1))

    def success(text: str) -> float:
        (data / "groundtruth_rect.txt").write_bytes(format_rows(rows))
        name = str(harbour(tmp_path, text=text))
        dataset = open_dataset(name, tmp_path / "data")
        store = MemoryStore("harbour", "onepass")
        store.add("T", "crane", StoredRun(Regions.from_boxes(rows)))
        (scores,) = evaluate(dataset, store, partial=True)
        return scores.trackers["T"].measures["success"]

    from_zero = HARBOUR.replace("index_base = 1", "index_base = 0")
    official = """
[conventions.otb]
valid_overlap = "positive"
valid_error = "positive"
valid_normalized = "positive"
"""
    assert success(from_zero) == pytest.approx(20 / 21)
    assert success(from_zero + official) == 0
    assert success(HARBOUR) == 0
    for odd in (
        official.replace("overlap", "overlp"),
        official.replace('"positive"', '"postive"'),
    ):
        with pytest.raises(ConfigError, match=r"conventions: otb.*(overlp|postive)"):
            success(from_zero + odd)


def test_without_a_list_whatever_is_there_is_taken(tmp_path: Path) -> None:
    text = HARBOUR.replace(HARBOUR.splitlines()[6], "")
    for layout, place in (
        ("otb", "crane/groundtruth_rect.txt"),
        ("trackingnet", "TEST/anno/crane.txt"),
        ("folder", "crane/groundtruth.txt"),
        ("vot", "crane/groundtruth.txt"),
    ):
        file = tmp_path / layout / place
        file.parent.mkdir(parents=True)
        file.write_text("1,2,30,40\n" * 3)
        name = str(harbour(tmp_path, text=text.replace('layout = "otb"', f'layout = "{layout}"')))
        dataset = open_dataset(name, tmp_path / layout)
        assert [sequence.name for sequence in dataset] == ["crane"], layout
        assert layout == "folder" or dataset.unlisted, layout


def test_a_file_that_was_changed_is_read_anew(tmp_path: Path) -> None:
    path = harbour(tmp_path)
    assert get_benchmark(str(path)).title == "Harbour"
    harbour(tmp_path, text=HARBOUR.replace('"Harbour"', '"Port"'))
    assert get_benchmark(str(path)).title == "Port"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('title = "Harbour"\n', "", r"expected the key 'title', found none"),
        ('"Harbour"', "3", r"title: expected text in quotes, found 3"),
        ('layout = "otb"', 'layout = "otb1"', r"unknown layout in .*'otb1'. Did you mean 'otb'"),
        ('layout = "otb"', "layout = 1", r"layout: expected the name of a layout, .*found 1"),
        ('rule = "otb"', 'rule = "ODB"', r"unknown rule in .*'ODB'"),
        ("index_base = 1", "index_base = 2", r"index_base: expected 0 or 1, .*found 2"),
        ("index_base = 1", 'index_base = "1"', r"index_base: expected a number, found '1'"),
        ("aliases", "alias", r"unknown key in .*'alias'. Did you mean 'aliases'"),
        ("frames = 3", "frames = 0", r"sequences: crane: frames: expected 1 or more, found 0"),
        ('["OCC"]', '["OC"]', r"unknown attribute in .*crane: 'OC'. Did you mean 'OCC'"),
        ("frames = 3", 'frames = "x"', r"item 1: frames: expected a whole number, found 'x'"),
        ("frames = 3", "farmes = 3", r"unknown key in .*item 1: 'farmes'.*'frames'"),
        ('"ferry"', '"crane"', r"sequences: expected each name once, found 'crane'"),
        ('"ferry"]', "7]", r"item 2: expected a table of names and values, found 7"),
        ("[attributes]", "[expected]\nsequences = 3\n[attributes]",
         r"expected.sequences: expected 2, as its list has, found 3"),
        ("[attributes]", "[expected]\nsequence = 2\n[attributes]", r"unknown key in .*'sequence'"),
        ("source", 'experiments = ["baselin"]\nsource', r"unknown experiment in .*'baselin'"),
        ("source", 'experiments = ["onepass", "baseline"]\nsource',
         r"experiments: expected onepass alone, or those of VOT"),
        ("source", 'spellings = [{format = "got10k", pattern = "(", name = "x"}]\nsource',
         r"spellings: expected regular expressions"),
        ("source", 'conventions = {pysoot = {drop = "none"}}\nsource',
         r"unknown convention in .*'pysoot'"),
        ('layout = "otb"', 'layout = {name = "files", forms = [{at = ["{nmae}"]}]}',
         r"unknown placeholder in .*form 1: 'nmae'. Did you mean 'name'"),
        ('layout = "otb"', 'layout = {name = "files", forms = [{at = ["../{name}"]}]}',
         r"form 1: expected paths below the dataset's folder"),
        ("title =", "title ==", r"the declaration of a benchmark, TOML, but it cannot be"),
    ],
)  # fmt: skip
def test_a_malformed_declaration_is_one_clear_error(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    assert old in HARBOUR
    path = harbour(tmp_path, text=HARBOUR.replace(old, new, 1))
    with pytest.raises(ConfigError, match=message) as caught:
        declare(path)
    assert "harbour.toml" in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
    assert "harbour" not in benchmarks()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("name,frames\ncrane,x\n", r"list.csv:2: frames: expected a whole number, found 'x'"),
        ("name,frames\ncrane\n", r"list.csv:2: expected 2 cells"),
        ("nmae\ncrane\n", r"unknown key in .*list.csv:2: 'nmae'"),
        ("name\n", r"expected at least one sequence"),
    ],
)
def test_a_malformed_table_is_named_by_its_line(
    tmp_path: Path, content: str, message: str
) -> None:
    (tmp_path / "list.csv").write_text(content)
    text = HARBOUR.replace(HARBOUR.splitlines()[6], 'sequences = "list.csv"')
    with pytest.raises(ConfigError, match=message):
        declare(harbour(tmp_path, text=text))


def test_a_missing_file_and_a_missing_table(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml: .*No such file"):
        declare(tmp_path / "none.toml")
    text = HARBOUR.replace(HARBOUR.splitlines()[6], 'sequences = "list.csv"')
    with pytest.raises(ConfigError, match=r"list\.csv: cannot be read .*named by .*harbour"):
        declare(harbour(tmp_path, text=text))
    with pytest.raises(ConfigError, match=r"expected a declaration, \.toml or \.json"):
        declare(harbour(tmp_path, "harbour.yaml"))


def test_names_that_are_taken(tmp_path: Path) -> None:
    for text in (HARBOUR.replace('"HB"', '"OTB-100"'), HARBOUR.replace('"Harbour"', '"UAV123"')):
        with pytest.raises(ConfigError, match="is the name of another benchmark"):
            declare(harbour(tmp_path, text=text))
    with pytest.raises(ConfigError, match="'lasot' is the name of another benchmark, lasot"):
        declare(harbour(tmp_path, "lasot.toml"))
    declare(harbour(tmp_path))
    (tmp_path / "other").mkdir()
    with pytest.raises(ConfigError, match="'harbour' is the name of another benchmark"):
        declare(harbour(tmp_path / "other"))


def test_a_package_brings_benchmarks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    harbour(tmp_path)
    (tmp_path / "harbour_pkg.py").write_text(
        "from pathlib import Path\nDECLARATION = Path(__file__).with_name('harbour.toml')\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    points = [EntryPoint("harbour", "harbour_pkg:DECLARATION", "bench.benchmarks")]
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: points)
    from bench.benchmarks import known

    known._of_packages.cache_clear()
    try:
        assert get_benchmark("harbour").title == "Harbour"
        known._of_packages.cache_clear()
        points[0] = EntryPoint("harbour", "harbour_pkg:NOTHING", "bench.benchmarks")
        with pytest.raises(ConfigError, match=r"entry point 'harbour' of bench.benchmarks"):
            benchmarks()
    finally:
        known._of_packages.cache_clear()


def test_a_list_that_is_not_known_is_named(tmp_path: Path) -> None:
    text = "\n".join(HARBOUR.splitlines()[:6])
    path = harbour(tmp_path, text=text)
    for name in ("a", "b"):
        (tmp_path / "data" / name).mkdir(parents=True)
        (tmp_path / "data" / name / "groundtruth_rect.txt").write_text("1,2,3,4\n")
    (tmp_path / "data/readme").mkdir()
    dataset = bench.load(str(path), tmp_path / "data")
    assert [sequence.name for sequence in dataset] == ["a", "b"]
    assert [str(each) for each in dataset.caveats] == [
        "unlisted: list not known, 2 sequences found"
    ]


def test_a_layout_of_one_s_own(tmp_path: Path) -> None:
    layout: dict[str, Any] = {
        "name": "files",
        "shown": "<DATA>/boxes/<sequence>.txt and <DATA>/frames/<sequence>/",
        "forms": [{
            "at": ["boxes/{name}.txt"], "images": ["frames/{name}"], "absent": ["gone/{name}.txt"],
        }],
    }  # fmt: skip
    content = {"title": "Harbour", "layout": layout, "rule": "lasot", "index_base": 0}
    path = harbour(tmp_path, "harbour.json", json.dumps(content))
    for part in ("boxes", "frames/crane", "gone"):
        (tmp_path / part).mkdir(parents=True)
    (tmp_path / "boxes/crane.txt").write_text("1,2,3,4\n5,6,7,8\n")
    (tmp_path / "gone/crane.txt").write_text("0\n1\n")
    (sequence,) = bench.load(str(path), tmp_path)
    assert sequence.name == "crane"
    assert sequence.absent is not None
    assert sequence.absent.tolist() == [False, True]


def test_every_layout_says_what_it_looks_like() -> None:
    for layout in layouts().values():
        assert layout.shown
        assert layout.forms or layout.reader != "forms" or layout.name == "files"

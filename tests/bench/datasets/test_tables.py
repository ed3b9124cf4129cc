"""The shipped tables against the benchmarks' published counts."""

from __future__ import annotations

import pytest

from bench.benchmarks import benchmarks
from bench.datasets.otb import otb_entries
from bench.datasets.tables import attribute_names, attributes_from_flags, read_table
from bench.errors import DatasetError

TABLES = (
    "attributes.csv",
    "lasot_sequences.csv",
    "otb_sequences.csv",
    "trackingnet_test.csv",
    "uav123_sequences.csv",
    "vot_sequences.csv",
)


@pytest.mark.parametrize("name", TABLES)
def test_every_row_has_its_source(name: str):
    rows = read_table(name)
    assert rows
    assert all(row["source"] for row in rows)
    assert all(None not in row and None not in row.values() for row in rows), "ragged row"


def test_otb_is_100_entries_in_98_folders():
    entries = otb_entries().values()
    assert len(entries) == benchmarks()["otb2015"].sequences == 100
    assert len({entry.folder for entry in entries}) == 98
    frames = sum(entry.last - entry.first + 1 for entry in entries)
    assert frames == benchmarks()["otb2015"].frames == 59040
    spelled = [name.lower() for e in entries for name in {e.name, *e.spellings}]
    by_entry = {e.name: {n.lower() for n in (e.name, *e.spellings)} for e in entries}
    assert len(set(spelled)) == sum(map(len, by_entry.values())), "a spelling names two entries"


def test_both_readings_of_tiger1():
    assert otb_entries()["Tiger1"].first == 1
    assert otb_entries()["Tiger1"].alternative_first == 6
    assert otb_entries()["Tiger2"].alternative_first is None


def test_uav123_ranges():
    rows = read_table("uav123_sequences.csv")
    assert len({row["name"] for row in rows}) == 123
    assert sum(int(row["last"]) - int(row["first"]) + 1 for row in rows) == 112578


@pytest.mark.parametrize(("benchmark", "frames"), [("vot2016", 21455), ("vot2018", 21356)])
def test_vot_frames(benchmark: str, frames: int):
    rows = [row for row in read_table("vot_sequences.csv") if row["benchmark"] == benchmark]
    assert len({row["name"] for row in rows}) == 60
    assert sum(int(row["frames"]) for row in rows) == frames


def test_lasot_subsets():
    rows = read_table("lasot_sequences.csv")
    assert len({row["name"] for row in rows}) == 1400
    test = [row for row in rows if row["subset"] == "test"]
    assert len(test) == 280
    assert sum(int(row["frames"]) for row in test) == 685360
    categories = {row["name"].rpartition("-")[0] for row in rows}
    assert len(categories) == 70
    assert all(sum(r["name"].startswith(f"{c}-") for r in test) == 4 for c in categories)


def test_trackingnet_names():
    assert len({row["name"] for row in read_table("trackingnet_test.csv")}) == 511


@pytest.mark.parametrize(("benchmark", "count"), [("otb2015", 11), ("uav123", 12), ("lasot", 14)])
def test_attributes_are_in_column_order(benchmark: str, count: int):
    rows = [row for row in read_table("attributes.csv") if row["benchmark"] == benchmark]
    assert [int(row["column"]) for row in rows] == list(range(1, count + 1))
    assert len(set(attribute_names(benchmark))) == count


def test_attribute_file_with_another_number_of_flags(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("1,0,1")
    with pytest.raises(DatasetError, match=r"a\.txt:1: expected 11 flags .*found 3"):
        attributes_from_flags("otb2015", path)

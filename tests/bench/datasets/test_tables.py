"""The shipped declarations and tables against the benchmarks' published counts."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.benchmarks import TABLES, benchmarks, get_benchmark, read_declaration
from bench.datasets.files import attributes_from_flags
from bench.errors import DatasetError

FOLDER = TABLES / "benchmarks"
SHIPPED = sorted(path.stem for path in FOLDER.glob("*.json"))


def rows_of(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        yield from csv.DictReader(stream)


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.csv")), ids=lambda path: path.stem)
def test_every_row_has_its_source(path: Path):
    rows = list(rows_of(path))
    assert rows
    assert all(row["source"] for row in rows)
    assert all(None not in row and None not in row.values() for row in rows), "ragged row"


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_declarations_pass_the_checks_of_every_other(name: str):
    declared = read_declaration(FOLDER / f"{name}.json")
    assert declared.name == name
    assert declared.title == get_benchmark(name).title
    assert declared.source
    assert declared.proven_by or declared.open


@pytest.mark.parametrize("name", SHIPPED)
def test_lists_hold_what_is_expected(name: str):
    benchmark = benchmarks()[name]
    main = benchmark.listed(benchmark.subsets[0]).values()
    if not main:
        return
    assert len(main) == benchmark.expected_sequences
    if benchmark.expected_frames and all(row.frames for row in main):
        assert sum(row.frames or 0 for row in main) == benchmark.expected_frames
    flags = {flag for row in main for flag in row.attributes or ()}
    assert flags <= set(benchmark.attributes)


def test_otb_is_100_entries_in_98_folders():
    entries = get_benchmark("otb2015").table
    assert len(entries) == 100
    assert len({entry.places["folder"] for entry in entries}) == 98
    spelled = [name.lower() for e in entries for name in {e.name, *e.spellings}]
    by_entry = {e.name: {n.lower() for n in (e.name, *e.spellings)} for e in entries}
    assert len(set(spelled)) == sum(map(len, by_entry.values())), "a spelling names two entries"


def test_the_sets_of_otb_2015():
    whole = get_benchmark("otb2015").rows
    assert get_benchmark("otb2013").rows.keys() < whole.keys()
    assert get_benchmark("tb50").rows.keys() < whole.keys()
    assert len({row.places["folder"] for row in get_benchmark("otb2013").table}) == 50


def test_both_readings_of_tiger1():
    rows = get_benchmark("otb2015").rows
    assert rows["Tiger1"].first is None
    assert rows["Tiger1"].skippable == 5
    assert rows["Tiger2"].skippable == 0


def test_every_third_frame_of_uav123():
    whole, third = get_benchmark("uav123").rows, get_benchmark("uav123-10fps").rows
    assert whole.keys() == third.keys()
    for name, row in whole.items():
        assert third[name].frames == -(-(row.frames or 0) // 3)


def test_lasot_subsets():
    benchmark = get_benchmark("lasot")
    assert benchmark.subsets == ("test", "train", "all")
    assert len(benchmark.table) == 1400
    categories = {row.category for row in benchmark.table}
    assert len(categories) == 70
    test = benchmark.listed("test").values()
    assert all(sum(row.category == c for row in test) == 4 for c in categories)


@pytest.mark.parametrize(
    ("benchmark", "count"),
    [("otb2015", 11), ("uav123", 12), ("lasot", 14), ("tnl2k", 17), ("dtb70", 11),
     ("vasttrack", 10)],
)  # fmt: skip
def test_attributes_are_as_many_as_the_columns(benchmark: str, count: int):
    assert len(get_benchmark(benchmark).attributes) == count


def test_attribute_file_with_another_number_of_flags(tmp_path: Path):
    path = tmp_path / "a.txt"
    path.write_text("1,0,1")
    with pytest.raises(DatasetError, match=r"a\.txt:1: expected 11 flags .*found 3"):
        attributes_from_flags(get_benchmark("otb2015"), path)


def test_vasttrack_s_list_is_as_long_as_the_official_file():
    """3,500 lines, and with line ends of two bytes the 61,554 bytes of ``testing_set.txt``."""
    names = list(get_benchmark("vasttrack").rows)
    assert len(names) == 3500
    assert sum(len(name) + 2 for name in names) == 61554
    assert all(row.category for row in get_benchmark("vasttrack").table)


def test_the_only_attribute_known_of_nfs():
    rows = get_benchmark("nfs").table
    assert sum(row.attributes == {"OCC"} for row in rows) == 20
    assert sum(not row.attributes for row in rows) == 80

"""Sequence names in every toolkit's spelling."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.benchmarks import benchmarks
from bench.errors import ConfigError, ResultError
from bench.results.formats import FORMATS
from bench.results.names import (
    SequenceNames,
    hint,
    normalized,
    safe_file_name,
    toolkit_name,
)

OTB = ("Basketball", "Car1", "Car2", "Car24", "David", "Human4-2", "Jogging-1", "Skating2-2")
UAV = ("car1_1", "car1_s", "car11", "car1_2", "uav1_1", "uav2", "person2_1")


ALL_NAMES = {
    name: list(row.listed(row.subsets[0])) for name, row in benchmarks().items() if row.table
}


@pytest.mark.parametrize(
    ("spelling", "name"),
    [
        ("Jogging-1", "Jogging-1"),  # PySOT
        ("Jogging.1", "Jogging-1"),  # got10k
        ("Jogging_1", "Jogging-1"),  # pytracking
        ("jogging-1", "Jogging-1"),  # OTB for MATLAB
        ("skating2.2", "Skating2-2"),
        ("human4_2", "Human4-2"),
        ("Human4", "Human4-2"),  # got10k numbers only what has two targets
        ("BasketBall", "Basketball"),
        ("car24", "Car24"),
        ("car2", "Car2"),
        ("David2", None),
        ("Jogging", None),
        ("Jogging1", None),
        ("Car_24", None),
    ],
)
def test_otb_spellings(spelling: str, name: str | None) -> None:
    assert SequenceNames(OTB, "otb2015").resolve(spelling) == name


@pytest.mark.parametrize(
    ("spelling", "name"),
    [
        ("car1_1", "car1_1"),
        ("car11", "car11"),
        ("car1-1", "car1_1"),
        ("uav_car1_1", "car1_1"),  # pytracking
        ("uav_car11", "car11"),
        ("uav_uav1_1", "uav1_1"),
        ("uav1_1", "uav1_1"),
        ("uav_car1_s", "car1_s"),
        ("car1", None),  # in UAV20L, not in UAV123
        ("car1_11", None),
        ("uav_2", None),
        ("uav1", None),
    ],
)
def test_uav_spellings(spelling: str, name: str | None) -> None:
    assert SequenceNames(UAV, "uav123").resolve(spelling) == name


@pytest.mark.parametrize("benchmark", ALL_NAMES)
@pytest.mark.parametrize("format_", FORMATS)
def test_every_name_comes_back_from_every_toolkit(benchmark: str, format_: str) -> None:
    canonical = ALL_NAMES[benchmark]
    assert benchmarks()[benchmark].expected_sequences == len(canonical)
    spelled = {name: toolkit_name(name, benchmark, format_) for name in canonical}
    assert SequenceNames(canonical, benchmark).match(spelled.values()) == spelled
    assert all(safe_file_name(name, "sequence") for name in spelled.values())


def test_names_of_the_toolkits() -> None:
    spelled = {f: toolkit_name("Human4-2", "otb2015", f) for f in FORMATS}
    assert spelled == {
        "pysot": "Human4-2",
        "got10k": "Human4",
        "pytracking": "Human4_2",
        "lasot": "Human4-2",
        "otb-mat": "Human4.2",
        "otb-json": "Human4-2",
        "trackingnet": "Human4-2",
    }
    assert toolkit_name("Jogging-2", "otb2015", "otb-mat") == "jogging-2"
    assert toolkit_name("uav1_1", "uav123", "pytracking") == "uav_uav1_1"


def test_matlab_names_are_those_of_the_official_results(shared: Path) -> None:
    files = (shared / "data/otb2015/results/SRDCF").glob("*.mat")
    official = {file.stem.removesuffix("_SRDCF") for file in files}
    ours = {toolkit_name(name, "otb2015", "otb-mat") for name in ALL_NAMES["otb2015"]}
    # configSeqs.m spells this one differently; MATLAB on Windows ignores case.
    assert ours ^ official == {"fleetFace", "fleetface"}


def test_names_of_the_got10k_package() -> None:
    got10k = pytest.importorskip("got10k.datasets.otb")
    folders = got10k.OTB._OTB__version_dict[2015]
    twice = [f for f in folders for _ in range(2 if f in ("Jogging", "Skating2") else 1)]
    spelled = got10k.OTB._rename_seqs(None, sorted(twice))
    ours = {toolkit_name(name, "otb2015", "got10k") for name in ALL_NAMES["otb2015"]}
    assert ours == set(spelled)


@pytest.mark.parametrize("tracker", ["SiamRPN++", "DaSiamRPN", "SiamFC", "ATOM"])
def test_real_folders_match_completely(shared: Path, tracker: str) -> None:
    found = [f.stem for f in (shared / "data/otb2015/results" / tracker).glob("*.txt")]
    matched = SequenceNames(ALL_NAMES["otb2015"], "otb2015").match(found)
    assert sorted(matched) == sorted(ALL_NAMES["otb2015"])
    assert all(normalized(k) == normalized(v) for k, v in matched.items())


def test_two_files_of_one_sequence() -> None:
    with pytest.raises(ResultError, match=r"'JOGGING-1' and 'jogging\.1' both mean"):
        SequenceNames(OTB).match(["JOGGING-1", "jogging.1"])


def test_an_exact_name_wins_over_one_of_another_benchmark() -> None:
    """``Car4`` of OTB and ``car4`` of UAV123 in one folder."""
    for order in (["Car4", "car4"], ["car4", "Car4"]):
        assert SequenceNames(("Car4",), "otb2015").match(order) == {"Car4": "Car4"}
        assert SequenceNames(("car4",), "uav123").match(order) == {"car4": "car4"}
    names = SequenceNames(("Jogging-1",), "otb2015")
    assert names.match(["Jogging.1", "JOGGING_1"]) == {"Jogging-1": "Jogging.1"}


@pytest.mark.parametrize(
    ("benchmark", "spelling", "name"),
    [
        ("otb2015", "otb_Bolt", "Bolt"),
        ("otb2015", "OTB100-Jogging.1", "Jogging-1"),
        ("otb2015", "Jogging(1)", "Jogging-1"),
        ("otb2015", "Jogging (1)", "Jogging-1"),
        ("otb2015", "nfs_Bolt", None),
        ("otb2015", "uav_Bolt", None),
        ("uav123", "uav_Bolt", "Bolt"),
        ("uav123", "UAV123_Bolt", "Bolt"),
        ("otb2015", "Bolt(2)", None),
    ],
)
def test_prefixes_and_brackets(benchmark: str, spelling: str, name: str | None) -> None:
    assert SequenceNames(("Bolt", "Jogging-1", "Jogging-2"), benchmark).resolve(spelling) == name


def test_a_name_that_could_mean_two_sequences() -> None:
    with pytest.raises(ResultError, match="'A_1' could mean A-1 or a-1"):
        SequenceNames(("A-1", "a-1")).match(["A_1"])
    assert SequenceNames(("A-1", "a-1")).match(["A-1", "a-1"]) == {"A-1": "A-1", "a-1": "a-1"}


def test_unknown_names_are_ignored_and_get_the_nearest() -> None:
    assert SequenceNames(OTB).match(["Basketbal", "Car1"]) == {"Car1": "Car1"}
    assert hint("Basketbal", OTB) == " Did you mean 'Basketball'?"
    assert hint("?", OTB) == ""


NAMES = st.from_regex(r"[A-Za-z]{1,6}[0-9]{0,2}([-._][0-9]{1,2})?", fullmatch=True)


@given(st.lists(NAMES, unique=True))
def test_a_dataset_always_finds_its_own_names(names: list[str]) -> None:
    assert SequenceNames(tuple(names)).match(names) == {name: name for name in names}


@given(NAMES)
def test_normal_form_is_stable_and_keeps_letters_and_digits(name: str) -> None:
    once = normalized(name)
    assert normalized(once) == once
    assert [c for c in once if c.isalnum()] == [c for c in name.lower() if c.isalnum()]


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "a/b",
        "a\\b",
        "../x",
        ".hidden",
        "a\nb",
        "a\0b",
        "C:x",
        "a ",
        "a.",
        "x" * 201,
    ],
)
def test_unsafe_file_names(name: str) -> None:
    with pytest.raises(ConfigError, match="not a valid file name"):
        safe_file_name(name, "tracker name")


@pytest.mark.parametrize("name", ["SiamRPN++", "-3TIfnTSM6c_2", "Human4.2", "Ströck 3", "_x"])
def test_safe_file_names(name: str) -> None:
    assert safe_file_name(name, "sequence name") == name

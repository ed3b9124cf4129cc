"""``bench tables``: printed beside scored, on the miniature and on real raw results."""

from __future__ import annotations

import csv
import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from bench.cli.main import main
from bench.datasets import open_dataset
from bench.published.papers import paper_table
from bench.reports.paper import build_table
from bench.reports.section import ReportSection, open_section
from bench.reports.table import Table
from bench.results.importing import import_results
from bench.results.onepass import OnePassStore
from bench.results.vot.store import VotStore
from tests.conftest import Miniature

Bench = Callable[..., tuple[int, str, str]]

# Known differences, scored minus printed, in units of the last digit. DaSiamRPN scores .880687
# and SiamFC .586487, which round differently from print; SiamRPN++'s results are a re-run.
OTB = {
    "SiamRPN++": (-1, -9),
    "ATOM": (0, 0),
    "DaSiamRPN": (0, 1),
    "SiamFC": (-1, 0),
    "LADCF": (0, 0),
    "SRDCF": (0, -1),
}
LASOT = {"ATOM": (-0.1, 0.1), "DiMP50": (0.2, 0.9)}
CHALLENGE = ("LADCF", "SiamRPN", "UPDT", "ECO", "CCOT", "SiamFC")


@pytest.fixture(scope="module")
def mini(miniature: Miniature, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The miniature of UAV123 with results: run here, imported, broken and incomplete."""
    root = tmp_path_factory.mktemp("tables")
    miniature.into(root / "data", "uav123")
    words = ("run", "uav123", "--tracker", "static", "--name", "SiamAttn", *places(root))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["bench", *map(str, words)])
        with pytest.raises(SystemExit) as left:
            main()
    assert not left.value.code
    results = root / "results" / "uav123"
    for name in ("imported_1", "$broken|&", "unfinished"):
        shutil.copytree(results / "SiamAttn", results / name)
        (results / name / "run.json").write_text(json.dumps({"kind": "import"}))
    boxes = sorted(results.glob("SiamAttn/*.txt"))
    (results / "$broken|&" / boxes[0].name).write_text("no box\n")
    (results / "unfinished" / boxes[1].name).unlink()
    return root


def places(root: Path) -> tuple[object, ...]:
    return ("--data", root / "data", "--results", root / "results")


def lines_of(path: Path) -> dict[tuple[str, str, str], dict[str, str]]:
    """Lines of a written csv by row, kind and heading with its group."""
    with path.open(encoding="utf-8", newline="") as stream:
        return {(r["row"], r["kind"], r["group"] + r["column"]): r for r in csv.DictReader(stream)}


def test_every_row_states_its_source(bench: Bench, mini: Path) -> None:
    code, out, err = bench("tables", "2", *places(mini), "--out", mini / "out")
    assert code == 1  # since some results cannot be scored
    assert {path.name for path in (mini / "out").iterdir()} == {
        f"table2.{ending}" for ending in ("md", "tex", "csv", "html")
    }
    assert str(mini / "out" / "table2.tex") in out
    assert "MINIATURE" in out
    lines = lines_of(mini / "out" / "table2.csv")
    assert lines["SiamAttn", "printed", "Precision"]["value"] == "0.845"
    measured = lines["SiamAttn", "measured", "AUC"]
    assert 0 < float(measured["value"]) < 1
    assert lines["imported_1", "imported", "AUC"]["value"] == measured["value"]
    assert not any("scored − printed" in column for _, _, column in lines)
    for name in ("$broken|&", "unfinished"):
        line = lines[name, "imported", "AUC"]
        assert (line["value"], line["state"], line["mark"]) == ("", "broken", "")
        assert name in err
    assert "expected 4 numbers" in lines["$broken|&", "imported", "AUC"]["note"]
    text = (mini / "out" / "table2.md").read_text(encoding="utf-8")
    assert "no results here of ARCF, ECO," in text
    assert "generated video" in text


def test_partial_results_are_named_and_not_ranked(bench: Bench, mini: Path) -> None:
    out = mini / "partial"
    bench(
        "tables", "2", *places(mini), "--out", out, "--format", "csv", "--partial", "--intervals"
    )
    line = lines_of(out / "table2.csv")["unfinished", "imported", "AUC"]
    assert float(line["low"]) <= float(line["value"]) <= float(line["high"])
    assert "partial: 5 of 6 sequences" in line["note"]
    assert line["mark"] == ""


def test_tables_without_results_are_the_printed_ones(bench: Bench, tmp_path: Path) -> None:
    code, out, err = bench("tables", *places(tmp_path), "--out", tmp_path, "--format", "md,tex")
    assert code == 0
    assert len(out.splitlines()) == 6
    assert "TrackingNet: no results in" in err
    assert "0.537" in (tmp_path / "table1.md").read_text(encoding="utf-8")
    code, out, _ = bench("tables", "5,6", "7", "--out", tmp_path, "--format", "html")
    assert (code, len(out.splitlines())) == (0, 3)


def test_results_without_their_dataset_are_not_scored(
    bench: Bench, mini: Path, tmp_path: Path
) -> None:
    results = ("--results", mini / "results", "--out", tmp_path)
    bench("tables", "2", "--data", tmp_path / "none", *results, "--format", "csv")
    line = lines_of(tmp_path / "table2.csv")["SiamAttn", "measured", "AUC"]
    assert (line["state"], line["value"]) == ("unscored", "")
    assert "none" in line["note"]


def test_every_refused_tracker_has_its_own_reason(mini: Path, tmp_path: Path) -> None:
    for name in ("$broken|&", "unfinished"):
        shutil.copytree(mini / "results" / "uav123" / name, tmp_path / "uav123" / name)
    section = open_section(
        lambda: open_dataset("uav123", mini / "data" / "uav123"),
        OnePassStore(tmp_path, "uav123"),
        partial=False,
    )
    assert section.scores is None
    assert section.scorable
    assert list(section.refused) == list(section.provenance) == ["$broken|&", "unfinished"]
    assert "expected 4 numbers" in section.refused["$broken|&"]
    assert "1 of 6 sequences" in section.refused["unfinished"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("9",), "unknown table '9'"),
        (("2", "--format", "pdf"), "unknown format of tables 'pdf'"),
        (("2", "--same", "mine"), "--same expects NAME=PRINTED, found 'mine'"),
        (("2", "--same", "mine=SiamAtn"), "Did you mean 'SiamAttn'"),
        (("2", "--same", "mine=SiamAttn"), "named by --same, 'mine'"),
    ],
)
def test_mistakes_are_explained(
    bench: Bench, tmp_path: Path, words: tuple[str, ...], message: str
) -> None:
    code, _, err = bench("tables", *words, "--out", tmp_path)
    assert code == 1
    assert message in err


def vot_section(shared: Path, folder: Path, benchmark: str) -> ReportSection:
    (folder / benchmark).symlink_to(shared / "data" / benchmark / "results")
    store = VotStore(folder, benchmark, "baseline")
    annotations = shared / "data" / benchmark / "annotations"
    return open_section(lambda: open_dataset(benchmark, annotations), store)


@pytest.fixture(scope="module")
def vot(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> list[ReportSection]:
    folder = tmp_path_factory.mktemp("vot")
    return [vot_section(shared, folder, name) for name in ("vot2016", "vot2018")]


def differences(table: Table, label: str) -> dict[str, float | None]:
    """Of the scored row of a tracker, by key of the column."""
    (row,) = [row for row in table.rows if row.label == label and row.kind != "printed"]
    columns = [column for column in table.columns if column.key.endswith("-difference")]
    return {column.key.removesuffix("-difference"): row.cell(column).value for column in columns}


def test_challenge_figures_are_reproduced_to_the_printed_digit(vot: list[ReportSection]) -> None:
    table = build_table(paper_table("challenge"), vot[1:])
    for tracker in CHALLENGE:
        assert set(differences(table, tracker).values()) == {0.0}


def test_table_1_joins_both_challenges(vot: list[ReportSection]) -> None:
    table = build_table(paper_table("1"), vot, today=date(2026, 1, 2))
    for tracker in ("SiamFC", "CCOT", "SiamRPN"):  # the challenge's SiamRPN is DaSiamRPN
        found = differences(table, tracker)
        assert {found[f"vot2018-{m}"] for m in ("accuracy", "robustness", "eao")} == {0.0}
    assert differences(table, "ECO")["vot2018-eao"] == pytest.approx(0.004)  # the misprint
    rerun = differences(table, "SiamAttn-rerun")
    assert rerun["vot2018-robustness"] == pytest.approx(0.04)
    assert rerun["vot2018-eao"] == pytest.approx(-0.044)
    shown = {(row.label, row.kind): row for row in table.rows}
    assert list(shown)[-4:] == [(n, "imported") for n in ("MCCT", "TADT", "LADCF", "UPDT")]
    mcct = shown["MCCT", "imported"]
    assert round(mcct.cells["vot2016-eao"].value or 0, 3) == 0.393
    assert "vot2018-eao" not in mcct.cells
    assert table.notes[-1] == "Written on 2026-01-02."


def test_otb_differs_from_print_by_known_amounts(shared: Path, tmp_path: Path) -> None:
    data, store = shared / "data" / "otb2015", OnePassStore(tmp_path, "otb2015")
    dataset = open_dataset("otb2015", data / "annotations")
    for tracker in OTB:
        import_results(data / "results" / tracker, store, tracker, dataset)
    table = build_table(paper_table("otb"), [open_section(lambda: dataset, store)])
    assert not any(row.note for row in table.rows if "run record" in row.note)
    for tracker, units in OTB.items():
        found = differences(table, tracker)
        for measure, unit in zip(("success", "precision"), units, strict=True):
            assert found[f"otb2015-{measure}"] == pytest.approx(unit / 1000, abs=1e-9)


def test_table_3_on_all_280_sequences(shared: Path, tmp_path: Path) -> None:
    data, store = shared / "data" / "lasot", OnePassStore(tmp_path, "lasot")
    dataset = open_dataset("lasot", data / "annotations")
    for tracker in LASOT:
        import_results(data / "results" / tracker, store, tracker, dataset)
    same = {"DiMP50": "DiMP-50"}
    section = open_section(lambda: dataset, store, partial=True)
    table = build_table(paper_table("3"), [section], same=same)
    assert any("280 of 280 sequences" in note for note in table.notes)
    for tracker, (success, precision) in LASOT.items():
        found = differences(table, tracker)
        assert found["lasot-success"] == pytest.approx(success, abs=1e-9)
        assert found["lasot-normalized_precision"] == pytest.approx(precision, abs=1e-9)


def test_a_few_sequences_are_neither_ranked_nor_compared_with_print(
    shared: Path, tmp_path: Path
) -> None:
    (tmp_path / "vot2018").symlink_to(shared / "data" / "vot2018" / "results")
    whole = open_dataset("vot2018", shared / "data" / "vot2018" / "annotations")
    few = replace(whole, sequences=whole.sequences[:59])
    store = VotStore(tmp_path, "vot2018", "baseline")
    table = build_table(paper_table("challenge"), [open_section(lambda: few, store, partial=True)])
    assert not any(column.key.endswith("-difference") for column in table.columns)
    scored = [i for i, row in enumerate(table.rows) if row.kind != "printed"]
    assert scored
    assert not any(table.mark(i, column) for i in scored for column in table.columns)
    notes = " ".join(table.notes)
    assert "partial: 59 of 60 sequences" in notes
    assert "neither ranked nor compared" in notes


def test_complete_datasets_are_called_so(vot: list[ReportSection]) -> None:
    notes = build_table(paper_table("1"), vot).notes
    assert "VOT2016, VOT2018: complete: 60 of 60 sequences" in notes
    assert not any("fps" in note or "AR x" in note for note in notes)  # not in the table


def test_same_names_a_printed_row_for_other_results(vot: list[ReportSection]) -> None:
    table = build_table(paper_table("1"), vot, same={"LADCF": "SiamAttn"})
    found = differences(table, "LADCF")["vot2018-eao"]
    assert found == pytest.approx(0.389 - 0.470)

"""What changed since an earlier report."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from bench.errors import ConfigError
from bench.reports.page.changes import (
    FILE,
    Kept,
    KeptSection,
    KeptTracker,
    change_tables,
    read_kept,
)
from bench.reports.table import Table
from bench.results.onepass import OnePassStore
from tests.bench.reports.page.conftest import HOSTILE, Made, bench, near

BEFORE = KeptSection("OTB-2015", "otb", 100, "a", {"kcf": KeptTracker({"success": 0.5}, 0, "r")})


def changes(after: KeptSection, version: str = "1") -> list[Table]:
    old = Kept("then", "1", {"otb2015": BEFORE})
    return change_tables(old, Kept("now", version, {"otb2015": after}))


def cause(after: KeptSection) -> str:
    (table,) = changes(after)
    return table.rows[0].cells["why"].text


def tracker(success: float, missing: int = 0, results: str = "r") -> dict[str, KeptTracker]:
    return {"kcf": KeptTracker({"success": success}, missing, results)}


def test_nothing_changed() -> None:
    assert changes(BEFORE) == []
    assert changes(replace(BEFORE, trackers=tracker(0.5 + 1e-12))) == []


def test_causes_are_named() -> None:
    moved = replace(BEFORE, trackers=tracker(0.6))
    assert cause(moved).endswith("unknown, version 1 wrote both reports")
    assert "(1, now 2)" in changes(moved, version="2")[0].rows[0].cells["why"].text
    assert cause(replace(moved, convention="got")) == "another convention (otb, now got)"
    assert "(100, now 98)" in cause(replace(moved, sequences=98, annotation="b"))
    assert cause(replace(moved, annotation="b")) == "other annotation or other sequences"
    assert cause(replace(moved, trackers=tracker(0.6, 0, "s"))) == "other results"
    assert "0, now 2; other results" in cause(replace(moved, trackers=tracker(0.6, 2, "s")))
    assert cause(replace(moved, trackers=tracker(0.6, 0, ""))) == "results of unknown content"


def test_a_small_change_is_printed_with_the_digits_it_needs() -> None:
    (table,) = changes(replace(BEFORE, trackers=tracker(0.50001)))
    assert table.rows[0].cells["change"].decimals == 6
    assert table.rows[0].cells["change"].value == pytest.approx(1e-5)


def test_benchmarks_that_a_report_leaves_out_have_not_gone() -> None:
    keys = ("uav123", "uav123-10fps", "vot2018", "vot2018-unsupervised")
    old = Kept("then", "1", dict.fromkeys(keys, BEFORE))
    assert list(old.of(["uav123"]).sections) == ["uav123"]
    assert list(old.of(["vot2018"]).sections) == ["vot2018", "vot2018-unsupervised"]
    assert change_tables(old.of(["uav123"]), Kept("now", "1", {"uav123": BEFORE})) == []
    assert len(change_tables(old, Kept("now", "1", {"uav123": BEFORE}))[0].rows) == 3


def test_two_reports_are_compared(made: Made, tmp_path: Path) -> None:
    results, out = tmp_path / "results", tmp_path / "report"
    shutil.copytree(made.results, results)
    store = OnePassStore(results, "otb2015")
    for name in ("half", "broken"):
        shutil.rmtree(store.folder(name))
    shutil.rmtree(store.folder("steady"))
    for sequence in made.dataset("otb2015").sequences:
        store.write("steady", sequence, near(sequence, 9.0))
        store.write("late", sequence, near(sequence, 1.0))
    options = ("--data", made.data, "--results", results, "--out", out, "--videos", "none")
    bench("report", *options, "--since", made.report)
    page = (out / "changes.html").read_text(encoding="utf-8")
    assert page.count("other results") > 0
    assert 'href="trackers/late.html"' in page
    assert "went, or is no longer scored" in page
    assert HOSTILE not in page
    assert str(tmp_path) not in page + (out / FILE).read_text(encoding="utf-8")
    assert "changes.html" in (out / "otb2015/Crossing.html").read_text(encoding="utf-8")
    bench("report", *options, "--since", out)  # which this one replaces
    assert "No figure moved" in (out / "changes.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{", '{"written": 1, "version": 2, "sections": {"a": 3}}',
     json.dumps({"written": "", "version": "", "sections": {"a": {"title": "", "convention": "",
     "sequences": 1, "annotation": "", "trackers": {"t": {"measures": {"s": "x"}}}}}})],
)  # fmt: skip
def test_malformed_scores_are_one_message(content: str, tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(content)
    with pytest.raises(ConfigError, match=FILE):
        read_kept(tmp_path)


def test_a_folder_without_scores_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    done = bench("report", "--since", tmp_path, "--out", tmp_path / "out", code=1)
    assert "expected the folder of an earlier report" in done.stderr
    assert not (tmp_path / "out").exists()

"""The tables of an evaluation: facts a reader needs, and odd names that must stay names."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from bench.errors import ConfigError
from bench.reports.eval_tables import (
    breakdown_table,
    comparison_table,
    convention_table,
    eval_tables,
    rank_table,
)
from bench.reports.notes import heading_of, shareable, tracker_notes
from bench.reports.render import Document
from bench.reports.score_table import score_table, scores_csv, sequence_table
from bench.reports.table import Table
from bench.reports.terminal import as_text, print_tables
from bench.scores import BenchmarkScores, Caveat, TrackerScores

ODD = "[bold red]x_1[/] <b>&é"
MINIATURE = Caveat("miniature", "generated video, not the benchmark")


def tracker(success: float, **more: Any) -> TrackerScores:
    names = ("success", "precision", "normalized_precision", "success_rate_50")
    measures = {**dict.fromkeys(names, success), "success_rate_75": 0.1, "fps": 31.25}
    intervals = dict.fromkeys([*names, "success_rate_75"], (success - 0.1, success + 0.1))
    parts = {"FM": {**measures, "sequences": 2}}
    return TrackerScores(
        measures, intervals, dict.fromkeys(("a", "b"), measures), parts, curves={}, **more
    )


def scores(**more: Any) -> BenchmarkScores:
    given = {"caveats": (MINIATURE,), "partial": True, "source": "somewhere.m", **more}
    trackers = given.pop(
        "trackers", {"low": tracker(0.25, notes=("odd rows",)), ODD: tracker(0.5)}
    )
    return BenchmarkScores("otb2015", "otb", 2, trackers=trackers, thresholds={}, **given)


def part(success: float) -> TrackerScores:
    return tracker(success, missing=("b",), partial=True)


def printed(tables: Iterable[Table]) -> str:
    console = Console(file=io.StringIO(), width=120)
    print_tables(console, tables)
    return console.file.getvalue()  # type: ignore[attr-defined,no-any-return]


def labels(table: Table) -> list[str]:
    return [row.label for row in table.rows]


def test_best_first_with_interval_and_every_note() -> None:
    text = printed(eval_tables([scores()]))
    assert text.index(ODD) < text.index("low")
    for part_of_it in (".400–.600", "31.2", "MINIATURE", str(MINIATURE), "somewhere.m", "95 %"):
        assert part_of_it in text
    assert "low: odd rows" in text


def test_every_note_is_printed_once() -> None:
    table = score_table(scores())
    assert printed([table, table]).count("somewhere.m") == 1


def test_partial_trackers_follow_the_complete_ones_without_rank_or_mark() -> None:
    table = score_table(scores(trackers={"part": part(0.9), "low": tracker(0.2), "b": part(0.3)}))
    assert labels(table) == ["low", "part", "b"]
    assert [row.rank for row in table.rows] == [1, None, None]
    assert [row.share for row in table.rows] == ["", "1 of 2", "1 of 2"]
    assert not any(table.mark(1, column) for column in table.columns)
    assert "part (1 of 2)" in printed([table])


def test_best_and_second_are_marked_but_not_for_speed() -> None:
    table = score_table(scores())
    success, fps = table.columns[0], table.columns[-1]
    assert [table.mark(i, success) for i in (0, 1)] == ["best", "second"]
    assert (fps.key, table.mark(0, fps)) == ("fps", None)
    alone = score_table(scores(trackers={"low": tracker(0.2)}))
    assert alone.mark(0, success) is None


def test_headings_call_results_partial_only_if_one_shown_is() -> None:
    trackers = {"a": tracker(0.3)}
    refused = {"b": "no result for 1 of 2 sequences"}
    complete = scores(caveats=(), trackers=trackers, refused=refused)
    assert heading_of(complete) == "OTB-2015"
    assert heading_of(scores(caveats=(), trackers={"a": part(0.3)})) == "OTB-2015, PARTIAL RESULTS"
    assert heading_of(scores()) == "OTB-2015, MINIATURE"


def test_refused_trackers_keep_a_row_and_their_reason() -> None:
    table = score_table(scores(refused={"third": "file.txt:1: no number"}))
    assert "not scored" in printed([table]).split("third")[1]
    assert "no number" in Document.of(table).to_markdown()


def test_scores_without_any_tracker_are_a_table_of_reasons() -> None:
    none = scores(trackers={}, refused={"a": "broken"})
    assert "not scored" not in printed(eval_tables([none], ["attribute"])).split("broken")[0]
    assert labels(score_table(none)) == ["a"]
    assert "broken" in Document.of(score_table(none)).to_html()


def test_columns_without_any_value_are_left_out_and_others_added() -> None:
    timeless = replace(tracker(0.2), measures={"success": 0.2, "coverage": 1.0})
    table = score_table(scores(trackers={"t": timeless}))
    assert [column.key for column in table.columns] == ["success", "coverage"]


def test_control_characters_do_not_reach_the_terminal() -> None:
    text = printed([score_table(scores(trackers={"\x1b[31mred\x07\u202e": tracker(0.2)}))])
    assert "red" in text
    assert not set("\x1b\x07\u202e") & set(text)


def test_plain_text_has_no_colours_and_no_notes() -> None:
    text = as_text(score_table(scores()))
    assert ODD in text
    assert "\x1b" not in text
    assert "somewhere.m" not in text


def test_known_figures_follow_the_scores_of_a_registered_tracker() -> None:
    text = printed(eval_tables([scores(trackers={"siamattn": tracker(0.2)})]))
    known = text[text.index("Known figures") :]
    assert "siamattn, printed" in known
    assert known.index("0.712") < known.index("0.926")
    assert "Known figures" not in printed(eval_tables([scores()]))


def test_conventions_are_side_by_side_with_their_reasons() -> None:
    other = scores(
        differences=("frames with NaN are left out",),
        refused={"low": "a NaN"},
        trackers={ODD: tracker(0.4)},
    )
    other = replace(other, convention="pysot")
    table = convention_table([scores(), other])
    assert labels(table) == [ODD, "low"]
    assert {column.group for column in table.columns} == {"otb", "pysot"}
    text = printed([table])
    assert text.split("low")[1].split("\n")[0].split()[-2:] == ["not", "scored"]
    assert "frames with NaN are left out" in text
    assert "pysot refuses low: a NaN" in text


@pytest.mark.parametrize("by", ["sequence", "attribute"])
def test_breakdown(by: str) -> None:
    text = printed([breakdown_table(scores(), by)])
    assert "0.500 / 0.500" in text
    assert ODD in text


def test_counts_that_differ_between_trackers_are_all_printed() -> None:
    fewer = tracker(0.2)
    fewer = replace(fewer, per_attribute={"FM": {**fewer.per_attribute["FM"], "sequences": 1}})
    table = breakdown_table(scores(trackers={"a": tracker(0.3), "b": fewer}), "attribute")
    assert table.rows[0].cells["count"].text == "1/2"


def test_comparison_needs_two_scored_trackers() -> None:
    text = printed([comparison_table(scores(), ODD, "low")])
    assert "+0.2500" in text
    assert "2/0 of 2" in text
    with pytest.raises(ConfigError, match="unknown scored tracker 'lo'"):
        comparison_table(scores(), "lo", "low")
    with pytest.raises(ConfigError, match="one and the same"):
        comparison_table(scores(), "low", "low")


def test_ranks_are_sorted_by_their_mean() -> None:
    ranks = {"accuracy": {"low": 2.0, ODD: 1.0}, "robustness": {"low": 1.0, ODD: 1.0}}
    table = rank_table(scores(ranks=ranks))
    assert labels(table) == [ODD, "low"]
    assert table.rows[1].cells["mean"].value == 1.5


def test_a_sequence_has_a_table_of_its_own() -> None:
    table = sequence_table(scores(), "a")
    assert table.rows[0].cells["success"].value == 0.25


def test_equal_notes_name_their_trackers_in_one_line() -> None:
    many = {f"t{i}": tracker(0.1, notes=("odd rows",)) for i in range(8)}
    (note,) = tracker_notes(scores(trackers=many))
    assert note == "t0, t1, t2, t3, t4 and 3 more: odd rows"


def test_csv_keeps_full_precision_and_the_caveats() -> None:
    rows = list(csv.DictReader(io.StringIO(scores_csv([scores()]))))
    assert len(rows) == 2 * 6
    assert rows[0]["tracker"] == ODD
    assert float(rows[0]["value"]) == 0.5
    assert all(row["caveat"] == "miniature" and row["partial"] == "True" for row in rows)
    first = [row for row in rows if row["notes"]]
    assert [row["tracker"] for row in first] == [ODD, "low"]  # once for each
    assert all("miniature: generated video" in row["notes"] for row in first)
    assert "odd rows" in first[1]["notes"]
    fps = next(row for row in rows if row["measure"] == "fps")
    assert (fps["low"], fps["high"]) == ("", "")


def test_csv_calls_only_partial_trackers_partial_on_a_whole_dataset() -> None:
    trackers = {"a": tracker(0.3), "b": part(0.2)}
    whole = replace(scores(caveats=(), trackers=trackers), sequences=100)
    rows = csv.DictReader(io.StringIO(scores_csv([whole])))
    assert {(row["tracker"], row["partial"]) for row in rows} == {("a", "False"), ("b", "True")}


def test_a_table_writes_itself_in_every_language() -> None:
    document = Document.of(score_table(scores()))
    assert "\\begin{tabular}" in document.to_latex()
    assert "**0.500**" in document.to_markdown()
    assert "<strong>0.500</strong>" in document.to_html()
    assert document.to_csv().startswith("table,row,")


def test_csv_runs_nothing_in_a_spreadsheet_and_names_no_folder() -> None:
    names = ("=cmd|' /C calc'!A0", "+1", "-2", "@x", "\t=3")
    notes = ("=1+1", "/home/me/private/res/a.txt:1: odd")
    text = scores_csv([scores(trackers={name: tracker(0.3, notes=notes) for name in names})])
    rows = list(csv.DictReader(io.StringIO(text)))
    assert {row["tracker"] for row in rows} == {f"'{name.strip()}" for name in names}
    assert not any(cell.startswith(("=", "+", "@")) for row in rows for cell in row.values())
    assert "/home" not in text
    table = breakdown_table(scores(trackers={"=1": tracker(0.3)}), "attribute")
    lines = csv.DictReader(io.StringIO(Document.of(table).to_csv()))
    assert {line["group"] for line in lines} == {"", "'=1"}


def test_notes_of_a_table_are_in_its_csv_once() -> None:
    rows = list(csv.DictReader(io.StringIO(Document.of(score_table(scores())).to_csv())))
    assert [bool(row["table_notes"]) for row in rows] == [True] + [False] * (len(rows) - 1)


def test_many_notes_alike_are_one_line_and_few_are_kept() -> None:
    sequences = {f"s{i}": {"success": 0.5} for i in range(280)}
    many = {
        f"t{i}": replace(
            tracker(0.3, notes=tuple(f"{name}: {i + 1} more rows" for name in sequences)),
            per_sequence=sequences,
        )
        for i in range(20)
    }
    (note,) = tracker_notes(scores(trackers=many))
    assert note == (
        "t0, t1, t2, t3, t4 and 15 more: s0: 1 more rows; and the like on 5599 more results"
    )
    text = scores_csv([scores(trackers=many)])
    assert text.count("and the like on 279 more results") == 20
    few = replace(many["t0"], notes=many["t0"].notes[:3])
    assert len(tracker_notes(scores(trackers={"few": few}))) == 3
    counts = {f"t{i}": tracker(0.3, notes=(f"{i} rows are invalid",)) for i in range(9)}
    assert len(tracker_notes(scores(trackers=counts))) == 9  # a number of each tracker


def test_a_breakdown_by_what_is_not_there_is_a_sentence() -> None:
    without = replace(tracker(0.3), per_attribute={})
    text = printed(eval_tables([scores(trackers={"a": without})], ["attribute"]))
    assert "by attribute: this folder of OTB-2015 has no attributes" in text
    assert text.count("convention otb") == 2  # title and note: no second, empty table


def test_results_that_lack_sequences_are_marked_in_every_table() -> None:
    mixed = scores(caveats=(), trackers={"whole": tracker(0.3), "part": part(0.9)})
    for by in ("sequence", "attribute"):
        groups = {column.group for column in breakdown_table(mixed, by).columns}
        assert {"whole", "part (1 of 2)"} <= groups
    assert labels(convention_table([mixed, mixed])) == ["whole", "part"]
    notes = " ".join(score_table(mixed).notes)
    assert "dataset: 2 of 100 sequences" in notes
    assert "complete" not in notes


def test_too_few_sequences_have_no_interval_instead_of_nan() -> None:
    two = {name: tracker(value) for name, value in (("a", 0.3), ("b", 0.5))}
    one = {n: replace(each, per_sequence={"a": each.measures}) for n, each in two.items()}
    text = printed([comparison_table(scores(trackers=one), "a", "b")])
    assert "nan" not in text


def test_files_that_are_passed_on_name_no_folder(tmp_path: Path) -> None:
    odd = tmp_path / "my own folder" / "kcf"
    odd.mkdir(parents=True)
    notes = (f"{odd}/Bolt.txt:3: expected 4 numbers", "C:\\Users\\me\\raw\\a.mat: damaged")
    private = scores(trackers={"a": tracker(0.3, notes=notes)}, refused={"b": f"{odd}: gone"})
    shared = shareable(private)
    assert shared.trackers["a"].notes == ("Bolt.txt:3: expected 4 numbers", "a.mat: damaged")
    assert shared.refused == {"b": "kcf: gone"}
    document = Document.of(score_table(private))
    for text in (document.to_markdown(), document.to_latex(), document.to_csv(),
                 document.to_html()):  # fmt: skip
        assert "own folder" not in text
        assert "Users" not in text
        assert "a.mat" in text

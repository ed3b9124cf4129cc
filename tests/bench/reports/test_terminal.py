"""What a reader of a table must see, and that odd names cannot break it."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import pytest
from rich.console import Console

from bench.errors import ConfigError
from bench.reports import terminal as tables
from bench.scores import BenchmarkScores, TrackerScores

ODD = "[bold red]x_1[/] <b>&é"


def scores(**more: object) -> BenchmarkScores:
    def tracker(success: float, *notes: str) -> TrackerScores:
        names = ("success", "precision", "normalized_precision", "success_rate_50")
        measures = {**dict.fromkeys(names, success), "success_rate_75": 0.1, "fps": 31.25}
        return TrackerScores(
            measures=measures,
            intervals=dict.fromkeys([*names, "success_rate_75"], (success - 0.1, success + 0.1)),
            per_sequence=dict.fromkeys(("a", "b"), measures),
            per_attribute={"FM": {**measures, "sequences": 2}},
            curves={},
            notes=notes,
        )

    rest = {"caveats": ("miniature: generated video, not the benchmark",), **more}
    return BenchmarkScores(
        benchmark="otb2015",
        convention="otb",
        sequences=2,
        partial=True,
        trackers={"low": tracker(0.25, "partial: 1 of 2 sequences"), ODD: tracker(0.5)},
        thresholds={},
        source="somewhere.m",
        **rest,  # type: ignore[arg-type]
    )


def printed(draw: object, *arguments: object) -> str:
    console = Console(file=io.StringIO(), width=120)
    draw(console, *arguments)  # type: ignore[operator]
    return console.file.getvalue()  # type: ignore[attr-defined,no-any-return]


def test_best_tracker_first_with_interval_and_every_footnote() -> None:
    text = printed(tables.print_scores, scores())
    assert text.index(ODD) < text.index("low")
    assert ".400–.600" in text
    assert "31.2" in text
    text += printed(tables.print_footnotes, [scores()])
    for words in ("MINIATURE", "generated video", "somewhere.m", "low: partial: 1 of 2", "95 %"):
        assert words in text


def test_control_characters_do_not_reach_the_terminal() -> None:
    found = scores()
    name = "\x1b[31mred\x07\u202e"
    text = printed(tables.print_scores, replace(found, trackers={name: found.trackers["low"]}))
    assert "red" in text
    assert not set("\x1b\x07\u202e") & set(text)


def test_siamattn_stands_beside_what_is_known_of_it() -> None:
    found = scores()
    text = printed(
        tables.print_scores, replace(found, trackers={"siamattn": found.trackers["low"]})
    )
    known = text[text.index("What is known of these trackers") :]
    assert "siamattn, printed" in known
    assert known.index("0.712") < known.index("0.926")
    assert "What is known" not in printed(tables.print_scores, found)


def test_conventions_stand_side_by_side_with_their_reasons() -> None:
    other = scores(differences=("frames with NaN are left out",), refused={"third": "NaN"})
    text = printed(tables.print_conventions, [scores(), other])
    assert "frames with NaN are left out" in text
    assert "refuses third: NaN" in text


@pytest.mark.parametrize("by", ["sequence", "attribute"])
def test_breakdown(by: str) -> None:
    text = printed(tables.print_breakdown, scores(), by)
    assert "0.500 / 0.500" in text
    assert ODD in text


def test_comparison_needs_scored_trackers() -> None:
    text = printed(tables.print_comparison, scores(), ODD, "low")
    assert "+0.2500" in text
    assert "2/0 of 2" in text
    with pytest.raises(ConfigError, match="unknown scored tracker 'lo'"):
        printed(tables.print_comparison, scores(), "lo", "low")
    with pytest.raises(ConfigError, match="one and the same"):
        printed(tables.print_comparison, scores(), "low", "low")


def test_partial_results_are_marked_in_title_and_row() -> None:
    text = printed(tables.print_scores, replace(scores(caveats=()), sequences=5))
    assert "OTB-2015 (PARTIAL RESULTS), 5 sequences" in text
    assert "low (2/5)" in text


def test_csv_keeps_full_precision_and_the_caveats() -> None:
    rows = list(csv.DictReader(io.StringIO(tables.to_csv([scores()]))))
    assert len(rows) == 2 * 6
    assert rows[0]["tracker"] == ODD
    assert float(rows[0]["value"]) == 0.5
    assert all("miniature" in row["notes"] for row in rows)
    fps = next(row for row in rows if row["measure"] == "fps")
    assert (fps["low"], fps["high"]) == ("", "")

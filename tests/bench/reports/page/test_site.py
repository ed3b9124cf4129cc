"""The folder of a report: its contents, and that it appears whole or not at all."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from markupsafe import escape

from bench.arrays import Image
from bench.benchmarks import get_benchmark
from bench.datasets import open_dataset
from bench.errors import ConfigError, DatasetError
from bench.reports.escaping import without_folders
from bench.reports.page import Videos, absent_section, open_section, write_report
from bench.reports.page.render import Renderer
from bench.reports.page.tracker import tracker_parts
from bench.reports.section import ReportSection
from bench.results.onepass import OnePassStore
from bench.results.provenance import Provenance
from bench.sequence import Dataset, Sequence, Trajectory
from tests.bench.reports.page.conftest import HOSTILE, UNICODE, Made, bench
from tests.bench.reports.plots.conftest import vot


class Text(HTMLParser):
    """The text of a page, and the elements and attributes it has."""

    def __init__(self) -> None:
        super().__init__()
        self.text: list[str] = []
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def read(path: Path) -> Text:
    parser = Text()
    parser.feed(path.read_text(encoding="utf-8"))
    return parser


def row_of(page: str, name: str) -> str:
    """The row of the main table that begins with a name, tags taken off."""
    rows = re.findall(r"<tr.*?</tr>", page, flags=re.DOTALL)
    (row,) = (row for row in rows if f'<span class="name">{html.escape(name)}</span>' in row)
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", row)))


def test_every_link_leads_somewhere(made: Made) -> None:
    pages = list(made.report.rglob("*.html"))
    assert len(pages) == 2 + 6 + 6 + 4 + 5
    for page in pages:
        for tag, attributes in read(page).found:
            target = attributes.get("href") or attributes.get("src")
            if target and tag in ("a", "script", "link") and not target.startswith("data:"):
                file, _, part = target.partition("#")
                there = page.parent / file if file else page
                assert there.is_file(), f"{page.name}: {target}"
                assert not part or f'id="{part}"' in there.read_text(encoding="utf-8"), target


def test_nothing_comes_from_a_network(made: Made) -> None:
    for page in made.report.rglob("*.html"):
        for tag, attributes in read(page).found:
            for key in ("src", "href"):
                assert not (attributes.get(key) or "").startswith(("http", "//")), (page, tag)


def test_names_stay_text(made: Made) -> None:
    for page in made.report.rglob("*.html"):
        parsed = read(page)
        assert not [tag for tag, _ in parsed.found if tag in ("img", "b")], page
        assert not [a for _, a in parsed.found if any(k.startswith("on") for k in a)], page
    text = "".join(read(made.report / "otb2015.html").text)
    assert HOSTILE in text
    assert UNICODE in text


def test_broken_and_partial_results_are_not_zeros(made: Made) -> None:
    page = (made.report / "otb2015.html").read_text(encoding="utf-8")
    broken, half = row_of(page, "broken"), row_of(page, "half")
    assert "not scored" in broken
    assert "expected numbers, found '1,2,three,4'" in broken
    assert "0.000" not in broken
    assert "2 of 6 sequences" in half
    assert re.search(r"sequences – 0\.\d{3}", half), "a partial tracker has scores but no rank"


def tracker_page(made: Made, name: str) -> str:
    """The text of a tracker's page, found through the link of the overview."""
    overview = (made.report / "index.html").read_text(encoding="utf-8")
    shown = re.escape(str(escape(name)))
    link = re.search(rf'href="(trackers/[^"]+)"><span class="name">{shown}<', overview)
    assert link, name
    return " ".join(" ".join(read(made.report / link[1]).text).split())


def test_a_tracker_has_a_page_with_its_ranks_on_every_benchmark(made: Made) -> None:
    store = OnePassStore(made.results, "otb2015")
    scores = open_section(lambda: made.dataset("otb2015"), store).scores
    assert scores
    success = {name: each.measures["success"] for name, each in scores.trackers.items()}
    for rank, name in enumerate(("steady", HOSTILE, UNICODE), start=1):
        page = tracker_page(made, name)
        low, high = scores.trackers[name].intervals["success"]
        figure = f"{success[name]:.3f} {low:.3f} – {high:.3f} {rank} of 3"
        assert f"Success {figure}" in page
        assert "6 of 6" in page
    assert "VOT2018 EAO" in tracker_page(made, "steady")
    assert "no run.json beside these results" in page


def test_partial_and_broken_trackers_have_pages_without_ranks(made: Made) -> None:
    half, broken = tracker_page(made, "half"), tracker_page(made, "broken")
    assert re.search(r"Success 0\.\d{3} 0\.\d{3} – 0\.\d{3} – 2 of 6", half)
    assert "expected numbers, found '1,2,three,4'" in broken
    assert str(made.results) not in half + broken
    assert "0.000" not in broken


def test_best_and_worst_sequences_are_those_of_the_scores(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.reports.page.tracker.ENDS", 2)
    store = OnePassStore(made.results, "otb2015")
    section = open_section(lambda: made.dataset("otb2015"), store)
    (part,) = tracker_parts([section], "steady")
    assert section.scores
    values = section.scores.trackers["steady"].per_sequence
    order = sorted(values, key=lambda name: -values[name]["success"])
    assert [row.label for row in part.ends[0].rows] == order[:2]
    assert [row.label for row in part.ends[1].rows] == order[:-3:-1]


def test_missing_benchmarks_stay_visible(made: Made) -> None:
    overview = " ".join("".join(read(made.report / "index.html").text).split())
    for title in ("UAV123 missing", "LaSOT missing", "TrackingNet missing"):
        assert title in overview
    assert "OTB-2015 miniature" in overview
    lasot = "".join(read(made.report / "lasot.html").text)
    assert "<category>" in lasot


def test_caveats_and_notes_are_beside_the_numbers(made: Made) -> None:
    for page in ("otb2015.html", "vot2018.html", "index.html", "otb2015/Crossing.html"):
        text = "".join(read(made.report / page).text)
        assert "generated video, not the benchmark" in text, page
    otb = "".join(read(made.report / "otb2015.html").text)
    assert "convention otb" in otb
    assert "normalised precision is not in the official definition" in otb


def test_scored_rows_follow_printed_ones(made: Made) -> None:
    page = (made.report / "papers.html").read_text(encoding="utf-8")
    rows = re.findall(r"<tr.*?</tr>", page, flags=re.DOTALL)
    texts = [html.unescape(re.sub(r"<[^>]+>", " ", row)).split() for row in rows]
    assert any("SiamAttn" in text and "printed" in text for text in texts)
    assert any("steady" in text and "imported" in text for text in texts)
    assert "miniature" in page


def test_videos_of_the_first_sequences_only(made: Made) -> None:
    assert len(list(made.report.glob("video/otb2015/*.mp4"))) == 3
    assert len(list(made.report.glob("video/vot2018/*.mp4"))) == 3


def test_benchmarks_left_out_say_so(made: Made, tmp_path: Path) -> None:
    out = tmp_path / "some"
    options = ("--data", made.data, "--results", made.results, "--videos", "none")
    bench("report", *options, "--benchmarks", "vot2018", "--out", out)
    assert "Left out of this report" in (out / "otb2015.html").read_text()
    assert not (out / "video").exists()


def test_unknown_benchmark_is_one_message(made: Made, tmp_path: Path) -> None:
    done = bench("report", "-b", "vot2081", "--out", tmp_path / "x", code=1)
    assert "Did you mean 'vot201" in done.stderr


class Film:
    """Two grey frames and one that cannot be read."""

    def __len__(self) -> int:
        return 3

    def __getitem__(self, index: int) -> Image:
        if index == 2:
            raise DatasetError("frame 3 is lost")
        return np.full((48, 64, 3), 90, dtype=np.uint8)


def test_hidden_truth_and_lost_frames_still_give_a_page(tmp_path: Path) -> None:
    """TrackingNet's test set: one row of truth, so regions alone; and no video of lost frames."""
    sequence = Sequence("a#b", np.array([[5.0, 5.0, 20.0, 10.0]]), Film(), hidden=True)
    dataset = Dataset("trackingnet", tmp_path, (sequence,), expected=511)
    store = OnePassStore(tmp_path / "results", "trackingnet")
    boxes = np.tile([6.0, 5.0, 20.0, 10.0], (3, 1))
    store.write("mine", sequence, Trajectory(boxes, np.full(3, 0.1), np.full(3, np.nan)))
    section = open_section(lambda: dataset, store)
    assert section.status == "not scored"
    problems = write_report([section], tmp_path / "report", Videos("all"))
    assert len(problems) == 1
    assert "no video of a#b: frame 3 is lost" in problems[0]
    page = "".join(read(tmp_path / "report/trackingnet/a-b.html").text)
    assert "ground truth only on the evaluation server" in page
    overview = "".join(read(tmp_path / "report/index.html").text)
    assert "not scored" in overview
    assert "0.000" not in overview


def test_every_broken_result_is_named_with_its_own_reason(made: Made, tmp_path: Path) -> None:
    store = OnePassStore(tmp_path / "results", "otb2015")
    for name, text in (("first", "1,2,3"), ("second", "1,2,3,4,x")):
        for sequence in ("Board", "David"):
            path = store.boxes_path(name, sequence)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    section = open_section(lambda: made.dataset("otb2015"), store)
    write_report([section], tmp_path / "report", Videos())
    reasons = section.refused
    assert "second" in reasons["second"]
    assert "first" not in reasons["second"]
    for page in ("otb2015.html", "papers.html"):
        text = " ".join(read(tmp_path / "report" / page).text)
        assert without_folders(reasons["first"]) in text
        assert without_folders(reasons["second"]) in text
        assert str(tmp_path) not in text


def test_results_without_their_dataset_stay_visible(tmp_path: Path) -> None:
    store = OnePassStore(tmp_path / "results", "otb2015")
    sequence = Sequence("a", np.array([[5.0, 5.0, 20.0, 10.0]]))
    store.write("mine", sequence, Trajectory(np.ones((1, 4)), np.ones(1), np.ones(1)))
    section = open_section(lambda: open_dataset("otb2015", tmp_path / "none"), store)
    assert section.status == "not scored"
    write_report([section], tmp_path / "report", Videos())
    for page in ("index.html", "otb2015.html", "papers.html"):
        assert "mine" in " ".join(read(tmp_path / "report" / page).text)
    assert "no OTB-2015 dataset" in (section.problem or "")


def test_foreign_folders_are_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(ConfigError, match="found something else"):
        write_report([absent_section("lasot")], tmp_path, Videos())
    assert (tmp_path / "thesis.tex").read_text() == "mine"


def test_an_interrupted_report_leaves_the_earlier_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "report"
    write_report([absent_section("lasot")], folder, Videos())
    before = (folder / "index.html").read_bytes()

    def interrupted(self: Renderer) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(Renderer, "overview", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_report([absent_section("lasot")], folder, Videos())
    assert (folder / "index.html").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["report"]


def test_killed_between_two_renames_the_earlier_one_comes_back(tmp_path: Path) -> None:
    folder = tmp_path / "report"
    write_report([absent_section("lasot")], folder, Videos())
    folder.rename(tmp_path / ".report.earlier")
    bad = replace(absent_section("lasot"), problem="second")
    write_report([bad], folder, Videos())
    assert "second" in (folder / "index.html").read_text()
    assert [path.name for path in tmp_path.iterdir()] == ["report"]


def test_a_folder_that_cannot_be_made_is_one_message(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot be written"):
        write_report([absent_section("lasot")], tmp_path / "file" / "report", Videos())


def test_nothing_in_a_report_names_a_folder_of_this_machine(made: Made) -> None:
    home = str(made.report.parent)
    for path in (*made.report.glob("*.html"), *made.report.glob("*/*.html"),
                 *made.report.glob("data/**/*.js")):  # fmt: skip
        assert home not in path.read_text(encoding="utf-8"), path


def vot_section(names: tuple[str, ...], partial: str, sequences: int = 60) -> ReportSection:
    """Scored results of VOT2018, one of them of a single sequence."""
    scores = vot(names, sequences=sequences)
    trackers = {
        name: replace(each, missing=("a",) * (sequences - 1), partial=True)
        if name == partial
        else each
        for name, each in scores.trackers.items()
    }
    scores = replace(scores, trackers=trackers, partial=bool(partial))
    origins = dict.fromkeys(names, Provenance("measured"))
    return ReportSection(get_benchmark("vot2018"), "baseline", None, origins, None, scores)


def test_labels_are_of_what_is_shown(tmp_path: Path) -> None:
    """A card of complete trackers is complete; the page with the partial one is partial."""
    write_report([vot_section(("a", "b", "c", "d"), "d")], tmp_path / "report", Videos())
    card = " ".join("".join(read(tmp_path / "report/index.html").text).split())
    assert "VOT2018 complete 60 of 60 sequences in the dataset" in card
    assert "4 trackers · 1 tracker with missing sequences" in card
    page = " ".join("".join(read(tmp_path / "report/vot2018.html").text).split())
    assert "VOT2018 partial 60 of 60 sequences in the dataset" in page
    assert "complete: 60" not in page
    write_report([vot_section(("a", "d"), "d")], tmp_path / "report", Videos())
    card = " ".join("".join(read(tmp_path / "report/index.html").text).split())
    assert "VOT2018 complete" in card  # only `a` has a place on the card
    write_report([vot_section(("d",), "d")], tmp_path / "report", Videos())
    card = " ".join("".join(read(tmp_path / "report/index.html").text).split())
    assert "VOT2018 partial" in card
    write_report([vot_section(("a", "b"), "")], tmp_path / "report", Videos())
    card = " ".join("".join(read(tmp_path / "report/index.html").text).split())
    assert "VOT2018 complete 60 of 60 sequences · 2 trackers" in card

"""``bench plots``, ``tables`` and ``eval`` for a paper: options, sets of figures, files."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

import bench as face
from bench.errors import ConfigError
from bench.reports.options import FigureOptions
from bench.reports.palette import PALETTE
from bench.reports.plots.failures import failure_map
from bench.results import open_store

Bench = Callable[..., tuple[int, str, str]]
FRAMES = 12
OURS = "#{:02x}{:02x}{:02x}".format(*PALETTE[0])


def write_boxes(path: Path, start: float) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{start + i},20,20,20\n" for i in range(FRAMES)))


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """Two clips of one's own, and results of three trackers."""
    for name in ("clip_a", "clip_b"):
        (tmp_path / "data" / name).mkdir(parents=True)
        for index in range(FRAMES):
            image = np.full((60, 80, 3), 40 + index, dtype=np.uint8)
            cv2.imwrite(str(tmp_path / "data" / name / f"{index + 1:04d}.jpg"), image)
        write_boxes(tmp_path / "data" / name / "groundtruth.txt", 5)
        for tracker, start in (("good", 6), ("bad", 42), ("fair", 8)):
            write_boxes(tmp_path / "results" / "folder" / tracker / f"{name}.txt", start)
    return tmp_path


def places(work: Path) -> tuple[object, ...]:
    return ("--data", work / "data", "--results", work / "results")


def written(work: Path, *names: str) -> list[str]:
    return [(work / "out" / name).read_text(encoding="utf-8") for name in names]


def test_a_paper_is_drawn_from_the_command_line(bench: Bench, work: Path) -> None:
    code, _, errors = bench(
        "plots", "folder", *places(work), "--out", work / "out", "--style", "paper", "--font",
        "serif", "--ours", "fair", "--label", "fair=Ours (new)", "--width", "12.2", "--trackers",
        "fair,good", "--legend", "inside", "--only", "success,attributes,failures,strip",
        "--format", "svg",
    )  # fmt: skip
    assert code == 1  # own clips have no attributes
    assert "attributes with a value" in errors
    code, _, errors = bench(
        "plots", "folder", *places(work), "--out", work / "out", "--style", "paper", "--font",
        "serif", "--ours", "fair", "--label", "fair=Ours (new)", "--width", "12.2", "--trackers",
        "fair,good", "--legend", "inside", "--only", "success,strip", "--format", "svg",
    )  # fmt: skip
    assert code == 0
    success, captions = written(work, "folder/success.svg", "folder/captions.md")
    assert f'width="{12.2 / 2.54 * 72:.6f}pt"' in success
    assert "Ours (new)</text>" in success
    assert "STIXGeneral" in success
    assert "bad" not in success + captions
    assert OURS in success
    assert "neither title nor notes" in errors
    assert "captions.md" in errors
    assert "Success on" in captions


def test_a_failure_map_says_who_is_lost_and_when(bench: Bench, work: Path) -> None:
    code, _, _ = bench(
        "plots", "folder", *places(work), "--out", work / "out", "--style", "paper", "--only",
        "failures", "--format", "svg,png", "--ours", "bad",
    )  # fmt: skip
    assert code == 0
    (text,) = written(work, "folder/failures.svg")
    for shown in ("clip_a", "Trackers that lost the target", "bad has lost the target"):
        assert shown in text
    (captions,) = written(work, "folder/captions.md")
    assert "2 of 2 sequences" in captions
    code, _, errors = bench(
        "plots", "folder", *places(work), "--out", work / "out", "--only", "failures", "-t", "good"
    )
    assert code == 1
    assert "no tracker loses a target" in errors


SET = """
style = "paper"
ours = "fair"
format = ["svg"]
only = ["success"]

[labels]
fair = "Ours"

[[figure]]
benchmark = "folder"
name = "all"

[[figure]]
benchmark = "folder"
name = "two"
trackers = ["bad", "fair"]
legend = "none"
labels = { bad = "Baseline" }
"""


def test_a_file_makes_a_set_of_figures(bench: Bench, work: Path) -> None:
    config = work / "figures.toml"
    config.write_text(SET)
    arguments = ("plots", "--config", config, *places(work), "--out", work / "out")
    assert bench(*arguments)[0] == 0
    everything, two, captions = written(work, "all/success.svg", "two/success.svg",
                                        "two/captions.md")  # fmt: skip
    colours = re.findall(r"stroke: (#[0-9a-f]{6})", two)
    assert OURS in colours
    assert set(colours) <= set(re.findall(r"stroke: (#[0-9a-f]{6})", everything))
    assert "Ours</text>" in everything
    assert "</text>" in two
    assert "Ours</text>" not in two  # a legend is not wanted
    assert r"\includegraphics{success}" in captions
    assert bench(*arguments)[0] == 0
    assert written(work, "all/success.svg", "two/success.svg") == [everything, two]
    assert bench(*arguments, "--style", "page")[0] == 0
    assert "<text" not in written(work, "all/success.svg")[0]  # a page has outlines of letters
    assert bench("plots", "otb2015", *arguments[1:])[0] == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("style = 3\n[[figure]]", "figures.toml: style: expected page, paper, slide, found 3"),
        ('colour = "red"\n[[figure]]', "unknown setting in figures.toml 'colour'"),
        ("figure = 1", "expected sections [[figure]]"),
        ("[[figure]]\nonly = ['success']", "says no benchmark"),
        ("[[figure]]\nbenchmark = 'folder'\npartial = 'yes'", "expected true or false"),
        ("[[figure]]\nbenchmark = 'folder'\nformat = ['jpg']", "unknown format 'jpg'"),
        ("[[figure]]\nbenchmark = 'fold'", "unknown benchmark"),
        ("[[figure]]\nbenchmark = 'folder'\nours = 'god'", "Did you mean 'good'"),
        ("[[figure]]\nbenchmark = 'folder'\n[[figure]]\nbenchmark = 'folder'",
         "give one of them a name"),
        ("[[figure]", "cannot be read as TOML"),
        ("", "expected a benchmark to draw"),
    ],
)  # fmt: skip
def test_a_wrong_file_says_what_is_wrong(
    bench: Bench, work: Path, text: str, message: str
) -> None:
    (work / "figures.toml").write_text(text)
    code, _, errors = bench(
        "plots", "--config", work / "figures.toml", *places(work), "--out", work / "out"
    )
    assert code == 1
    assert message in errors
    assert not (work / "out").exists()


def test_a_table_of_ones_own_comparison(bench: Bench, work: Path) -> None:
    out = work / "out"
    out.mkdir()
    code, _, errors = bench(
        "eval", "folder", *places(work), "--latex", out / "t.tex", "--markdown", out / "t.md",
        "--ours", "good", "--label", "good=Ours", "--sort", "precision", "--no-notes",
        "--per-sequence",
    )  # fmt: skip
    assert code == 0
    latex, markdown = written(work, "t.tex", "t.md")
    assert latex.index("fair") < latex.index(r"\textbf{Ours}")
    assert "minipage" not in latex
    assert r"clip\_a" in latex
    assert "**Ours**" in markdown
    assert "carry no notes" in errors
    code, _, errors = bench("eval", "folder", *places(work), "--sort", "precision")
    assert code == 1
    assert "add --latex FILE" in errors


def test_the_papers_tables_for_a_paper(bench: Bench, work: Path) -> None:
    out = work / "out"
    code, _, errors = bench(
        "tables", "otb", *places(work), "--out", out, "--format", "tex,md", "--no-kind",
        "--no-differences", "--no-notes", "--trackers", "SiamAttn,SiamRPN++,ATOM", "--ours",
        "SiamAttn", "--label", "SiamAttn=Ours", "--sort", "AUC",
    )  # fmt: skip
    assert code == 0
    latex, captions = written(work, "otb.tex", "captions.md")
    rows = [line.split(" & ")[0] for line in latex.splitlines() if line.endswith(r"\\")]
    assert rows == ["Tracker", "SiamRPN++", "ATOM", r"\textbf{Ours}"]
    assert "minipage" not in latex
    assert "0.696?" in latex  # a doubtful figure stays marked
    assert "SiamRPN++: " in captions
    assert "captions.md" in errors
    code, _, errors = bench("tables", "otb", *places(work), "--out", out, "--trackers", "SiamAtn")
    assert code == 1
    assert "Did you mean 'SiamAttn'" in errors


def test_python_takes_the_same_options(work: Path) -> None:
    data = face.load("folder", work / "data")
    scores = face.evaluate(work / "results", data)
    plot = face.plot(scores, "success", style="paper", ours="bad", labels={"bad": "Ours"},
                     width=12.2, legend="none", font="serif")  # fmt: skip
    assert plot.figure.get_size_inches()[0] == pytest.approx(12.2 / 2.54)
    assert plot.figure.axes[0].get_lines()[-1].get_color() == OURS
    assert plot.caption.startswith("Success on ")
    latex = scores.table(ours="good", labels={"good": "Ours"}, sort="precision").to_latex()
    assert r"\textbf{Ours}" in latex
    assert "clip\\_a" in scores.table("sequence", notes=False).to_latex(width="text")
    with pytest.raises(ConfigError, match="unknown breakdown 'day'"):
        scores.table("day")
    with pytest.raises(ConfigError, match="unknown option of figures 'colour'"):
        face.plot(scores, "success", colour="red")


def test_python_warns_of_what_a_paper_does_not_show(work: Path) -> None:
    (work / "results" / "folder" / "bad" / "clip_b.txt").unlink()
    data = face.load("folder", work / "data")
    scores = face.evaluate(work / "results", data, partial=True)
    with pytest.warns(UserWarning, match="does not say PARTIAL RESULTS"):
        plot = face.plot(scores, "success", style="paper")
    assert "PARTIAL RESULTS" in plot.caption


def test_labels_of_a_set_hold_for_all_of_its_figures(bench: Bench, work: Path) -> None:
    """Also a label of a tracker that has results on another benchmark only."""
    write_boxes(work / "results" / "otb2015" / "elsewhere" / "Board.txt", 5)
    more = SET.replace('"none"', '"below"').replace(
        'fair = "Ours"', 'fair = "Ours"\nelsewhere = "E"'
    )
    (work / "figures.toml").write_text(more)
    code, _, _ = bench(
        "plots", "--config", work / "figures.toml", *places(work), "--out", work / "out"
    )
    assert code == 0
    (two,) = written(work, "two/success.svg")
    assert "Ours</text>" in two
    assert "Baseline</text>" in two


def test_a_failure_map_counts_the_trackers_lost_in_each_part(work: Path) -> None:
    """Of the three only ``bad`` is lost, in all frames but the first; then ``fair`` in the end."""
    end = [f"{8 + i},20,20,20" if i < FRAMES / 2 else "70,1,5,5" for i in range(FRAMES)]
    (work / "results" / "folder" / "fair" / "clip_b.txt").write_text("\n".join(end))
    data = face.load("folder", work / "data")
    scores = face.evaluate(work / "results", data)
    store = open_store(work / "results", "folder")
    plot = failure_map(scores, data, store, options=FigureOptions(ours="fair"))
    panel = plot.figure.axes[0]
    assert [text.get_text() for text in panel.get_yticklabels()] == ["clip_b", "clip_a"]
    parts = np.asarray(panel.get_images()[0].get_array())
    assert parts.shape == (2, 60)
    assert parts[:, 0].tolist() == [0, 0]
    assert set(parts[0, 10:29]) == {1}
    assert set(parts[0, 31:]) == {2}
    assert set(parts[1, 10:]) == {1}
    _rules, strokes = panel.collections
    assert len(strokes.get_paths()) == 30
    assert "2 of 2 sequences, those with most losses first" in plot.notes

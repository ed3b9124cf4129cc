"""Every plot: legible, nothing cut off or overlapping, names unchanged, reproducible files."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import matplotlib
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from bench.errors import ConfigError
from bench.reports.options import COLUMN, PAGE
from bench.reports.palette import Look
from bench.reports.plots.captions import write_captions
from bench.reports.plots.catalogue import PLOTS, draw_plots, plots_of
from bench.reports.plots.style import styled
from bench.reports.text_drawing import legible
from bench.scores import BenchmarkScores, Caveat

Maker = Callable[..., BenchmarkScores]
CASES = [*(("onepass", name) for name in plots_of("onepass")),
         *(("baseline", name) for name in plots_of("baseline"))]  # fmt: skip


@pytest.fixture
def make(make_one_pass: Maker, make_vot: Maker) -> Callable[..., BenchmarkScores]:
    return lambda experiment, *rest: {"onepass": make_one_pass, "baseline": make_vot}[experiment](
        *rest
    )


def texts(figure: Figure) -> list[Text]:
    return [t for t in figure.findobj(Text) if t.get_visible() and t.get_text().strip()]


def words(figure: Figure) -> str:
    return "\n".join(text.get_text().replace("\n", " ") for text in texts(figure))


@pytest.mark.parametrize(("experiment", "plot"), CASES)
def test_everything_is_legible_and_inside(
    make: Maker, hostile: tuple[str, ...], experiment: str, plot: str
) -> None:
    names = (*hostile, *(f"tracker-{i}" for i in range(13)))
    figure = PLOTS[plot](make(experiment, names)).figure
    figure.draw_without_rendering()
    width, height = figure.get_size_inches() * figure.dpi
    assert figure.get_size_inches()[0] in (COLUMN, PAGE)
    assert min(text.get_fontsize() for text in texts(figure)) >= 7
    drawn = [(axes, axes.get_tightbbox()) for axes in figure.axes]
    drawn += [(each, each.get_window_extent()) for each in (*figure.legends, *figure.texts)]
    for part, box in drawn:
        assert box.x0 >= -1, part
        assert box.x1 <= width + 1, part
        assert box.y0 >= -1, part
        assert box.y1 <= height + 1, part


@pytest.mark.parametrize(("experiment", "plot"), CASES)
def test_title_panels_legend_and_footnote_do_not_overlap(
    make: Maker, experiment: str, plot: str
) -> None:
    figure = PLOTS[plot](make(experiment, tuple(f"tracker-{i}" for i in range(6)))).figure
    figure.draw_without_rendering()
    title, footnote = figure.texts  # the title is one of the figure's texts
    parts = [each.get_tightbbox() for each in figure.axes]
    parts += [each.get_window_extent() for each in (*figure.legends, footnote, title)]
    for i, first in enumerate(parts):
        for second in parts[i + 1 :]:
            across = min(first.x1, second.x1) - max(first.x0, second.x0)
            down = min(first.y1, second.y1) - max(first.y0, second.y0)
            assert min(across, down) < 2, (first, second)


@pytest.mark.parametrize(("experiment", "plot"), CASES)
def test_names_are_drawn_unchanged(
    make: Maker, hostile: tuple[str, ...], experiment: str, plot: str
) -> None:
    best = hostile[:5]
    figure = PLOTS[plot](make(experiment, best)).figure
    untimed = {best[1]} if plot == "speed" and experiment == "onepass" else set()
    for name in best:
        found = [t for t in texts(figure) if name in " ".join(t.get_text().split())]
        assert found, name
        assert not any(text.get_parse_math() for text in found)
        assert name in untimed or any("without times" not in text.get_text() for text in found)


@pytest.mark.parametrize(("experiment", "plot"), CASES)
def test_titles_name_stand_ins_and_partial_results(
    make: Maker, experiment: str, plot: str
) -> None:
    scores = make(experiment, ("a", "b"))
    mini = replace(scores, caveats=(Caveat("miniature", "generated video"),))
    assert "MINIATURE" in words(PLOTS[plot](mini).figure)
    tracker = replace(scores.trackers["a"], missing=("seq1", "seq2"), partial=True)
    partial = PLOTS[plot](replace(scores, trackers={**scores.trackers, "a": tracker})).figure
    assert "PARTIAL RESULTS" in words(partial)
    assert f"a ({scores.sequences - 2}/{scores.sequences})" in words(partial)
    unrelated = replace(scores, partial=True, refused={"c": "no result of Bolt"})
    assert "PARTIAL" not in words(PLOTS[plot](unrelated).figure)


@pytest.mark.parametrize(("experiment", "plot"), CASES)
def test_plots_fit_into_axes_of_ones_own(
    make: Maker, hostile: tuple[str, ...], experiment: str, plot: str
) -> None:
    scores = make(experiment, hostile[:3])
    figure = Figure(figsize=(12, 6))
    projection = "polar" if plot == "radar" else "rectilinear"
    other, axes = (figure.add_subplot(1, 2, i, projection=projection) for i in (1, 2))
    before = dict(matplotlib.rcParams)
    drawn = PLOTS[plot](scores, axes=axes)
    assert dict(matplotlib.rcParams) == before
    assert drawn.figure is figure
    assert drawn.notes == PLOTS[plot](scores).notes
    assert not figure.texts
    assert not other.has_data()
    assert axes.has_data()
    assert "OTB-2015" in axes.get_title(loc="left") or "VOT2018" in axes.get_title(loc="left")
    figure.savefig(io.BytesIO(), format="png")  # in the caller's style: names hold dollar signs


def test_a_radar_needs_polar_axes(make_one_pass: Maker) -> None:
    axes = Figure().add_subplot()
    with pytest.raises(ConfigError, match="polar"):
        PLOTS["radar"](make_one_pass(("a", "b")), axes=axes)


def test_looks_can_be_given(make_one_pass: Maker) -> None:
    looks = {"a": Look((1, 2, 3), "dot", "x")}
    (line, _) = reversed(
        PLOTS["success"](make_one_pass(("a", "b")), looks=looks).figure.axes[0].lines
    )
    assert line.get_color() == "#010203"


def test_notebooks_display_a_plot(make_vot: Maker, tmp_path: Path) -> None:
    plot = PLOTS["ranking"](make_vot(("a",)))
    assert plot._repr_png_().startswith(b"\x89PNG")
    plot.savefig(tmp_path / "a.svg")
    assert (tmp_path / "a.svg").read_bytes().startswith(b"<?xml")


@pytest.mark.parametrize(("experiment", "plot"), CASES)
def test_broken_results_are_named_and_not_drawn(make: Maker, experiment: str, plot: str) -> None:
    scores = replace(make(experiment, ("a", "b")), refused={"bro_ken": "no result of Bolt"})
    figure = PLOTS[plot](scores).figure
    (named,) = [text.get_text() for text in texts(figure) if "bro_ken" in text.get_text()]
    assert re.search("not drawn.*bro_ken", named)


def test_files_have_three_formats_and_are_reproducible(make_vot: Maker, tmp_path: Path) -> None:
    scores = make_vot(("a", "b"))
    for folder in ("one", "two"):
        drawn = draw_plots(scores, tmp_path / folder, ["ar"])
        assert [path.name for path in drawn.paths["ar"]] == ["ar.pdf", "ar.svg", "ar.png"]
    for ending, start in (("pdf", b"%PDF"), ("svg", b"<?xml"), ("png", b"\x89PNG")):
        first, second = ((tmp_path / f / f"ar.{ending}").read_bytes() for f in ("one", "two"))
        assert first.startswith(start)
        assert first == second
    assert len(list((tmp_path / "one").iterdir())) == 3


def test_settings_of_matplotlib_do_not_change(make_vot: Maker, tmp_path: Path) -> None:
    with matplotlib.rc_context({"font.size": 33, "text.parse_math": True}):
        before = dict(matplotlib.rcParams)
        draw_plots(make_vot(("a",)), tmp_path, ["ranking"], ["png"])
        assert dict(matplotlib.rcParams) == before
        with styled():
            assert matplotlib.rcParams["text.parse_math"] is False


def test_plots_of_another_experiment_are_skipped_or_refused(
    make_vot: Maker, tmp_path: Path
) -> None:
    scores = make_vot(("a", "b"))
    untimed = replace(scores.trackers["a"], measures={"eao": 0.4, "accuracy": 0.6})
    drawn = draw_plots(replace(scores, trackers={"a": untimed}), tmp_path, None, ["png"])
    assert set(drawn.skipped) == {"speed", "ar", "attributes"}  # differences need two
    assert "success" not in drawn.paths
    assert "ranking" in drawn.paths
    with pytest.raises(ConfigError, match="no success curve"):
        draw_plots(scores, tmp_path, ["success"])
    with pytest.raises(ConfigError, match=r"unknown plot 'sucess'.*Did you mean 'success'"):
        draw_plots(scores, tmp_path, ["sucess"])
    with pytest.raises(ConfigError, match="unknown format 'jpg'"):
        draw_plots(scores, tmp_path, ["ar"], ["jpg"])


def test_captions_have_every_note_escaped_and_no_folders(make_vot: Maker, tmp_path: Path) -> None:
    notes = tuple(f"note <b>{i}</b>" for i in range(20))
    scores = make_vot(("a_b",))
    noted = {"a_b": replace(scores.trackers["a_b"], notes=notes)}
    refused = {"<img>": "/home/me/results/<img>/Bolt.txt:3: expected 4 numbers"}
    whole = replace(scores, trackers=noted, refused=refused)
    said = {"ar": PLOTS["ar"](whole)}
    text = write_captions(whole, tmp_path, said).read_text()
    for i in range(20):
        assert f"ote \\<b\\>{i}\\</b\\> (a\\_b)." in text
    assert text.count("ote \\<b\\>7") == 1
    assert "## ar\n\nAR on VOT2018, baseline. F failures" in text
    assert "\\<img\\>: Bolt.txt:3: expected 4 numbers" in text
    assert "/home" not in text


def test_a_folder_in_the_way_is_an_error(make_vot: Maker, tmp_path: Path) -> None:
    (tmp_path / "ar.png").mkdir()
    with pytest.raises(ConfigError, match="cannot be written"):
        draw_plots(make_vot(("a",)), tmp_path, ["ar"], ["png"])
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="cannot be written"):
        draw_plots(make_vot(("a",)), tmp_path / "file", ["ar"], ["png"])


def test_long_names_are_cut_in_the_middle() -> None:
    assert legible("x" * 60) == "x" * 16 + "…" + "x" * 15

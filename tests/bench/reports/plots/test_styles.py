"""Figures for papers and talks: type, width, legend, our tracker, and what captions carry."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, fontManager
from matplotlib.text import Text
from matplotlib.textpath import TextPath

from bench.arrays import Image
from bench.errors import ConfigError
from bench.geometry import Regions
from bench.reports.options import COLUMN, PAGE, STYLES, FigureOptions, read_options
from bench.reports.overlay import layers
from bench.reports.palette import PALETTE, looks
from bench.reports.plots.captions import write_captions
from bench.reports.plots.catalogue import PLOTS, draw_plots, plots_of
from bench.reports.plots.strip import Row, strip
from bench.scores import BenchmarkScores, Caveat
from bench.sequence import Sequence

Maker = Callable[..., BenchmarkScores]
CASES = [*(("onepass", name) for name in plots_of("onepass")),
         *(("baseline", name) for name in plots_of("baseline"))]  # fmt: skip
NAMES = tuple(f"tracker-{i}" for i in range(6))
MANY = tuple(f"tracker-{i}" for i in range(30))
PAPER = FigureOptions(style="paper")


@pytest.fixture
def make(make_one_pass: Maker, make_vot: Maker) -> Callable[..., BenchmarkScores]:
    return lambda experiment, *rest: {"onepass": make_one_pass, "baseline": make_vot}[experiment](
        *rest
    )


def texts(figure: Figure) -> list[Text]:
    return [t for t in figure.findobj(Text) if t.get_visible() and t.get_text().strip()]


def inside(figure: Figure) -> bool:
    figure.draw_without_rendering()
    width, height = figure.get_size_inches() * figure.dpi
    drawn = [axes.get_tightbbox() for axes in figure.axes]
    drawn += [each.get_window_extent() for each in (*figure.legends, *figure.texts)]
    return all(
        box.x0 >= -1 and box.y0 >= -1 and box.x1 <= width + 1 and box.y1 <= height + 1
        for box in drawn
        if box is not None
    )


@pytest.mark.parametrize(("experiment", "plot"), CASES)
def test_a_paper_has_8_points_or_more_and_no_title_or_notes(
    make: Maker, experiment: str, plot: str
) -> None:
    drawn = PLOTS[plot](make(experiment, NAMES), options=PAPER)
    assert drawn.figure.texts == []
    assert drawn.figure.get_suptitle() == ""
    assert min(text.get_fontsize() for text in texts(drawn.figure)) >= 8
    assert drawn.figure.get_size_inches()[0] in (COLUMN, PAGE)
    assert inside(drawn.figure)
    assert drawn.notes == PLOTS[plot](make(experiment, NAMES)).notes


@pytest.mark.parametrize(("experiment", "plot"), CASES)
@pytest.mark.parametrize(("width", "font"), [("text", "sans"), ("12.2", "serif"), ("6", "sans")])
def test_everything_is_inside_at_any_width(
    make: Maker, experiment: str, plot: str, width: str, font: str
) -> None:
    options = read_options({"style": "paper", "width": width, "font": font})
    figure = PLOTS[plot](make(experiment, NAMES[:4]), options=options).figure
    inches = {"text": PAGE}.get(width) or float(width) / 2.54
    assert figure.get_size_inches()[0] == pytest.approx(inches)
    assert inside(figure)
    families = {family for text in texts(figure) for family in text.get_fontfamily()}
    assert families == {"STIXGeneral" if font == "serif" else "DejaVu Sans"}


@pytest.mark.parametrize(("experiment", "plot"), CASES)
def test_a_slide_has_large_type_and_a_title(make: Maker, experiment: str, plot: str) -> None:
    figure = PLOTS[plot](make(experiment, NAMES), options=FigureOptions(style="slide")).figure
    assert min(text.get_fontsize() for text in texts(figure)) >= 14
    assert figure.get_suptitle()
    assert figure.get_size_inches()[1] < 7.5, "a slide of 13.3 by 7.5 inches"
    assert inside(figure)


def test_no_footnote_leaves_the_page(make_one_pass: Maker) -> None:
    """Measured from the outlines of the letters, as a PDF has them."""
    note = "convention illegible, all of the 100 sequences filled with WWW and iii; " * 3
    noted = {"a": replace(make_one_pass(("a",)).trackers["a"], notes=(note,))}
    figure = PLOTS["success"](replace(make_one_pass(("a",)), trackers=noted)).figure
    for text in figure.texts:
        font = FontProperties(family=text.get_fontfamily(), weight=text.get_fontweight())
        left = text.get_position()[0] * figure.get_size_inches()[0] * 72
        for line in text.get_text().split("\n"):
            path = TextPath((0, 0), line, size=text.get_fontsize(), prop=font)
            assert left + path.get_extents().x1 < figure.get_size_inches()[0] * 72


def test_text_stays_text_in_pdf_and_svg(make_vot: Maker, tmp_path: Path) -> None:
    draw_plots(make_vot(("abc", "d")), tmp_path, ["ar"], ["pdf", "svg"], options=PAPER)
    pdf = (tmp_path / "ar.pdf").read_bytes()
    assert b"/Type0" in pdf
    assert b"/FontFile2" in pdf
    assert b"/Type3" not in pdf
    svg = (tmp_path / "ar.svg").read_text()
    assert re.search(r"<text [^>]*>\[0.400\] abc</text>", svg)


def test_ours_is_bold_first_in_colour_and_on_top(make_one_pass: Maker) -> None:
    scores, options = make_one_pass(NAMES), FigureOptions(style="paper", ours="tracker-3")
    figure = PLOTS["success"](scores, options=options).figure
    weights = {text.get_text(): text.get_fontweight() for text in figure.legends[0].get_texts()}
    assert [name for name, weight in weights.items() if weight == "bold"] == ["[0.640] tracker-3"]
    top = figure.axes[0].get_lines()[-1]
    assert top.get_color() == looks([], ours="tracker-3")["tracker-3"].hex
    assert top.get_color() == "#{:02x}{:02x}{:02x}".format(*PALETTE[0])
    assert top.get_linewidth() == max(line.get_linewidth() for line in figure.axes[0].get_lines())


@pytest.mark.parametrize("plot", ["success", "radar", "attributes", "ranking"])
def test_ours_is_named_however_low_it_ranks(make_one_pass: Maker, plot: str) -> None:
    options = FigureOptions(ours="tracker-29", labels={"tracker-29": "mine"})
    figure = PLOTS[plot](make_one_pass(MANY), options=options).figure
    assert any("mine" in text.get_text() for text in texts(figure))


def test_labels_replace_names_everywhere(make_one_pass: Maker) -> None:
    noted = {n: replace(t, notes=("a note",)) for n, t in make_one_pass(NAMES).trackers.items()}
    scores = replace(make_one_pass(NAMES), trackers=noted)
    options = FigureOptions(style="paper", labels={"tracker-0": "Ours $x$"})
    for name in plots_of("onepass"):
        drawn = PLOTS[name](scores, options=options)
        shown = " ".join(text.get_text() for text in texts(drawn.figure))
        assert "Ours $x$" in shown, name
        assert "tracker-0" not in shown + drawn.caption, name


def test_only_the_trackers_asked_for_are_shown(make_one_pass: Maker) -> None:
    options = FigureOptions(trackers=("tracker-5", "tracker-2"))
    figure = PLOTS["success"](make_one_pass(NAMES), options=options).figure
    shown = [text.get_text() for text in figure.legends[0].get_texts()]
    assert shown == ["[0.660] tracker-2", "[0.600] tracker-5"]


def test_those_shown_differ_in_colour_among_any_number(make_one_pass: Maker) -> None:
    for options in (FigureOptions(), FigureOptions(ours="tracker-20"),
                    FigureOptions(trackers=MANY[13:20])):  # fmt: skip
        plot = PLOTS["radar"](make_one_pass(MANY), options=options)
        colours = {key.artist.get_color() for key in plot.keys}
        assert len(plot.keys) == len(colours) == 7


@pytest.mark.parametrize("plot", ["success", "radar"])
def test_dashes_or_markers_tell_lines_apart_in_grey(make_one_pass: Maker, plot: str) -> None:
    keys = PLOTS[plot](make_one_pass(MANY[:12]), options=PAPER).keys
    drawn = {(str(key.artist._dash_pattern), key.artist.get_marker()) for key in keys}
    assert len(drawn) == len(keys)


def test_markers_tell_points_apart_in_grey(make_vot: Maker) -> None:
    keys = PLOTS["ar"](make_vot(NAMES), options=PAPER).keys
    assert len({key.artist.get_marker() for key in keys}) == len(NAMES)


def test_a_legend_stands_inside_only_where_no_curve_is_hidden(make_one_pass: Maker) -> None:
    inside_if_free = FigureOptions(style="paper", legend="inside")
    figure = PLOTS["success"](make_one_pass(("a", "b")), options=inside_if_free).figure
    assert figure.legends == []
    (axes,) = figure.axes
    legend = axes.get_legend()
    assert legend is not None
    figure.draw_without_rendering()
    box = legend.get_window_extent()
    for line in axes.get_lines():
        assert not line.get_path().transformed(line.get_transform()).intersects_bbox(box, False)
    crowded = PLOTS["success"](make_one_pass(MANY), options=inside_if_free).figure
    assert len(crowded.legends) == 1
    none = PLOTS["success"](make_one_pass(("a",)), options=FigureOptions(legend="none")).figure
    assert none.legends == []
    assert none.axes[0].get_legend() is None


def test_captions_carry_what_a_paper_leaves_out(make_one_pass: Maker, tmp_path: Path) -> None:
    scores = replace(
        make_one_pass(("a_b", "c")),
        caveats=(Caveat("miniature", "generated video"),), convention="pysot",
        differences=("boxes are rounded",), refused={"d": "no result of Bolt"},
    )  # fmt: skip
    drawn = draw_plots(scores, tmp_path, ["success", "sequences"], ["pdf"], options=PAPER)
    text = write_captions(scores, tmp_path, drawn.plots).read_text()
    for section in text.split("## ")[1:]:
        prose, latex = section.split("```latex")
        for said in ("MINIATURE", "generated video", "onvention pysot", "oxes are rounded",
                     "broken or missing: d"):  # fmt: skip
            assert said in prose, said
            assert said in latex, said
    assert r"\includegraphics{success}" in text
    assert r"\begin{figure}[t]" in text
    assert "tracker a\\_b" not in text


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"style": "papr"}, "expected page, paper, slide, found 'papr'"),
        ({"width": "wide"}, "expected column, text or 4 to 60 centimetres"),
        ({"width": 200}, "found 200"),
        ({"font": "nowhere.ttf"}, "a file that exists"),
        ({"legend": "left"}, "expected below, inside, none"),
        ({"labels": ["a"]}, "expected NAME=LABEL"),
        ({"labels": {"a": 3}}, "expected NAME=LABEL"),
        ({"trackers": 3}, "expected names"),
        ({"ours": 3}, "expected a name"),
        ({"colour": "red"}, "unknown option of figures"),
    ],
)
def test_a_wrong_option_says_what_is_right(values: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)):
        read_options(values)


def test_names_of_trackers_are_checked() -> None:
    for options in (FigureOptions(ours="b"), FigureOptions(labels={"b": "x"}),
                    FigureOptions(trackers=("b",))):  # fmt: skip
        with pytest.raises(ConfigError, match="unknown tracker with results 'b'"):
            options.check_names(["a"])
    with pytest.raises(ConfigError, match="a and b are both 'b'"):
        FigureOptions(labels={"a": "b"}).check_names(["a", "b"])


def test_a_font_of_ones_own(make_vot: Maker, tmp_path: Path) -> None:
    path = tmp_path / "mine.ttf"
    path.write_bytes(Path(fontManager.findfont("STIXGeneral")).read_bytes())
    drawn = PLOTS["ar"](make_vot(("a",)), options=read_options({"font": str(path)}))
    assert {f for t in texts(drawn.figure) for f in t.get_fontfamily()} == {"STIXGeneral"}
    (tmp_path / "no.ttf").write_text("no font")
    with pytest.raises(ConfigError, match=r"no.ttf: expected a TrueType or OpenType font"):
        read_options({"font": str(tmp_path / "no.ttf")})


@pytest.mark.parametrize(("experiment", "plot"), CASES)
def test_no_plot_has_a_blank_band(make: Maker, experiment: str, plot: str) -> None:
    figure = PLOTS[plot](make(experiment, NAMES), options=PAPER).figure
    figure.draw_without_rendering()
    boxes = [axes.get_tightbbox() for axes in figure.axes]
    boxes += [each.get_window_extent() for each in (*figure.legends, *figure.texts)]
    covered = sorted((box.y0, box.y1) for box in boxes if box is not None)
    end, gaps = 0.0, []
    for low, high in [*covered, (figure.bbox.height, figure.bbox.height)]:
        gaps.append((low - end) / figure.dpi)
        end = max(end, high)
    assert max(gaps) < 0.25 * PAPER.em, "inches"


def test_tags_are_words(make_vot: Maker) -> None:
    for name in ("radar", "attributes"):
        shown = " ".join(
            text.get_text() for text in texts(PLOTS[name](make_vot(NAMES), options=PAPER).figure)
        )
        assert "camera_motion" not in shown
        assert "camera" in shown


@pytest.mark.parametrize("count", [40, 100, 280])
def test_a_map_of_sequences_is_no_taller_than_it_must_be(make_one_pass: Maker, count: int) -> None:
    figure = PLOTS["sequences"](make_one_pass(NAMES, count), options=PAPER).figure
    width, height = figure.get_size_inches()
    assert height <= STYLES["paper"].tallest + 0.2
    assert height < 6 or width == PAGE


class Frames:
    """Frames of 320 x 240 with a bright square where the target is."""

    def __len__(self) -> int:
        return 3

    def __getitem__(self, index: int) -> Image:
        frame = np.full((240, 320, 3), 60, dtype=np.uint8)
        frame[100:110, 150:160] = 255
        return frame


@pytest.mark.parametrize(("side", "enlarged"), [(10, True), (80, False)])
def test_the_strip_enlarges_small_targets(side: int, enlarged: bool) -> None:
    box = [150.0, 100, side, side]
    clip = Sequence("clip", np.tile(box, (3, 1)), Frames())
    drawn = layers(clip, {"a": Regions.from_rows([np.array(box)] * 3)})
    plot = strip([Row(clip, drawn, (1,))], "title", [], options=PAPER)
    assert any("enlarged" in note for note in plot.notes) == enlarged
    (picture,) = [axes.get_images()[0].get_array() for axes in plot.figure.axes]
    bright = (np.asarray(picture)[..., :3] > 250).all(axis=2)
    assert (bright[300:, 400:].sum() > 50 * 50) == enlarged

"""Plots show the scores: positions, order, limits, gaps."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from matplotlib.figure import Figure

from bench.errors import ConfigError
from bench.geometry import Regions
from bench.reports.options import PAGE, STYLES, FigureOptions
from bench.reports.overlay import layers
from bench.reports.palette import looks
from bench.reports.plots import attributes, sequences, vot
from bench.reports.plots.catalogue import PLOTS
from bench.reports.plots.curves import ranking
from bench.reports.plots.entries import looks_of
from bench.reports.plots.strip import Row, even_frames, strip, telling_sequences
from bench.scores import BenchmarkScores
from bench.sequence import Sequence

Maker = Callable[..., BenchmarkScores]
MANY = tuple(f"tracker-{i}" for i in range(24))


def legend_of(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.legends[0].get_texts()]


def words(figure: Figure) -> str:
    return " ".join(text.get_text().replace("\n", " ") for text in figure.texts)


def test_success_is_the_stored_curve_with_its_score(make_one_pass: Maker) -> None:
    scores = make_one_pass(("a", "b", "c"))
    figure = PLOTS["success"](scores).figure
    assert legend_of(figure) == ["[0.700] a", "[0.680] b", "[0.660] c"]
    lines = figure.axes[0].get_lines()
    assert len(lines) == 3
    by_colour = {line.get_color(): line for line in lines}
    for name, look in looks("abc").items():
        line = by_colour[look.hex]
        assert tuple(line.get_xdata()) == scores.thresholds["success"]
        assert tuple(line.get_ydata()) == scores.trackers[name].curves["success"]
    assert "area under the curve" in words(figure)


def test_each_legend_has_its_own_order_and_each_tracker_one_look(make_one_pass: Maker) -> None:
    figure = PLOTS["precision"](make_one_pass(("a", "b", "c"))).figure
    assert legend_of(figure) == ["[0.320] c", "[0.310] b", "[0.300] a"]
    handles = figure.legends[0].get_lines()
    assert [h.get_color() for h in handles] == [looks("abc")[name].hex for name in "cba"]
    assert "value at 20 pixels" in words(figure)


@pytest.mark.parametrize("plot", ["success", "expected_overlap", "speed"])
def test_more_than_twenty_are_grey_and_the_plot_says_so(
    make_one_pass: Maker, make_vot: Maker, plot: str
) -> None:
    scores = (make_vot if plot == "expected_overlap" else make_one_pass)(MANY)
    figure = PLOTS[plot](scores).figure
    drawn = 23 if plot == "speed" else 24  # one has no times
    lines = [line for line in figure.axes[0].get_lines() if len(line.get_xdata()) != 2]
    grey = [line for line in lines if line.get_color() in ("0.82", "0.8")]
    assert (len(lines), len(grey)) == (drawn, 4)
    assert len(legend_of(figure)) == drawn - 4
    assert f"best {drawn - 4} of {drawn}" in words(figure)


def test_lines_with_the_same_colour_and_dashes_have_markers(make_one_pass: Maker) -> None:
    scores = make_one_pass(tuple(f"tracker-{i}" for i in range(60)))
    handles = PLOTS["success"](scores).figure.legends[0].get_lines()
    assert any(handle.get_marker() != "None" for handle in handles)
    styles = {(h.get_color(), str(h.get_linestyle()), str(h._dash_pattern), h.get_marker())  # type: ignore[attr-defined]
              for h in handles}  # fmt: skip
    assert len(styles) == 20


def test_partial_results_come_last(make_vot: Maker) -> None:
    scores = make_vot(("a", "b", "c"))
    partial = replace(scores.trackers["a"], missing=("seq1",), partial=True)
    trackers = {**scores.trackers, "a": partial}
    figure = PLOTS["expected_overlap"](replace(scores, trackers=trackers)).figure
    assert legend_of(figure) == ["[0.390] b", "[0.380] c", "[0.400] a (4/5)"]


def test_expected_overlap_shades_the_lengths_of_the_eao(make_vot: Maker) -> None:
    figure = PLOTS["expected_overlap"](make_vot(("a", "b"))).figure
    (band,) = figure.axes[0].patches
    assert (band.get_x(), band.get_x() + band.get_width()) == (100, 356)  # type: ignore[attr-defined]
    assert legend_of(figure) == ["[0.400] a", "[0.390] b"]
    estimated = PLOTS["expected_overlap"](replace(make_vot(("a",)), interval=(71, 84))).figure
    assert "71..84" in words(estimated)
    assert "not 100..356" in words(estimated)


def test_ar_shows_the_raw_values_with_both_intervals(make_vot: Maker) -> None:
    figure = vot.accuracy_robustness(make_vot(("a",))).figure
    axes = figure.axes[0]
    across, upright, point = axes.get_lines()
    assert point.get_xdata()[0] == pytest.approx(math.exp(-30 * 0.2 / 100))
    assert point.get_ydata()[0] == 0.6
    low, high = math.exp(-30 * 0.3 / 100), math.exp(-30 * 0.1 / 100)
    assert list(across.get_xdata()) == pytest.approx([low, high])
    assert list(upright.get_ydata()) == [0.5, 0.65]
    assert "S = 30" in axes.get_xlabel()


def test_ranking_has_the_best_on_top_with_its_interval(make_vot: Maker) -> None:
    scores = make_vot(("a", "b"))
    without = replace(scores.trackers["b"], measures={"accuracy": 0.5})
    figure = ranking(replace(scores, trackers={**scores.trackers, "c": without})).figure
    axes = figure.axes[0]
    assert [t.get_text() for t in axes.get_yticklabels()] == ["a  0.400", "b  0.390"]
    assert axes.get_ylim()[0] > axes.get_ylim()[1]
    assert list(axes.get_lines()[0].get_xdata()) == pytest.approx([0.35, 0.45])
    assert "without a value: c" in words(figure)


def test_speed_names_those_without_times(make_one_pass: Maker) -> None:
    figure = vot.speed(make_one_pass(("a", "b", "c"))).figure
    points = {line.get_xdata()[0]: line.get_ydata()[0] for line in figure.axes[0].get_lines()}
    assert points == pytest.approx({10: 0.7, 90: 0.66})
    axes = figure.axes[0]
    assert axes.get_xscale() == "log"
    assert axes.get_xlim() == (5, 100)
    ticks = zip(axes.get_xticks(), axes.get_xticklabels(), strict=True)
    assert [t.get_text() for at, t in ticks if 5 <= at <= 100] == ["5", "10", "20", "50", "100"]
    assert "without times: b" in words(figure)


def test_radar_runs_from_nothing_to_the_best_of_each_spoke(make_one_pass: Maker) -> None:
    scores = make_one_pass(("a", "b"))
    figure = attributes.radar(scores).figure
    low, top = figure.axes[0].get_lines()  # the best is drawn last
    assert list(top.get_ydata()) == [1] * 8
    assert low.get_ydata()[0] == pytest.approx(0.68 / 0.7)
    labels = [text.get_text() for text in figure.axes[0].get_xticklabels()]
    assert labels[0] == "OCC\n0.700"
    two = {k: v for k, v in scores.trackers["a"].per_attribute.items() if k in ("OCC", "SV")}
    few = replace(scores.trackers["a"], per_attribute=two)
    with pytest.raises(ConfigError, match="3 or more attributes"):
        attributes.radar(replace(scores, trackers={"a": few}))


def test_attributes_are_differences_from_the_best_or_from_ours(make_one_pass: Maker) -> None:
    scores = make_one_pass(("a", "b", "c"))
    for ours, others in (("", {"b": -0.02, "c": -0.04}), ("b", {"a": 0.02, "c": -0.02})):
        options = FigureOptions(ours=ours)
        plot = attributes.differences(scores, options=options)
        (axes,) = plot.figure.axes
        look = looks_of(scores, options)
        points = {
            line.get_color(): line for line in axes.get_lines() if line.get_marker() != "None"
        }
        assert set(points) == {look[name].hex for name in others}
        for name, by in others.items():
            np.testing.assert_allclose(points[look[name].hex].get_xdata(), by)
        against = ours or "a"
        assert axes.get_xlabel() == f"Success minus that of {against}"
        values = [text.get_text() for text in axes.texts]
        assert values[-1] == f"{0.7 - 0.02 * (against == 'b'):.3f}"  # the easiest: OCC
        assert any(f"Success of {against}" in note for note in plot.notes)
    with pytest.raises(ConfigError, match="need two trackers"):
        attributes.differences(make_one_pass(("a",)))


def test_an_attribute_without_a_value_is_named_and_not_zero(make_one_pass: Maker) -> None:
    scores = make_one_pass(("a", "b"))
    lacks = replace(scores.trackers["b"], per_attribute={"SV": {"success": 0.5, "sequences": 3}})
    mixed = replace(scores, trackers={**scores.trackers, "b": lacks})
    plot = attributes.differences(mixed)
    (points,) = [line for line in plot.figure.axes[0].get_lines() if line.get_marker() != "None"]
    assert np.isnan(points.get_xdata()).sum() == 6
    assert any(note.startswith("without a value: b on") and "OCC" in note for note in plot.notes)
    other_way = attributes.differences(mixed, options=FigureOptions(ours="b"))
    assert [text.get_text() for text in other_way.figure.axes[0].texts].count("–") == 6


def test_heat_map_is_the_table_with_gaps_crossed(make_one_pass: Maker) -> None:
    scores = make_one_pass(("a", "b"), 3)
    lacks = replace(scores.trackers["b"], per_sequence={"seq_2": {"success": 0.9}})
    figure = sequences.heat_map(replace(scores, trackers={**scores.trackers, "b": lacks})).figure
    axes = figure.axes[0]
    shown = np.ma.filled(axes.get_images()[0].get_array().astype(float), np.nan)
    expected = [[0, np.nan], [0.7 / 3, np.nan], [1.4 / 3, 0.9]]
    np.testing.assert_allclose(shown, expected)
    assert [t.get_text() for t in axes.get_yticklabels()] == ["seq_0", "seq_1", "seq_2"]
    crosses = [(line.get_xdata()[0], line.get_ydata()[0]) for line in axes.get_lines()]
    assert crosses == [(1, 0), (1, 1)]


def test_heat_map_of_lasot_runs_on_in_panels(make_one_pass: Maker) -> None:
    figure = sequences.heat_map(make_one_pass(MANY[:2], 280)).figure
    *panels, colours = figure.axes
    rows = [len(axes.get_yticks()) for axes in panels]
    assert sum(rows) == 280
    assert max(rows) <= 71
    assert "seq_0" in panels[0].get_yticklabels()[0].get_text()
    assert colours.get_xlabel() == "Success"


@pytest.mark.parametrize(("trackers", "count"), [(2, 280), (10, 280), (24, 60), (24, 400)])
def test_heat_maps_fit_a_page(make_one_pass: Maker, trackers: int, count: int) -> None:
    figure = sequences.heat_map(make_one_pass(MANY[:trackers], count)).figure
    width, height = figure.get_size_inches()
    assert width <= PAGE
    assert height < STYLES["page"].tallest + 1
    labels = [t.get_window_extent() for axes in figure.axes[:-1] for t in axes.get_yticklabels()]
    assert all(a.y0 >= b.y1 - 2 or a.x0 != b.x0 for a, b in pairwise(labels) if a.y0 > b.y0)


class Grey:
    """Plain frames of an odd size."""

    def __len__(self) -> int:
        return 20

    def __getitem__(self, index: int) -> np.ndarray:
        return np.full((60, 81, 3), 10 * index, dtype=np.uint8)


def test_strip_shows_the_frames_asked_for() -> None:
    clip = Sequence("cl_ip", np.tile([10.0, 10, 20, 20], (20, 1)), Grey(), first_frame=301)
    drawn = layers(clip, {"$a$": Regions.from_rows([])})
    assert even_frames(clip) == (4, 8, 11, 15)
    figure = strip([Row(clip, drawn, (0, 9)), Row(clip, drawn, (3,))], "title", ["note"]).figure
    shown = [axes for axes in figure.axes if axes.get_images()]
    assert [axes.texts[0].get_text() for axes in shown] == ["#301", "#310", "#304"]
    assert [axes.get_images()[0].get_array()[0, 0, 0] for axes in shown] == [0, 90, 30]
    assert shown[0].get_title(loc="left") == "cl_ip"
    assert legend_of(figure) == ["ground truth", "$a$"]
    with pytest.raises(ConfigError, match="expected frames 301 to 320, found 321"):
        strip([Row(clip, drawn, (20,))], "title", [])


def test_telling_sequences_are_those_of_disagreement(make_one_pass: Maker) -> None:
    scores = make_one_pass(("a", "b", "c"), 12)
    names = [f"seq_{i}" for i in range(12)]
    assert telling_sequences(scores, names, 2) == ["seq_11", "seq_10"]
    assert telling_sequences(scores, ["seq_3", "unscored"], 2) == ["seq_3", "unscored"]


def test_results_that_lack_sequences_are_hollow_and_thin(make_vot: Maker) -> None:
    scores = make_vot(("a", "b"))
    lacking = replace(scores.trackers["a"], missing=("seq1",), partial=True)
    mixed = replace(scores, trackers={**scores.trackers, "a": lacking})
    for plot in (vot.accuracy_robustness, vot.speed, ranking):
        drawn = plot(mixed)
        points = [line for line in drawn.figure.axes[0].get_lines() if line.get_marker() != "None"]
        faces = [line.get_markerfacecolor() for line in points]
        assert faces.count("white") == 1, plot
        assert any(note.startswith("hollow:") for note in drawn.notes)
        assert not any(note.startswith("hollow:") for note in plot(scores).notes)
    widths = [
        line.get_linewidth()
        for line in PLOTS["expected_overlap"](mixed).figure.axes[0].get_lines()
    ]
    assert sorted(widths) == [0.7, 1.2]


def test_spokes_end_at_the_best_complete_result(make_one_pass: Maker) -> None:
    scores = make_one_pass(("a", "b"))
    lacking = replace(scores.trackers["a"], missing=("seq_1",), partial=True)
    figure = PLOTS["radar"](replace(scores, trackers={**scores.trackers, "a": lacking})).figure
    ends = [label.get_text().split("\n")[1] for label in figure.axes[0].get_xticklabels()]
    assert ends[0] == "0.680"  # of b; a has 0.700

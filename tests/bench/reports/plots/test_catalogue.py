"""Every plot: legible, nothing cut off or overlapping, names as given, the same file twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import matplotlib
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from bench.errors import ConfigError
from bench.reports.plots.catalogue import PLOTS, draw_plots, plots_of, write_captions
from bench.reports.plots.style import COLUMN, PAGE, styled
from bench.reports.text_drawing import legible
from bench.scores import BenchmarkScores

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
    return "\n".join(text.get_text() for text in texts(figure))


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
def test_title_panels_legend_and_footnote_lie_apart(
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
def test_names_are_drawn_as_they_are(
    make: Maker, hostile: tuple[str, ...], experiment: str, plot: str
) -> None:
    best = hostile[:5]
    figure = PLOTS[plot](make(experiment, best)).figure
    untimed = {best[1]} if plot == "speed" and experiment == "onepass" else set()
    for name in best:
        found = [text for text in texts(figure) if name in text.get_text()]
        assert found, name
        assert not any(text.get_parse_math() for text in found)
        assert name in untimed or any("without times" not in text.get_text() for text in found)


@pytest.mark.parametrize(("experiment", "plot"), CASES)
def test_what_is_not_the_benchmark_says_so_in_capitals(
    make: Maker, experiment: str, plot: str
) -> None:
    scores = replace(make(experiment, ("a", "b")), caveats=("miniature: generated video",))
    assert "MINIATURE" in words(PLOTS[plot](scores).figure)
    assert "PARTIAL" in words(PLOTS[plot](replace(scores, caveats=(), partial=True)).figure)


@pytest.mark.parametrize(("experiment", "plot"), CASES)
def test_broken_results_are_named_and_not_drawn(make: Maker, experiment: str, plot: str) -> None:
    scores = replace(make(experiment, ("a", "b")), refused={"bro_ken": "no result of Bolt"})
    figure = PLOTS[plot](scores).figure
    named = [text.get_text() for text in texts(figure) if "bro_ken" in text.get_text()]
    assert len(named) == 1
    assert "Not drawn, results broken or missing: bro_ken." in named[0]


def test_files_come_in_three_formats_and_the_same_every_time(
    make_vot: Maker, tmp_path: Path
) -> None:
    scores = make_vot(("a", "b"))
    for folder in ("one", "two"):
        drawn = draw_plots(scores, tmp_path / folder, ["ar"])
        assert [path.name for path in drawn.paths["ar"]] == ["ar.pdf", "ar.svg", "ar.png"]
    for ending, start in (("pdf", b"%PDF"), ("svg", b"<?xml"), ("png", b"\x89PNG")):
        first, second = ((tmp_path / f / f"ar.{ending}").read_bytes() for f in ("one", "two"))
        assert first.startswith(start)
        assert first == second
    assert len(list((tmp_path / "one").iterdir())) == 3


def test_settings_of_matplotlib_are_as_before(make_vot: Maker, tmp_path: Path) -> None:
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
    assert set(drawn.skipped) == {"speed", "ar"}
    assert "success" not in drawn.paths
    assert "ranking" in drawn.paths
    with pytest.raises(ConfigError, match="no success curve"):
        draw_plots(scores, tmp_path, ["success"])
    with pytest.raises(ConfigError, match=r"unknown plot 'sucess'.*Did you mean 'success'"):
        draw_plots(scores, tmp_path, ["sucess"])
    with pytest.raises(ConfigError, match="unknown format 'jpg'"):
        draw_plots(scores, tmp_path, ["ar"], ["jpg"])


def test_captions_hold_every_note_escaped(make_vot: Maker, tmp_path: Path) -> None:
    notes = tuple(f"note <b>{i}</b>" for i in range(20))
    scores = make_vot(("a_b",))
    noted = {"a_b": replace(scores.trackers["a_b"], notes=notes)}
    refused = {"<img>": "no result of Bolt. Run it."}
    whole = replace(scores, trackers=noted, refused=refused)
    said = {"ar": PLOTS["ar"](whole).notes}
    text = write_captions(whole, tmp_path, said).read_text()
    for i in range(20):
        assert f"Note \\<b\\>{i}\\</b\\> (a\\_b)." in text
    assert text.count("Note \\<b\\>7") == 1
    assert "## ar\n\n* F failures in M frames; crosses: 95 % bootstrap" in text
    assert "Not drawn: \\<img\\>: no result of Bolt. Run it." in text


def test_a_folder_in_the_way_is_an_error(make_vot: Maker, tmp_path: Path) -> None:
    (tmp_path / "ar.png").mkdir()
    with pytest.raises(ConfigError, match="cannot be written"):
        draw_plots(make_vot(("a",)), tmp_path, ["ar"], ["png"])
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="cannot be written"):
        draw_plots(make_vot(("a",)), tmp_path / "file", ["ar"], ["png"])


def test_long_names_are_cut_in_the_middle() -> None:
    assert legible("x" * 60) == "x" * 16 + "…" + "x" * 15

"""The report in a browser, opened from disk."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from bench.evaluation.along import tracks_along
from bench.reports.palette import looks
from bench.results.onepass import OnePassStore
from tests.bench.reports.page.conftest import FAILS_AT, HOSTILE, MASKED, Made

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

Open = Callable[..., "Page"]
READY = "document.documentElement.dataset.ready !== undefined"


@pytest.fixture
def opened(made: Made, browser: Browser) -> Iterator[Open]:
    """Opens pages of the report; fails if one logged an error or opened a dialog."""
    contexts, complaints = [], []

    def open_page(path: str, width: int = 1280, height: int = 900, **options: Any) -> Page:
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("requestfailed", lambda r: complaints.append(f"{r.url}: {r.failure}"))
        page.on("dialog", lambda dialog: complaints.append(dialog.message))
        file, _, fragment = path.partition("#")
        page.goto((made.report / file).as_uri() + (f"#{fragment}" if fragment else ""))
        if "/" in path and not path.startswith("trackers/"):
            page.wait_for_function(READY)
        return page

    yield open_page
    for context in contexts:
        context.close()
    # Requests that the end of the test interrupted do not count.
    assert not [each for each in complaints if not each.endswith("net::ERR_ABORTED")]


def column(page: Page, table: str, place: int) -> list[str]:
    """The text of a column of a table, top to bottom, of the rows in view."""
    cells = page.locator(f"#{table} tbody tr:visible > :nth-child({place})")
    return [text.strip() for text in cells.all_inner_texts()]


def chart(page: Page, place: int = 0) -> Locator:
    """A chart of a benchmark's page, drawn."""
    page.locator("#charts figure").nth(place).scroll_into_view_if_needed()
    box = page.locator("#charts .chart").nth(place)
    box.locator(".scatterlayer .trace").first.wait_for(state="attached")
    return box


def visible_lines(page: Page, place: int = 0) -> int:
    return int(page.locator("#charts .chart").nth(place).locator(".scatterlayer .trace").count())


def test_every_page_loads_without_a_complaint(made: Made, opened: Open) -> None:
    page = opened("index.html")
    for path in sorted(made.report.rglob("*.html")):
        page.goto(path.as_uri())
        if path.parent.name == "trackers":
            continue
        if path.stem not in ("index", "papers"):
            page.wait_for_function("typeof Plotly === 'object'")
        if path.parent != made.report:
            page.wait_for_function(READY)
            page.locator("#timeline .scatterlayer .trace").first.wait_for(state="attached")


def test_tables_sort_both_ways_with_missing_values_last(opened: Open) -> None:
    page = opened("otb2015.html")
    heading = page.locator("#summary th", has_text="Success").first
    heading.click()
    falling = column(page, "summary", 3)
    complete = [float(v.split()[0]) for v in falling[:3]]
    assert complete == sorted(complete, reverse=True)
    assert float(falling[3].split()[0]) > max(complete)  # of two sequences of six only
    assert falling[4].startswith("not scored")
    heading.click()
    rising = column(page, "summary", 3)
    assert rising[:3] == falling[2::-1]
    assert rising[3:] == falling[3:]
    page.locator("#summary th", has_text="Tracker").focus()
    page.keyboard.press("Enter")
    assert column(page, "summary", 1)[0].startswith("<img")


def test_tables_filter_by_name(opened: Open) -> None:
    page = opened("otb2015.html")
    page.locator('[data-filter="summary"]').fill("IMG")
    assert column(page, "summary", 1) == [HOSTILE]
    page.locator('[data-filter="summary"]').fill("")
    assert len(column(page, "summary", 1)) == 5
    page.locator('[data-filter="sequences"]').fill("jog")
    assert column(page, "sequences", 1) == ["Jogging-1", "Jogging-2"]
    assert page.locator(".no-match:visible").count() == 0
    page.locator('[data-filter="sequences"]').fill("nowhere")
    assert page.locator(".no-match:visible").inner_text() == "Nothing here matches “nowhere”."


def test_results_that_lack_sequences_are_marked_in_every_part(opened: Open) -> None:
    page = opened("otb2015.html")
    chart(page)
    assert page.locator("#chips .chip", has_text="half (2 of 6)").count() == 1
    names = page.evaluate("document.querySelector('#charts .chart').data.map(each => each.name)")
    assert "half (2 of 6)" in names
    assert "2 of 6" in page.locator("#sequences thead th", has_text="half").inner_text()
    assert page.locator(".lead").inner_text().count("1 tracker with missing sequences") == 1
    overview = opened("index.html")
    overview.locator("#matrix thead th", has_text="OTB-2015").click(position={"x": 5, "y": 5})
    assert column(overview, "matrix", 1)[3:] == ["half", "broken"]


def test_first_columns_stick_on_a_phone(opened: Open) -> None:
    page = opened("papers.html", width=390, height=844)
    table = page.locator(".paper-table").first
    cell = table.locator("tbody tr").nth(3).locator("td").first
    before = cell.bounding_box()
    table.locator(".scroll").evaluate("box => { box.scrollLeft = 200; }")
    assert table.locator(".scroll").evaluate("box => box.scrollLeft") > 100
    assert cell.bounding_box() == before
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_measure_is_chosen_for_the_sequences(opened: Open) -> None:
    page = opened("otb2015.html")
    section = page.locator("#by-sequence")
    success = column(page, "sequences", 3)
    section.locator("select").select_option(label="Precision")
    assert column(page, "sequences", 3) != success
    assert column(page, "sequences", 3) == ["1.000"] * 6  # two pixels off, everywhere
    missing = column(page, "sequences", 6)  # the partial tracker has two of six
    assert missing.count("–") == 4


def test_curves_tell_their_values_on_hovering(opened: Open) -> None:
    page = opened("otb2015.html")
    box = chart(page)
    area = box.locator(".nsewdrag").first.bounding_box()
    assert area is not None
    at = page.evaluate("document.querySelector('#charts .chart').data[0].y[10]")
    y = area["y"] + (1 - at) * area["height"] + 3
    label = box.locator(".hoverlayer .hovertext").first
    for step in range(50):  # the plot listens a moment after its lines are there
        page.mouse.move(area["x"] + area["width"] / 2 + step % 2, y)
        page.wait_for_timeout(100)
        if label.count():
            break
    assert f"0.5: {at:.3f}" in (label.text_content() or "")


def test_trackers_hide_in_curves_and_come_back(opened: Open) -> None:
    page = opened("otb2015.html")
    chart(page)
    assert visible_lines(page) == 4
    hostile = page.locator("#chips .chip", has_text="<img")
    hostile.click()
    page.wait_for_function(
        "document.querySelectorAll('#charts .chart')[0].querySelectorAll('.trace').length === 3"
    )
    assert hostile.get_attribute("aria-pressed") == "false"
    page.locator("#chips .chip", has_text="none").click()
    page.wait_for_function(
        "document.querySelectorAll('#charts .chart')[0].querySelectorAll('.trace').length === 0"
    )
    page.locator("#chips .chip", has_text="all").click()
    page.wait_for_function(
        "document.querySelectorAll('#charts .chart')[0].querySelectorAll('.trace').length === 4"
    )


def drag(page: Page, box: Locator, start: float, end: float) -> None:
    """Drag through the middle of a plot, from one part of its width to another."""
    area = box.locator(".nsewdrag").first.bounding_box()
    assert area is not None
    y = area["y"] + area["height"] / 2
    page.mouse.move(area["x"] + start * area["width"], y)
    page.mouse.down()
    page.mouse.move(area["x"] + end * area["width"], y, steps=5)
    page.mouse.up()


def test_curves_zoom_by_dragging_and_back_by_double_click(opened: Open) -> None:
    page = opened("otb2015.html")
    box = chart(page)
    drag(page, box, 0.25, 0.5)
    range_of = "document.querySelector('#charts .chart').layout.xaxis.range"
    low, high = page.evaluate(range_of)
    assert (low, high) == (pytest.approx(0.25, abs=0.02), pytest.approx(0.5, abs=0.02))
    page.locator("#chips .chip").first.click()  # hiding a tracker keeps the zoom
    assert page.evaluate(range_of) == [low, high]
    box.locator(".nsewdrag").first.dblclick()
    page.wait_for_function(f"{range_of}[1] === 1")


def test_the_browser_unpacks_what_was_measured(made: Made, opened: Open) -> None:
    page = opened("otb2015/Crossing.html")
    names = page.evaluate("player.sequence.tracks.map(track => track.name)")
    store = OnePassStore(made.results, "otb2015")
    tracks = tracks_along(store, names, made.dataset("otb2015")["Crossing"])
    for index, track in enumerate(tracks):
        if track.problem:
            continue
        values, columns = page.evaluate(
            "i => [[...player.sequence.tracks[i].values].map(v => isNaN(v) ? null : v),"
            " player.sequence.tracks[i].columns.map(c => [...c])]",
            index,
        )
        found = np.array(values, dtype=np.float64)
        np.testing.assert_allclose(found, track.overlap, atol=5.1e-4, equal_nan=True)
        np.testing.assert_allclose(np.array(columns).T, track.regions, atol=0.126)


def frame_of(page: Page) -> int:
    """The frame shown, counted from 0, where all that shows one agree."""
    text = page.locator("#frame").inner_text()
    frame = int(text.split("/")[0]) - 1
    assert page.locator("#slider").input_value() == str(frame)
    assert page.evaluate("player.frame") == frame
    return frame


def wait_for_video(page: Page, frame: int) -> None:
    page.wait_for_function(
        "frame => !player.video.seeking && Math.floor(player.video.currentTime * 25) === frame",
        arg=frame,
    )


def needs_video(page: Page) -> None:
    if page.evaluate("player.video.canPlayType('video/mp4; codecs=\"avc1.42E01E\"')") == "":
        pytest.skip("needs a Chromium that decodes H.264; this one does not")
    page.wait_for_function("player.video.readyState >= 2")


def test_a_click_on_the_curve_seeks_everything(opened: Open) -> None:
    page = opened("otb2015/Crossing.html")
    needs_video(page)
    box = page.locator("#timeline")
    box.locator(".scatterlayer .trace").first.wait_for(state="attached")
    area = box.locator(".nsewdrag").first.bounding_box()
    assert area is not None
    page.mouse.click(area["x"] + area["width"] / 2, area["y"] + area["height"] / 3)
    frame = frame_of(page)
    assert abs(frame - 89 / 2) <= 1  # 90 frames
    wait_for_video(page, frame)
    cursor = page.locator(".cursor").bounding_box()
    assert cursor is not None
    assert abs(cursor["x"] - (area["x"] + area["width"] * frame / 89)) < 3
    shown = float(page.locator("#here tbody tr").first.locator(".now").inner_text())
    assert shown == pytest.approx(
        page.evaluate(f"player.sequence.tracks[0].values[{frame}]"), abs=0.006
    )


def test_slider_and_keys_seek(opened: Open) -> None:
    page = opened("otb2015/Crossing.html")
    needs_video(page)
    page.locator("#slider").fill("30")
    assert frame_of(page) == 30
    for key, frame in (("ArrowRight", 31), ("Shift+ArrowRight", 41), ("ArrowLeft", 40),
                       ("End", 89), ("ArrowRight", 89), ("Home", 0)):  # fmt: skip
        page.locator("h1").click()
        page.keyboard.press(key)
        assert frame_of(page) == frame, key
    wait_for_video(page, 0)


def test_a_link_names_a_frame(opened: Open) -> None:
    page = opened("otb2015/Crossing.html#frame=11")
    assert frame_of(page) == 10


def test_the_address_keeps_the_frame(opened: Open) -> None:
    page = opened("otb2015/Crossing.html")
    page.locator("#slider").fill("30")
    page.wait_for_function("location.hash === '#sequence=Crossing&frame=31'")
    page.reload()
    page.wait_for_function(READY)
    assert frame_of(page) == 30
    page.locator("h1").click()
    page.keyboard.press("Home")
    page.wait_for_function("location.hash === ''")


def test_a_link_names_a_sequence_and_a_frame(opened: Open) -> None:
    page = opened("otb2015.html#sequence=David&frame=310")
    page.wait_for_url("**/otb2015/David.html#sequence=David&frame=310")
    page.wait_for_function(READY)
    assert page.evaluate("player.frame") == 10  # the benchmark counts this one from 300
    page.evaluate("location.hash = '#sequence=Crossing&frame=5'")
    page.wait_for_url("**/otb2015/Crossing.html#*")
    page.wait_for_function(READY)
    assert frame_of(page) == 4
    lost = opened("otb2015.html#sequence=Nowhere")
    assert "“Nowhere”" in lost.locator(".notice", has_text="No sequence").inner_text()


def test_keys_filter_explain_and_step(opened: Open) -> None:
    page = opened("otb2015.html")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.dataset.filter") == "summary"
    page.keyboard.type("half/?")
    assert page.locator('[data-filter="summary"]').input_value() == "half/?"
    page.locator("h1").click()
    page.keyboard.press("?")
    assert "filter the table" in page.locator("#keys").inner_text()
    assert "frame" not in page.locator("#keys").inner_text()
    page.keyboard.press("Escape")
    assert not page.locator("#keys").is_visible()
    page = opened("otb2015/Crossing.html")
    page.keyboard.press("Shift+ArrowDown")
    page.wait_for_url("**/otb2015/David.html")
    page.wait_for_function(READY)
    page.keyboard.press("?")
    assert "play or pause" in page.locator("#keys").inner_text()
    page.keyboard.press("End")
    assert page.evaluate("player.frame") == 0, "keys belong to the dialog while it is open"
    page.keyboard.press("Escape")
    page.wait_for_function("!document.querySelector('dialog[open]')")
    page.keyboard.press("Shift+ArrowUp")
    page.wait_for_url("**/otb2015/Crossing.html")


def test_paper_is_light_and_has_no_controls(opened: Open) -> None:
    page = opened("otb2015.html", color_scheme="dark")
    page.wait_for_function("typeof Plotly === 'object'")
    dark = lightness(page)
    page.evaluate("""() => addEventListener("beforeprint", () => {
      window.paper = getComputedStyle(document.body).backgroundColor;
    })""")
    page.pdf(format="A4")
    assert page.evaluate("window.paper") == "rgb(255, 255, 255)"
    assert lightness(page) == dark, "the screen is as it was"
    page.emulate_media(media="print")
    for control in ("header.site", ".filter", ".tools", ".chip.plain"):
        assert not page.locator(control).first.is_visible(), control
    assert page.locator("#chips .chip").first.is_visible(), "the curves' legend"
    assert page.locator("#summary").is_visible()


def test_video_and_regions_play_in_step(opened: Open) -> None:
    page = opened("otb2015/Crossing.html")
    needs_video(page)
    page.locator("#play").click()
    page.wait_for_function("player.frame > 8")
    frame, time = page.evaluate("[player.frame, player.video.currentTime]")
    page.keyboard.press("Space")
    assert abs(time * 25 - frame) < 4  # the picture drawn last is a few frames old at most
    page.wait_for_function("!player.playing && player.video.paused")
    wait_for_video(page, frame_of(page))


def test_without_a_video_the_regions_play_alone(opened: Open) -> None:
    page = opened("otb2015/Jogging-2.html")
    assert page.locator("#no-video").is_visible()
    page.locator("#speed").select_option("4")
    page.locator("#play").click()
    page.wait_for_function("player.frame === 99 && !player.playing")


def painted(page: Page) -> int:
    """How many pixels of the canvas have anything drawn on them."""
    return int(
        page.evaluate("""() => {
        const {canvas} = player;
        const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
        return data.filter((value, place) => place % 4 === 3 && value > 0).length;
    }""")
    )


def test_trackers_hide_on_the_stage_and_in_the_timeline(opened: Open) -> None:
    page = opened("otb2015/Crossing.html")
    page.locator("#timeline .scatterlayer .trace").first.wait_for(state="attached")
    page.locator("#slider").fill("20")
    everything = painted(page)
    page.locator("#chips .chip", has_text="none").click()
    truth_alone = painted(page)
    assert 0 < truth_alone < everything
    page.wait_for_function(
        "document.querySelectorAll('#timeline .scatterlayer .trace').length === 0"
    )
    page.locator("#chips .chip", has_text="steady").click()
    page.wait_for_function(
        "document.querySelectorAll('#timeline .scatterlayer .trace').length === 1"
    )
    assert truth_alone < painted(page) < everything


def test_failures_are_marked_where_they_were(opened: Open) -> None:
    page = opened("vot2018/ants1.html")
    page.locator("#timeline .scatterlayer .trace").first.wait_for(state="attached")
    marks = page.evaluate(
        "document.getElementById('timeline').data.filter(t => t.mode === 'markers').map(t => t.x)"
    )
    assert marks == [[FAILS_AT + 1]]
    page.locator("#slider").fill(str(FAILS_AT))
    assert page.locator("#here .now").inner_text() == "failed"
    lane = page.locator("#lanes .lane").first.bounding_box()
    plot = page.locator("#timeline .nsewdrag").first.bounding_box()
    assert lane is not None
    assert plot is not None
    assert abs(lane["x"] - plot["x"]) < 2
    assert abs(lane["width"] - plot["width"]) < 3


@pytest.mark.parametrize(
    "path",
    [
        "index.html",
        "otb2015.html",
        "vot2018.html",
        "lasot.html",
        "papers.html",
        "otb2015/Crossing.html",
        "trackers/steady.html",
    ],
)
def test_a_phone_scrolls_in_one_direction_only(opened: Open, path: str) -> None:
    page = opened(path, width=380, height=780)
    if path in ("otb2015.html", "vot2018.html"):
        chart(page)
    page.wait_for_timeout(200)
    assert page.evaluate("document.documentElement.scrollWidth") <= 380
    for box in page.locator("main > section, .viewer > figure, .card").all():
        area = box.bounding_box()
        assert area is None or area["x"] + area["width"] <= 380


def lightness(page: Page) -> int:
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
    return sum(map(int, re.findall(r"\d+", colour)[:3])) // 3


def test_dark_and_light_follow_the_system_and_the_button(opened: Open) -> None:
    page = opened("index.html", color_scheme="dark")
    assert lightness(page) < 50
    page.locator("#theme").click()
    assert lightness(page) > 200
    page.locator(".card a", has_text="OTB-2015").click()
    page.wait_for_url("**/otb2015.html")
    page.wait_for_load_state("load")
    assert lightness(page) > 200, "the choice is kept on other pages"
    assert lightness(opened("index.html", color_scheme="light")) > 200


def test_pages_lead_to_each_other(opened: Open) -> None:
    page = opened("index.html")
    page.locator(".card a", has_text="OTB-2015").click()
    page.locator("#sequences a", has_text="Crossing").click()
    page.wait_for_function(READY)
    page.locator('a[rel="next"]').click()
    page.wait_for_url("**/otb2015/David.html")
    page.locator(".crumb").click()
    page.wait_for_url("**/otb2015.html")
    page.locator("header .home").click()
    page.wait_for_url("**/index.html")


def test_masks_and_absences_are_drawn(opened: Open, made: Made) -> None:
    name = made.dataset("vot2018")[0].name
    page = opened(f"vot2018/{name}.html")
    pixel = """([frame, x, y]) => {
      player.seek(frame);
      const scale = player.canvas.width / player.sequence.size[0];
      const [left, top] = [x, y].map((each) => Math.floor((each + 0.5) * scale));
      return [...player.canvas.getContext("2d").getImageData(left, top, 1, 1).data];
    }"""
    *colour, alpha = page.evaluate(pixel, [MASKED, 6, 6])
    assert alpha == pytest.approx(128, abs=2)
    assert colour == pytest.approx(looks(["steady"])["steady"].colour, abs=4)
    for frame, x, y in ((MASKED, 13, 6), (MASKED, 6, 1), (MASKED + 1, 6, 6)):
        assert page.evaluate(pixel, [frame, x, y])[3] == 0
    now = page.locator("#here .now").first
    assert now.inner_text() != "absent"
    page.evaluate("frame => { player.sequence.tracks[0].absent = [[frame, frame]]; }", MASKED)
    before, x, y = page.evaluate(
        """frame => {
          const last = corners(player.sequence.tracks[0].columns, frame - 1);
          const middle = (axis) => last.reduce((sum, point) => sum + point[axis], 0) / last.length;
          return [frame, middle(0), middle(1)];
        }""",
        MASKED,
    )
    assert page.evaluate(pixel, [before, x - 0.5, y - 0.5])[3] > 0  # the stroke of the mark
    assert page.evaluate(pixel, [MASKED, 6, 6])[3] == 0  # and no mask
    assert now.inner_text() == "absent"

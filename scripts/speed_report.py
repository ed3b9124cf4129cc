"""How long the report page takes to write and to open: no test.

Fifty made-up trackers on a LaSOT-size set (280 x 2,500 frames). Every page is opened anew in
headless Chromium, from disk: until its load event, when its tables are there, and until its curves
are drawn. Figures are medians of five.
"""

from __future__ import annotations

import shutil
import statistics
import time
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import speed_onepass
from playwright.sync_api import Browser, sync_playwright

from bench.datasets import open_dataset
from bench.reports.page import Videos, open_section, write_report
from bench.results.onepass import OnePassStore

TRACKERS, REPEATS = 50, 5
READY = "document.documentElement.dataset.ready !== undefined"


def main() -> None:
    """Write a report of made-up results and print how long its pages take to open."""
    executable = shutil.which("chromium")
    if executable is None:
        print("no `chromium` on PATH: the report page is not timed")
        return
    with TemporaryDirectory(prefix="speed-report-") as folder, sync_playwright() as playwright:
        report, sequence = written(Path(folder))
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        pages = ("index", "papers", "lasot", f"lasot/{sequence}", "trackers/T00")
        for page in (f"{name}.html" for name in pages):
            times = [opened(browser, report / page) for _ in range(REPEATS)]
            loaded, drawn = map(statistics.median, zip(*times, strict=True))
            print(
                f"{page}: loaded {loaded:.2f} s (at most {max(times)[0]:.2f}), drawn {drawn:.2f}"
            )
        browser.close()


def written(root: Path) -> tuple[Path, str]:
    """The report of generated results, and the name of one of its sequences."""
    speed_onepass.generate("lasot", root, TRACKERS)
    store = OnePassStore(root / "results", "lasot")
    start = time.perf_counter()
    section = open_section(partial(open_dataset, "lasot", root / "annotation"), store)
    write_report([section], root / "report", Videos("none"))
    took = time.perf_counter() - start
    size = sum(path.stat().st_size for path in (root / "report").rglob("*") if path.is_file())
    print(f"{TRACKERS} trackers, {len(section.sequences)} sequences: {size / 1e6:.0f} MB", end=" ")
    print(f"scored and written in {took:.0f} s")
    return root / "report", section.sequences[0].name


def opened(browser: Browser, page: Path) -> tuple[float, float]:
    """Seconds to the load event, and until a page is drawn, a benchmark's first chart included."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    tab = context.new_page()
    start = time.perf_counter()
    tab.goto(page.as_uri())
    if page.parent.name == "lasot":
        tab.wait_for_function(READY)
    elif page.name == "lasot.html":
        tab.locator("#charts figure").first.scroll_into_view_if_needed()
        tab.locator("#charts figure svg").first.wait_for()
    took = time.perf_counter() - start
    timing = "performance.timing.loadEventEnd - performance.timing.navigationStart"
    loaded = float(tab.evaluate(timing)) / 1000
    context.close()
    return loaded, took


if __name__ == "__main__":
    main()

"""Draws the pictures of the documentation from the results of `make demo`.

All show the built-in miniature, which is generated video, and say so. The screenshot needs
Chromium and Playwright, like the tests of the report page.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

DATA, RESULTS, REPORT = Path("data/mini"), Path("results/mini"), Path("reports/mini/report")
IMAGES = Path("docs/images")
OURS = "siamattn-lite"
PAGES = {"report": "index.html", "sequence": "otb2015/Crossing.html#frame=40"}
WIDTH = 900  # pixels at most


def main() -> None:
    """Rewrite docs/images."""
    browser = shutil.which("chromium")
    if browser is None:
        sys.exit("error: no `chromium` for the screenshot: install it, or add it to PATH.")
    if not (REPORT / "index.html").exists():
        sys.exit(f"error: {REPORT}: the demo's report is missing. Make it with `make demo`.")
    with tempfile.TemporaryDirectory() as folder:
        drawn = Path(folder)
        plots("otb2015", "success", drawn)
        plots("uav123", "strip", drawn)
        plots("otb2015", "success,attributes,failures", drawn / "paper",
              "--style", "paper", "--ours", OURS)  # fmt: skip
        for path in (drawn / "paper/otb2015").glob("*.png"):
            path.rename(path.with_stem(f"paper-{path.stem}"))
        bench("confidence", "otb2015", "Board", "--frame", "40", "--data", DATA,
              "--tracker", OURS, "--out", drawn / "confidence.png")  # fmt: skip
        screenshots(drawn, browser)
        IMAGES.mkdir(parents=True, exist_ok=True)
        for path in sorted(drawn.rglob("*.png")):
            shrink(path)


def plots(benchmark: str, names: str, folder: Path, *options: str) -> None:
    """Draw plots of a benchmark as PNG."""
    bench("plots", benchmark, "--data", DATA, "--results", RESULTS, "--only", names,
          "--format", "png", "--out", folder, *options)  # fmt: skip


def bench(*arguments: object) -> None:
    """Call the command line."""
    subprocess.run([sys.executable, "-m", "bench", *map(str, arguments)], check=True)


def screenshots(folder: Path, executable: str) -> None:
    """Save pictures of pages of the report."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1100, "height": 900})
        for name, address in PAGES.items():
            page.goto(f"{(REPORT / 'index.html').absolute().parent.as_uri()}/{address}")
            page.wait_for_timeout(3000)
            page.screenshot(path=folder / f"{name}.png")
        browser.close()


def shrink(path: Path) -> None:
    """Reduce a picture to the width of a page."""
    image = Image.open(path).convert("RGB")
    image.thumbnail((WIDTH, image.height))
    target = IMAGES / path.name
    image.save(target, optimize=True)
    print(f"{target}: {target.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()

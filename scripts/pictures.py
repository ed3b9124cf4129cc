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
        plots("otb2015", "success,strip", drawn)
        bench("confidence", "otb2015", "Board", "--frame", "40", "--data", DATA,
              "--tracker", "siamattn-lite", "--out", drawn / "confidence.png")  # fmt: skip
        screenshot(drawn / "report.png", browser)
        IMAGES.mkdir(parents=True, exist_ok=True)
        for path in sorted(drawn.rglob("*.png")):
            shrink(path)


def plots(benchmark: str, names: str, folder: Path) -> None:
    """Draw plots of a benchmark as PNG."""
    bench("plots", benchmark, "--data", DATA, "--results", RESULTS, "--only", names,
          "--format", "png", "--out", folder)  # fmt: skip


def bench(*arguments: object) -> None:
    """Call the command line."""
    subprocess.run([sys.executable, "-m", "bench", *map(str, arguments)], check=True)


def screenshot(path: Path, executable: str) -> None:
    """Save a picture of the report's first page."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1100, "height": 900})
        page.goto((REPORT / "index.html").absolute().as_uri())
        page.wait_for_timeout(1000)
        page.screenshot(path=path)
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

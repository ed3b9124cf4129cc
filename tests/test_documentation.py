"""The documentation's Python runs as it stands, on the miniature."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bench.mini import write_miniature

DOCS = Path(__file__).parents[1] / "docs"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the miniature in ``data/mini``, as `bench mini` leaves it."""
    root = tmp_path_factory.mktemp("docs")
    write_miniature(root / "data" / "mini", benchmarks=["otb2015", "vot2018"], jobs=2)
    return root


def run(script: str, folder: Path) -> str:
    """What a script prints; it is started as a user starts it."""
    path = folder / "script.py"
    path.write_text(script, encoding="utf-8")
    environment = {**os.environ, "MPLBACKEND": "agg"}
    done = subprocess.run(
        [sys.executable, path.name], cwd=folder, env=environment, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def snippets_of(path: Path) -> list[str]:
    return re.findall(r"```python\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL)


def test_the_readme_does_what_it_says(folder: Path) -> None:
    printed = run("\n".join(snippets_of(DOCS.parent / "README.md")), folder)
    assert "kcf" in printed
    assert (folder / "success.pdf").is_file()


def test_every_snippet_of_the_python_guide_runs(folder: Path) -> None:
    snippets = snippets_of(DOCS / "python.md")
    assert len(snippets) > 8
    printed = run("\n".join(snippets), folder)
    assert "expected boxes of shape (N, 4)" in printed
    for name in ("success.pdf", "crossing.png", "ar.png", "results/otb2015/still/run.json"):
        assert (folder / name).is_file(), name


def test_the_notebook_runs_and_its_outputs_are_stored(folder: Path) -> None:
    notebook = json.loads((DOCS / "tour.ipynb").read_text(encoding="utf-8"))
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    run("\n".join("".join(cell["source"]) for cell in cells), folder)
    kinds = {kind for cell in cells for out in cell["outputs"] for kind in out.get("data", {})}
    assert {"text/html", "image/png", "image/jpeg"} <= kinds
    assert not any(out["output_type"] == "error" for cell in cells for out in cell["outputs"])

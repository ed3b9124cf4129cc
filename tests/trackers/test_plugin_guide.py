"""The walk-through of docs/plugins.md works."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from bench.registry import make_spec

GUIDE = Path(__file__).parents[2] / "docs" / "plugins.md"


def test_the_first_example_runs_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    example = re.search(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    assert example is not None
    (tmp_path / "my_trackers.py").write_text(example[1])
    monkeypatch.syspath_prepend(tmp_path)
    tracker = make_spec("my_trackers:Drift", {"step": "0.5", "axis": "1"}).build()
    image = np.zeros((20, 20, 3), dtype=np.uint8)
    tracker.init(image, np.array([1.0, 2.0, 3.0, 4.0]))
    assert tracker.update(image).region.tolist() == [1.0, 2.5, 3.0, 4.0]

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


PYSOT = {
    "pysot/__init__.py": "",
    "pysot/core/__init__.py": "",
    "pysot/models/__init__.py": "",
    "pysot/tracker/__init__.py": "",
    "pysot/core/config.py": """
from pathlib import Path
class Config:
    CUDA = True
    def merge_from_file(self, path):
        assert Path(path).read_text() == "TRACK: {}"
cfg = Config()
""",
    "pysot/models/model_builder.py": """
import torch
class ModelBuilder(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.shift = torch.nn.Parameter(torch.zeros(1))
""",
    "pysot/tracker/siamrpn_tracker.py": """
from pysot.core.config import cfg
class SiamRPNTracker:
    def __init__(self, model):
        assert not cfg.CUDA and not model.training
        self.model = model
    def init(self, img, bbox):
        self.first, self.box = img, bbox
    def track(self, img):
        return {"bbox": [self.box[0] + self.model.shift.item(), *self.box[1:]], "best_score": 1}
""",
}


def test_the_example_of_pysot_runs_without_cuda(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a stand-in of PySOT's modules, which need a compiler."""
    torch = pytest.importorskip("torch")
    for name, text in PYSOT.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    examples = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    (example,) = [text for text in examples if "pysot" in text]
    (tmp_path / "my_pysot.py").write_text(example)
    (tmp_path / "config.yaml").write_text("TRACK: {}")
    torch.save({"shift": torch.ones(1)}, tmp_path / "model.pth")
    monkeypatch.syspath_prepend(tmp_path)
    settings = {"config": str(tmp_path / "config.yaml"), "first_box": "pysot"}
    spec = make_spec("my_pysot:SiamRPN", settings, weights=tmp_path / "model.pth")
    assert all(isinstance(spec.options[name], Path) for name in ("config", "weights"))
    tracker = spec.build()
    image = np.zeros((20, 20, 3), dtype=np.uint8)
    tracker.init(image, np.array([1.0, 2.0, 3.0, 4.0]))
    assert tracker.update(image).region.tolist() == [2.5, 2.5, 3.0, 4.0]

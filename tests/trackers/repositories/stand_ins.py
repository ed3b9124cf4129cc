"""Small repositories in the layouts of lib/test, pytracking and PySOT, written by the tests.

They hold code of this project only, and networks of a few weights. Their trackers move the box
by what the network says, and refuse what a tracker must not be given.
"""

from __future__ import annotations

from pathlib import Path

import torch

CONFIG = "vitb_256_mae_ce_32x4_ep300"
STEP = torch.tensor([[1.5, 0.0], [0.0, 0.25]])

NETWORK = """
import torch

class Network(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.step = torch.nn.Linear(2, 2, bias=False)

    def forward(self, x):
        return self.step(x)
"""
LIBTEST = {
    "lib/__init__.py": "",
    "lib/models/__init__.py": "",
    "lib/models/network.py": NETWORK,
    "lib/train/__init__.py": "",
    "lib/train/data/__init__.py": """
import jpeg4py
from torch._six import string_classes
from lib.train.data.storage import read
""",
    "lib/train/data/storage.py": """
import lmdb
from numpy import bool, float, str

def read(name):
    return lmdb.open(name, readonly=True)
""",
    "lib/train/admin/__init__.py": """
from importlib import import_module

def env_settings():
    return import_module("lib.train.admin.local").EnvironmentSettings()
""",
    "lib/test/__init__.py": "",
    "lib/test/evaluation/__init__.py": "",
    "lib/test/evaluation/environment.py": """
from importlib import import_module
from pathlib import Path

class EnvSettings:
    def __init__(self):
        self.lasot_path = ""

def env_settings():
    try:
        return import_module("lib.test.evaluation.local").local_env_settings()
    except ImportError:
        Path(__file__).with_name("local.py").write_text("# written by the repository")
        raise RuntimeError("set up your local.py")
""",
    "lib/test/parameter/__init__.py": "",
    "lib/test/parameter/ostrack.py": """
import os
from types import SimpleNamespace
import yaml
from lib.test.evaluation.environment import env_settings

CFG = {"TEST": {"EPOCH": 1, "UPDATE_INTERVALS": {"DEFAULT": 100}}}

def parameters(yaml_name):
    env = env_settings()
    with open(os.path.join(env.prj_dir, "experiments/ostrack", yaml_name + ".yaml")) as f:
        CFG["TEST"].update(yaml.safe_load(f)["TEST"])
    name = "OSTrack_ep%04d.pth.tar" % CFG["TEST"]["EPOCH"]
    checkpoint = os.path.join(env.save_dir, "checkpoints/train/ostrack", yaml_name, name)
    return SimpleNamespace(cfg=CFG, checkpoint=checkpoint, save_all_boxes=False)
""",
    "lib/test/tracker/__init__.py": "",
    "lib/test/tracker/basetracker.py": """
import visdom
import visdom.server
from visdom import Visdom
import lib.train.data

class BaseTracker:
    def __init__(self, params):
        self.params = params
""",
    "lib/test/tracker/ostrack.py": """
import torch
from lib.models.network import Network
from lib.test.tracker.basetracker import BaseTracker
from lib.train.admin import env_settings

class OSTrack(BaseTracker):
    def __init__(self, params, dataset_name):
        super().__init__(params)
        env_settings().lasot_dir
        self.network = Network()
        loaded = torch.load(params.checkpoint, map_location="cpu")
        self.network.load_state_dict(loaded["net"], strict=True)
        self.network = self.network.cuda().eval()
        self.frames = 0  # of this object: it is not reset

    def initialize(self, image, info):
        assert image.dtype == "uint8" and list(info) == ["init_bbox"] and self.frames == 0
        assert type(info["init_bbox"]) is list
        self.state = info["init_bbox"]
        return {"seen": 0}

    def track(self, image, info):
        assert list(info) == ["previous_output"], sorted(info)
        assert info["previous_output"]["seen"] == self.frames
        self.frames += 1
        with torch.no_grad():
            dx, dy = self.network(torch.ones(2).cuda()).tolist()
        x, y, w, h = self.state
        self.state = [x + dx, y + dy, w, h]
        return {"target_bbox": self.state, "best_score": 0.75, "seen": self.frames}

def get_tracker_class():
    return OSTrack
""",
    "lib/test/parameter/sutrack.py": """
from lib.test.parameter import ostrack

def parameters(yaml_name):
    return ostrack.parameters(yaml_name)
""",
    "lib/test/tracker/sutrack.py": """
from lib.test.tracker.ostrack import OSTrack

class SUTrack(OSTrack):
    def __init__(self, params, dataset_name):
        super().__init__(params, dataset_name)
        intervals = params.cfg["TEST"]["UPDATE_INTERVALS"]
        self.update_intervals = intervals.get(dataset_name.upper(), intervals["DEFAULT"])

    def initialize(self, image, info):
        self.words = info.get("init_nlp"), "object_ids" in info
        return super().initialize(image, info)

def get_tracker_class():
    return SUTrack
""",
    "lib/test/parameter/mixformer.py": """
from lib.test.parameter import ostrack

def parameters(yaml_name, model, search_area_scale=None):
    params = ostrack.parameters(yaml_name)
    params.checkpoint = params.checkpoint.replace("OSTrack_ep0300.pth.tar", model)
    params.search_factor = search_area_scale or 4.0
    return params
""",
    "lib/test/tracker/mixformer.py": """
from lib.test.tracker.ostrack import OSTrack

class MixFormer(OSTrack):
    def __init__(self, params):
        super().__init__(params, "")
        assert (params.search_factor, params.online_sizes) == (4.5, 3), vars(params)

    def track(self, image):
        return {"target_bbox": self.state, "conf_score": 0.5}

def get_tracker_class():
    return MixFormer
""",
    "lib/test/parameter/keyed.py": """
from lib.test.parameter.ostrack import parameters
""",
    "lib/test/tracker/keyed.py": """
from lib.test.tracker.ostrack import OSTrack

class Keyed(OSTrack):
    def __init__(self, params, dataset_name):
        super().__init__(params, dataset_name)
        self.interval = params.cfg["TEST"]["UPDATE_INTERVALS"][dataset_name.upper()]

def get_tracker_class():
    return Keyed
""",
    "lib/test/parameter/needy.py": """
import a_package_of_its_own
""",
    "lib/test/tracker/needy.py": "",
    "lib/test/parameter/dated.py": """
import torch.removed_long_ago
""",
    "lib/test/tracker/dated.py": "",
    "lib/test/parameter/stored.py": """
from lib.train.data import read
parameters = read
""",
    "lib/test/tracker/stored.py": """
from lib.test.tracker.ostrack import get_tracker_class
""",
    f"experiments/ostrack/{CONFIG}.yaml": """
TEST:
  EPOCH: 300
  UPDATE_INTERVALS: {DEFAULT: 100, OTB: 25, LASOT: 50}
""",
}
PYTRACKING = {
    "ltr/__init__.py": "import tikzplotlib\nfrom torch._six import int_classes, string_classes",
    "ltr/admin/__init__.py": "",
    "ltr/models.py": NETWORK,
    "pytracking/__init__.py": "from pytracking.run_tracker import run_tracker",
    "pytracking/run_tracker.py": """
from pytracking.evaluation import env_settings

def run_tracker():
    return env_settings()
""",
    "pytracking/evaluation/__init__.py": "from .environment import env_settings",
    "pytracking/evaluation/environment.py": LIBTEST["lib/test/evaluation/environment.py"].replace(
        "lib.test.", "pytracking."
    ),
    "pytracking/parameter/__init__.py": "",
    "pytracking/parameter/dimp/__init__.py": "",
    "pytracking/parameter/dimp/dimp50.py": """
from types import SimpleNamespace

def parameters():
    return SimpleNamespace(use_gpu=True, net=SimpleNamespace(path="dimp50.pth", use_gpu=True))
""",
    "pytracking/tracker/__init__.py": "",
    "pytracking/tracker/dimp/__init__.py": """
from .dimp import DiMP

def get_tracker_class():
    return DiMP
""",
    "pytracking/tracker/dimp/dimp.py": """
import os
import torch
import visdom
from ltr.models import Network
from pytracking.evaluation import env_settings

class DiMP:
    def __init__(self, params):
        self.params = params
        self.frames = 0
        self.network = None

    def initialize_features(self):
        if self.network is None:
            self.network = Network()
            path = os.path.join(env_settings().network_path, self.params.net.path)
            self.network.load_state_dict(torch.load(path, map_location="cpu"))

    def initialize(self, image, info):
        assert self.params.use_gpu == self.params.net.use_gpu == torch.cuda.is_available()
        assert self.visdom is None and not self.params.visualization
        self.initialize_features()
        self.state = info["init_bbox"]

    def track(self, image, info=None):
        assert list(info) == ["previous_output"]
        assert info["previous_output"].get("frames", 0) == self.frames
        self.frames += 1
        noise = torch.rand(1).item() / 1000
        with torch.no_grad():
            dx, dy = self.network(torch.ones(2)).tolist()
        x, y, w, h = self.state
        self.state = [x + dx + noise, y + dy, w, h]
        return {"target_bbox": self.state, "object_presence_score": 0.5, "frames": self.frames}
""",
}
PYSOT = {
    "pysot/__init__.py": "",
    "pysot/core/__init__.py": "",
    "pysot/core/config.py": """
import yaml

class Config:
    CUDA = True
    STEP = 1.0

    def merge_from_file(self, path):
        with open(path) as f:
            for name, value in yaml.safe_load(f).items():
                if not hasattr(self, name):
                    raise KeyError("Non-existent config key: " + name)
                setattr(self, name, value)

cfg = Config()
""",
    "pysot/models/__init__.py": "",
    "pysot/models/model_builder.py": NETWORK.replace("Network", "ModelBuilder"),
    "pysot/tracker/__init__.py": "",
    "pysot/tracker/tracker_builder.py": """
import numpy as np
import torch
from pysot.core.config import cfg

class SiamMaskTracker:
    def __init__(self, model):
        assert not model.training and cfg.CUDA == torch.cuda.is_available()
        self.model = model

    def init(self, img, bbox):
        self.box = bbox

    def track(self, img):
        with torch.no_grad():
            dx, dy = self.model(torch.ones(2)).tolist()
        x, y, w, h = np.array(self.box, np.float).tolist()  # as before NumPy 1.24
        self.box = x, y, w, h = [x + cfg.STEP * dx, y + dy, w, h]
        corners = [x, y, x + w / 2, y, x + w / 2, y + h / 2, x, y + h / 2]
        return {"bbox": self.box, "best_score": 0.5, "polygon": corners}

def build_tracker(model):
    return SiamMaskTracker(model)
""",
}


def write_libtest(root: Path) -> Path:
    """A repository of the lib/test family with seven trackers, without ``local.py``."""
    _write(root, LIBTEST)
    folder = root / "output" / "checkpoints" / "train" / "ostrack" / CONFIG
    save(folder / "OSTrack_ep0300.pth.tar", {"net": {"step.weight": STEP}})
    return root


def write_pytracking(root: Path) -> Path:
    """A repository of pytracking with one tracker, without ``local.py``."""
    _write(root, PYTRACKING)
    save(root / "pytracking" / "networks" / "dimp50.pth", {"step.weight": STEP})
    return root


def write_pysot(root: Path, experiment: str = "siammask_r50_l3") -> Path:
    """A repository of PySOT with one experiment and its weights."""
    folder = f"experiments/{experiment}"
    _write(root, {**PYSOT, f"{folder}/config.yaml": "STEP: 2.0\n"})
    save(root / folder / "model.pth", {"state_dict": {"module.step.weight": STEP}})
    return root


def save(path: Path, content: object) -> None:
    """Write a checkpoint."""
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(content, path)


def _write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

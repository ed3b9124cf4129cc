"""The command lines of README and docs, and a machine's folders for them to run in.

The folders look like a reader's: datasets under ``/data``, raw results and clips in the home
folder, all of them made from the miniature. A line runs as it stands, with ``/data`` replaced.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import matplotlib
import numpy as np
from filelock import FileLock

from bench.datasets import open_dataset
from bench.results.exporting import export_results
from bench.results.onepass import OnePassStore
from bench.results.stores import Store
from bench.results.vot.store import VotStore
from bench.sequence import Dataset, RegionTrajectory, Trajectory, to_tracker
from tests.conftest import REPOSITORY, Miniature, keep_frames
from tests.trackers.repositories import stand_ins

PAGES = (
    *(REPOSITORY / name for name in ("README.md", "CONTRIBUTING.md")),
    *sorted((REPOSITORY / "docs").glob("*.md")),
)
LITE = REPOSITORY / "trackers" / "siamattn" / "weights" / "siamattn-lite.safetensors"
_BLOCK = re.compile(r"```(sh|console)\n(.*?)```", re.DOTALL)
_INLINE = re.compile(r"`((?:bench|make|python -m|pip) [^`]+)`")

# What is only checked to be understood, with the reason.
NOT_RUN = {
    r"make (demo|test|setup|check|docs)\b": "minutes; what they call has tests of its own",
    r"make (train|train-smoke|ablation)\b": "trains",
    r"(\w+=\S+ )?python -m trackers\.siamattn\.training ": "trains",
    r"pip install ": "installs",
    r"bench export-model .*--format onnx ": "needs the extra `export`; test_exported.py runs it",
    r"bench run .*--gpus ": "needs GPUs; test_run.py runs it with numbers of none",
    r"bench run .*--engine ray ": "needs a cluster; test_clusters.py runs on one",
    r"bench mini data/tune ": "generates video for a minute; `bench mini` is run",
    r"bench serve ": "waits for the toolkit that starts it",
    r"bench --install-completion": "writes into the shell's start-up file",
    r"bench tables 1 --results$": "is not complete",
}
# What readers have, and what stands in for it. $DATA holds the miniature by benchmark.
STAND_INS = {
    r"/data/(OTB2015|UAV123|VOT2016|VOT2018|LaSOT|TrackingNet)\b": r"$DATA/\1",
    r"(?<=DATA=)/data(?=\s|$)|(?<=--data )/data(?=\s|$)": "$DATA",
    r"(?<=--data )OTB\b": "$DATA/OTB2015",
    r"(?<=TRACKER=)siam(attn|mask)\b|(?<=-t )siamattn\b|(?<=--tracker )siamrpn\b": "siamattn-lite",
    r"\b(checkpoint_\w+\.pth|siamattn\.safetensors|w\.pth|runs/lite/weights\.safetensors)": str(
        LITE
    ),
    r"(?<![\w/])\w+/model\.pth": str(LITE),
    r"(bench confidence .*)": r"\1 --tracker siamattn-lite",
    r"--trials 50": "--trials 1",
    r"\$(PBS_ARRAY_INDEX|LSB_JOBINDEX)\b": "1",
    r"\bJOB_COMPLETION_INDEX\b": "0",
    r"(bench tune folder .*)": r"\1 --trials 1",
    r"bench mini$": "bench mini --benchmark otb2015",
    # Every plot in every format is drawn by `make plots`.
    r"(bench plots \w+ (?!.*(--only|--config)).*)": r"\1 --format svg",
    r"~/raw/": "~/raw/$BENCHMARK/",
}
_RUNS_TRACKERS = re.compile(r"make eval-|bench (--benchmarks \S+ )?(run|tune) ")

HARBOUR = re.findall(
    r"```toml\n(.*?)```",
    (REPOSITORY / "docs" / "benchmarks.md").read_text(encoding="utf-8"),
    re.DOTALL,
)[0]
FIGURES = re.findall(
    r"```toml\n(.*?)```",
    (REPOSITORY / "docs" / "plots.md").read_text(encoding="utf-8"),
    re.DOTALL,
)[0]
TRACKER = """
from pathlib import Path

class {name}:
    deterministic = True
    def __init__(self, weights: Path | None = None, device: str = "cpu", step: float = 1.0):
        self.step = step
    def init(self, image, region):
        self.box = region
    def update(self, image):
        from bench.tracker import Prediction
        return Prediction(self.box)
"""
TRAX = """
from trax import Server

with Server(["rectangle"], ["path"]) as server:
    while True:
        request = server.wait()
        if request.type == "initialize":
            region = request.objects[0][0]
        elif request.type != "frame":
            break
        server.status([(region, {})])
"""


@dataclass(frozen=True)
class Line:
    """A command line of a page."""

    page: str
    text: str

    @property
    def why_not_run(self) -> str | None:
        """Why it only has to be understood, or None."""
        return next((why for known, why in NOT_RUN.items() if re.match(known, self.text)), None)

    @property
    def as_run(self) -> str:
        """It with what stands in for a reader's files."""
        text = self.text
        for known, stand_in in STAND_INS.items():
            text = re.sub(known, stand_in, text)
        return text

    @property
    def benchmark(self) -> str:
        """The benchmark that it names first."""
        found = re.search(r"(?:eval-|import |run )(\w+)", self.text)
        return found.group(1) if found else ""

    def __str__(self) -> str:
        return f"{self.page}: {self.text}"


def lines() -> list[Line]:
    """Every command line in a block, and every complete one inside a sentence, once."""
    found = [Line(page.name, text) for page in PAGES for text in _lines_of(page)]
    return list({line.text: line for line in found}.values())


def _lines_of(page: Path) -> Iterator[str]:
    content = page.read_text(encoding="utf-8")
    for kind, block in _BLOCK.findall(content):
        for line in block.replace("\\\n", " ").splitlines():
            if kind == "console" and not line.startswith("$ "):
                continue  # what the command prints
            text = " ".join(line.removeprefix("$ ").split("  #")[0].split(" # ")[0].split())
            if text:
                yield text
    for inline in _INLINE.findall(_BLOCK.sub("", content)):
        text = " ".join(inline.split())
        complete = re.search(r" --?\w|\w=\w", text) and "..." not in text
        if complete and not re.search(r"(?<![=\w/-])[A-Z]{3,}\b(?!=)", text):
            yield text


def mentioned() -> list[Line]:
    """Every command named inside a sentence, complete or not."""
    found = [
        Line(page.name, " ".join(text.split()))
        for page in PAGES
        for text in _INLINE.findall(_BLOCK.sub("", page.read_text(encoding="utf-8")))
    ]
    return list({line.text: line for line in found}.values())


class Machine:
    """Folders of a reader: ``data``, ``home`` and ``results``, and commands on the path.

    What runs trackers finds less: a sequence of each benchmark in ``short``, and the sequences of
    the Python guide in ``guide``.
    """

    def __init__(self, root: Path, miniature: Miniature) -> None:
        self.miniature, self.root, self.data = miniature, root, root / "data"
        self.short, self.guide = root / "short", root / "guide"
        self.home, self.results = root / "home", root / "results"

    @classmethod
    def shared(cls, root: Path, miniature: Miniature) -> Machine:
        """The machine in a folder, made by the first process that asks for it."""
        root.mkdir(exist_ok=True)
        machine = cls(root, miniature)
        with FileLock(root / "lock"):
            if not (root / "complete").exists():
                machine.make()
                (root / "complete").touch()
        return machine

    def make(self) -> None:
        """Fill the folders."""
        self.miniature.into(self.data, "otb2015", "vot2018", "lasot", frames=64)
        self.miniature.into(self.data, "uav123")
        for name in ("otb2015", "uav123", "vot2018", "lasot"):
            self._make_results(open_dataset(name, self.data))
        self._make_short()
        self._make_guide()
        for folder in (self.data, self.short):  # as readers name them
            for name in ("OTB2015", "UAV123", "VOT2018", "LaSOT"):
                if (folder / name.lower()).is_dir():
                    (folder / name).symlink_to(folder / name.lower())
        self._make_commands()
        self._make_clips()
        self._make_harbour()
        self._make_repositories()

    def _make_results(self, dataset: Dataset) -> None:
        """Results of the trackers that the pages name, and the same as other people's files."""
        name, raw = dataset.benchmark, self.home / "raw" / dataset.benchmark
        trackers = {
            "otb2015": ("LADCF", "SRDCF", "SiamFC", "siamattn", "kcf"),
            "uav123": ("SRDCF",),
            "lasot": ("ATOM", "DiMP50", "my_run"),
            "vot2018": ("LADCF", "SiamRPN", "ECO"),
        }[name]
        onepass = OnePassStore(self.results, name)
        store: Store = onepass if name != "vot2018" else VotStore(self.results, name, "baseline")
        for place, tracker in enumerate(trackers):
            for sequence in dataset:
                if isinstance(store, VotStore):
                    rows = sequence.regions.values[:, :8].tolist()
                    regions = type(sequence.regions).from_rows([[1], *rows[1:]])
                    nothing = np.full(len(rows), np.nan)
                    run = RegionTrajectory(regions, np.full(len(rows), 0.01), nothing)
                    store.write(tracker, sequence, run)
                    continue
                boxes = to_tracker(sequence.ground_truth, sequence.index_base)
                boxes[1:, 0] += 1 + 2 * place
                times = np.full(len(boxes), 0.01)
                store.write(tracker, sequence, Trajectory(boxes, times, times * np.nan))
            form = "vot" if name == "vot2018" else "pysot"
            export_results(store, tracker, dataset, form, raw)
        if name == "lasot":  # two runs, in folders as pytracking writes them
            for run in ("dimp50_000", "dimp50_001"):
                kept = self.home / "tracking_results" / "dimp" / run
                shutil.copytree(raw / "my_run", kept)
        if name == "otb2015":
            export_results(store, "SRDCF", dataset, "otb-mat", raw / "SRDCF_mat")

    def _make_short(self) -> None:
        """The first frames of one sequence of each benchmark, for lines that run trackers."""
        for name, sequence, images in (
            ("otb2015", "Crossing", "img"), ("vot2018", "ants1", "color"),
            ("lasot", "bear/bear-4", "img"),
        ):  # fmt: skip
            source, target = self.data / name, self.short / name
            target.mkdir(parents=True)
            for path in source.iterdir():
                if path.is_file() or path.name == "att":
                    copy = shutil.copytree if path.is_dir() else shutil.copy
                    copy(path, target / path.name)
            shutil.copytree(source / sequence, target / sequence)
            if name == "vot2018":
                (target / "list.txt").write_text(f"{sequence}\n")
            keep_frames(target / sequence, images, 12)

    def _make_guide(self) -> None:
        """The frames that the Python guide needs of OTB-2015, and a sequence of VOT2018."""
        shutil.copytree(self.data / "otb2015", self.guide / "otb2015")
        for images in (self.guide / "otb2015").glob("*/img"):
            keep_frames(images.parent, "img", 45)
        (self.guide / "vot2018").symlink_to(self.short / "vot2018")

    def _make_clips(self) -> None:
        source = self.short / "otb2015" / "Crossing"
        clip = self.home / "clips" / "street"
        shutil.copytree(source / "img", clip)
        shutil.copy(source / "groundtruth_rect.txt", clip / "groundtruth.txt")
        store = OnePassStore(self.results, "folder")
        for sequence in open_dataset("folder", self.home / "clips"):
            times = np.full(len(sequence), 0.01)
            boxes = sequence.ground_truth
            store.write("kcf", sequence, Trajectory(boxes, times, times * np.nan))

    def _make_harbour(self) -> None:
        """The benchmark that docs/benchmarks.md declares, and results of it."""
        for name in ("crane", "ferry"):
            shutil.copytree(self.short / "otb2015" / "Crossing", self.short / "harbour" / name)
        (self.data / "harbour").symlink_to(self.short / "harbour")
        (self.root / "harbour.toml").write_text(HARBOUR)
        options = f"--data {self.data} --results {self.results} --tracker kcf --quiet"
        done = self.call(f"bench --benchmarks harbour.toml run harbour {options}", self.root)
        assert done.returncode == 0, done.stderr

    def _make_repositories(self) -> None:
        """Repositories of trackers, with the names that the pages give."""
        stand_ins.write_libtest(self.home / "OSTrack")
        stand_ins.write_pytracking(self.home / "pytracking")
        stand_ins.write_pysot(self.home / "pysot", "siamrpn_r50_l234_dwxcorr")

    def _make_commands(self) -> None:
        """``bench``, ``python`` and ``make`` as an activated environment has them."""
        commands = self.root / "bin"
        commands.mkdir()
        make = shutil.which("make") or "make"
        training = "TRAIN='python -m trackers.siamattn.training'"
        for name, call in {
            "python": sys.executable,
            "bench": f"{sys.executable} -m bench",
            "make": f"{make} --no-print-directory -o .venv/.complete BENCH=bench {training}",
        }.items():
            (commands / name).write_text(f'#!/bin/sh\nexec {call} "$@"\n')
            (commands / name).chmod(0o755)

    def run(self, line: Line, folder: Path) -> subprocess.CompletedProcess[str]:
        """What a line does in a new working folder."""
        data = self.short if _RUNS_TRACKERS.match(line.text) else self.data
        self._prepare(line, folder, data)
        return self.call(line.as_run, folder, DATA=str(data), BENCHMARK=line.benchmark)

    def call(self, text: str, folder: Path, **more: str) -> subprocess.CompletedProcess[str]:
        """What a shell makes of a text."""
        environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS"))},
            "PATH": f"{self.root / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(REPOSITORY), "HOME": str(self.home), "MPLBACKEND": "agg",
            "MPLCONFIGDIR": matplotlib.get_configdir(), "OMP_NUM_THREADS": "1", **more,
        }  # fmt: skip
        return subprocess.run(
            ["bash", "-c", text], cwd=folder, env=environment, capture_output=True, text=True,
            stdin=subprocess.DEVNULL, timeout=300, check=False,
        )  # fmt: skip

    def _prepare(self, line: Line, folder: Path, data: Path) -> None:
        """A working folder with results, trackers of one's own, and the Makefile."""
        if data == self.data:  # else a run would go on with results of longer sequences
            shutil.copytree(self.results, folder / "results")
            shutil.copytree(self.results, folder / "results" / "mini")
        if line.text.startswith("make plots"):  # of one benchmark, to be short
            for benchmark in ("uav123", "lasot", "vot2018"):
                shutil.rmtree(folder / "results" / "mini" / benchmark)
        if imported := re.search(r"bench import (\w+) .*--name (\w+)", line.text):
            there = folder / "results" / imported.group(1) / imported.group(2)
            shutil.rmtree(there, ignore_errors=True)
        (folder / "data").mkdir()
        if line.text != "bench mini":
            (folder / "data" / "mini").symlink_to(data)
        for benchmark in (path for path in data.iterdir() if path.name.islower()):
            (folder / "data" / benchmark.name).symlink_to(benchmark)
        if earlier := re.search(r"bench report .*--since (\S+)", line.text):
            self.call(f"bench report --data {data} --videos none --out {earlier[1]}", folder)
        (folder / "harbour.toml").write_text(HARBOUR)
        (folder / "figures.toml").write_text(FIGURES)
        (folder / "my_trackers.py").write_text(TRACKER.format(name="Drift"))
        (folder / "my_module.py").write_text(TRACKER.format(name="MyTracker"))
        (folder / "my_vot_tracker.py").write_text(TRAX)
        (folder / "best.pth").write_bytes(b"of another project")
        (folder / "Makefile").symlink_to(REPOSITORY / "Makefile")
        (folder / ".venv").mkdir()
        for name in ("setup.cfg", "pyproject.toml", "constraints.txt", "packaging"):
            (folder / name).symlink_to(REPOSITORY / name)
        (folder / ".venv" / ".complete").touch()

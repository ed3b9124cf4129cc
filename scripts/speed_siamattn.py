"""Time the network of presets by stage, in every form that this machine runs, in turns.

Forms are precisions, kernels and exported graphs. Beside the milliseconds of a frame of one target
stand the share of the rate of a plain float32 matrix product, measured in the same turns, and the
drift: the largest difference from float32, as a share of the largest score, and in pixels of the
boxes of a generated sequence where weights are shipped. Other weights are random: no timing
depends on them.
"""

from __future__ import annotations

import argparse
import copy
import importlib.util
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from torch.utils.flop_counter import FlopCounterMode

from bench.cli.export_model import generated_frames
from trackers.siamattn.checkpoints import load_network
from trackers.siamattn.config import preset
from trackers.siamattn.engine import Engine, inference
from trackers.siamattn.exported import REGION, ExportedNetwork, Format, export
from trackers.siamattn.fast import Kernels, fold_batch_norm, optimize
from trackers.siamattn.graphs import CapturedNetwork
from trackers.siamattn.network import Network
from trackers.siamattn.precision import Precision
from trackers.siamattn.target_state import first_box
from trackers.siamattn.tracker import LITE

SIDE = 2048  # of the matrices whose product is the yardstick
SHIPPED = {"siamattn-lite": LITE}
FRAMES = 10  # of the sequence that boxes drift along
STAGES = ("backbone", "search", "box", "mask")
CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}


class Stopwatch:
    """Milliseconds by name, the first round of each left out."""

    def __init__(self, device: torch.device, clock: Callable[[], float]) -> None:
        self._device, self._clock = device, clock
        self._spent: dict[str, list[float]] = defaultdict(list)

    def __call__(self, name: str, work: Callable[..., Any], *arguments: Any) -> Any:
        self._wait()
        start = self._clock()
        result = work(*arguments)
        self._wait()
        self._spent[name].append(1e3 * (self._clock() - start))
        return result

    def _wait(self) -> None:
        if self._device.type == "cuda":
            torch.cuda.synchronize()

    def median(self, name: str) -> float:
        """NaN for what was not measured."""
        times = self._spent[name][1:] or self._spent[name]
        return statistics.median(times) if times else float("nan")


class Form:
    """A network in one form, with its times and answers."""

    def __init__(self, network: Any, watch: Stopwatch, *, tf32: bool = False) -> None:
        self.network, self.watch, self.tf32 = network, watch, tf32
        self.score = np.zeros(0)

    def frame(self, z: torch.Tensor, x: torch.Tensor, region: torch.Tensor) -> None:
        """Every stage of one frame."""
        network, refine = self.network, self.network.config.refine
        with inference(self.tf32):
            template = network.template(z)
            if hasattr(network, "backbone"):
                self.watch("backbone", network.backbone, x)
            found = self.watch("search", network.search, x, template)
            self.score = found.cls.float().cpu().numpy().copy()
            if refine.box:
                self.watch("box", network.refine_box, found.features, region)
            if refine.mask:
                self.watch("mask", network.refine_mask, found.features, region)

    def boxes(self) -> np.ndarray:
        """Of a generated sequence."""
        images, box = generated_frames(FRAMES)
        engine = Engine(self.network, tf32=self.tf32)
        tracking = engine.config.tracking_for("otb")
        state, found = engine.start(images[0], first_box(box), tracking, False), []
        for image in images[1:]:
            (state,), _ = engine.advance([state], [image])
            found.append(state.box)
        return np.array(found)


def forms(network: Network, stopwatch: Callable[[], Stopwatch], folder: Path) -> dict[str, Form]:
    """A network in every form of this machine, float32 first."""

    def fast(precision: Precision, kernels: Kernels = "winograd") -> Form:
        made = optimize(copy.deepcopy(network), precision, kernels)
        return Form(made, stopwatch(), tf32=precision == "tf32")

    if network.device.type == "cuda":
        precisions: tuple[Precision, ...] = ("float32", "tf32", "bf16", "fp16")
        made = {each: fast(each) for each in precisions}
        for name, form in list(made.items()):
            captured = CapturedNetwork(form.network)
            made[f"{name}, captured"] = Form(captured, stopwatch(), tf32=form.tf32)
        return made
    made = {
        "float32": fast("float32"),
        "float32, direct": fast("float32", "direct"),
        "float32, not optimised": Form(network, stopwatch()),
        "bf16": fast("bf16"),
        "bf16, direct": fast("bf16", "direct"),
    }
    plain = copy.deepcopy(network)
    fold_batch_norm(plain)
    known: tuple[Format, ...] = ("torchscript", "exported-program", "onnx")
    for form in known[: 3 if importlib.util.find_spec("onnxruntime") else 2]:
        export(plain, folder / form, form, {})
        made[form] = Form(ExportedNetwork(folder / form, plain.config), stopwatch())
    return made


def operations(network: Network, z: torch.Tensor, x: torch.Tensor) -> float:
    """GFLOP of a step without masks, a multiplication and an addition being two."""
    region = torch.tensor([REGION], device=x.device)
    with torch.no_grad():
        template = network.template(z)
        with FlopCounterMode(display=False) as counter:
            found = network.search(x, template)
            if network.config.refine.box:
                network.refine_box(found.features, region)
    return counter.get_total_flops() / 1e9


def measure(name: str, device: torch.device, table: Table, given: argparse.Namespace) -> None:
    """Add the rows of a preset."""
    torch.manual_seed(0)
    network = load_network(SHIPPED[name]) if name in SHIPPED else Network(preset(name))
    network = network.eval().requires_grad_(False).to(device)
    tracking = network.config.tracking_for()
    z, x = (
        (255 * torch.rand(1, 3, side, side, device=device)).contiguous(
            memory_format=torch.channels_last
        )
        for side in (tracking.exemplar, tracking.instance)
    )
    region = torch.tensor([REGION], device=device)
    square = torch.randn(SIDE, SIDE, device=device)

    def stopwatch() -> Stopwatch:
        return Stopwatch(device, CLOCKS[given.clock])

    yardstick = stopwatch()
    with tempfile.TemporaryDirectory() as folder:
        made = forms(network, stopwatch, Path(folder))
        for _ in range(given.rounds):
            yardstick("product", torch.mm, square, square)
            for form in made.values():
                form.frame(z, x, region)
        boxes = {label: form.boxes() for label, form in made.items() if name in SHIPPED}
    rate = 2 * SIDE**3 / yardstick.median("product") / 1e6  # GFLOP a second
    work = operations(network, z, x)
    first = made["float32"].score
    for label, form in made.items():
        times = [form.watch.median(stage) for stage in STAGES]
        step = times[1] + (times[2] if network.config.refine.box else 0)
        drift = float(np.abs(form.score - first).max() / np.abs(first).max())
        moved = f"{np.abs(boxes[label] - boxes['float32']).max():.1e}" if boxes else "-"
        numbers = ["-" if each != each else f"{each:.1f}" for each in (*times, step)]
        share = f"{1e3 * work / step / rate:.0%}"
        table.add_row(name, label, *numbers, share, f"{drift:.1e}", moved)
    table.caption = f"product of two {SIDE} x {SIDE} matrices: {rate:.0f} GFLOP/s"


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("presets", nargs="*", default=["siamattn", "siamattn-lite"])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--clock", choices=CLOCKS, default="wall", help="cpu on a busy machine")
    given = parser.parse_args()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    name = torch.cuda.get_device_name() if device.type == "cuda" else f"{device}"
    clock = "CPU time" if given.clock == "cpu" else "time"
    threads = torch.get_num_threads()
    table = Table(title=f"one target, {name}, {threads} threads: median {clock} of a frame in ms")
    for heading in ("preset", "form"):
        table.add_column(heading)
    for heading in (*STAGES, "step", "share", "drift", "of boxes, px"):
        table.add_column(heading, justify="right")
    for label in given.presets:
        measure(label, device, table, given)
    Console(width=max(Console().width, 130)).print(table)


if __name__ == "__main__":
    main()

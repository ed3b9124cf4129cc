"""Time presets by stage in every form that this machine runs, in turns, with the drift beside it.

Forms are precisions, kernels and exported graphs. A frame is one of the tests' golden frames, from
image to pasted mask. Beside the milliseconds stand the share of the rate of a plain float32 matrix
product, measured in the same turns, the pixels by which boxes leave those of float32, and with
``--videos`` the success on a folder of real videos, where weights are shipped. Other weights are
the tests' synthetic ones: no timing depends on them.
"""

from __future__ import annotations

import argparse
import copy
import importlib.util
import runpy
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from torch.utils.flop_counter import FlopCounterMode

import bench
from bench.datasets import open_dataset
from bench.sequence import Sequence as Film
from trackers.siamattn.checkpoints import load_network
from trackers.siamattn.config import Kernels, Precision, preset
from trackers.siamattn.engine import Engine, inference
from trackers.siamattn.exported import REGION, ExportedNetwork, Format, export
from trackers.siamattn.fast import fold_batch_norm, optimize
from trackers.siamattn.graphs import CapturedNetwork
from trackers.siamattn.network import Network
from trackers.siamattn.target_state import first_box
from trackers.siamattn.tracker import LITE

SIDE = 2048  # of the matrices whose product is the yardstick
SHIPPED = {"siamattn-lite": LITE}
GOLDEN = runpy.run_path(f"{Path(__file__).parents[1]}/tests/trackers/siamattn/conftest.py")
FRAMES: list[np.ndarray] = GOLDEN["synthetic_frames"]()
BOX = np.array([75.5, 93.5, 68.0, 52.0])  # in the first frame, as in tests/golden/siamattn_tracks
STAGES = {"search": "search", "refine_box": "box", "refine_mask": "mask"}
STAGE_COLUMNS = ("backbone", *STAGES.values(), "frame")
CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}
Clock: TypeAlias = Callable[[], float]


class Stopwatch:
    """Milliseconds by name, the first round of each left out."""

    def __init__(self, device: torch.device, clock: Clock) -> None:
        self._device, self._clock = device, clock
        self._spent: dict[str, list[float]] = defaultdict(list)
        self._since: dict[str, float] = {}

    def __call__(self, name: str, work: Callable[..., Any], *arguments: Any) -> Any:
        self.start(name)
        result = work(*arguments)
        self.stop(name)
        return result

    def start(self, name: str) -> None:
        self._wait()
        self._since[name] = self._clock()

    def stop(self, name: str) -> None:
        self._wait()
        self._spent[name].append(1e3 * (self._clock() - self._since[name]))

    def _wait(self) -> None:
        if self._device.type == "cuda":
            torch.cuda.synchronize()

    def median(self, name: str) -> float:
        """NaN for what was not measured."""
        times = self._spent[name][1:] or self._spent[name]
        return statistics.median(times) if times else float("nan")


class Timed:
    """A network whose stages a stopwatch times."""

    def __init__(self, network: Any, watch: Stopwatch) -> None:
        self._network, self._watch = network, watch
        if isinstance(network, Network):
            backbone = network.backbone
            self._hooks = (
                backbone.register_forward_pre_hook(lambda *_: watch.start("backbone")),
                backbone.register_forward_hook(lambda *_: watch.stop("backbone")),
            )

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._network, name)
        if name not in STAGES:
            return found
        return lambda *arguments: self._watch(STAGES[name], found, *arguments)


class Form:
    """A network in one form, with its times and boxes."""

    def __init__(self, network: Any, device: torch.device, clock: Clock, *, tf32: bool = False):
        self.engine = Engine(network, tf32=tf32)
        self.tracking = self.engine.config.tracking_for("otb")
        self.masked = self.engine.config.refine.mask
        self.start()
        self.boxes: list[np.ndarray] = []
        self.watch = Stopwatch(device, clock)
        self.engine.network = Timed(network, self.watch)

    def start(self) -> None:
        """Begin anew."""
        self.state = self.engine.start(FRAMES[0], first_box(BOX), self.tracking, self.masked)

    def frame(self, image: np.ndarray) -> None:
        """Track into the next golden frame."""
        work = self.engine.advance
        (self.state,), _ = self.watch("frame", work, [self.state], [image])
        self.boxes.append(self.state.box)

    def success(self, films: Sequence[Film]) -> float:
        """As ``bench eval folder`` has it: the mean over videos."""
        found = []
        for film in films:
            assert film.frames is not None
            state = self.engine.start(
                film.frames[0], first_box(film.ground_truth[0]), self.tracking, False
            )
            boxes = [film.ground_truth[0]]
            for index in range(1, len(film.frames)):
                (state,), (answer,) = self.engine.advance([state], [film.frames[index]])
                boxes.append(answer.region)
            found.append(bench.score(np.array(boxes), film)["success"])
        return float(np.mean(found))


def forms(network: Network, clock: Clock, folder: Path) -> dict[str, Form]:
    """A network in every form of this machine, float32 first."""
    device = network.device

    def fast(precision: Precision, kernels: Kernels = "winograd", captured: bool = False) -> Form:
        made: Any = optimize(copy.deepcopy(network), precision, kernels)
        made = CapturedNetwork(made) if captured else made
        return Form(made, device, clock, tf32=precision == "tf32")

    if device.type == "cuda":
        precisions: tuple[Precision, ...] = ("float32", "tf32", "bf16", "fp16")
        made = {each: fast(each) for each in precisions}
        return {**made, **{f"{each}, captured": fast(each, captured=True) for each in precisions}}
    made = {
        "float32": fast("float32"),
        "float32, direct": fast("float32", "direct"),
        "bf16": fast("bf16"),
        "float32, not optimised": Form(network, device, clock),
    }
    plain = copy.deepcopy(network)
    fold_batch_norm(plain)
    known: tuple[Format, ...] = ("torchscript", "exported-program", "onnx")
    for form in known[: 3 if importlib.util.find_spec("onnxruntime") else 2]:
        export(plain, folder / form, form, {})
        made[form] = Form(ExportedNetwork(folder / form, plain.config), device, clock)
    return made


def operations(network: Network) -> float:
    """GFLOP of a step without masks, a multiplication and an addition being two."""
    tracking = network.config.tracking_for()
    region = torch.tensor([REGION], device=network.device)
    z, x = (
        torch.zeros(1, 3, side, side, device=network.device)
        for side in (tracking.exemplar, tracking.instance)
    )
    with inference():
        template = network.template(z)
        with FlopCounterMode(display=False) as counter:
            found = network.search(x, template)
            if network.config.refine.box:
                network.refine_box(found.features, region)
    return counter.get_total_flops() / 1e9


def product_rate(device: torch.device, clock: Clock) -> Callable[[], float]:
    """A function that times a product, and gives GFLOP a second so far."""
    square, watch = torch.randn(SIDE, SIDE, device=device), Stopwatch(device, clock)

    def measured() -> float:
        watch("product", torch.mm, square, square)
        return 2 * SIDE**3 / watch.median("product") / 1e6

    return measured


def filled(name: str) -> Network:
    """A preset with its shipped weights, or the tests' synthetic ones."""
    if name in SHIPPED:
        return load_network(SHIPPED[name])
    network = Network(preset(name))
    keys = network.state_dict().items()
    recipe = GOLDEN["recipe_tensor"]
    network.load_state_dict({key: recipe(key, tuple(each.shape)) for key, each in keys})
    return network


def measure(
    name: str, device: torch.device, table: Table, rounds: int, clock: Clock, films: Sequence[Film]
) -> None:
    """Add the rows of a preset."""
    network = filled(name).eval().requires_grad_(False).to(device)
    work, yardstick = operations(network), product_rate(device, clock)
    with tempfile.TemporaryDirectory() as folder:
        made = forms(network, clock, Path(folder))
        turns = list(made.values())
        for _ in range(rounds):
            for form in made.values():
                form.start()
            for image in FRAMES[1:]:
                rate = yardstick()
                for form in turns:
                    form.frame(image)
                turns.append(turns.pop(0))  # each comes after each other one, and the product
        for label, form in made.items():
            times = {each: form.watch.median(each) for each in STAGE_COLUMNS}
            step = times["search"] + (times["box"] if network.config.refine.box else 0)
            moved = np.abs(np.array(form.boxes) - made["float32"].boxes)
            shipped = films and name in SHIPPED
            table.add_row(
                name,
                label,
                *("-" if each != each else f"{each:.1f}" for each in times.values()),
                f"{1e3 * work / step / rate:.0%}",
                f"{moved.mean():.2g}",
                f"{moved.max():.2g}",
                f"{form.success(films):.4f}" if shipped else "-",
            )
    table.add_section()
    table.caption = f"product of two {SIDE} x {SIDE} matrices: {rate:.0f} GFLOP/s"


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("presets", nargs="*", default=["siamattn", "siamattn-lite"])
    parser.add_argument("--rounds", type=int, default=1, help="times through the golden frames")
    parser.add_argument("--clock", choices=CLOCKS, default="wall", help="cpu on a busy machine")
    parser.add_argument("--videos", type=Path, help="folder of videos, for the success: minutes")
    given = parser.parse_args()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    name = torch.cuda.get_device_name() if device.type == "cuda" else f"{device}"
    clock = "CPU time" if given.clock == "cpu" else "time"
    threads = torch.get_num_threads()
    table = Table(title=f"one target, {name}, {threads} threads: median {clock} of a frame in ms")
    for heading in ("preset", "form"):
        table.add_column(heading)
    drift = ("drift, px", "at most", "success")
    for heading in (*STAGE_COLUMNS, "share", *drift):
        table.add_column(heading, justify="right")
    films = open_dataset("folder", given.videos).sequences if given.videos else ()
    for label in given.presets:
        measure(label, device, table, given.rounds, CLOCKS[given.clock], films)
    Console(width=max(Console().width, 130)).print(table)


if __name__ == "__main__":
    main()

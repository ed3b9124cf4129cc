"""Time SiamAttn's network by stage beside this machine's own float32 matrix product.

The share says how much of the rate of a plain product a step reaches, counting the operations of
the released network (110.8 GFLOP a frame, 112.7 with the mask). Both are measured in turns in one
process. The weights are random: nothing that is timed depends on them.
"""

from __future__ import annotations

import copy
import statistics
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import torch
from rich.console import Console
from rich.table import Table

from trackers.siamattn.config import preset
from trackers.siamattn.fast import optimize
from trackers.siamattn.network import Network

GFLOP = {"step": 110.8, "step with mask": 112.7}
SIDE = 2048  # of the matrices whose product is the yardstick
ROUNDS = 7
REGION = torch.tensor([[0.0, 80.0, 90.0, 150.0, 170.0]])


class Stopwatch:
    """Milliseconds by name, the first round of each left out."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._spent: dict[str, list[float]] = defaultdict(list)

    def __call__(self, name: str, work: Callable[..., Any], *arguments: Any) -> Any:
        self._wait()
        start = time.perf_counter()
        result = work(*arguments)
        self._wait()
        self._spent[name].append(1e3 * (time.perf_counter() - start))
        return result

    def _wait(self) -> None:
        if self._device.type == "cuda":
            torch.cuda.synchronize()

    def median(self, name: str) -> float:
        return statistics.median(self._spent[name][1:] or self._spent[name])


def measure(network: Network, device: torch.device) -> Stopwatch:
    """Every stage of one frame, in turns with a matrix product."""
    watch = Stopwatch(device)
    config = network.config.tracking_for("vot")
    layout = torch.channels_last
    z, x = (
        (255 * torch.rand(1, 3, side, side, device=device)).contiguous(memory_format=layout)
        for side in (config.exemplar, config.instance)
    )
    square = torch.randn(SIDE, SIDE, device=device)
    region = REGION.to(device)
    with torch.inference_mode():
        template = network.template(z)
        for _ in range(ROUNDS):
            for _ in range(3):
                watch("matmul", torch.mm, square, square)
            levels = watch("backbone", network.backbone, x)
            watch("neck", network.neck, levels)
            found = watch("search", network.search, x, template)
            watch("box", network.refine_box, found.features, region)
            watch("mask", network.refine_mask, found.features, region)
    return watch


def main() -> None:
    """Print milliseconds a frame of the released and the small size, and the share of the rate."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    name = torch.cuda.get_device_name() if device.type == "cuda" else f"{device}"
    threads = torch.get_num_threads()
    table = Table(title=f"SiamAttn, one target, float32, {name}, {threads} threads: median ms")
    for heading in (
        "preset",
        "form",
        "backbone",
        "step",
        "with mask",
        "matmul",
        "share",
        "masked",
    ):
        table.add_column(heading, justify="right")
    for label in ("siamattn", "siamattn-lite"):
        network = Network(preset(label)).eval().to(device)
        fast = optimize(copy.deepcopy(network))
        for form, each in (("plain", network), ("optimized", fast)):
            table.add_row(label, form, *_cells(measure(each, device), full=label == "siamattn"))
    Console(width=max(Console().width, 110)).print(table)


def _cells(watch: Stopwatch, *, full: bool) -> list[str]:
    step = watch.median("search") + watch.median("box")
    masked = step + watch.median("mask")
    rate = 2 * SIDE**3 / watch.median("matmul") / 1e6
    shares = [GFLOP["step"] / step, GFLOP["step with mask"] / masked]
    return [
        f"{watch.median('backbone'):.1f}",
        f"{step:.1f}",
        f"{masked:.1f}",
        f"{rate:.0f} GFLOP/s",
        *(f"{1e3 * share / rate:.0%}" if full else "-" for share in shares),
    ]


if __name__ == "__main__":
    main()

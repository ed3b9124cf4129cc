"""Lower precision for the backbone, four fifths of all arithmetic.

Everything after it stays float32: attention takes a softmax of sums over a thousand cells, and
deformable sampling needs positions finer than a cell.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from bench.errors import ConfigError
from trackers.siamattn.backbone import Backbone
from trackers.siamattn.config import Precision

KINDS = {"bf16": torch.bfloat16, "fp16": torch.float16}


class LowPrecision(Backbone):
    """A backbone that computes in a shorter type; pixels of 0..255 are exact in either."""

    def __init__(self, backbone: Backbone, kind: torch.dtype) -> None:
        """``backbone`` is converted in place."""
        super().__init__()
        self.kind, self.channels = kind, backbone.channels
        self.inner: nn.Module = backbone.to(kind)

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """As the backbone, float32 in and out."""
        return tuple(level.float() for level in self.inner(image.to(self.kind)))


def check_precision(precision: Precision, device: torch.device, cuda_graphs: bool) -> None:
    """Refuse what a device does not compute.

    Raises:
        ConfigError: names the option, and what the device offers.
    """
    if device.type == "cuda":
        return
    if precision in ("fp16", "tf32"):
        raise ConfigError(
            f"precision {precision!r} needs a GPU, and the network is on {device}. "
            "Expected float32 or bf16 there."
        )
    if cuda_graphs:
        raise ConfigError(
            f"cuda_graphs needs a GPU, and the network is on {device}. Leave the option out."
        )

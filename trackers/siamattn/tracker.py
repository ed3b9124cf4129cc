"""SiamAttn and SiamRPN++ as plug-ins."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import torch

from bench.arrays import Image
from bench.errors import ConfigError, unknown_name
from bench.tracker import Region
from trackers.siamattn import checkpoints
from trackers.siamattn.config import Config, TrackingConfig
from trackers.siamattn.engine import Engine
from trackers.siamattn.figure import ConfidenceMaps
from trackers.siamattn.target_state import SiamesePrediction, State, first_box, is_rotated

NANO = Path(__file__).parent / "weights" / "siamattn-nano.safetensors"

Mode = Literal["auto", "box", "mask"]
Benchmark = Literal["auto", "vot", "otb"]


class SiamAttn:
    """Deformable Siamese attention networks (Yu et al., CVPR 2020).

    Started on a rotated rectangle, as in the VOT challenge, it answers with the rectangle around
    its mask; started on a box, it answers with a box and computes no mask. The boxes that it
    follows are the same.

    Args:
        weights: a ``.safetensors`` or released ``.pth`` file.
        preset: name of the architecture; by default what the file's record or keys say.
        device: where the network runs, as PyTorch names it; ``auto`` is the GPU if there is one.
        mode: answer with a ``box``, or the rectangle around a ``mask``; ``auto``: as started.
        benchmark: whose hyper-parameters; ``auto``: VOT's for a rotated rectangle, else OTB's.
        penalty_k: in place of the benchmark's, weight of the penalty on changes of shape.
        window_influence: likewise, share of the cosine window in the ranking of proposals.
        lr: likewise, share of a surely found size in the next.
        mask_threshold: likewise, probability above which a pixel is the target's.
        keep_mask: predictions carry the mask ``(H, W)`` where one is computed.

    Raises:
        ConfigError: no weights or those of something else, or an option out of range.
    """

    deterministic = True
    starts_on = "polygon"
    family = "siamattn"
    offered = (
        "Its authors offer checkpoint_vot2018.pth and checkpoint_otb100.pth (CC BY-NC 4.0) at "
        "https://github.com/msight-tech/research-siamattn"
    )

    def __init__(
        self,
        weights: Path | None = None,
        preset: str | None = None,
        device: str = "auto",
        mode: Mode = "auto",
        benchmark: Benchmark = "auto",
        penalty_k: float | None = None,
        window_influence: float | None = None,
        lr: float | None = None,
        mask_threshold: float | None = None,
        keep_mask: bool = False,
    ) -> None:
        self.mode = _one_of("mode", mode, get_args(Mode))
        self.benchmark = _one_of("benchmark", benchmark, get_args(Benchmark))
        settings = {
            "penalty_k": penalty_k,
            "window_influence": window_influence,
            "lr": lr,
            "mask_threshold": mask_threshold,
        }
        self.settings = {key: value for key, value in settings.items() if value is not None}
        place = find_device(device)
        network = checkpoints.load_network(self._required(weights), preset)
        self._check(network.config)
        self.engine = Engine(network.to(place).optimized(), keep_mask)

    @staticmethod
    def convert(source: Path, target: Path, preset: str | None = None) -> dict[str, str]:
        """What ``bench convert`` does; see ``checkpoints.convert``."""
        return checkpoints.convert(source, target, preset)

    def init(self, image: Image, region: Region) -> None:
        """Start on a box ``(4,)``, a polygon ``(K, 2)`` or a mask ``(H, W)``."""
        self.state = self.start(image, region)

    def update(self, image: Image) -> SiamesePrediction:
        """Find the target in the next frame; the score is the probability of its proposal."""
        (self.state,), (prediction,) = self.advance([self.state], [image])
        return prediction

    def start(self, image: Image, region: Region) -> State:
        """The state of a target in its first frame; see ``init``.

        Raises:
            TrackerError: the region is not finite, or has no area.
        """
        region = np.asarray(region)
        rotated = is_rotated(region)
        tracking = self.tracking(self.engine.config, rotated)
        wanted = self.mode == "mask" or (self.mode == "auto" and rotated)
        masked = wanted and self.engine.config.refine.mask
        return self.engine.start(image, first_box(region), tracking, masked)

    def advance(
        self, states: Sequence[State], images: Sequence[Image]
    ) -> tuple[list[State], list[SiamesePrediction]]:
        """Find B targets, each in its own next frame; see ``Engine.advance``.

        Raises:
            TrackerError: the network's answer is not finite.
        """
        return self.engine.advance(states, images)

    def confidence_maps(self, image: Image) -> ConfidenceMaps:
        """Figure 4 of the paper for the next frame; the tracker does not move."""
        return self.engine.confidence_maps(self.state, image)

    def tracking(self, config: Config, rotated: bool) -> TrackingConfig:
        """The hyper-parameters for a target, by how its first region was given."""
        name = self.benchmark if self.benchmark != "auto" else self._usual(config, rotated)
        return config.tracking_for(name, **self.settings)

    def _usual(self, config: Config, rotated: bool) -> str:
        return "vot" if rotated else "otb"

    def _required(self, weights: Path | None) -> Path:
        if weights is None:
            raise ConfigError(
                f"{self.family} needs weights: give them with --weights FILE. {self.offered}. A "
                "downloaded file works as it is; `bench convert FILE` makes one that loads faster."
            )
        return weights

    def _check(self, config: Config) -> None:
        """Refuse another family's weights, masks without a head, and settings out of range."""
        if not config.name.startswith(self.family):
            raise ConfigError(
                f"expected weights of {self.family}, found those of preset {config.name!r}. "
                f"Use --tracker {config.name.partition('-')[0]}, or other weights."
            )
        if self.mode == "mask" and not config.refine.mask:
            raise ConfigError(
                f"mode 'mask' needs a mask head, and preset {config.name!r} has none. "
                "Leave the option out."
            )
        for rotated in (False, True):
            self.tracking(config, rotated)


class SiamAttnNano(SiamAttn):
    """The smallest SiamAttn, with weights that this project trained on generated video.

    Options are those of ``SiamAttn``; ``weights/README.md`` is the weights' card.
    """

    def _required(self, weights: Path | None) -> Path:
        return NANO if weights is None else weights


class SiamRPN(SiamAttn):
    """SiamRPN++ (Li et al., CVPR 2019) as released in PySOT, the baseline without attention.

    Options are those of ``SiamAttn``. It has no mask, and ``benchmark="auto"`` takes the
    hyper-parameters that the weights were released with.
    """

    family = "siamrpn++"
    offered = (
        "PySOT offers model.pth of siamrpn_r50_l234_dwxcorr and siamrpn_r50_l234_dwxcorr_otb "
        "(Apache-2.0) at https://github.com/STVIR/pysot/blob/master/MODEL_ZOO.md"
    )

    def _usual(self, config: Config, rotated: bool) -> str:
        return config.benchmark


def find_device(name: str) -> torch.device:
    """The device of a name such as ``cpu`` or ``cuda:0``; ``auto`` is the GPU if there is one.

    Raises:
        ConfigError: PyTorch knows no such device, or this machine has none.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).partition("\n")[0]
        raise ConfigError(
            f"device {name!r} cannot be used here ({reason}). "
            "Expected auto, cpu, or a GPU of this machine such as cuda:0."
        ) from error
    return device


def _one_of(option: str, value: str, known: Sequence[str]) -> str:
    if value not in known:
        raise unknown_name(f"value of option {option}", value, known)
    return value

"""SiamAttn and the trackers of PySOT's model zoo as plug-ins.

Only what builds a tracker imports PyTorch, which takes a second or two: the process that starts a
run and its workers reads classes and options alone.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from bench.arrays import FloatArray, Image
from bench.errors import ConfigError, unknown_name
from bench.tracker import Region
from trackers.siamattn.config import Config, Kernels, Precision, TrackingConfig
from trackers.siamattn.figure import ConfidenceMaps
from trackers.siamattn.target_state import SiamesePrediction, State, first_box, is_rotated

if TYPE_CHECKING:
    import torch

    from trackers.siamattn import exported

LITE = Path(__file__).parent / "weights" / "siamattn-lite.safetensors"

Mode = Literal["auto", "box", "mask"]
Benchmark = Literal["auto", "vot", "otb"]


def _offered(*names: str) -> str:
    return (
        f"PySOT offers model.pth of {' and '.join(names)} (CC BY-SA 3.0) at "
        "https://github.com/STVIR/pysot/blob/master/MODEL_ZOO.md"
    )


class SiamAttn:
    """Deformable Siamese attention networks (Yu et al., CVPR 2020).

    Started on a rotated rectangle, as in the VOT challenge, it predicts the rectangle around its
    mask; started on a box, it predicts a box and computes no mask. Both follow the same boxes.

    Args:
        weights: a ``.safetensors`` or released ``.pth`` file.
        preset: name of the architecture; by default from the file's record or keys.
        device: PyTorch's name of the network's device; ``auto`` is the GPU if there is one.
        precision: of the backbone's arithmetic, ``float32``, ``bf16`` or, on a GPU, ``fp16``; with
            ``tf32``, a GPU also multiplies float32 numbers of the whole network in that precision.
        kernels: of wide float32 3x3 convolutions on a CPU, ``winograd``, or ``direct`` as oneDNN
            has them; results differ by rounding.
        cuda_graphs: replay the network's calls as CUDA graphs; on a GPU only.
        mode: predict a ``box``, or the rectangle around a ``mask``; ``auto`` depends on the start.
        benchmark: source of the hyper-parameters; ``auto``: VOT for a rotated start, else OTB.
        penalty_k: overrides the weight of the penalty on changes of shape.
        window_influence: overrides the weight of the cosine window in the ranking of proposals.
        lr: overrides the weight of a confident proposal's size in the next size.
        mask_threshold: overrides the probability above which a pixel belongs to the target.

    Raises:
        ConfigError: the weights are missing or do not fit, or an option is out of range.
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
        precision: Precision = "float32",
        kernels: Kernels = "winograd",
        cuda_graphs: bool = False,
        mode: Mode = "auto",
        benchmark: Benchmark = "auto",
        penalty_k: float | None = None,
        window_influence: float | None = None,
        lr: float | None = None,
        mask_threshold: float | None = None,
    ) -> None:
        from trackers.siamattn.checkpoints import load_network
        from trackers.siamattn.engine import Engine
        from trackers.siamattn.fast import optimize
        from trackers.siamattn.precision import check_precision

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
        _one_of("precision", precision, get_args(Precision))
        _one_of("kernels", kernels, get_args(Kernels))
        check_precision(precision, place, cuda_graphs)
        self._source = (self._required(weights), preset)
        network = load_network(*self._source)
        self._check(network.config)
        network = optimize(network.to(place), precision, kernels)
        self.engine = Engine(network, tf32=precision == "tf32", captured=cuda_graphs)

    @staticmethod
    def convert(source: Path, target: Path, preset: str | None = None) -> dict[str, str]:
        """Implements ``bench convert``; see ``checkpoints.convert``."""
        from trackers.siamattn import checkpoints

        return checkpoints.convert(source, target, preset)

    def export_model(
        self, folder: Path, form: exported.Format, images: Sequence[Image], region: Region
    ) -> exported.Drift:
        """Implements ``bench export-model``: write the graphs, and track ``images`` with both.

        Raises:
            ConfigError: the folder holds something else, or the network is not on the CPU.
            TrackerError: a package that the form needs is not installed.
        """
        from trackers.siamattn import exported
        from trackers.siamattn.checkpoints import load_network
        from trackers.siamattn.fast import fold_batch_norm

        network = load_network(*self._source).requires_grad_(False)
        fold_batch_norm(network)
        origin = {"preset": network.config.name, "weights": self._source[0].name}
        exported.export(network, folder, form, origin)
        graphs = exported.ExportedNetwork(folder, network.config)
        compared = exported.Compared(self.engine.network, graphs)
        ours, theirs = (self._boxes(each, images, region) for each in (compared, graphs))
        return exported.Drift(compared.deviations, float(np.abs(ours - theirs).max()))

    def _boxes(self, network: Any, images: Sequence[Image], region: Region) -> FloatArray:
        """The boxes that another form of the network finds, with masks if it has them."""
        from trackers.siamattn.engine import Engine

        twin = copy.copy(self)
        twin.engine = Engine(network)
        twin.mode = "mask" if network.config.refine.mask else "box"
        twin.init(images[0], region)
        return np.array([twin.update(image).box for image in images[1:]])

    def init(self, image: Image, region: Region) -> None:
        """Start on a box ``(4,)``, a polygon ``(K, 2)`` or a mask ``(H, W)``."""
        self.state = self.start(image, region)

    def update(self, image: Image) -> SiamesePrediction:
        """Track into the next frame; the score is the proposal's target probability."""
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
        """Track B targets, each into its own next frame; see ``Engine.advance``.

        Raises:
            TrackerError: the network's output is not finite.
        """
        return self.engine.advance(states, images)

    def confidence_maps(self, image: Image) -> ConfidenceMaps:
        """Figure 4 of the paper for the next frame; the tracker does not advance."""
        return self.engine.confidence_maps(self.state, image)

    def tracking(self, config: Config, rotated: bool) -> TrackingConfig:
        """The hyper-parameters for a target, which depend on how it is initialised."""
        name = (
            self.benchmark
            if self.benchmark != "auto"
            else self._default_benchmark(config, rotated)
        )
        return config.tracking_for(name, **self.settings)

    def _default_benchmark(self, config: Config, rotated: bool) -> str:
        return "vot" if rotated else "otb"

    def _required(self, weights: Path | None) -> Path:
        if weights is None:
            raise ConfigError(
                f"{self.family} needs weights: give them with --weights FILE. {self.offered}. A "
                "downloaded file works as it is; `bench convert FILE` makes one that loads faster."
            )
        return weights

    def _check(self, config: Config) -> None:
        """Refuse weights of another family, masks without a head, and settings out of range."""
        if config.tracker != self.family:
            raise ConfigError(
                f"expected weights of {self.family}, found those of preset {config.name!r}. "
                f"Use --tracker {config.tracker}, or other weights."
            )
        if self.mode == "mask" and not config.refine.mask:
            raise ConfigError(
                f"mode 'mask' needs a mask head, and preset {config.name!r} has none. "
                "Omit the option."
            )
        for rotated in (False, True):
            self.tracking(config, rotated)


class SiamAttnLite(SiamAttn):
    """A small SiamAttn, with weights that this project trained on single pictures.

    Options are those of ``SiamAttn``; ``weights/README.md`` documents the weights.
    """

    def _required(self, weights: Path | None) -> Path:
        return LITE if weights is None else weights


class SiamRPNPlusPlus(SiamAttn):
    """SiamRPN++ (Li et al., CVPR 2019) as released in PySOT, the baseline without attention.

    Options are those of ``SiamAttn``. It predicts no mask, and ``benchmark="auto"`` uses the
    hyper-parameters released with the weights.
    """

    family = "siamrpn++"
    offered = _offered("siamrpn_r50_l234_dwxcorr", "siamrpn_r50_l234_dwxcorr_otb")

    def _default_benchmark(self, config: Config, rotated: bool) -> str:
        return config.benchmark


class SiamRPNMobile(SiamRPNPlusPlus):
    """SiamRPN++ on MobileNetV2 as released in PySOT; options are those of ``SiamAttn``."""

    family = "siamrpn++-mobile"
    offered = _offered("siamrpn_mobilev2_l234_dwxcorr")


class SiamRPN(SiamRPNPlusPlus):
    """SiamRPN (Li et al., CVPR 2018) on AlexNet as released in PySOT, with the depth-wise
    correlation of SiamRPN++; options are those of ``SiamAttn``."""

    family = "siamrpn"
    offered = _offered("siamrpn_alex_dwxcorr", "siamrpn_alex_dwxcorr_otb")


class SiamMask(SiamRPNPlusPlus):
    """SiamMask (Wang et al., CVPR 2019) as released in PySOT; options are those of ``SiamAttn``.

    Its rectangle is the smallest around the mask, not the paper's optimised one.
    """

    family = "siammask"
    offered = _offered("siammask_r50_l3")


def find_device(name: str) -> torch.device:
    """The device of a name such as ``cpu`` or ``cuda:0``; ``auto`` is the GPU if there is one.

    Raises:
        ConfigError: the device is unknown to PyTorch or unavailable on this machine.
    """
    import torch

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

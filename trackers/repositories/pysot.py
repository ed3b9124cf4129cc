"""Trackers of PySOT and of repositories made from it: SiamRPN++, SiamMask, and others.

Layout: ``pysot.core.config.cfg``, ``pysot.models.model_builder.ModelBuilder`` and
``pysot.tracker.tracker_builder.build_tracker``. This module calls them as ``tools/test.py`` does,
on the CPU too.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from bench.errors import ConfigError, TrackerError
from bench.geometry import area_preserving_box
from bench.tracker import Prediction, Region
from trackers.adapted import Adapted, FirstBox, FromPySOT, Origin
from trackers.answers import from_answer
from trackers.repositories.checkout import Checkout, Layout, stay_without_cuda
from trackers.repositories.substitutes import bring_up_to_date
from trackers.weight_files import check_file

LAYOUT = Layout("PySOT", "pysot", "pysot/tracker")
_WIDER = np.array([-0.5, -0.5, 1.0, 1.0])  # get_axis_aligned_bbox adds a pixel to both sizes


class PySOT(FromPySOT):
    """A tracker of a repository of PySOT.

    Args:
        repo: the repository's folder.
        config: YAML file of the experiment, from the working folder or from ``repo``.
        weights: checkpoint, from the working folder or from ``repo``.
        first_box: ``"pysot"`` moves it by half a pixel, as ``tools/test.py`` does.
        origin: coordinate of the first pixel in the tracker's boxes.

    Raises:
        ConfigError: the repository, configuration or weights do not exist.
        TrackerError: it cannot be built, or the weights are not of that network.
    """

    folders = ("repo",)
    starts_on = "polygon"  # of which it takes the area-preserving box

    def __init__(
        self,
        repo: Path,
        config: Path,
        weights: Path,
        first_box: FirstBox = "pysot",
        origin: Origin = 0,
    ) -> None:
        self.checkout = Checkout(repo, LAYOUT)
        self.config, self.weights = self._file("config", config), self._file("weights", weights)
        check_file(self.weights, "weights of PyTorch (.pth)")
        self.checkout.claim(str(self.config))
        bring_up_to_date()
        what = f"PySOT tracker of {self.checkout.root} cannot be built"
        with self.checkout.imported(), self.checkout.explained(what, {}):
            Adapted.__init__(self, self._make(), "bgr", first_box, origin)

    @staticmethod
    def result_name(options: dict[str, Any]) -> str:
        """The name of results by default: PySOT's name of the experiment."""
        config = Path(options["config"])
        return config.stem if config.stem != "config" else config.absolute().parent.name

    def files(self) -> list[Path]:
        """See ``Checkout.files``."""
        return self.checkout.files()

    def _file(self, option: str, named: Path) -> Path:
        for path in (named.expanduser().absolute(), self.checkout.root / named):
            if path.is_file():
                return path
        raise ConfigError(
            f"option {option!r}: there is no file {named}, neither in {Path.cwd()} nor in "
            f"{self.checkout.root}"
        )

    def _make(self) -> Any:
        """The repository's tracker with its network, on the GPU if there is one."""
        from pysot.core.config import cfg
        from pysot.models.model_builder import ModelBuilder
        from pysot.tracker.tracker_builder import build_tracker

        cfg.merge_from_file(str(self.config))
        cfg.CUDA = not stay_without_cuda()
        model = ModelBuilder()
        self._load(model)
        return build_tracker(model.cuda().eval())

    def _load(self, model: Any) -> None:
        """Load the weights as PySOT's ``load_pretrain`` does, but on any device and in full.

        Raises:
            TrackerError: a weight of the network is missing.
        """
        import torch

        read = torch.load(self.weights, map_location="cpu", weights_only=True)
        values = read.get("state_dict", read)
        named = {name.removeprefix("module."): value for name, value in values.items()}
        missing = model.load_state_dict(named, strict=False).missing_keys
        if missing := [name for name in missing if not name.endswith("num_batches_tracked")]:
            raise TrackerError(
                f"{self.weights}: expected the weights of {self.config}, but {len(missing)} are "
                f"missing ({', '.join(missing[:3])}). Give weights and configuration of the same "
                "experiment."
            )

    def _begin(self, picture: Any, region: Region) -> None:
        self._is_rotated = region.shape == (4, 2) and region.dtype != bool
        if self._is_rotated:
            region = area_preserving_box(region.astype(np.float64)) + _WIDER
        super()._begin(picture, region)

    def _read(self, answer: Any, shape: tuple[int, ...]) -> Prediction:
        """SiamMask's polygon counts on VOT, its box elsewhere, as in ``tools/test.py``."""
        return from_answer(answer, ("polygon", "bbox") if self._is_rotated else ("bbox",), shape)

"""OpenCV's trackers behind the interface of this toolkit.

OpenCV expects BGR images and an initial box of whole pixels inside the image. MIL comes with every
build, CSRT and KCF only with the contributed modules; Nano, Vit and DaSiamRPN need networks that
OpenCV offers for download.
"""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bench.arrays import FloatArray, Image
from bench.errors import ConfigError, TrackerError
from bench.tracker import Prediction, Region, as_box
from trackers.weight_files import check_file

if TYPE_CHECKING:
    import cv2

_THIN = 4  # pixels; CSRT's search region may lose narrower targets when it is scaled
OFFERED_AT = "https://github.com/opencv/opencv/blob/4.x/samples/python/tracker.py"


class OpenCVTracker:
    """Base of the wrappers; subclasses create the OpenCV object.

    A lost target keeps its last box with score 0; trackers without scores report 1 otherwise.
    """

    deterministic = True
    smallest = 1  # minimum side of the initial box; smaller targets get a box around them

    def init(self, image: Image, region: Region) -> None:
        """Start a new OpenCV tracker on the box of ``region``, rounded to whole pixels.

        Raises:
            TrackerError: the region is not finite, or OpenCV refuses it.
        """
        import cv2

        self.box = as_box(region)
        x, y, w, h = _whole_pixels(self.box, image, self.smallest)
        self.share = np.minimum(1, self.box[2:] / (w, h))  # target size relative to the box
        self.started = f"box {x, y, w, h} in an image of {image.shape[1]} x {image.shape[0]}"
        self.thin = min(w, h) < _THIN
        try:
            self.tracker = self._create()
            self.tracker.init(image[:, :, ::-1].copy(), (x, y, w, h))
        except cv2.error as error:
            raise TrackerError(f"OpenCV cannot start on {self._said(error)}") from error

    def update(self, image: Image) -> Prediction:
        """Find the target.

        Raises:
            TrackerError: OpenCV raised.
        """
        import cv2

        try:
            found, rectangle = self.tracker.update(image[:, :, ::-1].copy())
        except cv2.error as error:
            raise TrackerError(f"OpenCV cannot go on from {self._said(error)}") from error
        if not found:
            return Prediction(self.box, 0.0)
        corner, size = np.array(rectangle, dtype=np.float64).reshape(2, 2)
        self.box = np.concatenate([corner + size * (1 - self.share) / 2, size * self.share])
        return Prediction(self.box, self._score())

    def _create(self) -> cv2.Tracker:
        raise NotImplementedError

    def _said(self, error: cv2.error) -> str:
        """Where it failed, what may be the cause, and OpenCV's own words."""
        name = type(self).__name__
        cause = f"{name} cannot follow what is shown there"
        if self.thin:
            cause = f"the target is too thin for {name}; use another tracker for such targets"
        return f"{self.started}: {cause} (OpenCV: {' '.join(str(error.err).split())})"

    def _score(self) -> float:
        return 1.0


class MIL(OpenCVTracker):
    """Multiple instance learning (Babenko et al., CVPR 2009), included in every OpenCV build.

    Args:
        seed: seed of the random numbers, set at each start so that runs are repeatable.
    """

    smallest = 8  # below, its search for random features of 9 pixels may never end

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def _create(self) -> cv2.Tracker:
        import cv2

        cv2.setRNGSeed(self.seed)
        ctypes.CDLL(None).srand(self.seed)  # features use the C library's rand()
        return cv2.TrackerMIL.create()


class _ContributedTracker(OpenCVTracker):
    """Base of the trackers from the contributed modules.

    Raises:
        TrackerError: the installed OpenCV was built without them.
    """

    factory: str

    def __init__(self) -> None:
        self._create()

    def _create(self) -> cv2.Tracker:
        import cv2

        if not hasattr(cv2, self.factory):
            raise TrackerError(
                f"cv2.{self.factory} is not in the installed OpenCV {cv2.__version__}: only the "
                "builds with contributed modules have it. `pip uninstall opencv-python "
                "opencv-python-headless`, then `pip install 'opencv-contrib-python-headless<5'`."
            )
        tracker: cv2.Tracker = getattr(cv2, self.factory).create()
        return tracker


class CSRT(_ContributedTracker):
    """Channel and spatial reliability filter (Lukezic et al., CVPR 2017)."""

    factory = "TrackerCSRT"


class OpenCVKCF(_ContributedTracker):
    """OpenCV's kernelized correlation filter, of fixed size."""

    factory = "TrackerKCF"


class _NetworkTracker(OpenCVTracker):
    """Base of the trackers with a network, which report a score.

    Raises:
        ConfigError: a file is missing, is not a network, or is one that OpenCV cannot track with.
    """

    tracker: cv2.TrackerNano | cv2.TrackerVit | cv2.TrackerDaSiamRPN

    def _score(self) -> float:
        return float(self.tracker.getTrackingScore())


class Nano(_NetworkTracker):
    """NanoTrack, a light Siamese network.

    Args:
        backbone: nanotrack_backbone_sim.onnx.
        head: nanotrack_head_sim.onnx.
    """

    def __init__(self, backbone: Path | None = None, head: Path | None = None) -> None:
        self.backbone = _file(backbone, "backbone", "nanotrack_backbone_sim.onnx")
        self.head = _file(head, "head", "nanotrack_head_sim.onnx")
        _created(self)

    def _create(self) -> cv2.Tracker:
        import cv2

        parameters = cv2.TrackerNano.Params()
        parameters.backbone, parameters.neckhead = self.backbone, self.head
        return cv2.TrackerNano.create(parameters)


class Vit(_NetworkTracker):
    """VitTrack, a light vision transformer.

    Args:
        weights: object_tracking_vittrack_2023sep.onnx.
    """

    def __init__(self, weights: Path | None = None) -> None:
        self.weights = _file(weights, "weights", "object_tracking_vittrack_2023sep.onnx")
        _created(self)

    def _create(self) -> cv2.Tracker:
        import cv2

        parameters = cv2.TrackerVit.Params()
        parameters.net = self.weights
        return cv2.TrackerVit.create(parameters)


class DaSiamRPN(_NetworkTracker):
    """Distractor-aware Siamese region proposals (Zhu et al., ECCV 2018).

    Args:
        weights: dasiamrpn_model.onnx.
        kernel_cls: dasiamrpn_kernel_cls1.onnx.
        kernel_r: dasiamrpn_kernel_r1.onnx.
    """

    def __init__(
        self,
        weights: Path | None = None,
        kernel_cls: Path | None = None,
        kernel_r: Path | None = None,
    ) -> None:
        self.weights = _file(weights, "weights", "dasiamrpn_model.onnx")
        self.kernel_cls = _file(kernel_cls, "kernel_cls", "dasiamrpn_kernel_cls1.onnx")
        self.kernel_r = _file(kernel_r, "kernel_r", "dasiamrpn_kernel_r1.onnx")
        _created(self)

    def _create(self) -> cv2.Tracker:
        import cv2

        parameters = cv2.TrackerDaSiamRPN.Params()
        parameters.model = self.weights
        parameters.kernel_cls1, parameters.kernel_r1 = self.kernel_cls, self.kernel_r
        return cv2.TrackerDaSiamRPN.create(parameters)


_TRIAL = np.random.default_rng(0).integers(0, 256, (240, 320, 3), dtype=np.uint8)


def _file(path: Path | None, option: str, expected: str) -> str:
    """The path of a network's file, if it exists."""
    if path is not None and path.exists():
        check_file(path, f"option {option!r}: the network {expected}")
    else:
        found = "it is not given" if path is None else f"{path} is not a file"
        raise ConfigError(
            f"option {option!r}: expected the file {expected}, but {found}. "
            f"Give it with --set {option}=FILE. OpenCV offers it: opencv_zoo and opencv_extra on "
            f"GitHub have most networks, and the head of {OFFERED_AT} links all of them."
        )
    return str(path)


def _created(tracker: _NetworkTracker) -> None:
    """Load the networks and track once, so that files that do not fit fail at start-up."""
    import cv2

    files = " or ".join(value for value in vars(tracker).values() if isinstance(value, str))
    try:
        network = tracker._create()
    except cv2.error as error:
        raise ConfigError(
            f"OpenCV {cv2.__version__} cannot read {files} as a network: {error.err}"
        ) from error
    try:
        network.init(_TRIAL.copy(), (100, 100, 40, 40))
        network.update(_TRIAL.copy())
    except cv2.error as error:
        raise ConfigError(
            f"OpenCV {cv2.__version__} reads {files}, but cannot track with it: expected the "
            f"networks of {type(tracker).__name__} that OpenCV offers ({OFFERED_AT}), found "
            f"another version or export (OpenCV: {' '.join(str(error.err).split())})"
        ) from error


def _whole_pixels(box: FloatArray, image: Image, smallest: int) -> tuple[int, int, int, int]:
    """The box rounded to whole pixels of the image, at least ``smallest`` pixels per side."""
    extent = np.array(image.shape[1::-1])
    start, end = np.rint(box[:2]), np.rint(box[:2] + box[2:])
    grow = np.maximum(smallest - (end - start), 0) // 2
    start = np.clip(start - grow, 0, np.maximum(extent - smallest, 0))
    end = np.clip(end, np.minimum(start + smallest, extent), extent)
    x, y = start.astype(int).tolist()
    w, h = (end - start).astype(int).tolist()
    return x, y, w, h

"""Foreign trackers in our interface: images, first boxes and answers as their authors meant."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from bench.arrays import Image
from bench.protocols.steps import describe
from bench.tracker import Prediction, Region, as_box
from trackers.answers import as_prediction, from_answer

Images = Literal["auto", "rgb", "bgr", "gray", "pil"]
FirstBox = Literal["as-is", "pysot"]
Origin = Literal[0, 1]

_LANGUAGE = re.compile("nlp|lang|text|caption", re.IGNORECASE)  # keys of words about the target
_HALF_A_PIXEL = 0.5  # PySOT's tools/test.py: cx - (w - 1) / 2 with cx = x + w / 2
_NO_IMAGE = (AttributeError, TypeError, ValueError)  # what reading an image of another kind raises


class Adapted:
    """Wraps a foreign tracker in our interface; subclasses call its methods.

    Attributes:
        wrapped: the foreign tracker.
        adapter_choice: how it is run, in words; for the record of a run.
    """

    wrapped: Any
    deterministic = False
    toolkit = "no toolkit"
    default_images: Images = "rgb"

    def __init__(self, wrapped: Any, images: Images, first_box: FirstBox, origin: int) -> None:
        self.wrapped = wrapped
        self.images, self.first_box, self.origin = images, first_box, origin
        self._reads: Images = images
        self._why = ""
        self._first: tuple[Image, Region] | None = None

    @property
    def adapter_choice(self) -> str:
        """How the foreign tracker is run, in words."""
        return (
            f"written for {self.toolkit}: images {self._reads}{self._why}, "
            f"first box {self.first_box}, origin {self.origin}"
        )

    def init(self, image: Image, region: Region) -> None:
        """Start the foreign tracker on ``region``."""
        moved = self._shifted(region, self.origin + _HALF_A_PIXEL * (self.first_box == "pysot"))
        # Anew for each start, so that what ran before makes no difference.
        self._reads, self._why = self.images, ""
        self._first = (image, moved)
        self._attempt(image, lambda picture: self._begin(picture, moved))

    def update(self, image: Image) -> Prediction:
        """The foreign tracker's result as a Prediction.

        Raises:
            TrackerError: the result is not a region.
        """
        answer = self._attempt(image, self._follow)
        if self._reads == "auto":
            self._reads = "pil"
        self._first = None
        said = self._read(answer, image.shape[:2])
        if not self.origin or said.region is None:
            return said
        return Prediction(self._shifted(said.region, -self.origin), said.score)

    def _begin(self, picture: Any, region: Region) -> None:
        self.wrapped.init(picture, region)

    def _follow(self, picture: Any) -> Any:
        return self.wrapped.update(picture)

    def _read(self, answer: Any, shape: tuple[int, ...]) -> Prediction:
        return as_prediction(answer, shape)

    def _attempt(self, image: Image, call: Callable[[Any], Any]) -> Any:
        """Call with the image as the tracker reads it; ``auto`` tries PIL images, then arrays."""
        if self._reads != "auto":
            return call(picture_of(image, self._reads))
        try:
            return call(picture_of(image, "pil"))
        except Exception as error:
            if self._first is None or not _is_misread(error):
                raise
            try:
                if call == self._follow:  # it was started on a PIL image
                    self._begin(*self._first)
                answer = call(image)
            except Exception:
                raise error from None
            self._reads, self._why = "rgb", f" (it cannot read PIL images: {describe(error)})"
            return answer

    @staticmethod
    def _shifted(region: Region, by: float) -> Region:
        """A box or polygon moved by ``by`` in x and y; masks stay."""
        region = np.asarray(region)
        if not by or region.dtype == bool:
            return region
        step = np.array([by, by, 0.0, 0.0]) if region.shape == (4,) else np.array(by)
        moved: Region = region + step
        return moved

    def __getattr__(self, name: str) -> Any:
        if name == "wrapped":  # not set yet: avoids infinite recursion
            raise AttributeError(name)
        return getattr(self.wrapped, name)


class Bare(Adapted):
    """A class with ``init`` and ``update``; ours too, if it answers with a Prediction."""

    def _begin(self, picture: Any, region: Region) -> None:
        self.wrapped.init(picture, region if hasattr(self, "starts_on") else as_box(region))


class BatchBare(Bare):
    """The same, with a batch form, which takes images and boxes as they are."""

    def start(self, image: Image, region: Region) -> Any:
        """The batch form's; see ``bench.tracker.BatchTracker``."""
        return self.wrapped.start(image, region)

    def advance(self, states: Any, images: Any) -> Any:
        """The batch form's."""
        return self.wrapped.advance(states, images)


class FromGot10k(Adapted):
    toolkit = "got10k"
    default_images: Images = "auto"

    def _begin(self, picture: Any, region: Region) -> None:
        self.wrapped.init(picture, as_box(region))


class FromPySOT(Adapted):
    toolkit = "PySOT"
    default_images: Images = "bgr"

    def _begin(self, picture: Any, region: Region) -> None:
        self.wrapped.init(picture, as_box(region).tolist())

    def _follow(self, picture: Any) -> Any:
        return self.wrapped.track(picture)

    def _read(self, answer: Any, shape: tuple[int, ...]) -> Prediction:
        return from_answer(answer, ("polygon", "bbox"), shape)


class _Info(dict[str, Any]):
    """What a tracker is told of a frame; ``asked`` collects the keys it looks for in vain."""

    def __init__(self, asked: set[str], **content: Any) -> None:
        super().__init__(content)
        self._asked = asked

    def get(self, key: Any, default: Any = None) -> Any:
        self._note(key)
        return super().get(key, default)

    def __contains__(self, key: object) -> bool:
        self._note(key)
        return super().__contains__(key)

    def __missing__(self, key: Any) -> Any:
        self._note(key)
        raise KeyError(key)

    def _note(self, key: object) -> None:
        if key not in self.keys():
            self._asked.add(str(key))


class FromPyTracking(Adapted):
    toolkit = "pytracking"

    def __init__(self, wrapped: Any, images: Images, first_box: FirstBox, origin: int) -> None:
        super().__init__(wrapped, images, first_box, origin)
        self._asked: set[str] = set()

    @property
    def adapter_choice(self) -> str:
        """How the foreign tracker is run, in words."""
        return f"{super().adapter_choice}{self.lacking()}"

    def lacking(self) -> str:
        """Descriptions in words that it asked for and was not given; empty if there are none."""
        words = sorted(key for key in self._asked if _LANGUAGE.search(key))
        if not words:
            return ""
        keys = ", ".join(map(repr, words))
        return f"; it asked for a description of the target ({keys}), which is not given"

    def _begin(self, picture: Any, region: Region) -> None:
        info = _Info(self._asked, init_bbox=as_box(region).tolist())
        self.previous = self.wrapped.initialize(picture, info) or {}
        self.takes_info = len(parameters(self.wrapped.track)) > 1

    def _follow(self, picture: Any) -> Any:
        given = _Info(self._asked, previous_output=self.previous)
        info = [given] if self.takes_info else []
        answer = self.wrapped.track(picture, *info)
        self.previous = {} if answer is None else answer
        return answer

    def _read(self, answer: Any, shape: tuple[int, ...]) -> Prediction:
        return from_answer(answer, ("target_bbox", "segmentation", "mask"), shape)


def picture_of(image: Image, kind: Images) -> Any:
    """An RGB image as a foreign tracker reads it: array of another order, grey, or PIL image."""
    if kind == "pil":
        from PIL import Image as Pillow

        return Pillow.fromarray(image)
    if kind == "bgr":
        return np.ascontiguousarray(image[:, :, ::-1])
    if kind == "gray":
        import cv2

        return cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    return image


def _is_misread(error: Exception) -> bool:
    """Whether an exception may come from reading a PIL image as an array."""
    return isinstance(error, _NO_IMAGE) or type(error).__module__.partition(".")[0] == "cv2"


def parameters(method: Any) -> list[inspect.Parameter]:
    """The parameters of a method; none of one written in C."""
    try:
        return list(inspect.signature(method).parameters.values())
    except (TypeError, ValueError):
        return []

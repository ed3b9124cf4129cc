"""Adapters that run trackers written for other toolkits by name, without changing their classes.

A class is recognised by its methods, so the other toolkits need not be installed:

============  ============================================  ====================================
written for   methods                                       images and output
============  ============================================  ====================================
pytracking    initialize(image, info), track(image, info)   RGB array; dict with ``target_bbox``
got10k        init, update, track(files, box)               PIL image; box
PySOT         init(image, box), track(image)                BGR array; dict with ``bbox``
no toolkit    init(image, box), update(image)               RGB array; box
============  ============================================  ====================================

Boxes are x, y, w, h in 0-based pixels in all of them. The options of an adapted tracker are those
of the original constructor.
"""

from __future__ import annotations

import functools
import inspect
import typing
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from bench.arrays import Image
from bench.errors import TrackerError
from bench.tracker import Prediction, Region, as_box

SCORE_KEYS = ("best_score", "max_score", "score", "confidence")
"""Keys under which trackers that return a dict report their confidence, in order of preference."""


class Adapted:
    """Wraps a foreign tracker in our interface; subclasses convert images and results."""

    wrapped: Any

    def init(self, image: Image, region: Region) -> None:
        """Start the foreign tracker on the box of ``region``."""
        self.wrapped.init(image, as_box(region))

    def update(self, image: Image) -> Prediction:
        """The foreign tracker's result as a Prediction.

        Raises:
            TrackerError: the result is not a region.
        """
        return as_prediction(self.wrapped.update(image))

    def __getattr__(self, name: str) -> Any:
        if name == "wrapped":  # not set yet: avoids infinite recursion
            raise AttributeError(name)
        return getattr(self.wrapped, name)


class _FromGot10k(Adapted):
    def init(self, image: Image, region: Region) -> None:
        from PIL import Image as Pillow

        self.wrapped.init(Pillow.fromarray(image), as_box(region))

    def update(self, image: Image) -> Prediction:
        from PIL import Image as Pillow

        return as_prediction(self.wrapped.update(Pillow.fromarray(image)))


class _FromPySOT(Adapted):
    def init(self, image: Image, region: Region) -> None:
        self.wrapped.init(_bgr(image), as_box(region).tolist())

    def update(self, image: Image) -> Prediction:
        return from_answer(self.wrapped.track(_bgr(image)), ("polygon", "bbox"))


class _FromPyTracking(Adapted):
    def init(self, image: Image, region: Region) -> None:
        info = {"init_bbox": as_box(region).tolist()}
        self.previous = self.wrapped.initialize(image, info) or {}
        self.takes_info = len(inspect.signature(self.wrapped.track).parameters) > 1

    def update(self, image: Image) -> Prediction:
        info = [{"previous_output": self.previous}] if self.takes_info else []
        self.previous = self.wrapped.track(image, *info)
        return from_answer(self.previous, ("target_bbox",))


def adapter_for(found: type) -> type | None:
    """A class with our interface around a foreign one; None if not needed or not recognised.

    The new class keeps the foreign one's name and options; options without annotation get the
    type of their default.
    """
    base = _kind(found)
    if base is None:
        return None
    return type(found.__name__, (base,), {"__init__": _constructor(found), **_described(found)})


def _kind(found: type) -> type[Adapted] | None:
    """The adapter that fits a class's methods; None for our own trackers and other classes."""

    def has(*names: str) -> bool:
        return all(callable(getattr(found, name, None)) for name in names)

    if not inspect.isclass(found) or _answers_prediction(found):
        return None
    if has("initialize", "track"):
        return _FromPyTracking
    if has("init", "update", "track") and _runs_files(found):
        return _FromGot10k
    if has("init", "track"):
        return _FromPySOT
    return Adapted if has("init", "update") else None


def _runs_files(found: Any) -> bool:
    """True for got10k's ``track(img_files, box)``, False for PySOT's ``track(img)``."""
    parameters = inspect.signature(found.track).parameters.values()
    return sum(parameter.default is parameter.empty for parameter in parameters) > 2  # with self


def _answers_prediction(found: type) -> bool:
    """True for our own interface: ``update`` is annotated to return a Prediction."""
    update = getattr(found, "update", None)
    declared = getattr(update, "__annotations__", {}).get("return")
    return declared is not None and "Prediction" in str(declared)


def _described(found: type) -> dict[str, Any]:
    """Attributes that the adapted class copies from the foreign one."""
    return {
        "__doc__": found.__doc__,
        "__module__": found.__module__,
        "deterministic": getattr(found, "deterministic", True),
    }


def _constructor(found: type) -> Callable[..., None]:
    """An ``__init__`` that builds the foreign tracker and has the same signature."""
    foreign: Callable[..., None] = found.__init__  # type: ignore[misc]

    @functools.wraps(foreign)
    def construct(self: Adapted, *args: Any, **options: Any) -> None:
        self.wrapped = found(*args, **options)

    construct.__annotations__ = _option_types(foreign)
    return construct


def _option_types(constructor: Callable[..., None]) -> dict[str, Any]:
    """Types of a constructor's options: the annotation, else the default's type."""
    try:
        declared = typing.get_type_hints(constructor)
    except (NameError, TypeError, AttributeError):  # names imported only for type checking
        declared = {}
    parameters = inspect.signature(constructor).parameters.values()
    guessed = {p.name: type(p.default) for p in parameters if type(p.default) in _PLAIN_TYPES}
    return {**guessed, **declared}


_PLAIN_TYPES = (bool, int, float, str)


def from_answer(answer: Any, region_keys: tuple[str, ...]) -> Prediction:
    """A Prediction from a dict, with the region under the first of ``region_keys`` it contains.

    Raises:
        TrackerError: the answer is not a dict, or has no region.
    """
    if not isinstance(answer, Mapping):
        raise TrackerError(f"expected a dict from track(), found {type(answer).__name__}")
    regions = [answer[key] for key in region_keys if answer.get(key) is not None]
    if not regions:
        raise TrackerError(
            f"expected {' or '.join(map(repr, region_keys))} in the result of track(), "
            f"found {', '.join(map(repr, answer)) or 'an empty dict'}"
        )
    scores = [answer[key] for key in SCORE_KEYS if answer.get(key) is not None]
    score = float(np.asarray(scores[0]).ravel()[0]) if scores else None
    return Prediction(_region(regions[0]), score)


def as_prediction(answer: Any) -> Prediction:
    """A Prediction from a bare box: an array, list or tuple of four numbers.

    Raises:
        TrackerError: the answer is not a box.
    """
    return answer if isinstance(answer, Prediction) else Prediction(_region(answer))


def _region(value: Any) -> Region:
    """Box ``(4,)``, polygon ``(K, 2)`` or mask ``(H, W)`` from a foreign tracker's result."""
    try:
        region = np.asarray(value)
        region = region if region.dtype == bool else region.astype(np.float64)
    except (TypeError, ValueError, RuntimeError):
        region = np.array(np.nan)
    if region.ndim == 0:
        raise TrackerError(f"expected a box of four numbers, found {value!r:.80}")
    if region.ndim == 1 and region.size >= 6 and region.size % 2 == 0:
        return region.reshape(-1, 2)  # x1, y1, x2, y2, .. as PySOT returns polygons
    if region.ndim == 2 and 1 in region.shape and region.size == 4:
        return region.ravel()  # a batch of one
    return region


def _bgr(image: Image) -> Image:
    """The image in OpenCV's channel order."""
    return np.ascontiguousarray(image[:, :, ::-1])

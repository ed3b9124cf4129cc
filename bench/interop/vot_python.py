"""Adapter class that vot-toolkit imports to run a plug-in tracker (protocol ``python``).

The toolkit builds it in a separate process from ``arg_...`` in ``trackers.ini``, passes images by
path, and represents a box by four numbers and a polygon by a list of corners.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TypeAlias

import numpy as np

from bench.errors import BenchError
from bench.images import read_image
from bench.interop.session import Session
from bench.registry import make_spec
from bench.tracker import Region, as_box

Plain: TypeAlias = "tuple[float, ...] | list[tuple[float, float]]"
_NOWHERE = (0.0, 0.0, 0.0, 0.0)  # "not visible": a box that overlaps nothing
Answer: TypeAlias = "tuple[Plain, dict[str, float]]"


class PluginTracker:
    """A tracker of this toolkit, specified as on the command line.

    Errors are raised as RuntimeError; the toolkit reports those and hangs after any other.

    Args:
        tracker: registered name or ``module:Class``.
        options: a JSON object of option values as text.

    Raises:
        RuntimeError: the tracker is unknown or could not be built.
    """

    multiobject = False

    def __init__(self, tracker: str, options: str = "{}") -> None:
        try:
            self._session = Session(make_spec(tracker, json.loads(options)))
        except BenchError as error:
            raise RuntimeError(str(error)) from error

    def init(
        self, frame: str, new: tuple[Plain, dict[str, str]], properties: dict[str, str]
    ) -> Answer:
        """Initialise on the region of ``new`` in the image at ``frame``; ignores ``properties``.

        Raises:
            RuntimeError: the image cannot be decoded, or the tracker failed.
        """
        region = _decode(new[0])
        try:
            self._session.start(read_image(Path(frame)), region)
        except BenchError as error:
            raise RuntimeError(str(error)) from error
        return _encode(as_box(region)), {}

    def update(self, frame: str) -> Answer:
        """Predict region and confidence in the image at ``frame``.

        Raises:
            RuntimeError: the image cannot be decoded, or the tracker failed.
        """
        try:
            region, score = self._session.follow(read_image(Path(frame)))
        except BenchError as error:
            raise RuntimeError(str(error)) from error
        found = _NOWHERE if region is None else _encode(region)
        return found, {} if score is None else {"confidence": score}


def _decode(region: Plain | Region) -> Region:
    """Box ``(4,)``, polygon ``(K, 2)``, or boolean mask ``(H, W)``."""
    array = np.asarray(region)
    return array.astype(bool) if isinstance(region, np.ndarray) else array.astype(np.float64)


def _encode(region: Region) -> Plain:
    if region.ndim == 1:
        return tuple(region.tolist())
    return [(x, y) for x, y in region.tolist()]

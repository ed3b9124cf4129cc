"""Any plug-in tracker as the class that vot-toolkit imports (its protocol ``python``).

The toolkit builds it in a process of its own from ``arg_...`` of ``trackers.ini``, gives images by
path, and takes a box as four numbers and a polygon as a list of corners.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TypeAlias

import numpy as np

from bench.errors import BenchError
from bench.interop.session import Session
from bench.registry import make_spec
from bench.sequence import read_image
from bench.tracker import Region, as_box

Plain: TypeAlias = "tuple[float, ...] | list[tuple[float, float]]"
Answer: TypeAlias = "tuple[Plain, dict[str, float]]"


class PluginTracker:
    """A tracker of this toolkit, named and set as on the command line.

    Its errors are RuntimeErrors, for the toolkit passes on those and waits for ever after others.

    Args:
        tracker: registered name or ``module:Class``.
        options: a JSON object of option values as text.

    Raises:
        RuntimeError: the tracker is not known or could not be built.
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
        """Start on the region of ``new`` in the image at ``frame``; ``properties`` are not used.

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
        """Region and confidence in the image at ``frame``.

        Raises:
            RuntimeError: the image cannot be decoded, or the tracker failed.
        """
        try:
            region, score = self._session.follow(read_image(Path(frame)))
        except BenchError as error:
            raise RuntimeError(str(error)) from error
        return _encode(region), {} if score is None else {"confidence": score}


def _decode(region: Plain | Region) -> Region:
    """Box ``(4,)``, polygon ``(K, 2)``, or mask ``(H, W)`` as bool."""
    array = np.asarray(region)
    return array.astype(bool) if isinstance(region, np.ndarray) else array.astype(np.float64)


def _encode(region: Region) -> Plain:
    if region.ndim == 1:
        return tuple(region.tolist())
    return [(x, y) for x, y in region.tolist()]

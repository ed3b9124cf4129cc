"""One plug-in tracker as a foreign toolkit drives it: what it starts on, what it answers."""

from __future__ import annotations

import numpy as np

from bench import geometry
from bench.arrays import FloatArray, Image
from bench.errors import BenchError, TrackerError
from bench.protocols.steps import check_answer, describe
from bench.protocols.vot import starting_region
from bench.registry import TrackerSpec
from bench.runner.unit import build_tracker, seed_everything
from bench.tracker import Region, starts_on


class Session:
    """A tracker that is started as often as the toolkit asks for, and followed in between.

    Args:
        spec: the tracker and its options.
        seed: of the random generators, set before each start.

    Raises:
        TrackerError: it could not be built.
        ConfigError: it is not known, or wants to start on something that is not known.
    """

    def __init__(self, spec: TrackerSpec, seed: int = 0) -> None:
        self._tracker = build_tracker(spec, seed)
        self._seed = seed
        self._name = spec.name
        self._starts_on = starts_on(self._tracker)

    def start(self, image: Image, region: Region) -> None:
        """Start on what the tracker wants of ``region``: a box, a polygon or a mask.

        Raises:
            TrackerError: the tracker raised.
        """
        seed_everything(self._seed)
        wanted = starting_region(region, self._starts_on)
        try:
            self._tracker.init(image, wanted)
        except Exception as error:
            raise self._failure("init", error) from error

    def follow(self, image: Image) -> tuple[FloatArray, float | None]:
        """Box ``(4,)`` or polygon ``(K, 2)`` of the next frame, and a confidence or None.

        A mask becomes the rotated rectangle around it, as it does in our own results.

        Raises:
            TrackerError: the tracker raised, or answered anything but a finite region.
        """
        try:
            answer = self._tracker.update(image)
            _, score = check_answer(answer)
        except Exception as error:
            raise self._failure("update", error) from error
        region = np.asarray(answer.region)
        if region.dtype == bool:
            region = geometry.mask_to_polygon(region)
        return region.astype(np.float64), None if np.isnan(score) else score

    def _failure(self, method: str, error: Exception) -> TrackerError:
        cause = str(error) if isinstance(error, BenchError) else describe(error)
        return TrackerError(f"tracker {self._name!r} at {method}: {cause}")

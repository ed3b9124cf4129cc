"""A plug-in tracker driven by another toolkit."""

from __future__ import annotations

import numpy as np

from bench import geometry
from bench.arrays import FloatArray, Image
from bench.errors import BenchError, TrackerError
from bench.processes import limit_threads
from bench.protocols.steps import check_answer, describe
from bench.protocols.vot import starting_region
from bench.registry import TrackerSpec
from bench.runner.unit import build_tracker, seed_everything
from bench.tracker import Prediction, Region, starts_on


class Session:
    """A tracker that can be initialised any number of times.

    Args:
        spec: the tracker and its options.
        seed: seed of the random generators, set before each initialisation.

    Raises:
        TrackerError: the tracker could not be built.
        ConfigError: the tracker or its ``starts_on`` is unknown.
    """

    def __init__(self, spec: TrackerSpec, seed: int = 0) -> None:
        limit_threads()
        self._tracker = build_tracker(spec, seed)
        limit_threads()  # of what the tracker has loaded
        self._seed = seed
        self._name = spec.name
        self._starts_on = starts_on(self._tracker)

    def start(self, image: Image, region: Region) -> None:
        """Initialise on ``region``, a box, polygon or mask, in the form the tracker expects.

        Raises:
            TrackerError: the tracker raised.
        """
        seed_everything(self._seed)
        wanted = starting_region(region, self._starts_on)
        try:
            self._tracker.init(image, wanted)
        except (Exception, SystemExit) as error:
            raise self._failure("init", error) from error

    def follow(self, image: Image) -> tuple[FloatArray | None, float | None]:
        """Predict the box ``(4,)`` or polygon ``(K, 2)`` in the next frame, and a confidence.

        A mask is reduced to its rotated rectangle, as in stored results. The region is None where
        the tracker says that the target is not visible: by None, or a mask without a pixel.

        Raises:
            TrackerError: the tracker raised, or did not return a finite region.
        """
        try:
            answer = self._tracker.update(image)
            if _is_absent(answer):
                return None, None if answer.score is None else float(answer.score)
            _, score = check_answer(answer)
        except (Exception, SystemExit) as error:
            raise self._failure("update", error) from error
        region = np.asarray(answer.region)
        if region.dtype == bool:
            region = geometry.mask_to_polygon(region)
        return region.astype(np.float64), None if np.isnan(score) else score

    def _failure(self, method: str, error: BaseException) -> TrackerError:
        cause = str(error) if isinstance(error, BenchError) else describe(error)
        return TrackerError(f"tracker {self._name!r} at {method}: {cause}")


def _is_absent(answer: object) -> bool:
    """Whether an answer says that the target is not visible."""
    if not isinstance(answer, Prediction):
        return False
    region = np.asarray(answer.region)
    return answer.region is None or (region.dtype == bool and not region.any())

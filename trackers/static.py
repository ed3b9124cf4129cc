"""A tracker that repeats the first box: the baseline that every tracker must beat."""

from __future__ import annotations

from bench.arrays import Image
from bench.tracker import Prediction, Region, as_box


class Static:
    """Predicts the initial box in every frame."""

    deterministic = True

    def init(self, image: Image, region: Region) -> None:
        """Store the box of ``region``; the image is ignored.

        Raises:
            TrackerError: the region is not a finite box, polygon or mask.
        """
        self.prediction = Prediction(as_box(region), score=1.0)

    def update(self, image: Image) -> Prediction:
        """The initial box, with score 1."""
        return self.prediction

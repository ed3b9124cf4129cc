"""The first box for ever: the floor that every tracker must beat."""

from __future__ import annotations

from bench.arrays import Image
from bench.tracker import Prediction, Region, as_box


class Static:
    """Says in every frame that the target is where it was in the first."""

    deterministic = True

    def init(self, image: Image, region: Region) -> None:
        """Keep the box of ``region``; the image is not looked at.

        Raises:
            TrackerError: the region is not a finite box, polygon or mask.
        """
        self.prediction = Prediction(as_box(region), score=1.0)

    def update(self, image: Image) -> Prediction:
        """The first box, with score 1."""
        return self.prediction

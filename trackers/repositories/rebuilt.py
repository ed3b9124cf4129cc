"""Trackers that their toolkit builds anew for every sequence: lib/test and pytracking."""

from __future__ import annotations

import gc
from abc import abstractmethod
from pathlib import Path
from typing import Any

from bench.arrays import Image
from bench.tracker import Region
from trackers.adapted import FromPyTracking
from trackers.repositories.checkout import Checkout, stay_without_cuda
from trackers.repositories.substitutes import bring_up_to_date


class Rebuilt(FromPyTracking):
    """A tracker of a repository, built anew for every start as its own scripts do."""

    def __init__(self, checkout: Checkout, origin: int) -> None:
        bring_up_to_date()
        self.checkout, self._is_new = checkout, False
        super().__init__(None, "rgb", "as-is", origin)
        with checkout.explained(f"{self.named()} cannot be built", {}):
            self.on_cpu = stay_without_cuda()
        self.renew()  # fails early

    def files(self) -> list[Path]:
        """See ``Checkout.files``."""
        return self.checkout.files()

    @property
    def adapter_choice(self) -> str:
        """How the tracker is run, in words."""
        where = "; no CUDA here: .cuda() leaves everything on the CPU" if self.on_cpu else ""
        how = f"{self.toolkit} repository: {self.told()}images rgb, origin {self.origin}"
        return f"{how}{where}{self.lacking()}"

    def told(self) -> str:
        """What the tracker was told, in words; empty or ending in a comma."""
        return ""

    def renew(self) -> None:
        """Build it anew. The protocols call this before they start the clock.

        Raises:
            TrackerError: it cannot be built; the message says what the repository lacks.
        """
        self.wrapped = None
        gc.collect()  # one in a circle would keep its memory on the GPU
        with self.checkout.imported():
            self.wrapped = self._make()
        self._is_new = True

    def init(self, image: Image, region: Region) -> None:
        """Start a new tracker on the box of ``region``."""
        if not self._is_new:
            self.renew()
        self._is_new = False
        what = f"{self.named()} cannot be started"  # networks may be loaded only now
        with self.checkout.watched(), self.checkout.explained(what, self.hints()):
            super().init(image, region)

    @abstractmethod
    def named(self) -> str:
        """The tracker as messages name it."""

    @abstractmethod
    def hints(self) -> dict[Any, str]:
        """What to do about exceptions, by their kind."""

    @abstractmethod
    def _make(self) -> Any:
        """A new tracker of the repository."""

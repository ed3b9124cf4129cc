"""Trackers that their toolkit builds anew for every sequence: lib/test and pytracking."""

from __future__ import annotations

import gc
from abc import abstractmethod
from pathlib import Path
from typing import Any, ClassVar

from bench.arrays import Image
from bench.tracker import Region
from trackers.adapted import FromPyTracking
from trackers.repositories.checkout import Checkout, Layout, stay_without_cuda
from trackers.repositories.substitutes import bring_up_to_date


class Rebuilt(FromPyTracking):
    """A tracker of a repository, built anew for every start as its own scripts do.

    Args:
        repo: the repository's folder.
        tracker: name of the tracker.
        config: name of its parameters.
        saved: folder of its trained networks, in place of the one in the repository's ``local.py``
            or, without that file, of ``saved_in`` in the repository.
        origin: coordinate of the first pixel in the tracker's boxes.
        use: what decides the configuration besides tracker and parameters.

    Attributes:
        layout: of the repositories.
        saved_in: see ``saved``.
        saved_option: the option that ``saved`` comes from.
        networks: what is in that folder, for messages.
    """

    layout: ClassVar[Layout]
    saved_in: ClassVar[str]
    saved_option: ClassVar[str]
    networks: ClassVar[str]

    def __init__(
        self, repo: Path, tracker: str, config: str, saved: Path | None, origin: int, use: str = ""
    ) -> None:
        self.tracker, self.config = tracker, config
        self.checkout, self._is_new = Checkout(repo, self.layout), False
        self.checkout.claim(f"{tracker} {config} {use}".rstrip())
        self.saved = (saved or self.checkout.root / self.saved_in).expanduser().absolute()
        self.checkout.provide_settings(self.settings(), instead=saved is not None)
        bring_up_to_date()
        super().__init__(None, "rgb", "as-is", origin)
        with self.checkout.explained(f"{self.named()} cannot be built", {}):
            self.on_cpu = stay_without_cuda()
        self.renew()  # fails early

    def files(self) -> list[Path]:
        """See ``Checkout.files``."""
        return self.checkout.files()

    @property
    def adapter_choice(self) -> str:
        """How the tracker is run, in words."""
        where = "; no CUDA here: .cuda() leaves everything on the CPU" if self.on_cpu else ""
        said = f"{self.told()}images rgb, origin {self.origin}{where}{self.lacking()}"
        return f"{self.layout.family} repository: {said}"

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

    def named(self) -> str:
        """The tracker as messages name it."""
        return f"{self.layout.family} tracker {self.tracker!r} of {self.checkout.root}"

    def hints(self) -> dict[Any, str]:
        """What to do about networks that are not there."""
        local = f"{self.layout.evaluation}.local"
        said = (
            f"Its {local.replace('.', '/')}.py says where {self.networks}"
            if self.checkout.has_module(local)
            else f"Without a local.py, {self.networks} expected in {self.saved}"
        )
        another = f"--set {self.saved_option}=FOLDER names another place."
        return {FileNotFoundError: f"{said}; {another}"}

    @abstractmethod
    def settings(self) -> dict[str, Path]:
        """The settings of ``local.py`` that the tracker needs."""

    @abstractmethod
    def _make(self) -> Any:
        """A new tracker of the repository."""

"""Trackers of pytracking and of repositories made from it: DiMP, ATOM, ToMP, TransT, and others.

Layout: ``pytracking/tracker/<tracker>/__init__.py`` with ``get_tracker_class()``, and
``pytracking/parameter/<tracker>/<parameters>.py`` with ``parameters()``. This module calls both as
``pytracking/evaluation/tracker.py`` does for a single object.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from trackers.adapted import Origin
from trackers.repositories.checkout import Checkout, Layout
from trackers.repositories.rebuilt import Rebuilt

LAYOUT = Layout(
    "pytracking", "pytracking", "pytracking/tracker", "pytracking.evaluation", "ltr.admin"
)


class PyTracking(Rebuilt):
    """A tracker of a repository of pytracking.

    Args:
        repo: the repository's folder.
        tracker: name of the tracker: a folder of ``pytracking/tracker``.
        parameters: name of its parameters: a file of ``pytracking/parameter/<tracker>``.
        network_path: folder of the networks, in place of the one in
            ``pytracking/evaluation/local.py`` or, without that file, of ``pytracking/networks/``.
        origin: coordinate of the first pixel in the tracker's boxes.

    Raises:
        ConfigError: the repository, tracker or parameters do not exist.
        TrackerError: it cannot be built; the message says what is missing.
    """

    toolkit = "pytracking"
    folders = ("repo", "network_path")

    def __init__(
        self,
        repo: Path,
        tracker: str,
        parameters: str,
        network_path: Path | None = None,
        origin: Origin = 0,
    ) -> None:
        self.tracker, self.parameters = tracker, parameters
        checkout = Checkout(repo, LAYOUT)
        checkout.claim(f"{tracker} {parameters}")
        self.networks = (network_path or checkout.root / "pytracking/networks").absolute()
        paths = {"network_path": self.networks}
        checkout.provide_settings(paths, instead=network_path is not None)
        super().__init__(checkout, origin)
        self._try_networks()

    @staticmethod
    def result_name(options: dict[str, Any]) -> str:
        """The name of results by default."""
        return f"{options['tracker']}-{options['parameters']}"

    def named(self) -> str:
        """The tracker as messages name it."""
        return f"pytracking tracker {self.tracker!r} of {self.checkout.root}"

    def _make(self) -> Any:
        checkout = self.checkout
        folders = (checkout.root / LAYOUT.trackers).iterdir()
        trackers = {each.name for each in folders if (each / "__init__.py").is_file()}
        known = checkout.stems(f"pytracking/parameter/{self.tracker}")
        with checkout.explained(f"{self.named()} cannot be built", self.hints()):
            found = checkout.module(f"pytracking.tracker.{self.tracker}", "tracker", trackers)
            named = checkout.module(
                f"pytracking.parameter.{self.tracker}.{self.parameters}",
                f"parameters of {self.tracker!r}",
                known,
            )
            params = named.parameters()
            params.debug = getattr(params, "debug", 0)
            params.visualization = False
            if self.on_cpu:
                _keep_off_cuda(params)
            made = found.get_tracker_class()(params)
        made.visdom = None
        return made

    def _try_networks(self) -> None:
        """Load the networks of a tracker that else loads them on its first frame.

        Raises:
            TrackerError: one is missing or cannot be loaded.
        """
        load = getattr(self.wrapped, "initialize_features", None)
        if callable(load):
            what = f"{self.named()} cannot load its networks"
            with self.checkout.imported(), self.checkout.explained(what, self.hints()):
                load()

    def hints(self) -> dict[Any, str]:
        """What to do about networks that are not there."""
        said = (
            "Its pytracking/evaluation/local.py says where networks are"
            if self.checkout.has_module(f"{LAYOUT.evaluation}.local")
            else f"Without a local.py, networks are expected in {self.networks}"
        )
        return {FileNotFoundError: f"{said}; --set network_path=FOLDER names another place."}


def _keep_off_cuda(params: Any) -> None:
    """Tell parameters, and the networks in them, not to use the GPU."""
    for each in (params, *vars(params).values()):
        if getattr(each, "use_gpu", None):
            each.use_gpu = False

"""Trackers of pytracking and of repositories made from it: DiMP, ATOM, ToMP, TransT, and others.

Layout: ``pytracking/tracker/<tracker>/__init__.py`` with ``get_tracker_class()``, and
``pytracking/parameter/<tracker>/<parameters>.py`` with ``parameters()``. This module calls both as
``pytracking/evaluation/tracker.py`` does for a single object.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from trackers.adapted import Origin
from trackers.repositories.checkout import Layout
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

    layout, saved_in, saved_option = LAYOUT, "pytracking/networks", "network_path"
    networks = "networks are"
    folders = ("repo", saved_option)

    def __init__(
        self,
        repo: Path,
        tracker: str,
        parameters: str,
        network_path: Path | None = None,
        origin: Origin = 0,
    ) -> None:
        super().__init__(repo, tracker, parameters, network_path, origin)
        self._try_networks()

    @staticmethod
    def result_name(options: dict[str, Any]) -> str:
        """The name of results by default."""
        return f"{options['tracker']}-{options['parameters']}"

    def settings(self) -> dict[str, Path]:
        """Where networks are."""
        return {"network_path": self.saved}

    def _make(self) -> Any:
        checkout = self.checkout
        folders = (checkout.root / LAYOUT.trackers).iterdir()
        trackers = {each.name for each in folders if (each / "__init__.py").is_file()}
        known = checkout.stems(f"pytracking/parameter/{self.tracker}")
        with checkout.explained(f"{self.named()} cannot be built", self.hints()):
            found = checkout.module(f"pytracking.tracker.{self.tracker}", "tracker", trackers)
            named = checkout.module(
                f"pytracking.parameter.{self.tracker}.{self.config}",
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


def _keep_off_cuda(params: Any) -> None:
    """Tell parameters, and the networks in them, not to use the GPU."""
    for each in (params, *vars(params).values()):
        if getattr(each, "use_gpu", None):
            each.use_gpu = False

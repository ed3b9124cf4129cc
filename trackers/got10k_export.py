"""Runs our trackers in the experiments of the got10k toolkit.

>>> from got10k.experiments import ExperimentOTB  # doctest: +SKIP
>>> ExperimentOTB("data/OTB").run(as_got10k("kcf", origin=1.0))  # doctest: +SKIP
"""

from __future__ import annotations

from typing import Any

import numpy as np

from bench.arrays import FloatArray
from bench.errors import TrackerError, install_extra
from bench.registry import TrackerSpec, make_spec
from bench.sequence import to_file, to_tracker
from bench.tracker import Tracker, as_box
from trackers.answers import as_region


def as_got10k(
    tracker: str | TrackerSpec | type, name: str | None = None, origin: float = 0.0
) -> Any:
    """A ``got10k.trackers.Tracker`` that runs one of our trackers.

    Args:
        tracker: a registered name or ``module:Class``, a specification with options, or a class.
        name: name of got10k's result folder; by default the tracker's.
        origin: coordinate of the first pixel in the dataset's files, which got10k passes on
            unchanged: 1 for OTB, UAV123 and LaSOT, 0 for GOT-10k and VOT.

    Raises:
        ConfigError: the name is unknown, or the tracker needs options.
        TrackerError: got10k is not installed, or the tracker could not be built.
    """
    try:
        from got10k.trackers import Tracker as Got10kTracker
    except ModuleNotFoundError as error:
        raise TrackerError(
            f"got10k needs {error.name!r}, which is not installed: `{install_extra('got10k')}`"
        ) from error

    class Exported(Got10kTracker):  # type: ignore[misc]
        """Converts between got10k's PIL images and file coordinates and our arrays."""

        def init(self, image: Any, box: FloatArray) -> None:
            ours.init(np.array(image.convert("RGB")), to_tracker(as_box(box), origin))

        def update(self, image: Any) -> FloatArray:
            found = as_region(ours.update(np.array(image.convert("RGB"))).region)
            # got10k has no answer "not visible"; a box without size overlaps nothing.
            return to_file(np.zeros(4) if found is None else as_box(found), origin)

    ours, own_name = _built(tracker)
    return Exported(name or own_name, getattr(ours, "deterministic", False))


def _built(tracker: str | TrackerSpec | type) -> tuple[Tracker, str]:
    """The tracker and its name."""
    if isinstance(tracker, type):
        instance: Tracker = tracker()
        return instance, tracker.__name__
    spec = make_spec(tracker) if isinstance(tracker, str) else tracker
    return spec.build(), spec.name

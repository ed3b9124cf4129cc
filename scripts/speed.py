"""Time scoring beside other toolkits on generated results, in CPU seconds. A benchmark, not a test.

Every run is a fresh process of the same interpreter; the figure is user + system time of all its
threads and children, imports apart from scoring. ``speed_onepass`` and ``speed_vot`` say what is
scored and by whom. With the words ``onepass`` or ``vot`` only that is timed.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import speed_onepass
import speed_vot

Work = Callable[[], object]


@dataclass(frozen=True)
class Side:
    """One toolkit on one generated set.

    Attributes:
        toolkit: how it is printed.
        prepare: imports what it needs and returns the work to be timed, from the set's folder.
        repeats: how many processes are timed.
    """

    toolkit: str
    prepare: Callable[[Path], Work]
    repeats: int = 5


SETS: dict[str, dict[str, list[Side]]] = {
    "onepass": {
        name: [
            Side("ours", getattr(speed_onepass, "prepare_ours")),
        ]
        for name in speed_onepass.SETS
    },
}

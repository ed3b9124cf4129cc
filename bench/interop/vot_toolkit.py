"""vot-toolkit's own command line, with what is broken in version 0.9.0 mended in this process.

There its reset-based experiments run no tracker at all: it hands the one object to a TraX
tracker where that wants a list of them, takes the list that comes back from either protocol for
the one object, and refuses its own realtime runtime. The protocol ``python`` cannot take a
polygon for an answer, and every call asks the network for a newer version. Nothing installed is
changed; other versions run as they are.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from bench.errors import ConfigError

_MENDED = ("0.9.0",)


def run(arguments: Sequence[str]) -> None:
    """Run ``vot`` with these arguments; it ends the process with its own exit code.

    That code is 0 even where a tracker or an analysis has failed, which the output tells.

    Raises:
        ConfigError: vot-toolkit is not installed, or cannot be imported.
    """
    try:
        import vot
        from vot.utilities import cli
    except (ImportError, TypeError) as error:
        raise ConfigError(
            f"vot-toolkit cannot be imported ({type(error).__name__}: {error}): "
            "`pip install 'siamattn-bench[interop]'`, which brings versions that go together "
            "(attributee 0.1.10 breaks it)"
        ) from error
    if vot.toolkit_version() in _MENDED:
        _mend(cli)
    sys.argv = ["vot", *arguments]
    cli.main()


def _mend(cli: Any) -> None:
    from vot.tracker import OnlineTrackerRuntime, RealtimeTrackerRuntime, python
    from vot.tracker.trax import TraxTrackerRuntime

    cli.check_updates = lambda: (False, None)
    OnlineTrackerRuntime.register(RealtimeTrackerRuntime)
    for runtime in (TraxTrackerRuntime, python.PythonRuntime):
        _mend_runtime(runtime)
    _mend_polygons(python)


def _mend_runtime(runtime: Any) -> None:
    """Make ``initialize`` take one object, and ``update`` without new objects return one."""
    from vot.tracker import ObjectStatus

    initialize, update = runtime.initialize, runtime.update

    def initialize_one(self: Any, frame: Any, new: Any = None, properties: Any = None) -> Any:
        return initialize(self, frame, [new] if isinstance(new, ObjectStatus) else new, properties)

    def update_one(self: Any, frame: Any, new: Any = None, properties: Any = None) -> Any:
        objects, seconds = update(self, frame, new or [], properties)
        return (objects[0] if new is None else objects), seconds

    runtime.initialize, runtime.update = initialize_one, update_one


def _mend_polygons(python: Any) -> None:
    """Make polygons of corners; they are made of objects that are no numbers."""
    decode = python._decode_region

    def decode_corners(region: Any) -> Any:
        corners = isinstance(region, list) and region and isinstance(region[0], tuple)
        return python.Polygon(region) if corners else decode(region)

    python._decode_region = decode_corners

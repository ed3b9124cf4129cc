"""vot-toolkit's own command line, with bugs of version 0.9.0 patched in this process.

In 0.9.0 reset-based experiments cannot run any tracker: the toolkit passes a single object where
TraX trackers expect a list, treats the list that either protocol returns as a single object, and
rejects its own realtime runtime. The protocol ``python`` cannot return polygons, and every call
checks the network for updates. Installed files stay unchanged; other versions are not patched.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from bench.errors import ConfigError, install_extra

_PATCHED = ("0.9.0",)
STOPPED = 130  # exit code after Ctrl-C


def run(arguments: Sequence[str]) -> None:
    """Run ``vot`` with these arguments; it exits the process with its own exit code.

    The code is 0 even if a tracker or analysis failed; only the output shows the failure. Where
    Ctrl-C stopped it, the code is 130, as shells have it.

    Raises:
        ConfigError: vot-toolkit is not installed or cannot be imported.
    """
    try:
        import vot
        from vot.utilities import cli
    except (ImportError, TypeError) as error:
        raise ConfigError(
            f"vot-toolkit cannot be imported ({type(error).__name__}: {error}). Install "
            f"compatible versions with `{install_extra('vot-toolkit')}` "
            "(attributee 0.1.10 breaks it)."
        ) from error
    if vot.toolkit_version() in _PATCHED:
        _patch(cli)
    sys.argv = ["vot", *arguments]
    interrupted = _note_interrupts()
    try:
        cli.main()
    except KeyboardInterrupt:
        interrupted.append(True)
    finally:
        if interrupted:  # the toolkit catches it, and ends as if it were done
            sys.exit(STOPPED)


def _note_interrupts() -> list[bool]:
    """A list that gets an item when Ctrl-C stops an experiment."""
    from vot import experiment

    seen: list[bool] = []
    run_experiment = experiment.run_experiment

    def noted(*arguments: Any, **options: Any) -> Any:
        try:
            return run_experiment(*arguments, **options)
        except KeyboardInterrupt:
            seen.append(True)
            raise

    experiment.run_experiment = noted
    return seen


def _patch(cli: Any) -> None:
    from vot.tracker import OnlineTrackerRuntime, RealtimeTrackerRuntime, python
    from vot.tracker.trax import TraxTrackerRuntime

    cli.check_updates = lambda: (False, None)
    OnlineTrackerRuntime.register(RealtimeTrackerRuntime)
    for runtime in (TraxTrackerRuntime, python.PythonRuntime):
        _patch_runtime(runtime)
    _patch_polygons(python)


def _patch_runtime(runtime: Any) -> None:
    """Let ``initialize`` take a single object, and ``update`` without new objects return one."""
    from vot.tracker import ObjectStatus

    initialize, update = runtime.initialize, runtime.update

    def initialize_one(self: Any, frame: Any, new: Any = None, properties: Any = None) -> Any:
        return initialize(self, frame, [new] if isinstance(new, ObjectStatus) else new, properties)

    def update_one(self: Any, frame: Any, new: Any = None, properties: Any = None) -> Any:
        objects, seconds = update(self, frame, new or [], properties)
        return (objects[0] if new is None else objects), seconds

    runtime.initialize, runtime.update = initialize_one, update_one


def _patch_polygons(python: Any) -> None:
    """Build polygons from corners; 0.9.0 builds them from objects that are not numbers."""
    decode = python._decode_region

    def decode_corners(region: Any) -> Any:
        corners = isinstance(region, list) and region and isinstance(region[0], tuple)
        return python.Polygon(region) if corners else decode(region)

    python._decode_region = decode_corners

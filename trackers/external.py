"""A tracker in a process of its own, in any language, over the TraX protocol.

TraX (Cehovin, "TraX: The visual Tracking eXchange protocol and library", Neurocomputing 2017) is
what the VOT toolkits speak.
"""

from __future__ import annotations

import shlex

from bench.arrays import Image
from bench.errors import ConfigError, TrackerError
from bench.tracker import Prediction, Region, as_box
from trackers.trax_session import TraxSession

_LONGEST = 86400.0  # seconds to wait for an answer: a day


class TraxTracker:
    """Runs a command that speaks TraX on its standard input and output.

    Args:
        command: how to start the tracker, split as a shell would; ``env NAME=VALUE command``
            sets variables of its environment.
        timeout: seconds to wait for each answer, the first start-up included.
        restart: start a new process for each sequence. Many trackers end with their first
            sequence; one that does not may keep its networks loaded with ``restart=false``.

    Raises:
        ConfigError: the command is no command line, or the time-out is out of range.
        TrackerError: vot-trax is not installed.
    """

    deterministic = False  # nothing is known of it

    def __init__(self, command: str, timeout: float = 60.0, restart: bool = True) -> None:
        try:
            words = shlex.split(command)
        except ValueError as error:
            raise ConfigError(f"trax: option 'command': {error} in {command!r}") from None
        if not words:
            raise ConfigError("trax: option 'command': expected a command line, found none")
        if not 0 < timeout <= _LONGEST:
            raise ConfigError(
                f"trax: option 'timeout': expected 0 to {_LONGEST:g} seconds, found {timeout}"
            )
        _require_trax()
        self.command = command
        self.timeout = timeout
        self.restart = restart
        self.session: TraxSession | None = None

    def init(self, image: Image, region: Region) -> None:
        """Start the process if needed and hand over the box of ``region``.

        Raises:
            TrackerError: the process cannot be started, ends, or does not answer in time.
        """
        if self.restart or self.session is None or not self.session.alive:
            self.close()
            self.session = TraxSession(self.command, self.timeout)
        self.region: Region = as_box(region)
        self.session.initialize(image, as_box(region))

    def update(self, image: Image) -> Prediction:
        """Ask for the next frame; where the tracker reports a failure: the last region, score 0.

        Raises:
            TrackerError: the process ended or does not answer in time.
        """
        if self.session is None:
            raise TrackerError("trax: expected init() before update()")
        region, score = self.session.frame(image)
        if region is None:
            return Prediction(self.region, 0.0)
        self.region = region
        return Prediction(region, score)

    def close(self) -> None:
        """End the process."""
        if self.session is not None:
            self.session.close()
            self.session = None

    def __del__(self) -> None:
        if getattr(self, "session", None) is not None:
            self.close()


def _require_trax() -> None:
    """Say how to install the client where it is missing."""
    try:
        import trax.client  # noqa: F401
    except (ImportError, OSError) as error:
        raise TrackerError(
            f"trackers over TraX need the package vot-trax ({error}): "
            "`pip install 'siamattn-bench[interop]'`"
        ) from error

"""A tracker in its own process, in any language, over the TraX protocol.

TraX (Cehovin, "TraX: The visual Tracking eXchange protocol and library", Neurocomputing 2017) is
the protocol of the VOT toolkits.
"""

from __future__ import annotations

import shlex

from bench.arrays import Image
from bench.errors import ConfigError, TrackerError, install_extra
from bench.tracker import Prediction, Region, as_box
from trackers.answers import absent
from trackers.trax_session import TraxSession

_LONGEST = 86400.0  # maximum time-out in seconds: a day


class TraxTracker:
    """Runs a command that speaks TraX on its standard input and output.

    Args:
        command: starts the tracker, split as by a shell; ``env NAME=VALUE command`` sets
            environment variables.
        timeout: maximum wait for each answer in seconds, including start-up.
        restart: start a new process for each sequence, since many trackers exit after one. A
            tracker that does not can keep its networks loaded with ``restart=false``.

    Raises:
        ConfigError: the command is not a command line, or the time-out is out of range.
        TrackerError: vot-trax is not installed.
    """

    deterministic = False  # unknown

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
        """Start the process if needed, and the tracker on the box of ``region``.

        Raises:
            TrackerError: the process cannot be started, exits, or does not answer in time.
        """
        if self.restart or self.session is None or not self.session.alive:
            self.close()
            self.session = TraxSession(self.command, self.timeout)
        self.session.initialize(image, as_box(region))

    def update(self, image: Image) -> Prediction:
        """Track into the next frame; a target that the tracker reports lost is not visible.

        Raises:
            TrackerError: the process exits or does not answer in time.
        """
        if self.session is None:
            raise TrackerError("trax: expected init() before update()")
        region, score = self.session.frame(image)
        return absent(0.0) if region is None else Prediction(region, score)

    def close(self) -> None:
        """End the process."""
        if self.session is not None:
            self.session.close()
            self.session = None

    def __del__(self) -> None:
        if getattr(self, "session", None) is not None:
            self.close()


def _require_trax() -> None:
    """Check that the client is installed."""
    try:
        import trax.client  # noqa: F401
    except (ImportError, OSError) as error:
        raise TrackerError(
            f"trackers over TraX need the package vot-trax ({error}): `{install_extra('trax')}`"
        ) from error

"""The entry point of the ``bench`` command: an error is one line and an exit code.

It imports next to nothing itself, so that Ctrl-C is taken care of from the first moment.
"""

from __future__ import annotations

import os
import sys
from typing import Any

_STOPPED = 130  # exit code after Ctrl-C, as shells have it
_CLOSED = 141  # exit code where a pipe closed, as shells have it


def main() -> None:
    """Entry point of the console command: a known error is one message, never a traceback."""
    try:
        code = _run()
        sys.stdout.flush()
    except KeyboardInterrupt:
        code = _say("stopped", "", _STOPPED)
    except BrokenPipeError:
        _to_nowhere(sys.stdout)
        code = _CLOSED
    except OSError as error:
        _to_nowhere(sys.stdout)
        code = _say("error: ", _of_system(error))
    sys.exit(code)


def _run() -> Any:
    """The exit code of the command; None or 0 for success."""
    from bench.errors import BenchError, describe, printable, traceback_of

    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:  # names of files and trackers may not fit the terminal
            reconfigure(errors="backslashreplace")
    try:
        from bench.cli.verbs import app

        app()
    except SystemExit as end:
        return end.code
    except BenchError as error:
        return _say("error: ", printable(str(error), lines=True))
    except (OSError, KeyboardInterrupt):
        raise
    except Exception as error:  # a fault of ours
        if "BENCH_DEBUG" in os.environ:
            sys.stderr.write(traceback_of(error))
        return _say(
            "error: ",
            f"the toolkit failed: {describe(error)}. Please report it; BENCH_DEBUG=1 in the "
            "environment shows the traceback.",
        )
    return None


def _say(start: str, text: str, code: int = 1) -> int:
    """Write one message to standard error."""
    if start.startswith("error") and sys.stderr is not None and sys.stderr.isatty():
        start = f"\033[1;31m{start}\033[0m"
    try:
        print(f"{start}{text}", file=sys.stderr, flush=True)
    except OSError:
        _to_nowhere(sys.stderr)
    return code


def _of_system(error: OSError) -> str:
    where = f"{error.filename}: " if error.filename else ""
    return f"{where}{error.strerror or error}. Is there room, and may you write there?"


def _to_nowhere(stream: Any) -> None:
    """Let nothing more fail on a stream that takes nothing, not even its end."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    except (OSError, ValueError, AttributeError):
        return


def __getattr__(name: str) -> Any:
    """``app``, which is loaded on first use."""
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from bench.cli.verbs import app

    return app

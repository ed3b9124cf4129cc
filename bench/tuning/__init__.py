"""Searches a tracker's options for the best score (``bench tune``), away from test sets.

Raises:
    ConfigError: on import, if optuna is not installed.
"""

from bench.errors import ConfigError, install_extra

try:
    import optuna
except ModuleNotFoundError as error:
    raise ConfigError(
        f"a search needs optuna, which is not installed: {install_extra('train')}"
    ) from error

optuna.logging.set_verbosity(optuna.logging.WARNING)  # each trial prints a line of its own

"""Checkpoints of a run: written whole beside the last one, of which the one before is kept.

At every moment a run folder holds a whole checkpoint: a new one is written into the same folder,
flushed to the disk, and only then takes the name of the last.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from lightning.fabric.plugins import TorchCheckpointIO

from bench.errors import ConfigError, ResultError

CHECKPOINTS = "checkpoints"
LAST = f"{CHECKPOINTS}/last.ckpt"
PREVIOUS = f"{CHECKPOINTS}/previous.ckpt"


class WholeCheckpoints(TorchCheckpointIO):
    """Lightning's way to write checkpoints, replaced.

    Lightning writes into a folder for temporary files; where that is on another file system, the
    last checkpoint is emptied and filled again.

    Args:
        keep: whether the last checkpoint is whole, so that it becomes the previous one.
    """

    def __init__(self, keep: bool = True) -> None:
        super().__init__()
        self.keep = keep

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any | None = None
    ) -> None:
        """Write a checkpoint in place of ``path``, which is kept as ``previous.ckpt``.

        Raises:
            ResultError: it cannot be written; the last checkpoint is intact.
        """
        path = Path(path)
        partial = path.with_name(f".{path.name}.partial")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with partial.open("wb") as stream:
                torch.save(checkpoint, stream)
                stream.flush()
                os.fsync(stream.fileno())
            if self.keep and path.exists():
                _keep_previous(path, path.with_name(Path(PREVIOUS).name))
            partial.replace(path)
            self.keep = True
            _sync_folder(path.parent)
        except (OSError, RuntimeError) as error:
            with contextlib.suppress(OSError):
                partial.unlink(missing_ok=True)
            raise ResultError(
                f"{path}: the checkpoint cannot be written ({error}). The one before is intact; "
                "make room, and give the same command again"
            ) from error


def _keep_previous(path: Path, previous: Path) -> None:
    """Give a file a second name; a file system without second names gets it renamed."""
    link = previous.with_name(f".{previous.name}.partial")
    try:
        link.unlink(missing_ok=True)
        os.link(path, link)
    except OSError:
        path.replace(previous)
    else:
        link.replace(previous)
        link.unlink(missing_ok=True)  # which stays where both are names of the same file


def _sync_folder(folder: Path) -> None:
    with contextlib.suppress(OSError):  # not on every file system
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A whole checkpoint of a run.

    Attributes:
        path: its file.
        state: its content, on the CPU.
        note: why it is not the last one; None if it is.
    """

    path: Path
    state: dict[str, Any]
    note: str | None = None


def find_checkpoint(
    folder: Path, fits: Callable[[dict[str, Any]], None] = lambda state: None
) -> Checkpoint | None:
    """The last checkpoint of a run folder that is whole; None if there is none at all.

    Args:
        folder: the run folder.
        fits: raises for a state that is of no use.

    Raises:
        ConfigError: there are checkpoints, and each is damaged.
    """
    faults: list[str] = []
    for name in (LAST, PREVIOUS):
        path = folder / name
        if not path.exists():
            continue
        try:
            state = torch.load(path, map_location="cpu", weights_only=True)
            fits(state)
        except Exception as error:  # reading a damaged pickle may raise anything
            reason = str(error).strip().partition("\n")[0][:200] or type(error).__name__
            faults.append(f"{path}: damaged, or of another network ({reason})")
            continue
        lost = faults[0] if faults else f"{folder / LAST}: missing"
        return Checkpoint(path, state, None if name == LAST else f"{lost}; using {path}")
    if faults:
        raise ConfigError(
            f"{'; '.join(faults)}. Restore one of them from a copy, or delete the folder "
            f"{folder / CHECKPOINTS} to begin again"
        )
    return None

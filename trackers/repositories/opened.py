"""Which files code opens for reading while it is watched, whatever library it uses."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_listening: list[set[str]] = []
_hooked = False


@contextlib.contextmanager
def opened_into(found: set[str]) -> Iterator[None]:
    """Add the full path of every file that Python code opens for reading to ``found``.

    Python's audit event ``open`` names them: it is raised by ``open`` itself, and so by
    ``torch.load``, ``pickle``, ``numpy`` and ``yaml``. Libraries that open files in C++ or Rust
    without Python are not seen.
    """
    global _hooked
    if not _hooked:
        sys.addaudithook(_note)  # cannot be removed: idle while nobody listens
        _hooked = True
    _listening.append(found)
    try:
        yield
    finally:
        _listening.pop()


def _note(event: str, arguments: tuple[Any, ...]) -> None:
    if event != "open" or not _listening:
        return
    path, mode, flags = arguments
    writes = flags & (os.O_WRONLY | os.O_RDWR) if mode is None else set(mode) & set("wax+")
    if not writes and isinstance(path, str | bytes | os.PathLike):
        full = os.path.abspath(os.fsdecode(path))  # noqa: PTH100  keeps names of links
        _listening[-1].add(full)


_CODE = frozenset((".py", ".pyc", ".so"))
_WEIGHTS = frozenset((".pth", ".pt", ".tar", ".pkl", ".ckpt", ".bin", ".npz", ".npy", ".model",
    ".safetensors", ".onnx", ".engine", ".mat", ".yaml", ".yml"))  # fmt: skip


def that_count(found: set[str], root: Path) -> list[Path]:
    """The opened files that can change a result: data in ``root``, and weights anywhere.

    Code is left out, because the modules that are loaded are hashed by themselves.
    """
    paths = (Path(each) for each in sorted(found))
    return [
        path
        for path in paths
        if path.suffix not in _CODE
        and (path.is_relative_to(root) or path.suffix in _WEIGHTS)
        and path.is_file()
    ]

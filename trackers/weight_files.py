"""What a file of weights is, before anything reads it: no pipe, page, or pointer."""

from __future__ import annotations

import re
import stat
from pathlib import Path

from bench.errors import ConfigError

LARGEST = 2 << 30
"""Bytes of the largest file of weights: three times that of the paper's network with its state."""
_HEAD = 512  # bytes that tell a kind

_AGAIN = "Download the file itself again."
_KINDS = (
    (
        rb"version https://git-lfs\.github\.com/spec/",
        "a Git LFS pointer, a line of text in place of the file",
        "Fetch the file itself with `git lfs pull`, or download it.",
    ),
    (
        rb"(?i)(?:\xef\xbb\xbf)?\s*(?:<!--.*?-->\s*)?<(?:!doctype\s+html|html|head|script|title)\b",
        "an HTML page: the link led to a page, not to the file",
        _AGAIN,
    ),
    (rb"(?:\xef\xbb\xbf)?\s*<\?xml", "an XML text", _AGAIN),
    (rb'\s*\{\s*"(?:error|message|errors|detail)"', "the error message of a server", _AGAIN),
    (rb"\x1f\x8b", "a gzip archive", "Unpack it first."),
    (rb"\xfd7zXZ\x00", "an xz archive", "Unpack it first."),
    (rb"BZh[1-9]1AY", "a bzip2 archive", "Unpack it first."),
    (rb"7z\xbc\xaf\x27\x1c", "a 7z archive", "Unpack it first."),
    (rb"Rar!\x1a\x07", "a rar archive", "Unpack it first."),
    (rb"%PDF-", "a PDF document", _AGAIN),
    (rb"\x89HDF\r\n", "an HDF5 file, as Keras writes it", "Give weights of PyTorch."),
    (rb"\x93NUMPY", "a NumPy array", "Give weights of a network."),
)


def check_file(path: Path, expected: str) -> None:
    """Refuse what is not a file of weights by its kind and its first bytes.

    Args:
        path: the file.
        expected: what it should be, for messages, e.g. ``"weights (.pth or .safetensors)"``.

    Raises:
        ConfigError: it is missing, no regular file, empty, too large, or of another kind.
    """
    try:
        state = path.stat()
        if not stat.S_ISREG(state.st_mode):
            raise ConfigError(f"{path}: expected {expected}, found {_other(state.st_mode)}")
        with path.open("rb") as stream:
            head = stream.read(_HEAD)
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file; expected {expected}") from None
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot be read ({error.strerror}); expected {expected}"
        ) from error
    if not state.st_size:
        raise ConfigError(f"{path}: damaged: empty, expected {expected}. {_AGAIN}")
    if state.st_size > LARGEST:
        raise ConfigError(
            f"{path}: expected {expected} of at most {LARGEST >> 30} GB, found "
            f"{state.st_size / (1 << 30):.1f} GB"
        )
    kind = kind_of(head)
    if kind is not None:
        raise ConfigError(f"{path}: expected {expected}, found {kind[0]}. {kind[1]}")


def kind_of(head: bytes) -> tuple[str, str] | None:
    """What a file is that begins like this, and what to do; None for what may be weights."""
    for pattern, kind, remedy in _KINDS:
        if re.match(pattern, head, re.DOTALL):
            return kind, remedy
    if head[257:262] == b"ustar" and head[:2] != b"PK":
        return "a tar archive", "Unpack it first."
    return None


def _other(mode: int) -> str:
    kinds = {
        stat.S_IFDIR: "a folder",
        stat.S_IFIFO: "a named pipe",
        stat.S_IFSOCK: "a socket",
        stat.S_IFCHR: "a device",
        stat.S_IFBLK: "a device",
    }
    return kinds.get(stat.S_IFMT(mode), "no regular file")

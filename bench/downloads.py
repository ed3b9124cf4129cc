"""What may be fetched: files with an open licence and a known hash, resumed where they stopped.

``tables/downloads.json`` names them, ``tables/downloads/<name>.csv`` has the size and the hash of
every file.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.benchmarks import TABLES
from bench.errors import DatasetError, unknown_name
from bench.files import sha256
from bench.locks import locked_beside

if TYPE_CHECKING:
    import requests

_BLOCK = 1 << 16
_PATIENCE = 30.0  # seconds without a byte


@dataclass(frozen=True)
class Download:
    """Files that may be fetched together.

    Attributes:
        name: for the command line.
        what: they are.
        address: in front of every path, with a final slash.
        licence: that they are under.
        folder: where they go by default.
    """

    name: str
    what: str
    address: str
    licence: str
    folder: str

    @property
    def files(self) -> list[tuple[str, int, str]]:
        """Path, bytes and SHA-256 of every file."""
        path = TABLES / "downloads" / f"{self.name}.csv"
        with path.open(encoding="utf-8", newline="") as stream:
            return [(r["path"], int(r["bytes"]), r["sha256"]) for r in csv.DictReader(stream)]


@dataclass(frozen=True)
class ByHand:
    """What has to be fetched by hand: its licence, its place or its hash allow nothing else."""

    what: str
    address: str
    licence: str


@lru_cache(maxsize=1)
def _table() -> dict[str, Any]:
    content: dict[str, Any] = json.loads((TABLES / "downloads.json").read_text(encoding="utf-8"))
    return content


def downloads() -> dict[str, Download]:
    """What may be fetched, by name."""
    return {name: Download(name, **row) for name, row in _table()["fetched"].items()}


def by_hand() -> list[ByHand]:
    """What has to be fetched by hand."""
    return [ByHand(**row) for row in _table()["by_hand"]]


def fetch(
    name: str,
    folder: Path | None = None,
    mirror: str | None = None,
    progress: Callable[[int, int], None] = lambda done, files: None,
) -> int:
    """Fetch the files of a download that are not there yet; returns how many that were.

    Args:
        name: of the download.
        folder: to write into; the download's own by default.
        mirror: address to use in place of the download's.
        progress: called with the number of files that are there, and of all.

    Raises:
        ConfigError: unknown name.
        DatasetError: no network, another answer than the file, or other content than expected.
        ResultError: another process writes there.
    """
    import requests

    known = downloads()
    if name not in known:
        raise unknown_name("download", name, known)
    wanted, target = known[name].files, folder or Path(known[name].folder)
    address = f"{(mirror or known[name].address).rstrip('/')}/"
    fetched = 0
    with locked_beside(target), requests.Session() as session:
        for done, (path, size, digest) in enumerate(wanted):
            progress(done, len(wanted))
            file = target / path
            if not (file.is_file() and file.stat().st_size == size and sha256([file]) == digest):
                fetch_file(session, f"{address}{path}", file, size, digest)
                fetched += 1
        progress(len(wanted), len(wanted))
    return fetched


def fetch_file(
    session: requests.Session, address: str, file: Path, size: int, digest: str
) -> None:
    """Fetch one file: all of it or nothing; a part that is there is gone on with.

    Args:
        session: to ask with.
        address: of the file.
        file: to write.
        size: expected, in bytes.
        digest: expected SHA-256.

    Raises:
        DatasetError: no network, another answer than the file, or other content than expected.
    """
    import requests

    part = file.with_name(f"{file.name}.part")
    file.parent.mkdir(parents=True, exist_ok=True)
    resumed = part.is_file() and part.stat().st_size > 0
    try:
        _receive(session, address, part, size)
    except (requests.RequestException, OSError) as error:
        answer = getattr(error, "response", None)
        why = f"HTTP {answer.status_code}" if answer is not None else type(error).__name__
        raise DatasetError(
            f"{address}: cannot be fetched ({why}). Without a network, bring the files from "
            "another machine, or name a copy with --mirror. What has arrived is kept: the same "
            "command goes on."
        ) from error
    found = sha256([part])
    if found == digest:
        part.replace(file)
        return
    part.unlink()
    if resumed:  # the part was of something else
        fetch_file(session, address, file, size, digest)
        return
    raise DatasetError(
        f"{address}: expected SHA-256 {digest} ({size} bytes), found {found}. Nothing was kept; "
        "the file has changed there, or something between altered it."
    )


def _receive(session: requests.Session, address: str, part: Path, size: int) -> None:
    """Append what is missing of ``part``, up to a block more than expected."""
    have = part.stat().st_size if part.is_file() else 0
    if have >= size > 0:
        return
    header = {"Range": f"bytes={have}-"} if have else {}
    with session.get(address, headers=header, stream=True, timeout=_PATIENCE) as answer:
        answer.raise_for_status()
        goes_on = answer.status_code == 206  # else the whole file comes again
        with part.open("ab" if goes_on else "wb") as stream:
            for block in answer.iter_content(_BLOCK):
                stream.write(block)
                if stream.tell() > size:
                    break

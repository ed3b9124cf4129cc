"""YouTube-BoundingBoxes: a CSV of boxes as fractions of the image, and extracted frames.

The official set is the CSV; users extract the frames themselves. Frames are expected where PySOT's
scripts put them, ``yt_bb_detection_train/<class>/<video>_<ms>_<class>_<object>.jpg``.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bench.arrays import Image
from bench.datasets.frames import jpeg_size
from bench.errors import DatasetError
from bench.images import read_image
from trackers.siamattn.training.readers.index import Index
from trackers.siamattn.training.readers.rows import (
    Reader,
    Rows,
    known_rows,
    nothing_found,
)

if TYPE_CHECKING:
    import pandas as pd

_COLUMNS = (
    "youtube_id", "timestamp_ms", "class_id", "class_name", "object_id", "object_presence",
    "xmin", "xmax", "ymin", "ymax",
)  # fmt: skip
_PRESENCE = ("present", "absent", "uncertain")
_TRACK = ["youtube_id", "class_id", "object_id"]
_EDGES = ["xmin", "xmax", "ymin", "ymax"]


def open_youtube_bb(root: Path, split: str = "yt_bb_detection_train") -> Reader[int]:
    """The tracks of YouTube-BoundingBoxes: a video, a class and an object id.

    Only rows with ``object_presence`` ``present`` are kept. Boxes are annotated once a second, and
    frames are numbered by the second.

    Args:
        root: holds ``<split>.csv`` and the folder ``<split>/`` of frames.
        split: name of both.

    Raises:
        DatasetError: the CSV is missing, broken or empty.
    """
    table = _index(_read(root, split))
    if not len(table):
        raise nothing_found("youtube-bb", root, f"rows of present objects in {split}.csv")
    load = partial(_load, table, root / split)
    return Reader("youtube-bb", range(len(table)), load, False, table.videos)


def _read(root: Path, split: str) -> pd.DataFrame:
    """The rows of present objects; all columns except the numbers as text."""
    import pandas as pd

    path = root / f"{split}.csv"
    if not path.is_file():
        raise nothing_found("youtube-bb", root, f"{path.name} and {split}/<class>/... .jpg")
    types: dict[str, type] = dict.fromkeys(_COLUMNS, str)
    types.update(dict.fromkeys(("timestamp_ms", *_EDGES), np.float64))
    missing = {edge: [""] for edge in _EDGES}
    try:
        rows = pd.read_csv(
            path, header=None, names=list(_COLUMNS), dtype=types,
            keep_default_na=False, na_values=missing,
        )  # fmt: skip
    except (OSError, ValueError) as error:
        raise _broken(path, str(error)) from error
    wrong = ~rows["object_presence"].isin(_PRESENCE)
    if wrong.any() or not isinstance(rows.index, pd.RangeIndex):
        row = int(np.argmax(wrong)) + 1
        raise _broken(path, f"line {row} is invalid or has another number of columns")
    return rows[rows["object_presence"] == "present"]


def _broken(path: Path, found: str) -> DatasetError:
    return DatasetError(
        f"{path}: expected {len(_COLUMNS)} columns without a header ({', '.join(_COLUMNS)}), "
        f"but {found}. Unpack the official file again."
    )


def _index(rows: pd.DataFrame) -> Index:
    """The index; boxes are still fractions, since image sizes are unknown."""
    rows = rows.sort_values([*_TRACK, "timestamp_ms"], kind="stable")
    tracks = rows[_TRACK].to_numpy(dtype=np.str_).reshape(-1, 3)
    first = np.flatnonzero(np.r_[True, (tracks[1:] != tracks[:-1]).any(axis=1)][: len(tracks)])
    xmin, xmax, ymin, ymax = rows[_EDGES].to_numpy(dtype=np.float64).T
    return Index(
        groups=tracks[first, 0],
        tracks=np.array([f"{kind}_{item}" for _, kind, item in tracks[first]], dtype=np.str_),
        problems=np.zeros(len(first), dtype="U1"),
        starts=np.append(first, len(rows)).astype(np.int64),
        boxes=np.stack([xmin, ymin, xmax - xmin, ymax - ymin], axis=1),
        numbers=rows["timestamp_ms"].to_numpy(dtype=np.int64),
    )


def _load(table: Index, root: Path, target: int) -> Rows:
    fractions, times = table.rows(target)
    video, track = str(table.groups[target]), str(table.tracks[target])
    name = f"youtube-bb/{video}_{track}"
    folder = root / track.partition("_")[0]
    seconds = times // 1000
    paths = {
        int(second): folder / f"{video}_{time}_{track}.jpg"
        for second, time in zip(seconds, times, strict=True)
    }
    width, height = _size(list(paths.values()), name)
    boxes = fractions * (width, height, width, height)
    rows = known_rows(name, boxes, seconds, (width, height))
    return Rows(name, *rows, partial(_image, paths))


def _image(paths: dict[int, Path], number: int) -> Image:
    return read_image(paths[number])


def _size(paths: list[Path], name: str) -> tuple[int, int]:
    """Width and height of a video, from its first frame that exists."""
    path = next((path for path in paths if path.is_file()), None)
    if path is None:
        raise DatasetError(
            f"{name}: expected frames such as {paths[0]}, found none. Videos removed from YouTube "
            "cannot be used."
        )
    size = jpeg_size(path)
    if size is None:
        height, width = read_image(path).shape[:2]
        return width, height
    return size

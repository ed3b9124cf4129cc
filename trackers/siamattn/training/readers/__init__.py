"""Training sets in their official layouts, one file each; ``open_source`` opens one."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType
from typing import Any

from bench.errors import DatasetError, unknown_name
from trackers.siamattn.training.readers.clips import open_got10k, open_lasot, open_trackingnet
from trackers.siamattn.training.readers.coco import open_coco
from trackers.siamattn.training.readers.crop511 import open_crop511
from trackers.siamattn.training.readers.imagenet import open_det, open_vid
from trackers.siamattn.training.readers.rows import Reader
from trackers.siamattn.training.readers.stills import open_stills
from trackers.siamattn.training.readers.youtube_bb import open_youtube_bb
from trackers.siamattn.training.readers.youtube_vos import open_youtube_vos

LAYOUTS: MappingProxyType[str, Callable[..., Reader[Any]]] = MappingProxyType(
    {
        "coco": open_coco,
        "crop511": open_crop511,
        "det": open_det,
        "got10k": open_got10k,
        "lasot": open_lasot,
        "stills": open_stills,
        "trackingnet": open_trackingnet,
        "vid": open_vid,
        "youtube-bb": open_youtube_bb,
        "youtube-vos": open_youtube_vos,
    }
)


def open_source(layout: str, root: Path, **options: Any) -> Reader[Any]:
    """The training set in a folder.

    Args:
        layout: a name in ``LAYOUTS``.
        root: the official folder.
        options: options of the layout's function, e.g. ``split="train2017"`` for COCO.

    Raises:
        ConfigError: unknown layout or option.
        DatasetError: the set is missing or its annotation is broken.
    """
    if layout not in LAYOUTS:
        raise unknown_name("layout of a training set", layout, LAYOUTS)
    for option in options:
        if option not in options_of(layout):
            raise unknown_name(f"option of layout {layout!r}", option, options_of(layout))
    try:
        return LAYOUTS[layout](root, **options)
    except OSError as error:
        raise DatasetError(f"{root}: cannot be read ({error})") from error


def options_of(layout: str) -> tuple[str, ...]:
    """The option names of a layout."""
    return tuple(inspect.signature(LAYOUTS[layout]).parameters)[1:]

"""The named mixtures of training sets, as data in ``mixtures.json``.

Frame ranges are in frames of the video. The release counts annotated frames, and YouTube-VOS has
every fifth, so that its 20 stand as 100; YouTube-BoundingBoxes is annotated once a second, and its
frames are numbered so. ``uses`` of null takes as many targets in an epoch as the set has videos
(images, in COCO and DET): the release takes each video once, and one target of it, while here
every target is as likely as any other.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.errors import DatasetError
from trackers.siamattn.settings import load_table, named
from trackers.siamattn.training.mixture import Mixture
from trackers.siamattn.training.readers.opening import open_source, options_of
from trackers.siamattn.training.sources import Use

MIXTURES = Path(__file__).parent / "mixtures.json"


def mixture_names() -> list[str]:
    """The names of all mixtures, sorted."""
    return sorted(load_table(MIXTURES))


def open_mixture(
    name: str,
    root: Path,
    seed: int,
    negatives: float = 0.2,
    index: Path | None = None,
    skipped: Path | None = None,
) -> Mixture:
    """A named mixture of the training sets under a folder.

    Args:
        name: of the mixture.
        root: holds each set in a folder named after its layout: ``coco/``, ``lasot/``, ...
        seed: of everything random.
        negatives: share of pairs whose search image shows another target.
        index: folder to keep indices in, for sets of which every file must be read once.
        skipped: file in which all processes note what could not be read.

    Raises:
        ConfigError: no such mixture.
        DatasetError: a set is missing or its annotation is broken; names every one.
    """
    rows = named("mixture of training sets", name, MIXTURES)["uses"]
    uses, problems = [], []
    for row in rows:
        try:
            uses.append(_use(row, root, index))
        except DatasetError as error:
            problems.append(str(error))
    if problems:
        raise DatasetError(
            f"mixture {name!r}: {len(problems)} of its {len(rows)} training sets cannot be "
            "used.\n" + "\n".join(problems)
        )
    return Mixture(uses, seed, negatives, skipped)


def _use(row: Mapping[str, Any], root: Path, index: Path | None) -> Use:
    layout = row["layout"]
    options = dict(row.get("options", {}))
    if index is not None and "index" in options_of(layout):
        options["index"] = index / f"{layout}.npz"
    source = open_source(layout, root / row.get("folder", layout), **options)
    count = source.videos if row["uses"] is None else row["uses"]
    return Use(source, row["frame_range"], count)

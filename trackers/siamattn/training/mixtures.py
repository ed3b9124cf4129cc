"""Where a recipe's pairs come from: generated video, or the mixtures in ``mixtures.json``.

Frame ranges count frames of the video. The release counts annotated frames instead: YouTube-VOS
annotates every fifth, so the release's 20 become 100; YouTube-BoundingBoxes is annotated once a
second and numbers its frames by the second. If ``uses`` is null, an epoch takes as many targets
as the set has videos (images in COCO and DET): the release takes one target of each video, here
every target is equally likely.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.errors import ConfigError, DatasetError, unknown_name
from bench.files import write_atomically
from trackers.siamattn.config import preset
from trackers.siamattn.settings import is_file_name, load_table, named, read_table
from trackers.siamattn.training.config import Recipe
from trackers.siamattn.training.data import Pair, PairSource, Samples
from trackers.siamattn.training.generated import GeneratedPairs
from trackers.siamattn.training.mixture import Mixture, Skips
from trackers.siamattn.training.readers import open_source, options_of
from trackers.siamattn.training.sources import Use

GENERATED = "generated"  # the mixture of generated video
MIXTURES = Path(__file__).parent / "mixtures.json"
_ROW: dict[str, tuple[type, ...]] = {
    "layout": (str,), "folder": (str,), "frame_range": (int,), "uses": (int, type(None)),
    "options": (dict,),
}  # fmt: skip


def mixture_names() -> list[str]:
    """The names of all mixtures, sorted."""
    return sorted(load_table(MIXTURES))


def rows_of(name: str) -> list[dict[str, Any]]:
    """The uses of the mixture ``name``, which may be a ``.json`` or ``.toml`` file with ``uses``.

    Raises:
        ConfigError: unknown mixture, or a file that cannot be read or lacks something.
    """
    if not is_file_name(name):
        return [dict(row) for row in named("mixture of training sets", name, MIXTURES)["uses"]]
    rows = read_table(Path(name)).get("uses")
    if not isinstance(rows, list) or not rows:
        raise ConfigError(f"{name}: expected a list 'uses' of training sets")
    return [_checked(row, f"{name}: uses, row {place}") for place, row in enumerate(rows, 1)]


def _checked(row: Any, where: str) -> dict[str, Any]:
    """A row of a user's mixture, in which ``folder``, ``uses`` and ``options`` may be missing."""
    if not isinstance(row, dict):
        raise ConfigError(f"{where}: expected the settings of a training set, found {row!r}")
    found = {"uses": None, "options": {}, "folder": row.get("layout"), **row}
    for name in found:
        if name not in _ROW:
            raise unknown_name(f"setting of a training set ({where})", name, _ROW)
    for name, kinds in _ROW.items():
        if not isinstance(found.get(name), kinds) or isinstance(found[name], bool):
            wanted = " or ".join(kind.__name__ for kind in kinds)
            raise ConfigError(
                f"{where}: expected {name} of type {wanted}, found {found.get(name)!r}"
            )
    return found


def _keep(name: str, path: Path) -> None:
    """Keep what a mixture's file says beside a run; a resumed run must read the same."""
    if not is_file_name(name):
        return
    content = json.dumps(rows_of(name), indent=2) + "\n"
    if not path.exists():
        write_atomically(path, content.encode())
    elif path.read_text(encoding="utf-8") != content:
        raise ConfigError(
            f"{name}: expected the mixture that this run started with, {path}, found another. "
            "Restore it, or train in another folder"
        )


def open_mixture(
    name: str,
    root: Path,
    seed: int,
    negatives: float = 0.2,
    index: Path | None = None,
    skipped: Path | None = None,
) -> Mixture:
    """A named mixture of the training sets in a folder.

    Args:
        name: name of the mixture, or its file.
        root: holds each set in a folder named after its layout: ``coco/``, ``lasot/``, ...
        seed: seed of all draws.
        negatives: share of pairs whose search image shows another target.
        index: folder for cached indices of sets that must be scanned file by file.
        skipped: file in which all processes log what they could not read.

    Raises:
        ConfigError: unknown mixture.
        DatasetError: sets are missing or their annotation is broken; lists all of them.
    """
    rows = rows_of(name)
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
    layout, folder = row["layout"], row.get("folder", row["layout"])
    options = dict(row.get("options", {}))
    if index is not None and "index" in options_of(layout):
        options["index"] = index / f"{folder.replace('/', '_')}.npz"
    source = open_source(layout, root / folder, **options)
    count = source.videos if row["uses"] is None else row["uses"]
    return Use(source, row["frame_range"], count)


class Blend:
    """Pairs of two sources, spread evenly.

    Args:
        first, second: the sources; each counts its own pairs.
        share: share of the second's pairs.
    """

    def __init__(self, first: PairSource, second: PairSource, share: float) -> None:
        self.first, self.second, self.share = first, second, share

    def pair(self, index: int) -> Pair:
        """Pair ``index`` >= 0."""
        before, after = (int(self.share * number) for number in (index, index + 1))
        if after > before:
            return self.second.pair(before)
        return self.first.pair(index - before)

    def skips(self) -> list[Skips]:
        """What could not be read so far."""
        return [skips for source in (self.first, self.second) for skips in skips_of(source)]


def skips_of(source: PairSource) -> list[Skips]:
    """What a source could not read so far; generated video skips nothing."""
    return source.skips() if isinstance(source, Mixture | Blend) else []


def open_samples(
    recipe: Recipe, root: Path | None = None, folder: Path | None = None, option: str = "--data"
) -> Samples:
    """The samples of a training run; arguments as ``open_pairs``."""
    return Samples(open_pairs(recipe, root, folder, option), recipe, preset(recipe.preset))


def open_pairs(
    recipe: Recipe, root: Path | None = None, folder: Path | None = None, option: str = "--data"
) -> PairSource:
    """The pairs of ``recipe.data``.

    Args:
        recipe: ``data`` and ``seed`` are used.
        root: folder of the training sets, as for ``open_mixture``.
        folder: run folder, for cached indices and the log of skipped data.
        option: what messages call the option that gives ``root``.

    Raises:
        ConfigError: unknown mixture, or ``root`` is missing.
        DatasetError: a set is missing or its annotation is broken.
    """
    data = recipe.data
    if data.mixture == GENERATED:
        return GeneratedPairs(data, recipe.seed)
    if root is None:
        folders = dict.fromkeys(row.get("folder", row["layout"]) for row in rows_of(data.mixture))
        raise ConfigError(
            f"recipe {recipe.name!r} trains on the mixture {data.mixture!r}: give the folder "
            f"of its training sets with {option} FOLDER, which holds "
            f"{', '.join(f'{folder}/' for folder in folders)}"
        )
    index = None if folder is None else folder / "index"
    skipped = None if folder is None else folder / "skipped.jsonl"
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        _keep(data.mixture, folder / "mixture.json")
    real = open_mixture(data.mixture, root, recipe.seed, data.negatives, index, skipped)
    if not data.generated:
        return real
    return Blend(real, GeneratedPairs(data, recipe.seed), data.generated)

"""Where the pairs of a recipe come from."""

from __future__ import annotations

from pathlib import Path

from bench.errors import ConfigError
from trackers.siamattn.config import preset
from trackers.siamattn.training.config import Recipe
from trackers.siamattn.training.data import PairSource, Samples
from trackers.siamattn.training.generated import GeneratedPairs
from trackers.siamattn.training.mixtures import open_mixture

GENERATED = "generated"


def open_samples(recipe: Recipe, root: Path | None = None, folder: Path | None = None) -> Samples:
    """The samples of a training; arguments as ``open_pairs``."""
    return Samples(open_pairs(recipe, root, folder), recipe, preset(recipe.preset))


def open_pairs(recipe: Recipe, root: Path | None = None, folder: Path | None = None) -> PairSource:
    """The pairs of ``recipe.data``.

    Args:
        recipe: its mixture and seed are used.
        root: of the training sets, each in a folder named after its layout.
        folder: of the run, for indices of the sets and a list of what could not be read.

    Raises:
        ConfigError: no such mixture, or no ``root`` for it.
        DatasetError: a set is missing or its annotation is broken.
    """
    data = recipe.data
    if data.mixture == GENERATED:
        return GeneratedPairs(data, recipe.seed)
    if root is None:
        raise ConfigError(
            f"recipe {recipe.name!r} trains on the mixture {data.mixture!r}: say where its "
            "training sets are with --data FOLDER, which holds coco/, lasot/, ..."
        )
    index = None if folder is None else folder / "index"
    skipped = None if folder is None else folder / "skipped.jsonl"
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    return open_mixture(data.mixture, root, recipe.seed, data.negatives, index, skipped)

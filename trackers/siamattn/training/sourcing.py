"""Where the pairs of a recipe come from."""

from __future__ import annotations

from trackers.siamattn.config import preset
from trackers.siamattn.training.config import Recipe
from trackers.siamattn.training.data import PairSource, Samples
from trackers.siamattn.training.generated import GeneratedPairs


def open_samples(recipe: Recipe) -> Samples:
    """The samples of a training."""
    return Samples(open_pairs(recipe), recipe, preset(recipe.preset))


def open_pairs(recipe: Recipe) -> PairSource:
    """The pairs of ``recipe.data``."""
    return GeneratedPairs(recipe.data, recipe.seed)

"""Pairs as the trainer reads them: every step's pairs are known by number."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

from torch.utils.data import DataLoader, Dataset, Sampler

from bench.mini.signals import stream
from trackers.siamattn.config import Config
from trackers.siamattn.training.config import Recipe
from trackers.siamattn.training.graph import Batch
from trackers.siamattn.training.samples import Pair, collate, make_sample


class PairSource(Protocol):
    """Where pairs come from."""

    def pair(self, index: int) -> Pair:
        """Pair ``index``, counted through all epochs; always the same."""
        ...


class Samples(Dataset[Batch]):
    """Every pair of a training, ready for the network.

    Args:
        source: of the pairs.
        recipe: how they are changed and labelled.
        config: of the network.
    """

    def __init__(self, source: PairSource, recipe: Recipe, config: Config) -> None:
        self.source, self.recipe, self.config = source, recipe, config

    def __getitem__(self, index: int) -> Batch:
        """Pair ``index`` as a batch of one; always the same."""
        rng = stream(self.recipe.seed, "sample", str(index))
        return make_sample(self.source.pair(index), self.recipe, self.config, rng)


class Steps(Sampler[list[int]]):
    """The numbers of each step's pairs, from the step where the training is to the epoch's end.

    Args:
        recipe: ``schedule`` is used.
        done: tells how many steps are done, in all epochs.
        rank: which of the processes this is.
        processes: how many share every step.
    """

    def __init__(
        self, recipe: Recipe, done: Callable[[], int], rank: int = 0, processes: int = 1
    ) -> None:
        self.batch = recipe.schedule.batch
        self.count = steps_per_epoch(recipe)
        self.done, self.rank, self.processes = done, rank, processes

    def __iter__(self) -> Iterator[list[int]]:
        """What is left of the epoch."""
        first = self.done()
        for step in range(first, (first // self.count + 1) * self.count):
            pairs = range(step * self.batch, (step + 1) * self.batch)
            yield list(pairs[self.rank :: self.processes])

    def __len__(self) -> int:
        """Steps in a whole epoch."""
        return self.count


def steps_per_epoch(recipe: Recipe) -> int:
    """Steps of ``schedule.batch`` pairs that an epoch has."""
    return max(1, recipe.schedule.pairs // recipe.schedule.batch)


def make_loader(samples: Dataset[Batch], steps: Steps, workers: int) -> DataLoader[Batch]:
    """Batches of ``steps``, made by so many processes beside the trainer's own."""
    return DataLoader(
        samples,
        batch_sampler=steps,
        num_workers=workers,
        collate_fn=collate,
        persistent_workers=False,
        prefetch_factor=4 if workers else None,
    )

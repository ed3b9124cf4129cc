"""Smoke test of training: overfit a few pairs in half a minute."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.utils.data import Dataset

from trackers.siamattn.network import Network
from trackers.siamattn.training import targets
from trackers.siamattn.training.config import Recipe
from trackers.siamattn.training.data import collate
from trackers.siamattn.training.fit import new_network, train
from trackers.siamattn.training.graph import Batch, training_pass
from trackers.siamattn.training.mixtures import open_samples
from trackers.siamattn.training.trainer import Machine


class FixedSamples(Dataset[Batch]):
    """A few samples, repeated endlessly."""

    def __init__(self, samples: list[Batch]) -> None:
        """``samples`` hold one pair each."""
        self.samples = samples

    def __getitem__(self, index: int) -> Batch:
        """Sample ``index`` modulo their number."""
        return self.samples[index % len(self.samples)]


@dataclass(frozen=True)
class Outcome:
    """Result of the smoke test.

    Attributes:
        before, after: loss on the pairs, with batch norms in training mode.
        overlap: mean overlap of the best proposal with the target.
    """

    before: float
    after: float
    overlap: float


def smoke(recipe: Recipe, folder: Path, machine: Machine) -> Outcome:
    """Train on the pairs of one step, again and again, and measure how well they were learned."""
    samples = open_samples(recipe)
    chosen = [samples[index] for index in range(recipe.schedule.batch)]
    batch = collate(chosen)
    network = new_network(recipe)
    before = _loss(network, batch, recipe)
    network = train(recipe, FixedSamples(chosen), folder, machine, network)
    return Outcome(before, _loss(network, batch, recipe), _overlap(network, batch))


@torch.no_grad()
def _loss(network: Network, batch: Batch, recipe: Recipe) -> float:
    network.train()
    return training_pass(network, batch, recipe.labels, recipe.weights).total.item()


@torch.no_grad()
def _overlap(network: Network, batch: Batch) -> float:
    """Mean overlap of the best proposals, with batch norms in training mode."""
    network.train()
    found = network.search(batch.search.float(), network.template(batch.template.float()))
    config = network.config
    grid = targets.training_anchors(config.rpn, config.tracking_for()).reshape(-1, 4)
    boxes = targets.decode_proposals(
        found.loc, torch.from_numpy(grid).to(found.loc), batch.search.shape[-1]
    )
    overlaps = targets.batch_overlaps(boxes, batch.box)
    best = _foreground(found.cls).argmax(1, keepdim=True)
    return overlaps.gather(1, best).mean().item()


def _foreground(cls: Tensor) -> Tensor:
    background, target = cls.flatten(2).chunk(2, dim=1)
    return (target - background).flatten(1)

"""Does training work? A handful of pairs, learned by heart in a minute or two."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.utils.data import Dataset

from trackers.siamattn.network import Network
from trackers.siamattn.training import targets
from trackers.siamattn.training.config import Recipe
from trackers.siamattn.training.fit import Machine, train
from trackers.siamattn.training.graph import Batch, training_pass
from trackers.siamattn.training.samples import collate
from trackers.siamattn.training.sourcing import open_samples


class Handful(Dataset[Batch]):
    """The same few samples again and again."""

    def __init__(self, samples: list[Batch]) -> None:
        """``samples`` of one pair each."""
        self.samples = samples

    def __getitem__(self, index: int) -> Batch:
        """Sample ``index``, counted round and round."""
        return self.samples[index % len(self.samples)]


@dataclass(frozen=True)
class Outcome:
    """What came of it.

    Attributes:
        before, after: the loss on the handful, batch norms training as they do in a step.
        overlap: mean intersection over union of the surest proposal with the target.
    """

    before: float
    after: float
    overlap: float


def smoke(recipe: Recipe, folder: Path, machine: Machine, count: int = 8) -> Outcome:
    """Train on ``count`` pairs and look at what was learned."""
    samples = open_samples(recipe)
    handful = [samples[index] for index in range(count)]
    batch = collate(handful)
    network = Network(samples.config)
    before = _loss(network, batch, recipe)
    network = train(recipe, Handful(handful), folder, machine, network)
    return Outcome(before, _loss(network, batch, recipe), _overlap(network, batch))


@torch.no_grad()
def _loss(network: Network, batch: Batch, recipe: Recipe) -> float:
    network.train()
    return training_pass(network, batch, recipe.labels, recipe.weights).total.item()


@torch.no_grad()
def _overlap(network: Network, batch: Batch) -> float:
    """Of the surest proposals, with batch norms that see the handful, as in training."""
    network.train()
    found = network.search(batch.search.float(), network.template(batch.template.float()))
    config = network.config
    grid = targets.training_anchors(config.rpn, config.tracking_for()).reshape(-1, 4)
    boxes = targets.decode_proposals(
        found.loc, torch.from_numpy(grid).to(found.loc), batch.search.shape[-1]
    )
    overlaps = targets.batch_overlaps(boxes, batch.box)
    surest = _foreground(found.cls).argmax(1, keepdim=True)
    return overlaps.gather(1, surest).mean().item()


def _foreground(cls: Tensor) -> Tensor:
    background, target = cls.flatten(2).chunk(2, dim=1)
    return (target - background).flatten(1)

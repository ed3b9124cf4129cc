"""Training pairs and batches; each step's pair numbers are fixed in advance."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader, Dataset, Sampler

from bench.mini.signals import stream
from trackers.siamattn.config import Config
from trackers.siamattn.search import fade_surround
from trackers.siamattn.training.config import DataConfig, Recipe
from trackers.siamattn.training.crops import Crop, Shot, cut_pair, gray
from trackers.siamattn.training.graph import Batch
from trackers.siamattn.training.looks import draw_convolution, draw_degradation
from trackers.siamattn.training.targets import label_absent, label_anchors, training_anchors


@dataclass(frozen=True, eq=False)
class Pair:
    """A template frame and a search frame.

    Attributes:
        template: the target in the template frame.
        search: the same target, or another one in a negative pair.
        positive: whether both show the same target.
    """

    template: Shot
    search: Shot
    positive: bool


class PairSource(Protocol):
    """A source of training pairs."""

    def pair(self, index: int) -> Pair:
        """Pair ``index``, counted over all epochs; deterministic."""
        ...


class Samples(Dataset[Batch]):
    """All samples of a training run.

    Args:
        source: source of the pairs.
        recipe: how pairs are augmented and labelled.
        config: the network's configuration.
    """

    def __init__(self, source: PairSource, recipe: Recipe, config: Config) -> None:
        self.source, self.recipe, self.config = source, recipe, config

    def __getitem__(self, index: int) -> Batch:
        """Sample ``index`` as a batch of one; deterministic."""
        rng = stream(self.recipe.seed, "sample", str(index))
        return make_sample(self.source.pair(index), self.recipe, self.config, rng)


def make_sample(pair: Pair, recipe: Recipe, config: Config, rng: np.random.Generator) -> Batch:
    """A batch of one pair: cropped, augmented and labelled.

    Args:
        pair: pair of frames.
        recipe: ``data`` and ``labels`` are used.
        config: the network's configuration.
        rng: source of all randomness.
    """
    tracking = config.tracking_for()
    template, search = cut_pair(pair.template, pair.search, tracking, recipe.data, rng)
    template, search = _change_looks(template, search, recipe.data, rng)
    marked = fade_surround(template.image, template.box + 0.5, config.neck.surround)
    template = replace(template, image=marked)
    anchors = training_anchors(config.rpn, tracking)
    if pair.positive:
        labels = label_anchors(search.box, anchors, recipe.labels, rng)
    else:
        labels = label_absent(search.box, anchors, recipe.labels, config.rpn.stride, rng)
    side = search.image.shape[0]
    mask = np.zeros((side, side), np.uint8) if search.mask is None else search.mask
    sampling_keys = rng.random(anchors[..., 0].size + 1, dtype=np.float32)
    arrays = (
        _pixels(template),
        _pixels(search),
        labels.cls,
        labels.loc.astype(np.float32),
        labels.weight.astype(np.float32),
        search.box.astype(np.float32),
        np.array(pair.positive),
        mask,
        np.array(pair.positive and bool(mask.any())),
        sampling_keys,
    )
    return Batch(*(torch.as_tensor(array)[None] for array in arrays))


def _change_looks(
    template: Crop, search: Crop, data: DataConfig, rng: np.random.Generator
) -> tuple[Crop, Crop]:
    """Both crops with ``data.gray``, ``data.look`` and ``data.film`` applied alike."""
    if rng.random() < data.gray:
        template, search = gray(template), gray(search)
    if data.look and rng.random() < data.look:
        first, second = draw_convolution(rng)(template.image, search.image)
        template, search = replace(template, image=first), replace(search, image=second)
    if data.film and rng.random() < data.film:
        degrade = draw_degradation(rng)
        template = replace(template, image=degrade(template.image))
        search = replace(search, image=degrade(search.image))
    return template, search


def collate(samples: Sequence[Batch]) -> Batch:
    """Several batches as one."""
    rows = ([getattr(sample, f.name) for sample in samples] for f in fields(Batch))
    return Batch(*(torch.cat(row) for row in rows))


def _pixels(crop: Crop) -> NDArray[np.uint8]:
    """RGB ``(S, S, 3)`` to BGR ``(3, S, S)``."""
    return np.ascontiguousarray(crop.image[..., ::-1].transpose(2, 0, 1))


class Steps(Sampler[list[int]]):
    """Pair numbers of this process in each remaining pass of the current epoch.

    A step is made of ``schedule.accumulate`` passes. Its pairs are shared as evenly as possible.

    Args:
        recipe: ``schedule`` is used.
        done: returns the number of completed steps over all epochs.
        rank: index of this process.
        processes: number of processes that share every step.
    """

    def __init__(
        self, recipe: Recipe, done: Callable[[], int], rank: int = 0, processes: int = 1
    ) -> None:
        self.schedule = recipe.schedule.on(processes)
        self.count = max(1, self.schedule.pairs // self.schedule.batch)
        self.done, self.rank, self.processes = done, rank, processes

    def __iter__(self) -> Iterator[list[int]]:
        """Pair numbers of this process for every pass of every remaining step of the epoch."""
        first, batch, passes = self.done(), self.schedule.batch, self.schedule.accumulate
        for step in range(first, (first // self.count + 1) * self.count):
            pairs = range(step * batch, (step + 1) * batch)
            for part in range(passes):
                yield list(pairs[part::passes][self.rank :: self.processes])

    def __len__(self) -> int:
        """Passes per epoch; what is left of its pairs is dropped."""
        return self.count * self.schedule.accumulate


def make_loader(samples: Dataset[Batch], steps: Steps, workers: int) -> DataLoader[Batch]:
    """A loader of the batches of ``steps`` with ``workers`` processes, which stay for all epochs.

    What they have read or drawn before stays with them.
    """
    return DataLoader(
        samples,
        batch_sampler=steps,
        num_workers=workers,
        collate_fn=collate,
        pin_memory=torch.cuda.is_available(),
        persistent_workers=workers > 0,
        prefetch_factor=4 if workers else None,
    )

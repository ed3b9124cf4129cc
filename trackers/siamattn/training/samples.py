"""One pair made ready for the network, and pairs put together into a batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
import torch
from numpy.typing import NDArray

from trackers.siamattn.config import Config
from trackers.siamattn.search import subdued
from trackers.siamattn.training.config import Recipe
from trackers.siamattn.training.crops import Crop, Shot, cut_pair, gray
from trackers.siamattn.training.film import draw_film
from trackers.siamattn.training.graph import Batch
from trackers.siamattn.training.looks import draw_look
from trackers.siamattn.training.targets import label_absent, label_anchors, training_anchors


@dataclass(frozen=True, eq=False)
class Pair:
    """A template, and a frame to find it in.

    Attributes:
        template: the target as it is first seen.
        search: the same target, or another if not ``positive``.
        positive: whether it is the same.
    """

    template: Shot
    search: Shot
    positive: bool


def make_sample(pair: Pair, recipe: Recipe, config: Config, rng: np.random.Generator) -> Batch:
    """A batch of one pair, cropped, changed at random and labelled.

    Args:
        pair: of frames.
        recipe: ``data`` and ``labels`` are used.
        config: of the network.
        rng: of everything random here.
    """
    tracking = config.tracking_for()
    template, search = cut_pair(pair.template, pair.search, tracking, recipe.data, rng)
    if rng.random() < recipe.data.gray:
        template, search = gray(template), gray(search)
    if recipe.data.look and rng.random() < recipe.data.look:
        pictures = draw_look(rng)(template.image, search.image)
        template, search = (
            replace(crop, image=picture)
            for crop, picture in zip((template, search), pictures, strict=True)
        )
    if recipe.data.film and rng.random() < recipe.data.film:
        film = draw_film(rng)
        template, search = (replace(crop, image=film(crop.image)) for crop in (template, search))
    told = subdued(template.image, template.box + 0.5, config.neck.surround)
    template = replace(template, image=told)
    anchors = training_anchors(config.rpn, tracking)
    if pair.positive:
        labels = label_anchors(search.box, anchors, recipe.labels, rng)
    else:
        labels = label_absent(search.box, anchors, recipe.labels, config.rpn.stride, rng)
    side = search.image.shape[0]
    mask = np.zeros((side, side), np.uint8) if search.mask is None else search.mask
    lottery = rng.random(anchors[..., 0].size + 1, dtype=np.float32)
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
        lottery,
    )
    return Batch(*(torch.as_tensor(array)[None] for array in arrays))


def collate(samples: Sequence[Batch]) -> Batch:
    """Batches put together to one."""
    rows = ([getattr(sample, f.name) for sample in samples] for f in fields(Batch))
    return Batch(*(torch.cat(row) for row in rows))


def _pixels(crop: Crop) -> NDArray[np.uint8]:
    """RGB ``(S, S, 3)`` to BGR ``(3, S, S)``."""
    return np.ascontiguousarray(crop.image[..., ::-1].transpose(2, 0, 1))

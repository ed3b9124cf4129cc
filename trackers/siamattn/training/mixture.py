"""Pairs from several training sets: how often each is used, and which frames make a pair.

Everything is drawn from the seed and the number of the pair, so that a pair is the same whoever
asks for it and whenever. The scheme is PySOT's: an epoch takes so many targets of each set, the
search frame lies near the template's in time, and a share of the pairs shows another target.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from bench.errors import ConfigError, DatasetError
from bench.mini.signals import stream
from trackers.siamattn.training.crops import Shot
from trackers.siamattn.training.samples import Pair
from trackers.siamattn.training.skipped import Ledger, Skips
from trackers.siamattn.training.sources import Target, Use

PATIENCE = 50  # targets of a source that may fail one after another

Drawn = TypeVar("Drawn")


class Mixture:
    """A ``data.PairSource`` of several training sets.

    A target or a frame that cannot be read is noted, and another target of the same set is drawn
    in its place; which one follows from the pair's number.

    Args:
        uses: the sets, and how much of each.
        seed: of everything random.
        negatives: share of pairs whose search image shows another target, of any set.
        skipped: file in which all processes note what could not be read; None for memory.

    Raises:
        ConfigError: no sets, a share or a number out of range, or no other target to show.
        DatasetError: a set is empty.
    """

    def __init__(
        self,
        uses: Sequence[Use],
        seed: int,
        negatives: float = 0.2,
        skipped: Path | None = None,
    ) -> None:
        _check(uses, negatives)
        self.uses = tuple(uses)
        self.seed = seed
        self.negatives = negatives
        self.ledger = Ledger(skipped)

    def __len__(self) -> int:
        """Pairs in an epoch of the mixture."""
        return sum(_count(use) for use in self.uses)

    def picks(self, epoch: int) -> NDArray[np.int64]:
        """The targets of an epoch in the order of use, ``(len, 2)``: place of the set, target.

        Of a set that is used more often than it has targets, none is used twice more than another.
        """
        return _picks(tuple((len(u.source), _count(u)) for u in self.uses), self.seed, epoch)

    def pair(self, index: int) -> Pair:
        """Pair ``index`` >= 0, counted through all epochs; always the same.

        Raises:
            DatasetError: a set gives nothing but failures.
        """
        epoch, place = divmod(index, len(self))
        use, target = map(int, self.picks(epoch)[place])
        rng = stream(self.seed, "mixture", "pair", str(index))
        if rng.random() >= self.negatives:
            return self._draw(use, target, rng, lambda found: self._positive(use, found, rng))
        template, first = self._draw(use, target, rng, lambda found: _shot_of(found, rng))
        return Pair(template, self._other(first, rng), False)

    def skips(self) -> list[Skips]:
        """What could not be read so far, in all processes where they share a file."""
        return self.ledger.report()

    def _positive(self, use: int, target: Target, rng: np.random.Generator) -> Pair:
        template, search = draw_rows(target.numbers, self.uses[use].frame_range, rng)
        return Pair(read_shot(target, template), read_shot(target, search), True)

    def _other(self, name: str, rng: np.random.Generator) -> Shot:
        """A random target of a random set that is not the one named."""
        for _ in range(PATIENCE):
            use = int(rng.integers(len(self.uses)))
            target = int(rng.integers(len(self.uses[use].source)))
            shot, found = self._draw(use, target, rng, lambda t: _shot_of(t, rng))
            if found != name:
                return shot
        raise DatasetError(
            f"negative pairs: expected another target than {name!r}, found none in {PATIENCE} "
            "that were drawn. Restore the training sets, or set negatives to 0."
        )

    def _draw(
        self, use: int, target: int, rng: np.random.Generator, read: Callable[[Target], Drawn]
    ) -> Drawn:
        """What ``read`` makes of a target, or of the first other one that can be read."""
        source = self.uses[use].source
        for _ in range(PATIENCE):
            try:
                return read(source.target(target))
            except DatasetError as error:
                self.ledger.note(source.name, str(error))
                last = error
            target = int(rng.integers(len(source)))
        raise DatasetError(
            f"training set {source.name!r}: {PATIENCE} targets drawn one after another could not "
            f"be read, the last because:\n  {last}\nUnpack it anew, or leave it out."
        ) from last


def draw_rows(
    numbers: NDArray[np.int64], frame_range: int, rng: np.random.Generator
) -> tuple[int, int]:
    """Rows of a template and of a search frame at most ``frame_range`` frames away.

    Args:
        numbers: ``(N,)`` of the rows' frames, increasing.
        frame_range: in frames of the video.
        rng: of both draws, each uniform over the rows that may be taken.
    """
    template = int(rng.integers(len(numbers)))
    ends = (numbers[template] - frame_range, numbers[template] + frame_range + 1)
    first, last = np.searchsorted(numbers, ends)
    return template, int(rng.integers(first, last))


def read_shot(target: Target, row: int) -> Shot:
    """A row of a target with its image and mask.

    Raises:
        DatasetError: one of them is broken, or they differ in size.
    """
    image, mask = target.image(row), target.mask(row)
    if mask is not None and mask.shape != image.shape[:2]:
        raise DatasetError(
            f"{target.name}, frame {int(target.numbers[row])}: expected a mask as large as the "
            f"image, {image.shape[:2]}, found {mask.shape}"
        )
    return Shot(image, target.boxes[row], mask)


def _shot_of(target: Target, rng: np.random.Generator) -> tuple[Shot, str]:
    """A random row, and the target's name."""
    return read_shot(target, int(rng.integers(len(target.numbers)))), target.name


@lru_cache(maxsize=4)
def _picks(sizes: tuple[tuple[int, int], ...], seed: int, epoch: int) -> NDArray[np.int64]:
    """``Mixture.picks`` for sets of so many targets, each with its number of uses."""
    parts = []
    for place, (size, count) in enumerate(sizes):
        rng = stream(seed, "mixture", "epoch", str(epoch), str(place))
        rounds = [rng.permutation(size) for _ in range(-(-count // size))]
        targets = np.concatenate(rounds)[:count]
        parts.append(np.stack([np.full(count, place), targets], axis=1))
    picks = stream(seed, "mixture", "epoch", str(epoch)).permutation(np.concatenate(parts))
    picks.flags.writeable = False
    return picks


def _count(use: Use) -> int:
    return len(use.source) if use.uses is None else use.uses


def _check(uses: Sequence[Use], negatives: float) -> None:
    if not uses:
        raise ConfigError("a mixture needs at least one training set, found none")
    if not 0 <= negatives <= 1:
        raise ConfigError(f"negatives: expected a share from 0 to 1, found {negatives}")
    for use in uses:
        if use.frame_range < 0 or _count(use) < 0:
            raise ConfigError(
                f"training set {use.source.name!r}: expected a frame range and uses that are not "
                f"negative, found {use.frame_range} and {use.uses}"
            )
        if not len(use.source):
            raise DatasetError(f"training set {use.source.name!r}: expected targets, it has none")
    if not any(map(_count, uses)):
        raise ConfigError("a mixture needs at least one use, found 0 of every training set")
    if negatives and sum(len(use.source) for use in uses) < 2:
        raise ConfigError("negative pairs need two targets, found one. Set negatives to 0.")

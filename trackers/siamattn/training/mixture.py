"""Pairs from several training sets, and the log of what could not be read.

Every draw depends only on the seed and the pair's number, so pairs are reproducible in any
process. The scheme is PySOT's: an epoch takes a fixed number of targets from each set, the search
frame is close to the template in time, and some pairs show another target.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from bench.errors import ConfigError, DatasetError
from bench.mini.signals import stream
from trackers.siamattn.training.crops import Shot
from trackers.siamattn.training.data import Pair
from trackers.siamattn.training.sources import Target, Use

MAX_FAILURES = 50  # consecutive unreadable targets of a set before giving up
_NAMED = 5  # problems listed per source

Drawn = TypeVar("Drawn")


class Mixture:
    """A ``data.PairSource`` that mixes several training sets.

    An unreadable target or frame is logged and replaced by another target of the same set, chosen
    by the pair's number.

    Args:
        uses: the sets, and how much of each to use.
        seed: seed of all draws.
        negatives: share of pairs whose search image shows another target, of any set.
        skipped: file in which all processes log what they could not read; None for memory.

    Raises:
        ConfigError: no sets, a share or number out of range, or too few targets for negatives.
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
        self.skip_log = SkipLog(skipped)

    def __len__(self) -> int:
        """Pairs in one epoch of the mixture."""
        return sum(_count(use) for use in self.uses)

    def picks(self, epoch: int) -> NDArray[np.int64]:
        """Set index and target index of every pair of an epoch, in order, ``(len, 2)``.

        Repeats within a set are balanced: use counts of its targets differ by at most one.
        """
        return _picks(tuple((len(u.source), _count(u)) for u in self.uses), self.seed, epoch)

    def pair(self, index: int) -> Pair:
        """Pair ``index`` >= 0, counted over all epochs; deterministic.

        Raises:
            DatasetError: no target of a set can be read.
        """
        epoch, place = divmod(index, len(self))
        use, target = map(int, self.picks(epoch)[place])
        rng = stream(self.seed, "mixture", "pair", str(index))
        if rng.random() >= self.negatives:
            return self._draw(use, target, rng, lambda found: self._positive(use, found, rng))
        template, first = self._draw(use, target, rng, lambda found: _shot_of(found, rng))
        return Pair(template, self._other(first, rng), False)

    def skips(self) -> list[Skips]:
        """What could not be read so far, by all processes if they share a file."""
        return self.skip_log.report()

    def _positive(self, use: int, target: Target, rng: np.random.Generator) -> Pair:
        template, search = draw_rows(target.numbers, self.uses[use].frame_range, rng)
        found = read_shot(target, search)
        image = found.image if template == search else target.image(template)
        return Pair(Shot(image, target.boxes[template]), found, True)

    def _other(self, name: str, rng: np.random.Generator) -> Shot:
        """A random target of a random set other than the named one."""
        for _ in range(MAX_FAILURES):
            use = int(rng.integers(len(self.uses)))
            target = int(rng.integers(len(self.uses[use].source)))
            shot, found = self._draw(use, target, rng, lambda t: _shot_of(t, rng))
            if found != name:
                return shot
        raise DatasetError(
            f"negative pairs: expected another target than {name!r}, found none in {MAX_FAILURES} "
            "draws. Restore the training sets, or set negatives to 0."
        )

    def _draw(
        self, use: int, target: int, rng: np.random.Generator, read: Callable[[Target], Drawn]
    ) -> Drawn:
        """The result of ``read`` for a target, or for a random replacement if that fails."""
        source = self.uses[use].source
        for _ in range(MAX_FAILURES):
            try:
                return read(source.target(target))
            except DatasetError as error:
                self.skip_log.add(source.name, str(error))
                last = error
            target = int(rng.integers(len(source)))
        raise DatasetError(
            f"training set {source.name!r}: {MAX_FAILURES} targets in a row could not be read, "
            f"the last because:\n  {last}\nUnpack the set again, or leave it out."
        ) from last


def draw_rows(
    numbers: NDArray[np.int64], frame_range: int, rng: np.random.Generator
) -> tuple[int, int]:
    """Rows of a template frame and of a search frame at most ``frame_range`` frames apart.

    Args:
        numbers: ``(N,)`` frame numbers of the rows, increasing.
        frame_range: maximum distance in frames of the video.
        rng: both rows are drawn uniformly from those allowed.
    """
    template = int(rng.integers(len(numbers)))
    ends = (numbers[template] - frame_range, numbers[template] + frame_range + 1)
    first, last = np.searchsorted(numbers, ends)
    return template, int(rng.integers(first, last))


def read_shot(target: Target, row: int) -> Shot:
    """One row of a target with its image and mask.

    Raises:
        DatasetError: image or mask cannot be read, or their sizes differ.
    """
    image, mask = target.image(row), target.mask(row)
    if mask is not None and mask.shape != image.shape[:2]:
        raise DatasetError(
            f"{target.name}, frame {int(target.numbers[row])}: expected a mask as large as the "
            f"image, {image.shape[:2]}, found {mask.shape}"
        )
    return Shot(image, target.boxes[row], mask)


def _shot_of(target: Target, rng: np.random.Generator) -> tuple[Shot, str]:
    """A random row without its mask, which no negative pair needs, and the target's name."""
    row = int(rng.integers(len(target.numbers)))
    return Shot(target.image(row), target.boxes[row]), target.name


@lru_cache(maxsize=4)
def _picks(sizes: tuple[tuple[int, int], ...], seed: int, epoch: int) -> NDArray[np.int64]:
    """``Mixture.picks`` for sets given as (number of targets, number of uses)."""
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
                f"training set {use.source.name!r}: expected a frame range and uses of 0 or more, "
                f"found {use.frame_range} and {use.uses}"
            )
        if not len(use.source):
            raise DatasetError(f"training set {use.source.name!r}: expected targets, found none")
    if not any(map(_count, uses)):
        raise ConfigError("a mixture needs at least one use, found 0 of every training set")
    if negatives and sum(len(use.source) for use in uses) < 2:
        raise ConfigError("negative pairs need two targets, found one. Set negatives to 0.")


@dataclass(frozen=True)
class Skips:
    """Distinct problems of one source.

    Attributes:
        source: name of the training set.
        count: number of distinct problems.
        first: the first few of them.
    """

    source: str
    count: int
    first: tuple[str, ...]

    def __str__(self) -> str:
        more = self.count - len(self.first)
        lines = [f"{self.source}: {self.count} could not be read", *self.first]
        return "\n  ".join(lines + ([f"... and {more} more"] if more else []))


class SkipLog:
    """Collects problems.

    Args:
        path: file to which every process appends its problems, one per line; it also keeps those
            of earlier starts. None keeps this process's problems in memory.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self._noted: dict[tuple[str, str], None] = {}

    def add(self, source: str, problem: str) -> None:
        """Log a problem of a source.

        Raises:
            DatasetError: the file cannot be written.
        """
        key = (source, problem)
        if key in self._noted:
            return
        self._noted[key] = None
        if self.path is not None:
            self._append(self.path, json.dumps(key, ensure_ascii=False) + "\n")

    def report(self) -> list[Skips]:
        """Every source with problems, in order of first occurrence."""
        problems: dict[str, list[str]] = {}
        for source, problem in dict.fromkeys(self._lines()):
            problems.setdefault(source, []).append(problem)
        return [Skips(name, len(p), tuple(p[:_NAMED])) for name, p in problems.items()]

    def _lines(self) -> Iterable[tuple[str, str]]:
        if self.path is None or not self.path.is_file():
            return self._noted
        lines = self.path.read_text(encoding="utf-8", errors="replace").splitlines()
        return [pair for line in lines if (pair := _parsed(line))]

    @staticmethod
    def _append(path: Path, line: str) -> None:
        """Append in one write, so that lines of several processes do not interleave."""
        try:
            with path.open("ab", buffering=0) as stream:
                stream.write(line.encode())
        except OSError as error:
            raise DatasetError(
                f"{path}: skipped data cannot be logged ({error.strerror})"
            ) from error


def _parsed(line: str) -> tuple[str, str] | None:
    """The source and problem of a line; None for a line cut short by a killed process."""
    try:
        source, problem = json.loads(line)
    except ValueError:
        return None
    return str(source), str(problem)

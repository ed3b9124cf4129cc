"""Mixtures: shares, ranges, negatives, reproducibility, and unreadable data."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from bench.arrays import BoolArray, FloatArray, Image
from bench.errors import ConfigError, DatasetError
from trackers.siamattn.training.data import Pair
from trackers.siamattn.training.mixture import MAX_FAILURES, Mixture, SkipLog, draw_rows
from trackers.siamattn.training.sources import Use


@dataclass(frozen=True)
class Marked:
    """A target whose images encode source, target and row."""

    source: int
    place: int
    numbers: NDArray[np.int64]
    broken: frozenset[int] = frozenset()

    @property
    def name(self) -> str:
        return f"set{self.source}/{self.place}"

    @property
    def boxes(self) -> FloatArray:
        return np.tile([1.0, 2.0, 3.0, 4.0], (len(self.numbers), 1))

    def image(self, index: int) -> Image:
        if index in self.broken:
            raise DatasetError(f"{self.name}/{index}.jpg does not exist")
        return np.full((4, 5, 3), (self.source, self.place, index), dtype=np.uint8)

    def mask(self, index: int) -> BoolArray | None:
        return None


@dataclass(frozen=True)
class Set:
    """A set of marked targets, some of them broken."""

    place: int
    count: int
    numbers: tuple[int, ...] = tuple(range(0, 60, 3))
    broken: frozenset[int] = frozenset()
    bad_rows: frozenset[int] = field(default_factory=frozenset)
    has_masks: bool = False

    @property
    def name(self) -> str:
        return f"set{self.place}"

    def __len__(self) -> int:
        return self.count

    def target(self, index: int) -> Marked:
        if index in self.broken:
            raise DatasetError(f"{self.name}/{index}: broken")
        return Marked(self.place, index, np.array(self.numbers), self.bad_rows)


def marks(pair: Pair) -> tuple[list[int], list[int], bool]:
    """(set, target, row) of template and search, and whether the target is the same."""
    return pair.template.image[0, 0].tolist(), pair.search.image[0, 0].tolist(), pair.positive


def marks_of(mixture: Mixture, count: int) -> list[tuple[list[int], list[int], bool]]:
    return [marks(mixture.pair(index)) for index in range(count)]


def two_sets(negatives: float = 0.2, seed: int = 3) -> Mixture:
    return Mixture([Use(Set(0, 7), 6, 20), Use(Set(1, 30), 9)], seed, negatives)


def test_an_epoch_has_the_given_uses() -> None:
    mixture = two_sets()
    assert len(mixture) == 50
    picks = mixture.picks(0)
    assert picks.shape == (50, 2)
    counts = np.bincount(picks[picks[:, 0] == 0, 1], minlength=7)
    assert counts.sum() == 20
    assert set(counts.tolist()) == {2, 3}  # balanced repetition
    assert sorted(picks[picks[:, 0] == 1, 1].tolist()) == list(range(30))
    assert len(set(picks[:20, 0].tolist())) == 2  # shuffled across sets
    assert picks.tolist() != mixture.picks(1).tolist()
    assert picks.tolist() == two_sets().picks(0).tolist()
    assert picks.tolist() != two_sets(seed=4).picks(0).tolist()


def test_fewer_uses_than_targets_change_from_epoch_to_epoch() -> None:
    mixture = Mixture([Use(Set(0, 100), 0, 10)], 0)
    drawn = {int(target) for epoch in range(30) for target in mixture.picks(epoch)[:, 1]}
    assert len(drawn) > 80


def test_pairs_follow_the_picks_and_the_frame_ranges() -> None:
    mixture = two_sets(negatives=0)
    distances: dict[int, set[int]] = {0: set(), 1: set()}
    for index in range(10 * len(mixture)):
        template, search, positive = marks(mixture.pair(index))
        assert positive
        assert template[:2] == search[:2]
        assert template[:2] == mixture.picks(index // 50)[index % 50].tolist()
        distances[template[0]].add(3 * abs(template[2] - search[2]))
    assert distances == {0: {0, 3, 6}, 1: {0, 3, 6, 9}}


def test_a_range_means_time_not_rows() -> None:
    numbers = np.array([0, 1, 2, 50, 51, 200])
    rng = np.random.default_rng(0)
    drawn = [draw_rows(numbers, 2, rng) for _ in range(2000)]
    assert set(drawn) == {
        *((a, b) for a in range(3) for b in range(3)),
        *((a, b) for a in (3, 4) for b in (3, 4)),
        (5, 5),
    }
    firsts = np.bincount([template for template, _ in drawn], minlength=6) / 2000
    assert firsts == pytest.approx(np.full(6, 1 / 6), abs=0.04)


def test_a_fifth_of_the_pairs_shows_another_target_of_any_set() -> None:
    mixture = two_sets()
    found = marks_of(mixture, 4000)
    negative = [(template, search) for template, search, positive in found if not positive]
    assert len(negative) / 4000 == pytest.approx(0.2, abs=0.025)
    assert all(template[:2] != search[:2] for template, search in negative)
    # Half from each set, although one has more targets and uses.
    assert np.mean([search[0] for _, search in negative]) == pytest.approx(0.5, abs=0.08)
    # The template is still the target picked for this pair.
    assert np.mean([t[0] for t, _ in negative]) == pytest.approx(0.6, abs=0.08)
    assert not any(positive for *_, positive in marks_of(two_sets(negatives=1), 50))


def test_pairs_do_not_depend_on_order_or_process() -> None:
    found = marks_of(two_sets(), 120)
    backwards = two_sets()
    assert [marks(backwards.pair(index)) for index in reversed(range(120))] == found[::-1]
    copy = pickle.loads(pickle.dumps(two_sets()))
    assert marks_of(copy, 120) == found
    assert marks_of(two_sets(seed=4), 120) != found


def broken_sets(path: Path | None = None) -> Mixture:
    first = Set(0, 8, broken=frozenset({1, 2}))
    second = Set(1, 8, bad_rows=frozenset({4}))
    return Mixture([Use(first, 6, 40), Use(second, 9, 40)], 0, 0.2, path)


def test_broken_data_is_replaced_counted_and_named() -> None:
    mixture = broken_sets()
    found = marks_of(mixture, 320)
    shots = [shot for template, search, _ in found for shot in (template, search)]
    assert not any(s[0] == 0 and s[1] in (1, 2) for s in shots)
    assert not any(s[0] == 1 and s[2] == 4 for s in shots)
    assert marks_of(broken_sets(), 320) == found
    # The replacement is from the same set, so the sets keep their shares.
    assert [t[0] for t, *_ in found] == [
        int(mixture.picks(i // 80)[i % 80, 0]) for i in range(320)
    ]
    skips = {skip.source: skip for skip in mixture.skips()}
    assert skips["set0"].count == 2
    assert set(skips["set0"].first) == {"set0/1: broken", "set0/2: broken"}
    assert skips["set1"].count == 8
    assert len(skips["set1"].first) == 5
    assert str(skips["set1"]).startswith("set1: 8 could not be read\n  set1/")
    assert str(skips["set1"]).endswith("... and 3 more")


def test_processes_share_what_they_skipped(tmp_path: Path) -> None:
    path = tmp_path / "skipped.jsonl"
    for first in (0, 160):  # two workers, half of the pairs each
        worker = pickle.loads(pickle.dumps(broken_sets(path)))
        for index in range(first, first + 160):
            worker.pair(index)
    alone = broken_sets()
    marks_of(alone, 320)
    shared = {skip.source: skip.count for skip in broken_sets(path).skips()}
    assert shared == {skip.source: skip.count for skip in alone.skips()}
    with path.open("a") as stream:
        stream.write('["set0", "cut sho')  # killed while writing
    assert {skip.source: skip.count for skip in SkipLog(path).report()} == shared


def test_an_unwritable_log_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"skipped\.jsonl: .*No such file"):
        SkipLog(tmp_path / "gone" / "skipped.jsonl").add("set0", "broken")


def test_an_unreadable_set_stops_training() -> None:
    hopeless = Set(0, 9, broken=frozenset(range(9)))
    mixture = Mixture([Use(hopeless, 1), Use(Set(1, 9), 1)], 0, 0)
    index = int(np.flatnonzero(mixture.picks(0)[:, 0] == 0)[0])
    with pytest.raises(
        DatasetError, match=rf"'set0': {MAX_FAILURES} targets .*\n  set0/\d: broken"
    ):
        mixture.pair(index)


def test_impossible_negatives_stop_training() -> None:
    mixture = Mixture([Use(Set(0, 2, broken=frozenset({1})), 1)], 0, 1.0)
    with pytest.raises(DatasetError, match="another target than 'set0/0'"):
        mixture.pair(0)


class Squeezed(Marked):
    """A target whose mask is smaller than its image."""

    def mask(self, index: int) -> BoolArray | None:
        return np.ones((2, 2), dtype=bool)


class Squeezing(Set):
    def target(self, index: int) -> Marked:
        return Squeezed(self.place, index, np.array(self.numbers))


def test_a_mask_of_another_size_is_refused() -> None:
    mixture = Mixture([Use(Squeezing(0, 3), 3)], 0, 0)
    with pytest.raises(DatasetError, match=r"as large as the image, \(4, 5\), found \(2, 2\)"):
        mixture.pair(0)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Mixture([], 0), "at least one training set"),
        (lambda: Mixture([Use(Set(0, 3), 1)], 0, 1.5), "share from 0 to 1"),
        (lambda: Mixture([Use(Set(0, 3), -1)], 0), "'set0': expected a frame range"),
        (lambda: Mixture([Use(Set(0, 3), 1, -2)], 0), "0 or more, found 1 and -2"),
        (lambda: Mixture([Use(Set(0, 3), 1, 0)], 0), "at least one use"),
        (lambda: Mixture([Use(Set(0, 1), 1, 5)], 0), "two targets"),
    ],
)
def test_impossible_mixtures_are_refused(make: Callable[[], Mixture], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make()


def test_an_empty_set_is_refused() -> None:
    with pytest.raises(DatasetError, match="'set0': expected targets, found none"):
        Mixture([Use(Set(0, 0), 1)], 0)


def test_a_single_target_makes_positive_pairs() -> None:
    found = marks_of(Mixture([Use(Set(0, 1), 100, 5)], 0, 0), 20)
    assert all(positive for *_, positive in found)

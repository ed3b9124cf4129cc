"""Rows of results without a valid region."""

from __future__ import annotations

import numpy as np
import pytest

from bench.evaluation.invalid_rows import InvalidRows, RowCounts, count_rows, invalid_answers


@pytest.mark.parametrize(
    ("codes", "found"),
    [
        ([1, -1, -1, -1], (0, 3)),
        ([1, -1, 2, 0, 0, 0, 0, 1, -1], (0, 2)),  # what the protocol writes
        ([1, -1, 0, -1, 2, 0], (1, 3)),
        ([1, 0, 0, 0], (3, 3)),
        ([1], (0, 0)),
    ],
)
def test_code_0_is_for_the_frames_after_a_failure(
    codes: list[int], found: tuple[int, int]
) -> None:
    invalid, rows = found
    assert invalid_answers(np.array([codes])) == RowCounts(rows, invalid)


NAN = float("nan")


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, RowCounts(3)),
        ({0: [0, 0, 0, 0]}, RowCounts(3)),  # the first row is given
        ({0: [NAN] * 4}, RowCounts(3)),
        ({0: [2e6, 0, 5, 5]}, RowCounts(3, far=1)),
        ({1: [1, 2, 0, 5], 3: [1, 2, 5, -1]}, RowCounts(3, invalid=2)),
        ({2: [NAN, 2, 5, 5]}, RowCounts(3, invalid=1)),
        ({2: [1, 2, NAN, 5]}, RowCounts(3, invalid=1)),
        ({1: [-2e6, 2, 5, 5], 2: [NAN] * 4}, RowCounts(3, invalid=1, far=1)),
        ({3: [1, 2, float("inf"), 5]}, RowCounts(3, far=1)),
    ],
)
def test_rows_are_counted_fast_or_one_by_one(
    changed: dict[int, list[float]], expected: RowCounts
) -> None:
    boxes = np.tile([10.0, 20.0, 30.0, 40.0], (4, 1))
    for row, values in changed.items():
        boxes[row] = values
    assert count_rows(boxes) == expected
    assert count_rows(np.empty((0, 4))) == RowCounts()


def test_the_note_counts_rows_and_sequences() -> None:
    count = InvalidRows()
    assert count.note("are odd", "so what") == []
    count.add(RowCounts(9))
    count.add(RowCounts(10, invalid=2))
    assert count.note("are odd", "so what") == ["2 of 19 rows are odd, in 1 sequence: so what"]
    assert not count.all
    count = InvalidRows()
    count.add(RowCounts(4, invalid=4))
    assert count.all

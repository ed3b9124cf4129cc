"""Frames of VOT runs without an answer that the protocol did not skip."""

from __future__ import annotations

import numpy as np
import pytest

from bench.evaluation.invalid_rows import InvalidRows, invalid_answers


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
    assert invalid_answers(np.array([codes])) == found


def test_the_note_counts_rows_and_sequences() -> None:
    count = InvalidRows()
    assert count.note("are odd", "so what") == []
    count.add(0, 9)
    count.add(2, 10)
    assert count.note("are odd", "so what") == ["2 of 19 rows are odd, in 1 sequence: so what"]
    assert not count.all
    count = InvalidRows()
    count.add(4, 4)
    assert count.all

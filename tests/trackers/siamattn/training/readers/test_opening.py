"""Names of layouts and options, and empty folders."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bench.errors import ConfigError, DatasetError
from trackers.siamattn.training.readers import LAYOUTS, open_source, options_of
from trackers.siamattn.training.readers.rows import known_rows


def test_unknown_names_list_the_known(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"layout.*'youtube_vos'.*mean 'youtube-vos'.*lasot"):
        open_source("youtube_vos", tmp_path)
    with pytest.raises(ConfigError, match=r"option of layout 'coco' 'spilt'.*mean 'split'"):
        open_source("coco", tmp_path, spilt="val2017")
    assert options_of("youtube-vos") == ("split", "index")


@pytest.mark.parametrize("layout", sorted(LAYOUTS))
@pytest.mark.parametrize("exists", [True, False])
def test_an_empty_or_missing_folder_is_an_error_that_names_it(
    layout: str, exists: bool, tmp_path: Path
) -> None:
    root = tmp_path if exists else tmp_path / "gone"
    with pytest.raises(DatasetError, match="expected") as caught:
        open_source(layout, root)
    assert str(root) in str(caught.value)


def test_unusable_rows_are_dropped_and_the_rest_sorted() -> None:
    nan = np.nan
    rows = [
        [60, 5, 9, 9],
        [1, 1, 5, 5],
        [nan, 1, 5, 5],
        [1, 1, 0, 5],
        [64, 1, 5, 5],
        [-5, 1, 5, 5],
    ]
    boxes, numbers = known_rows("x", rows, [9, 4, 3, 2, 1, 0], (64, 48))
    assert numbers.tolist() == [4, 9]
    assert boxes.tolist() == [[1, 1, 5, 5], [60, 5, 9, 9]]
    assert len(known_rows("x", rows, range(6))[0]) == 4
    with pytest.raises(DatasetError, match="x: expected a frame"):
        known_rows("x", [], [])

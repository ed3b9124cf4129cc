"""The arrays of an index, kept on disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bench.errors import DatasetError
from trackers.siamattn.training.readers.index import Arrays, kept

ARRAYS = {
    "numbers": np.arange(6, dtype=np.int64),
    "rows": np.arange(6.0).reshape(3, 2),
    "columns": np.arange(6.0).reshape(2, 3).T,  # whose values stand column by column
    "names": np.array(["a", "größer", ""]),
    "none": np.zeros((0, 4)),
    "text": np.array("one"),
}


def refuse() -> Arrays:
    raise AssertionError("built again")


def test_arrays_come_back_mapped(tmp_path: Path) -> None:
    store = tmp_path / "run" / "set.npz"
    for build in (lambda: ARRAYS, refuse):
        found = kept(store, "here", build)
        for name, expected in ARRAYS.items():
            assert found[name].dtype == expected.dtype
            assert found[name].shape == expected.shape
            assert (found[name] == expected).all(), name
        assert isinstance(found["columns"], np.memmap)
    assert [path.name for path in store.parent.iterdir()] == ["set.npz"]


@pytest.mark.parametrize("content", [b"", b"PK no archive", b"x" * 99])
def test_what_is_damaged_or_of_another_set_is_built_again(tmp_path: Path, content: bytes) -> None:
    store = tmp_path / "set.npz"
    kept(store, "here", lambda: ARRAYS)
    other = {"numbers": np.arange(3)}
    assert len(kept(store, "there", lambda: other)["numbers"]) == 3
    store.write_bytes(content)
    assert len(kept(store, "there", lambda: ARRAYS)["numbers"]) == 6


def test_an_index_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DatasetError, match=r"set\.npz: the index cannot be written"):
        kept(tmp_path / "file" / "set.npz", "here", lambda: ARRAYS)

"""What is packed for the browser comes out as it went in, and cannot break out of a script."""

from __future__ import annotations

import base64
import json
import zlib

import numpy as np
import pytest

from bench.arrays import FloatArray
from bench.reports.page.encoding import file_names, pack, script, spans


def unpack(text: str, width: int, steps: int) -> FloatArray:
    """The way back, written from the description: byte planes, running sums, steps."""
    planes = np.frombuffer(zlib.decompress(base64.b64decode(text)), np.uint8).reshape(2, -1)
    changes = (planes[0] + planes[1].astype(np.int32) * 256).reshape(width, -1)
    sums = (np.cumsum(changes, axis=1) + 32768) % 65536 - 32768
    return np.where(sums == -32768, np.nan, sums / steps).T


def test_numbers_come_back_to_a_step() -> None:
    rng = np.random.default_rng(0)
    columns = rng.uniform(-3000, 3000, (500, 4))
    columns[100:120] = np.nan
    back = unpack(pack(columns, 4), 4, 4)
    np.testing.assert_allclose(back, columns, atol=0.125, equal_nan=True)


def test_what_does_not_fit_becomes_the_nearest_that_does() -> None:
    columns = np.array([[1e9], [-1e9], [np.inf], [0.0]])
    assert unpack(pack(columns, 4), 1, 4)[:, 0].tolist() == [8191.75, -8191.75, 8191.75, 0.0]


def test_a_slow_box_takes_few_bytes() -> None:
    boxes = np.cumsum(np.random.default_rng(0).normal(0, 1, (10_000, 4)), axis=0) + 500
    assert len(pack(boxes, 4)) < 6.5 * 10_000


@pytest.mark.parametrize("flags", [[], [0, 0], [1, 1, 1], [1, 0, 1, 1, 0, 0, 1]])
def test_spans_cover_exactly_the_flags(flags: list[int]) -> None:
    covered = np.zeros(len(flags), dtype=bool)
    for first, last in spans(np.array(flags, dtype=bool)):
        covered[first : last + 1] = True
    assert covered.tolist() == [bool(flag) for flag in flags]


def test_no_name_ends_the_script() -> None:
    content = {"</script><script>alert(1)": ["<!--", "\u2028", 'a"b\\']}
    text = script("key", content)
    assert not set("<>&\u2028") & set(text)
    assert json.loads(text.removeprefix("bench.receive(...").removesuffix(");\n")) == [
        "key",
        content,
    ]


def test_file_names_are_plain_and_unique() -> None:
    names = ["a/b", "a b", "A-B", "..", "", "跟踪", "x" * 300, "con?#%"]
    found = file_names(names)
    assert len({name.lower() for name in found}) == len(names)
    assert all(name and set(name) <= set(map(chr, range(45, 123))) for name in found)
    assert not any(set(name) & set("/?#%:") or name.startswith(".") for name in found)

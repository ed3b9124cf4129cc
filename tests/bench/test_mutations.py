"""A few hundred damaged files of every kind; ``scripts/mutate.py`` makes them by the thousand."""

from __future__ import annotations

import importlib.util
import sys
from collections import Counter
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "mutate.py"
CASES = 440


@pytest.fixture(scope="module")
def mutate() -> ModuleType:
    spec = importlib.util.spec_from_file_location("mutate", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["mutate"] = module  # its dataclasses look themselves up there
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def sound(mutate: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every kind of file, sound."""
    pytest.importorskip("torch")
    folder: Path = tmp_path_factory.mktemp("sound")
    mutate.prepare(folder)
    return folder


def test_damaged_files_are_scored_as_before_noted_or_refused(
    mutate: ModuleType, tmp_path: Path
) -> None:
    pytest.importorskip("torch")
    bench = mutate.Bench(tmp_path)
    found = [bench.run(case) for case in range(CASES)]
    wrong = [each for each in found if each.outcome in ("traceback", "slow")]
    assert wrong == []
    by_kind = Counter(each.kind for each in found)
    assert set(by_kind) == {kind.name for kind in mutate.KINDS}
    stored = {each.outcome for each in found if each.kind == "stored"}
    assert "unseen" not in stored, "the record knows the hashes"
    assert [each for each in found if each.outcome == "moved"] == []
    refused = [each.text for each in found if each.outcome == "refused"]
    assert refused
    assert all(text.strip() and "Traceback" not in text for text in refused)


def test_a_case_can_be_repeated(mutate: ModuleType, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    bench = mutate.Bench(tmp_path)
    for case in (3, 17):
        assert bench.run(case).outcome == bench.run(case).outcome


@pytest.mark.parametrize(
    ("kind", "file", "old", "new", "plausible"),
    [
        ("annotation", "otb2015/anno/Couple.txt", b"110.3,93.1", b"111.3,93.1", True),
        ("annotation", "otb2015/anno/Couple.txt", b"110.3,93.1", b"-110.3,93.1", False),
        ("annotation", "otb2015/anno/Couple.txt", b"110.3,93.1", b"110.3,931", False),
        ("annotation", "otb2015/anno/Couple.txt", b"110.3,93.1", b"110.3;93.1", False),
        ("annotation", "otb2015/anno/Couple.txt", b"\n110.3", b"\n\n110.3", False),
        ("annotation", "otb2015/anno/Couple.txt", b"118.3,78.7", b"\n118.3,78.7", True),
        ("annotation", "otb2015/anno/Couple.txt", b"110.3,93.1,21.2", b"110.3,93.1,0", False),
        ("json", "json/Couple.json", b"[118.3", b"[112.3", False),
        ("json", "json/Couple.json", b"122.1", b"12.1", True),
        ("json", "json/Couple.json", b"122.1", b"122.1,1", False),
        ("vot json", "vot2018/VOT2018.json", b"[155.8", b"[156.8", True),
        ("vot json", "vot2018/VOT2018.json", b"[155.8", b"[15.8", False),
        ("vot text", "vot/baseline/bag/bag_001.txt", b"157,99.7", b"158,99.7", True),
        ("vot text", "vot/baseline/bag/bag_001.txt", b"157,99.7", b"15,99.7", False),
        ("vot binary", "votbin/baseline/bag/bag_001.bin", b"\x01", b"\x02", False),
        ("table", "lasot/absent/shark-3.txt", b"0\n0\n1", b"0\n1\n0", True),
        ("table", "lasot/absent/shark-3.txt", b"0\n0\n1", b"0\n1\n1", False),
        ("checkpoint", "weights/small.pth", b"PK", b"KP", False),
    ],
)
def test_what_counts_as_plausible(
    mutate: ModuleType,
    sound: Path,
    kind: str,
    file: str,
    old: bytes,
    new: bytes,
    plausible: bool,
) -> None:
    content = (sound / file).read_bytes()
    assert old in content
    (chosen,) = (each for each in mutate.KINDS if each.name == kind)
    assert mutate.is_plausible(chosen, content, content)
    assert mutate.is_plausible(chosen, content, content.replace(old, new, 1)) == plausible

"""Writing verbs that are killed, called twice at once, or find the disk full: nothing is lost.

What is killed by the hundred in ``scripts/kills.py`` is killed a few times here.
"""

from __future__ import annotations

import importlib.util
import os
import random
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.conftest import Miniature

SCRIPT = Path(__file__).parents[3] / "scripts/kills.py"
VERBS = ["run", "merge", "eval"]
AT_ONCE = [
    "export", "pack", "plots", "tables", "eval", "video", "tune", "merge", "remove", "workspace",
    "fit",
]  # fmt: skip
NO_ROOM = ["run", "import", "export", "pack", "mini", "plots", "report", "tune", "workspace"]
FULL = """
import errno, os
_open = os.open
def _full(path, flags, *a, **k):
    if flags & os.O_CREAT and str(path).endswith(".lock"):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)
    return _open(path, flags, *a, **k)
os.open = _full
"""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")


@pytest.fixture(scope="module")
def kills() -> ModuleType:
    spec = importlib.util.spec_from_file_location("kills_script", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules["kills_script"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def trials(
    kills: ModuleType, miniature: Miniature, tmp_path_factory: pytest.TempPathFactory
) -> Any:
    data = miniature.into(tmp_path_factory.mktemp("data"), "otb2015", "vot2018", frames=20)
    miniature.into(data, "trackingnet")
    assert {path.name for path in data.iterdir()} == set(kills.BENCHMARKS)
    return kills.Trials(tmp_path_factory.mktemp("kills"), VERBS, data)


def test_what_is_killed_goes_on(kills: ModuleType, trials: Any) -> None:
    assert all(trials.calls[name] > 3 for name in VERBS)  # the counting works
    generator = random.Random(7)
    for name, how in [
        ("run", "call"), ("run", "SIGKILL"), ("run", "SIGSTOP"), ("merge", "call"),
        ("eval", "call"),
    ]:  # fmt: skip
        assert kills.trial(trials, name, how, generator) == [], (name, how)


def test_rounds_go_on_where_they_stopped(kills: ModuleType, tmp_path: Path) -> None:
    """A round that had a fault, or whose line was cut, is due again."""
    out = tmp_path / "kills.jsonl"
    assert kills._sound(out) == set()
    out.write_text(
        '{"round": 0, "faults": []}\n{"round": 1, "faults": ["a"]}\n'
        '{"round": 2, "faults": ["a"]}\n{"round": 2, "faults": []}\n{"round": 3, "fau'
    )
    assert kills._sound(out) == {0, 2}


@pytest.mark.parametrize("name", AT_ONCE)
def test_two_at_once_never_mix(kills: ModuleType, trials: Any, name: str) -> None:
    """Each writes what one alone writes, or is refused in one line."""
    verb = kills.VERBS[name]
    with trials.copy() as alone, trials.copy() as folder:
        assert trials.call(alone, verb).returncode == 0
        both = [
            subprocess.Popen(
                kills.command(verb), cwd=folder, env=trials.environment(), text=True,
                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            )
            for _ in range(2)
        ]  # fmt: skip
        errors = [process.communicate(timeout=300)[1] for process in both]
        assert 0 in [process.returncode for process in both], errors
        for process, error in zip(both, errors, strict=True):
            assert "Traceback" not in error
            refused = [line for line in error.splitlines() if line.startswith("error: ")]
            assert len(refused) == (process.returncode != 0), error
        found, expected = kills.hashes(folder), kills.hashes(alone)
    assert found.keys() == expected.keys()
    differing = {path for path in found if found[path] != expected[path]}
    # What holds durations, or hashes of files that do.
    assert {path for path in differing if not path.endswith((".ckpt", "SHA256SUMS"))} == set()


@pytest.mark.parametrize("name", NO_ROOM)
def test_no_room_for_the_lock_is_said(
    kills: ModuleType, trials: Any, tmp_path: Path, name: str
) -> None:
    """Without a byte left, already the lock file cannot be made."""
    (tmp_path / "sitecustomize.py").write_text(FULL)
    path = os.pathsep.join([str(tmp_path), str(SCRIPT.parents[1])])
    with trials.copy() as folder:
        before = kills.hashes(folder)
        done = subprocess.run(
            kills.command(kills.VERBS[name]), cwd=folder, text=True, capture_output=True,
            env={**os.environ, "PYTHONPATH": path}, timeout=120,
        )  # fmt: skip
        left = kills.hashes(folder)
        assert {path: left[path] for path in left if "/.cache/" not in path} == before
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert "No space left on device" in line
    assert "Traceback" not in done.stderr
    assert done.returncode == 1

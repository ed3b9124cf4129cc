"""Checkpoints are whole at every moment, and the one before is kept."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from bench.errors import ConfigError, ResultError

pytest.importorskip("lightning")

from trackers.siamattn.training import run
from trackers.siamattn.training.run import LAST, PREVIOUS, WholeCheckpoints, find_checkpoint

KILLS = """
import builtins, os, sys
from pathlib import Path
import torch
from trackers.siamattn.training.run import LAST, PREVIOUS, WholeCheckpoints, find_checkpoint

root = Path(sys.argv[1])
torch.set_num_threads(1)


def killed_at(step, folder, links):
    left = [step]

    def counted(call):
        def run(*arguments, **options):
            left[0] -= 1
            if left[0] < 0:
                os._exit(9)
            return call(*arguments, **options)
        return run

    def no_links(*arguments):
        raise OSError("no links here")

    for name in ("fsync", "open", "rename", "replace", "unlink", "mkdir"):
        setattr(os, name, counted(getattr(os, name)))
    os.link = counted(os.link) if links else no_links
    for name in ("replace", "unlink", "open", "mkdir"):
        setattr(Path, name, counted(getattr(Path, name)))
    torch.save = counted(cut(torch.save))
    for number in (3, 4):
        WholeCheckpoints().save_checkpoint({"number": number, "w": torch.ones(999)}, folder / LAST)


def cut(save):
    def run(content, stream):
        stream.write(b"half of it")
        stream.flush()
        stream.seek(0)
        save(content, stream)
    return run


def kill_at_every_call(kind, links):
    for step in range(60):
        folder = root / kind / str(step)
        for number in (1, 2):
            state = {"number": number, "w": torch.ones(999)}
            WholeCheckpoints().save_checkpoint(state, folder / LAST)
        child = os.fork()
        if child == 0:
            killed_at(step, folder, links)
            os._exit(0)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        found = find_checkpoint(folder)
        print(kind, step, code, found.state["number"], len(found.state["w"]), found.path.name)
        saver = WholeCheckpoints()
        saver.save_checkpoint({"number": 9}, folder / LAST)
        names = sorted(path.name for path in (folder / LAST).parent.iterdir())
        assert names == ["last.ckpt", "previous.ckpt"], names
        if code == 0:
            break


kill_at_every_call("links", True)
kill_at_every_call("none", False)
"""


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> list[list[str]]:
    """What was found after each kill, with hard links and on a disk that has none."""
    done = subprocess.run(
        [sys.executable, "-c", KILLS, str(tmp_path_factory.mktemp("killed"))],
        capture_output=True, text=True, check=False, cwd=Path(__file__).parents[4], timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [line.split() for line in done.stdout.splitlines()]


@pytest.mark.parametrize("links", ["links", "none"])
def test_killed_at_every_call_of_the_system(killed: list[list[str]], links: str) -> None:
    """Between two checkpoints, whichever call is the last: a whole one stands, and no litter."""
    rows = [row[1:] for row in killed if row[0] == links]
    assert len(rows) > 10
    numbers = [int(row[2]) for row in rows]
    assert numbers == sorted(numbers)
    assert (numbers[0], numbers[-1]) == (2, 4)
    assert {row[1] for row in rows[:-1]} == {"9"}
    assert {row[3] for row in rows} == {"999"}


def save(folder: Path, *numbers: int) -> WholeCheckpoints:
    saver = WholeCheckpoints()
    for number in numbers:
        saver.save_checkpoint({"number": number}, folder / LAST)
    return saver


def test_a_damaged_checkpoint_gives_way_to_the_one_before(tmp_path: Path) -> None:
    assert find_checkpoint(tmp_path) is None
    save(tmp_path, 1, 2)
    last, previous = tmp_path / LAST, tmp_path / PREVIOUS
    for content in (b"", last.read_bytes()[:300]):
        last.write_bytes(content)
        found = find_checkpoint(tmp_path)
        assert found is not None
        assert found.state == {"number": 1}
        assert found.note is not None
        assert found.note.startswith(f"{last}: damaged")
        assert found.note.endswith(f"; using {previous}")
    last.unlink()
    found = find_checkpoint(tmp_path)
    assert found is not None
    assert found.note == f"{last}: missing; using {previous}"
    previous.write_bytes(b"")
    with pytest.raises(ConfigError, match=r"previous\.ckpt: damaged.*Restore one"):
        find_checkpoint(tmp_path)


def test_a_damaged_checkpoint_does_not_replace_the_one_before(tmp_path: Path) -> None:
    save(tmp_path, 1, 2)
    (tmp_path / LAST).write_bytes(b"")
    saver = WholeCheckpoints(keep=False)
    saver.save_checkpoint({"number": 3}, tmp_path / LAST)
    assert torch.load(tmp_path / PREVIOUS, weights_only=True) == {"number": 1}
    saver.save_checkpoint({"number": 4}, tmp_path / LAST)
    assert torch.load(tmp_path / PREVIOUS, weights_only=True) == {"number": 3}


def test_a_state_that_is_of_no_use_is_damaged(tmp_path: Path) -> None:
    save(tmp_path, 1, 2)

    def fits(state: dict[str, Any]) -> None:
        if state["number"] == 2:
            raise ValueError("not this one")

    found = find_checkpoint(tmp_path, fits)
    assert found is not None
    assert found.state == {"number": 1}


def test_a_full_disk_leaves_the_last_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(tmp_path, 1, 2)

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(run.os, "fsync", full)
    with pytest.raises(ResultError, match=r"No space left .*The one before is intact"):
        save(tmp_path, 3)
    assert torch.load(tmp_path / LAST, weights_only=True) == {"number": 2}
    assert sorted(path.name for path in (tmp_path / LAST).parent.iterdir()) == [
        "last.ckpt", "previous.ckpt"
    ]  # fmt: skip

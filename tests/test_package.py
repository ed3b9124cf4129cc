"""The wheel: whole, light, and at work in a folder whose names are like ours."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zipfile
from email import message_from_string
from email.message import Message
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY, Miniature

_BUILD = "import sys, setuptools.build_meta as b; b.build_wheel(sys.argv[1])"
_COMMAND = """
import sys
from bench.cli.main import main
if __name__ == "__main__":
    sys.exit(main())
"""
_TOP = ("setup.cfg", "pyproject.toml", "LICENSE", "NOTICE")
_EXTRAS = {"siamattn", "train", "trax", "vot-toolkit", "got10k", "video", "cluster", "all"}


def tracked(*folders: str) -> list[str]:
    """Files of the repository below folders."""
    done = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *folders],
        cwd=REPOSITORY, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        pytest.skip("needs the repository's list of files")
    return [name for name in done.stdout.split("\n") if name and (REPOSITORY / name).is_file()]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds what the wheel installs, and nothing of the checkout."""
    root = tmp_path_factory.mktemp("package")
    for name in tracked("bench", "trackers", "packaging", *_TOP):
        (root / "source" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPOSITORY / name, root / "source" / name)
    done = subprocess.run(
        [sys.executable, "-c", _BUILD, str(root)], cwd=root / "source", capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(next(root.glob("*.whl"))) as wheel:
        wheel.extractall(root / "installed")
    return root / "installed"


@pytest.fixture(scope="module")
def metadata(installed: Path) -> Message:
    """What the wheel says of itself."""
    (path,) = installed.glob("*.dist-info/METADATA")
    return message_from_string(path.read_text(encoding="utf-8"))


def test_it_holds_every_file_of_the_packages(installed: Path) -> None:
    files = {p.relative_to(installed).as_posix() for p in installed.rglob("*") if p.is_file()}
    assert {f for f in files if ".dist-info/" not in f} == set(tracked("bench", "trackers"))


def test_it_is_light_and_its_extras_are_named(metadata: Message) -> None:
    needed = metadata.get_all("Requires-Dist") or []
    always = {re.split(r"[^\w-]", each)[0] for each in needed if "extra ==" not in each}
    heavy = {"torch", "lightning", "ray", "av", "vot-toolkit", "got10k", "numba"}
    assert not always & heavy
    assert {"jinja2", "matplotlib", "tabulate", "pylatexenc"} <= always
    assert set(metadata.get_all("Provides-Extra") or []) >= _EXTRAS
    (everything,) = (each for each in needed if re.search(r"extra == .all.", each))
    assert set(re.findall(r"[\w-]+", everything.split("]")[0].split("[")[1])) > _EXTRAS - {"all"}


def test_it_works_in_a_folder_with_names_like_ours(
    installed: Path, miniature: Miniature, tmp_path: Path
) -> None:
    """The command starts without the checkout, and finds its trackers in workers as well."""
    (tmp_path / "trackers").mkdir()
    (tmp_path / "trackers" / "__init__.py").write_text("raise SystemExit('not ours')\n")
    (tmp_path / "bench.py").write_text("raise SystemExit('not ours')\n")
    script = tmp_path / "bin" / "bench"
    script.parent.mkdir()
    script.write_text(_COMMAND)

    def call(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, script, *words], cwd=tmp_path, capture_output=True, text=True,
            env={**os.environ, "PYTHONPATH": str(installed)}, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    miniature.into(tmp_path / "data", "uav123")
    call("run", "uav123", "--tracker", "kcf", "--jobs", "2")
    assert "kcf" in call("eval", "uav123", "--convention", "all")
    record = (tmp_path / "results" / "uav123" / "kcf" / "run.json").read_text(encoding="utf-8")
    assert '"target": "kcf"' in record
    where = "import bench.loading as b; print(b.ROOT)"
    done = subprocess.run(
        [sys.executable, "-c", where], cwd=installed.parent, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(installed)}, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == str(installed)

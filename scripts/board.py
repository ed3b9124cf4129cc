"""Imports the real result sets that are kept outside git, and shows them as a leaderboard.

``board.csv`` names the sets, with the figures that papers print of them. What a paper prints and
its raw results do not give stays on the board as that: ``bench board check`` names it.
"""

from __future__ import annotations

import argparse
import csv
import subprocess
import sys
from pathlib import Path

LICENCES = {
    "XU-TIANYANG": "none stated", "594422814": "none stated", "Soarkey": "none stated",
    "zhangzheng0131": "none (GNU GPL claimed)", "stevenwudi": "GPL",
    "Giveupfree": "none stated", "vision4robotics": "GPL-3.0", "joeyee": "none stated",
    "sahib-khan": "none stated", "duliangao": "CC BY-NC 4.0",
}  # fmt: skip
ANNOTATION = {"otb2013": "otb2015", "uav20l": "uav123"}


def rows() -> list[dict[str, str]]:
    """The result sets, one for each benchmark and tracker."""
    with Path(__file__).with_name("board.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def link_annotation(shared: Path, data: Path) -> None:
    """A folder of annotations by benchmark; UAV123 at 10 fps is every third row of UAV123."""
    data.mkdir(parents=True, exist_ok=True)
    for benchmark in dict.fromkeys(row["benchmark"] for row in rows()):
        source = shared / "data" / ANNOTATION.get(benchmark, benchmark) / "annotations"
        if source.is_dir() and not (data / benchmark).exists():
            (data / benchmark).symlink_to(source)
    target = data / "uav123-10fps" / "anno" / "UAV123_10fps"
    target.mkdir(parents=True, exist_ok=True)
    for path in (shared / "data/uav123/annotations/anno").glob("*.txt"):
        lines = [line for line in path.read_text().splitlines() if line.strip()]
        (target / path.name).write_text("\n".join(lines[::3]))


def contribution(name: str) -> str:
    """The declarative file of a tracker, for all its results."""
    own = [row for row in rows() if row["name"] == name]
    owner = own[0]["origin"].partition("/")[0]
    text = [
        f'name = "{name}"', f'reference = "{own[0]["reference"]}"',
        f'licence = "{LICENCES[owner]}"',
        *(f'sources.{row["benchmark"]} = "{row["origin"]}"' for row in own),
    ]  # fmt: skip
    for row in own:
        convention, *figures = row["claims"].split() or [""]
        if convention:
            text.append(f"\n[claims.{row['benchmark']}.{convention}]")
            pairs = zip(figures[::2], figures[1::2], strict=True)
            text += [f'{measure} = "{figure}"' for measure, figure in pairs]
    return "\n".join(text) + "\n"


def call(*words: object) -> int:
    """One command of ``bench``; returns its exit code."""
    return subprocess.run(
        [sys.executable, "-m", "bench", *map(str, words)], check=False
    ).returncode


def import_sets(shared: Path, folder: Path, wanted: list[str]) -> list[str]:
    """Import the sets of the wanted benchmarks that are not there yet; returns the failed ones."""
    failed = []
    for row in rows():
        benchmark, name = row["benchmark"], row["name"]
        if wanted and benchmark not in wanted:
            continue
        options = ("--name", name, "--data", folder / "data", "--results", folder / "results")
        here = (folder / "results" / benchmark / name / "run.json").is_file()
        if not here and call("import", benchmark, shared / "data" / row["source"], *options):
            failed.append(f"{benchmark} {name}")
        (folder / "results" / f"{name}.toml").write_text(contribution(name), encoding="utf-8")
    return failed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "shared", type=Path, help="the folder that holds data/, see CONTRIBUTING.md"
    )
    parser.add_argument("folder", type=Path, help="gets data/, results/ and board/")
    parser.add_argument("--benchmark", action="append", default=[], help="of these only")
    given = parser.parse_args()
    if not (given.shared / "data").is_dir():
        sys.exit(f"{given.shared}: expected the folder of third-party data, found no data/ there")
    (given.folder / "results").mkdir(parents=True, exist_ok=True)
    link_annotation(given.shared, given.folder / "data")
    failed = import_sets(given.shared, given.folder, given.benchmark)
    for each in failed:
        print(f"not imported: {each}")
    places = ["--data", given.folder / "data", "--results", given.folder / "results"]
    places += [f"--benchmark={name}" for name in given.benchmark]
    call("board", "build", *places, "--out", given.folder / "board")
    return call("board", "check", *places) or bool(failed)


if __name__ == "__main__":
    sys.exit(main())

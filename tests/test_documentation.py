"""The documentation's Python and its command lines run on the miniature; links lead somewhere."""

from __future__ import annotations

import configparser
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bench.benchmarks import benchmarks
from bench.version import __version__
from tests.conftest import REPOSITORY, Miniature, shared_folder
from tests.documented import NOT_RUN, PAGES, Line, Machine, lines, mentioned

DOCS = Path(__file__).parents[1] / "docs"


@pytest.fixture(scope="session")
def machine(miniature: Miniature, tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """A reader's folders, one set for all processes that test."""
    return Machine.shared(shared_folder(tmp_path_factory, "machine"), miniature)


@pytest.fixture(scope="module")
def folder(machine: Machine, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the first frames of the miniature in ``data/mini``."""
    root = tmp_path_factory.mktemp("docs")
    (root / "data").mkdir()
    (root / "data" / "mini").symlink_to(machine.guide)
    return root


def run(script: str, folder: Path) -> str:
    """What a script prints; it is started as a user starts it."""
    path = folder / "script.py"
    path.write_text(script, encoding="utf-8")
    environment = {**os.environ, "MPLBACKEND": "agg"}
    done = subprocess.run(
        [sys.executable, path.name], cwd=folder, env=environment, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def snippets_of(path: Path) -> list[str]:
    return re.findall(r"```python\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL)


def test_the_readme_does_what_it_says(folder: Path) -> None:
    printed = run("\n".join(snippets_of(DOCS.parent / "README.md")), folder)
    assert "kcf" in printed
    assert (folder / "success.pdf").is_file()


def test_every_snippet_of_the_python_guide_runs(folder: Path) -> None:
    snippets = snippets_of(DOCS / "python.md")
    assert len(snippets) > 8
    printed = run("\n".join(snippets), folder)
    assert "expected boxes of shape (N, 4)" in printed
    for name in ("success.pdf", "crossing.png", "ar.png", "results/otb2015/still/run.json"):
        assert (folder / name).is_file(), name


def test_the_notebook_runs_and_its_outputs_are_stored(folder: Path) -> None:
    notebook = json.loads((DOCS / "tour.ipynb").read_text(encoding="utf-8"))
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    run("\n".join("".join(cell["source"]) for cell in cells), folder)
    kinds = {kind for cell in cells for out in cell["outputs"] for kind in out.get("data", {})}
    assert {"text/html", "image/png", "image/jpeg"} <= kinds
    assert not any(out["output_type"] == "error" for cell in cells for out in cell["outputs"])


COMMANDS = {
    "bench": "bench.cli.main", "trackers.siamattn.training": "trackers.siamattn.training.cli",
}  # fmt: skip
RUN = list({line.as_run: line for line in lines() if line.why_not_run is None}.values())
UNDERSTOOD = [line for line in lines() if line.why_not_run is not None]


@pytest.mark.parametrize("line", RUN, ids=str)
def test_every_command_line_does_its_work(machine: Machine, line: Line, tmp_path: Path) -> None:
    done = machine.run(line, tmp_path)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("line", UNDERSTOOD, ids=str)
def test_every_other_command_line_is_understood(line: Line, tmp_path: Path) -> None:
    """By name and options; ``NOT_RUN`` says why it is not run."""
    words = shlex.split(line.text)
    if words[0] == "make":
        given = {word.partition("=")[0] for word in words[1:] if "=" in word}
        assert {word for word in words[1:] if "=" not in word} <= targets()
        assert given <= set(re.findall(r"^(\w+) *\?=", makefile(), re.MULTILINE))
    elif words[:2] == ["pip", "install"]:
        extras = configparser.ConfigParser()
        extras.read(REPOSITORY / "setup.cfg")
        what, _, named = words[-1].rstrip("]").partition("[")
        assert set(filter(None, named.split(","))) <= set(extras["options.extras_require"])
        assert what in (".", extras["metadata"]["name"])
    else:
        module = words[words.index("-m") + 1] if "-m" in words else words.pop(0)
        rest = words[words.index("-m") + 2 :] if "-m" in words else words
        app = import_module(COMMANDS[module]).app
        done = CliRunner().invoke(app, [*rest, "--help"])
        assert done.exit_code == 0, done.output


def makefile() -> str:
    return (REPOSITORY / "Makefile").read_text(encoding="utf-8")


def targets() -> set[str]:
    """What the Makefile makes."""
    return set(re.findall(r"^([a-z0-9-]+):.*## ", makefile(), re.MULTILINE))


def test_there_are_lines_of_every_kind() -> None:
    assert len(RUN) > 25
    for known in NOT_RUN:
        assert any(re.match(known, line.text) for line in UNDERSTOOD), f"{known} is in no page"


@pytest.mark.parametrize("line", mentioned(), ids=str)
def test_every_command_in_a_sentence_exists(line: Line) -> None:
    from typer.main import get_command

    from bench.cli.main import app

    words = line.text.split()
    if words[0] == "make":
        assert words[1] in targets()
    if words[0] == "bench" and not words[1].startswith("-"):
        assert words[1] in get_command(app).commands  # type: ignore[attr-defined]


LINK = re.compile(r"(?<!`)!?\[[^\]]*\]\(([^)\s]+)\)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_and_picture_is_there(page: Path) -> None:
    prose = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in LINK.findall(prose):
        if not target.startswith(("http://", "https://")):
            file, _, anchor = target.partition("#")
            path = page.parent / file if file else page
            assert path.exists(), target
            assert not anchor or anchor in anchors(path), target


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives a page's headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}


def test_all_pages_are_reached_from_the_readme() -> None:
    linked = set(LINK.findall((REPOSITORY / "README.md").read_text(encoding="utf-8")))
    pages = " ".join(page.read_text(encoding="utf-8") for page in PAGES)
    for page in PAGES[1:]:
        path = page.relative_to(REPOSITORY).as_posix()
        assert path in linked or f"({page.name})" in pages, page.name


def test_the_description_of_the_package_has_no_link_into_the_checkout() -> None:
    """It is shown where neither docs nor pictures are."""
    settings = configparser.ConfigParser()
    settings.read(REPOSITORY / "setup.cfg")
    named = settings["metadata"]["long_description"].removeprefix("file: ")
    text = (REPOSITORY / named).read_text(encoding="utf-8")
    assert all(target.startswith(("http://", "https://")) for target in LINK.findall(text))
    extras = set(re.findall(r"^\| `([\w-]+)` \|", text, re.MULTILINE))
    assert extras == set(settings["options.extras_require"]) - {"docs", "dev"}


@pytest.mark.parametrize(
    ("installer", "user", "called"),
    [
        ("exit 100", "0", True),
        ("exit 0", "0", True),
        ("exit 0", "1000", False),
        (None, "0", False),
    ],
)
def test_ci_installs_what_it_can_and_then_tests(
    tmp_path: Path, installer: str | None, user: str, called: bool
) -> None:
    """Without apt, without a network or without rights, the tests still run."""
    commands = {"make": 'echo "make $@" >> log', "id": f"echo {user}", "timeout": 'shift; "$@"'}
    if installer is not None:
        commands["apt-get"] = f'echo "apt-get $@" >> log; {installer}'
    for name, body in commands.items():
        (tmp_path / name).write_text(f"#!{shutil.which('bash')}\n{body}\n")
        (tmp_path / name).chmod(0o755)
    done = subprocess.run(
        [shutil.which("bash") or "bash", REPOSITORY / ".ci" / "run"], cwd=tmp_path,
        env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    log = (tmp_path / "log").read_text().splitlines()
    assert log[-1] == "make test"
    for package in ("chromium", "texlive-latex-base"):
        asked = any("install -y" in line and package in line for line in log)
        assert asked == (called and installer == "exit 0")
    assert any(line.startswith("apt-get") for line in log) == called
    assert ("not installed: chromium" in done.stderr) == (installer == "exit 100")


def test_the_site_has_every_page() -> None:
    """`make docs` finds dead links; that no page is left out is seen without it."""
    named = set(
        re.findall(r": ([\w-]+\.md)$", (REPOSITORY / "mkdocs.yml").read_text(), re.MULTILINE)
    )
    assert named == {page.name for page in DOCS.glob("*.md")}


def test_the_site_builds(tmp_path: Path) -> None:
    pytest.importorskip("mkdocs", reason="needs the extra `docs`")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--site-dir", tmp_path / "site"],
        cwd=REPOSITORY, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"}, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "bench.api.data" in (tmp_path / "site" / "api.html").read_text(encoding="utf-8")


def test_changelog_and_citation_name_this_version() -> None:
    for name in ("CHANGELOG.md", "CITATION.cff"):
        assert __version__ in (REPOSITORY / name).read_text(encoding="utf-8"), name
    assert "### Numbers that moved" in (REPOSITORY / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_table_of_benchmarks_is_that_of_their_declarations() -> None:
    text = (DOCS / "benchmarks.md").read_text(encoding="utf-8")
    rows = [line.split(" | ") for line in text.splitlines() if line.startswith("| ")]
    shown = {row[1].strip("`"): row for row in rows if len(row) == 6 and row[1][0] == "`"}
    known = {name: row for name, row in benchmarks().items() if not row.open}
    assert list(shown) == list(known), "in the order of the paper's tables, then by title"
    for name, row in known.items():
        title, _, sequences, layout, rule, proven = shown[name]
        assert title == f"| {row.title}"
        assert sequences.split()[0] == str(row.expected_sequences)
        assert ("list not known" in sequences) == (not row.table)
        assert (layout, rule) == (f"`{row.layout.name}`", f"`{row.rule}`")
        assert proven == f"{row.proven_by} |"


def test_make_has_a_target_for_every_benchmark() -> None:
    text = makefile().replace("\\\n", " ")
    listed = re.findall(r"^(BENCHMARKS|MORE) := (.*)$", text, re.MULTILINE)
    six, more = (set(names.split()) for _, names in listed)
    assert six == {name for name, row in benchmarks().items() if row.overview}
    assert more == {n for n, row in benchmarks().items() if not (row.overview or row.open)}
    assert {f"eval-{name}" for name in six} <= targets()
    done = subprocess.run(
        ["make", "-n", "-o", ".venv/.complete", *(f"eval-{name}" for name in sorted(more))],
        cwd=REPOSITORY, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert all(f"run {name} --tracker" in done.stdout for name in more)

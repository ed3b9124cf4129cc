"""The rule of imports: rooms form floors, and every import runs downwards.

``docs/architecture.md`` draws the same picture.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FLOORS = (
    (
        "bench.arrays",
        "bench.errors",
        "bench.processes",
        "bench.scores",
        "bench.signatures",
        "bench.version",
    ),
    ("bench.files", "bench.geometry", "bench.benchmarks"),
    (
        "bench.sequence",
        "bench.tracker",
        "bench.loading",
        "bench.measures",
        "bench.archives",
        "bench.images",
        "bench.locks",
    ),
    ("bench.registry", "bench.datasets", "bench.downloads", "bench.protocols", "bench.results"),
    ("bench.runner", "bench.evaluation", "bench.published"),
    ("bench.comparison",),
    ("bench.reports", "bench.tuning", "bench.mini", "bench.interop"),
    ("bench.cli", "bench.api", "trackers"),
    ("bench.__main__",),
)
FLOOR_OF = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}


def modules() -> dict[str, Path]:
    """Every module of both packages by name."""
    found = {}
    for path in [*ROOT.glob("bench/**/*.py"), *ROOT.glob("trackers/**/*.py")]:
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts).removesuffix(".__init__")] = path
    return found


MODULES = modules()


def room_of(module: str) -> str:
    parts = module.split(".")
    return parts[0] if parts[0] == "trackers" else ".".join(parts[:2])


def imports(path: Path) -> Iterator[str]:
    """The modules of ours that a file imports, at the top, inside functions, or for types."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in MODULES)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                target = full if full in MODULES else node.module
                if target in MODULES:
                    yield target


def test_every_room_has_a_floor() -> None:
    rooms = {room_of(module) for module in MODULES} - {"bench"}
    assert rooms <= set(FLOOR_OF), rooms - set(FLOOR_OF)


@pytest.mark.parametrize("module", sorted(MODULES))
def test_imports_run_downwards(module: str) -> None:
    here = room_of(module)
    if here == "bench":  # the face: names of every room, loaded on first use
        return
    for target in imports(MODULES[module]):
        there = room_of(target)
        allowed = there == here or FLOOR_OF.get(there, 9) < FLOOR_OF[here]
        assert allowed, f"{module} imports {target}: {there} is not below {here}"


def test_no_circle_among_modules() -> None:
    graph = {name: set(imports(path)) - {name} for name, path in MODULES.items()}
    del graph["bench"]  # loads lazily
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, " -> ".join((*trail[trail.index(name) :], name))
        if name not in done:
            for target in graph.get(name, ()):
                visit(target, (*trail, name))
            done.add(name)

    for name in graph:
        visit(name, ())


def test_bench_never_imports_a_tracker() -> None:
    for module, path in MODULES.items():
        text = path.read_text(encoding="utf-8")
        if module.startswith("bench"):
            assert not re.search(r"^\s*(from|import) trackers\b", text, re.MULTILINE), module


def test_measures_do_not_draw_and_reports_do_not_measure() -> None:
    for module, path in MODULES.items():
        text = path.read_text(encoding="utf-8")
        if module.startswith("bench.measures"):
            assert not re.search(r"\b(matplotlib|rich|jinja2)\b", text), module
        if module.startswith("bench.reports"):
            assert "frame_measures(" not in text, module
            assert "region_overlaps(" not in text, module


def named_conditions(path: Path, names: frozenset[str]) -> Iterator[str]:
    """Comparisons and matches of a file in which a benchmark's name stands."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        parts: list[ast.expr] = []
        if isinstance(node, ast.Compare):
            parts = [node.left, *node.comparators]
        elif isinstance(node, ast.MatchValue):
            parts = [node.value]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            parts = node.args if node.func.attr in ("startswith", "endswith") else []
        for part in parts:
            for inner in ast.walk(part):
                if isinstance(inner, ast.Constant) and inner.value in names:
                    yield f"{path}:{part.lineno}: {ast.unparse(node)}"


def test_no_room_has_a_special_case_for_a_benchmark() -> None:
    names = frozenset(path.stem for path in ROOT.glob("bench/tables/benchmarks/*.json"))
    assert len(names) > 20
    found = [line for path in ROOT.glob("bench/**/*.py") for line in named_conditions(path, names)]
    assert not found


_POSIX = re.compile(
    r"(import|from) (fcntl|grp|pty|pwd|resource|termios|tty)\b"
    r"|os\.(fork|getegid|geteuid|getuid|killpg|setsid|sched_\w+)\b"
    r"|signal\.(SIGALRM|SIGCONT|SIGHUP|SIGKILL|SIGSTOP|SIGUSR\d|SIG_\w+BLOCK|pthread_\w+)\b|select\.poll\b"
)


def outside_functions(tree: ast.AST) -> Iterator[ast.stmt]:
    """Statements that run when a module is imported."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.stmt) and not isinstance(
            node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
        ):
            yield node
        elif isinstance(node, ast.ClassDef):
            yield from outside_functions(node)


def test_importing_asks_for_nothing_that_only_posix_has() -> None:
    """Windows lacks these; inside functions they are guarded by the platform."""
    for module, path in MODULES.items():
        for statement in outside_functions(ast.parse(path.read_text(encoding="utf-8"))):
            assert not _POSIX.search(ast.unparse(statement)), f"{module}:{statement.lineno}"

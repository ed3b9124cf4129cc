"""What the code of repositories counts on and today's packages lack.

Old names get their old meaning: those of NumPy before 1.24 and of PyTorch before 2.0. Packages
that these repositories import everywhere, but use only to train or to draw, need not be installed:
a module without content stands in for them, and says so as soon as anything in it is called.
"""

from __future__ import annotations

import collections.abc
import contextlib
import importlib.util
import math
import sys
from collections.abc import Iterator, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

import numpy as np

_UNUSED = frozenset(("visdom", "jpeg4py", "lmdb", "tensorboardX", "tikzplotlib", "wandb"))
_OLD_TYPES = (bool, int, float, complex, object, str)  # ``np.float`` and so on, until NumPy 1.24
_SIX = {"string_classes": (str, bytes), "int_classes": int, "inf": math.inf,
    "container_abcs": collections.abc}  # fmt: skip


def bring_up_to_date() -> None:
    """Give old names their old meaning: types of NumPy, and ``torch._six`` (until PyTorch 2.0)."""
    for kind in _OLD_TYPES:
        if kind.__name__ not in vars(np):
            setattr(np, kind.__name__, kind)
    if "torch._six" not in sys.modules and importlib.util.find_spec("torch._six") is None:
        six = sys.modules["torch._six"] = ModuleType("torch._six")
        vars(six).update(_SIX)


@contextlib.contextmanager
def unused_packages() -> Iterator[None]:
    """Meanwhile, packages that are imported but not used may be missing."""
    finder = _Finder()
    sys.meta_path.append(finder)  # after all others: an installed package is itself
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name in [name for name, each in sys.modules.items() if isinstance(each, _Unused)]:
            del sys.modules[name]  # nobody else shall find it


class _Finder(MetaPathFinder, Loader):
    """Finds a module without content for every package that is not used."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        wanted = name.partition(".")[0] in _UNUSED
        return ModuleSpec(name, self, is_package=True) if wanted else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _Unused(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """There is nothing to run."""


class _Unused(ModuleType):
    """A module whose every name is a class that cannot be called."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        package = self.__name__.partition(".")[0]

        def refuse(*_: Any, **__: Any) -> Any:
            raise ModuleNotFoundError(f"No module named {package!r}", name=package)

        return type(name, (), {"__new__": refuse})

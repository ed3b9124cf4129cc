"""Draws plots and frames."""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.api.checks import as_boxes, require, require_path, require_sequence
from bench.arrays import Image
from bench.errors import ConfigError, unknown_name
from bench.geometry import Regions
from bench.scores import BenchmarkScores
from bench.sequence import RegionTrajectory, Sequence, to_file

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from bench.reports.plots.style import Plot


@dataclass(frozen=True, eq=False)
class Picture:
    """One frame with regions drawn; displays itself in a notebook.

    Attributes:
        image: RGB ``uint8 (H, W, 3)``.
        caption: what is drawn.
    """

    image: Image
    caption: str

    def save(self, path: str | Path) -> Path:
        """Write the picture; the ending of the name decides the format.

        Raises:
            ConfigError: it cannot be written, or the ending is not known.
        """
        from PIL import Image as Pictures

        target = require_path(path, "path")
        try:
            Pictures.fromarray(self.image).save(target)
        except (OSError, ValueError) as error:
            raise ConfigError(f"{target}: cannot be written ({error})") from error
        return target

    def _repr_jpeg_(self) -> bytes:
        from PIL import Image as Pictures

        stream = io.BytesIO()
        Pictures.fromarray(self.image).save(stream, format="JPEG", quality=90)
        return stream.getvalue()

    def __repr__(self) -> str:
        height, width = self.image.shape[:2]
        return f"<{self.caption}, {width} x {height}>"


def plot(
    scores: BenchmarkScores, name: str = "success", *, axes: Axes | None = None, **options: Any
) -> Plot:
    """Draw a plot of the catalogue; ``savefig`` writes it, a notebook displays it.

    In the styles ``paper`` and ``slide``, ``Plot.caption`` has the notes that the figure does not
    carry; a warning says so of a stand-in or of missing sequences.

    Args:
        scores: what ``evaluate`` returned.
        name: see ``list_plots``.
        axes: draw into these; a figure of its own by default.
        options: those of ``bench plots``: ``style``, ``width``, ``font``, ``legend``, ``ours``,
            ``labels`` and ``trackers`` (see ``FigureOptions``).

    Raises:
        ConfigError: an unknown plot or option, or one that cannot be drawn of these scores.
    """
    from bench.reports.notes import labels_of
    from bench.reports.options import read_options
    from bench.reports.plots.catalogue import PLOTS, check_names

    found = require(scores, BenchmarkScores, "expected scores, as bench.evaluate returns them")
    check_names([name], PLOTS)
    drawn_with = read_options(options)
    drawn_with.check_names([*found.trackers, *found.refused])
    labels = labels_of(found)
    if labels and not drawn_with.sizes.titled:
        what = ", ".join(labels)
        warnings.warn(f"the figure does not say {what}: print Plot.caption under it", stacklevel=2)
    return PLOTS[name](found, axes=axes, options=drawn_with)


def show(
    sequence: Sequence, results: Mapping[str, Any] | None = None, *, frame: int | None = None
) -> Picture:
    """Draw a frame with the ground truth and trackers' regions.

    Args:
        sequence: with frames.
        results: by tracker: what ``run`` returned (of a sequence or of a dataset), or boxes
            ``(N, 4)`` in 0-based pixels.
        frame: as the benchmark counts frames; by default in the middle.

    Raises:
        ConfigError: the sequence has no such frame, or a wrong argument.
        DatasetError: there are no frames, or the frame cannot be decoded.
    """
    from bench.reports.legend_strip import annotated_frames
    from bench.reports.overlay import layers

    clip = require_sequence(sequence)
    first, last = clip.first_frame, clip.first_frame + len(clip) - 1
    number = (first + last) // 2 if frame is None else frame
    if not isinstance(number, int) or not first <= number <= last:
        raise ConfigError(f"frame {number!r}: {clip.name} has frames {first} to {last}")
    given: Any = {} if results is None else results
    require(given, Mapping, "expected results by tracker")  # type: ignore[type-abstract]
    runs = {name: _run_of(result, clip) for name, result in given.items()}
    regions = {name: _regions(run, clip) for name, run in runs.items()}
    masks = {name: getattr(run, "masks", None) for name, run in runs.items()}
    image = annotated_frames(clip, layers(clip, regions, masks=masks)).at(number - first)
    return Picture(image, f"{clip.name}, frame {number}")


def _run_of(result: Any, clip: Sequence) -> Any:
    """The result of one sequence; of several repetitions the first."""
    if isinstance(result, Mapping):
        if clip.name not in result:
            raise unknown_name("sequence with a result", clip.name, result)
        result = result[clip.name]
    repeated = isinstance(result, list) and result and isinstance(result[0], RegionTrajectory)
    return result[0] if repeated else result


def _regions(result: Any, clip: Sequence) -> Regions:
    """One run as regions in file coordinates."""
    if isinstance(result, RegionTrajectory):
        return result.regions
    boxes = as_boxes(result, clip)
    if len(boxes) != len(clip):
        raise ConfigError(f"result of {clip.name}: expected {len(clip)} rows, found {len(boxes)}")
    return Regions.from_boxes(to_file(boxes, clip.index_base))

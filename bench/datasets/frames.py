"""Frames of a folder or a video file, listed and decoded on demand."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from bench.arrays import Image
from bench.datasets.files import image_names, natural_key
from bench.errors import DatasetError
from bench.images import ImageFiles, image_size, read_image

if TYPE_CHECKING:
    import cv2

_COUNTED = frozenset({".mp4", ".m4v", ".mov", ".avi"})


@dataclass(frozen=True)
class NumberedFrames:
    """Images named by number (``0001.jpg``, ``12.jpg``), starting at ``first``.

    Frame ``i`` is the image with number ``first + i``, so a gap never shifts later frames. The
    folder is listed once, on first use.

    Attributes:
        folder: folder of the images.
        first: number of the first frame.
        count: number of annotated frames; None if only the images determine it (TrackingNet TEST).
    """

    decodes: ClassVar[bool] = True

    folder: Path
    first: int = 1
    count: int | None = None

    def __len__(self) -> int:
        """Frames up to the last existing one; a gap is an error only when indexed."""
        return self._numbers[-1] + 1 if self._numbers else 0

    def __getitem__(self, index: int) -> Image:
        position = index + len(self) if index < 0 else index
        if not 0 <= position < len(self):
            raise IndexError(f"frame {index} of {len(self)} in {self.folder}")
        return read_image(self.path(position))

    def where(self, index: int) -> str:
        """The file of a frame."""
        return str(self.path(index))

    def present(self) -> list[Path]:
        """Files of the frames that exist, in order."""
        return [self.path(index) for index in self._numbers]

    def path(self, index: int) -> Path:
        """File of frame ``index``, or its expected name if it does not exist."""
        number = self._start + index
        return self.folder / self._by_number.get(number, f"{number:0{self._digits}d}.jpg")

    def missing(self) -> list[Path]:
        """Expected files that do not exist."""
        present = set(self._numbers)
        wanted = range(len(self) if self.count is None else self.count)
        return [self.path(index) for index in wanted if index not in present]

    def surplus(self) -> list[Path]:
        """Images with numbers outside the annotated range."""
        inside = {self._start + index for index in self._numbers}
        return [self.folder / n for number, n in self._by_number.items() if number not in inside]

    @cached_property
    def _by_number(self) -> dict[int, str]:
        names = image_names(self.folder)
        return {int(Path(n).stem): n for n in names if Path(n).stem.isdecimal()}

    @cached_property
    def _start(self) -> int:
        # BlurCar3 is 1-357 in the official list and 3-359 elsewhere, and some count from 0:
        # accept any first number if the folder has exactly as many images as annotated frames,
        # and either not the usual first one, or no gap.
        numbers = self._by_number
        if numbers and len(numbers) == self.count:
            gapless = max(numbers) - min(numbers) == len(numbers) - 1
            if gapless or self.first not in numbers:
                return min(numbers)
        return self.first

    @cached_property
    def _numbers(self) -> list[int]:
        """Sorted indices of existing frames within the annotated range."""
        indices = (number - self._start for number in self._by_number)
        return sorted(i for i in indices if i >= 0 and (self.count is None or i < self.count))

    @property
    def _digits(self) -> int:
        return len(Path(next(iter(self._by_number.values()), "0001")).stem)


def numbered_frames(
    folder: Path | None, first: int = 1, count: int | None = None
) -> NumberedFrames | None:
    """Numbered images of a folder, or None if it does not exist."""
    return None if folder is None or not folder.is_dir() else NumberedFrames(folder, first, count)


@dataclass(frozen=True)
class SortedFrames:
    """All images of a folder in natural order, listed on first use."""

    decodes: ClassVar[bool] = True

    folder: Path

    def __len__(self) -> int:
        return len(self._files)

    def __getitem__(self, index: int) -> Image:
        return self._files[index]

    def where(self, index: int) -> str:
        """The file of a frame."""
        return self._files.where(index)

    def present(self) -> list[Path]:
        """Files of the frames, in order."""
        return list(self._files.paths)

    @cached_property
    def _files(self) -> ImageFiles:
        return ImageFiles(
            tuple(self.folder / n for n in sorted(image_names(self.folder), key=natural_key))
        )


@dataclass
class VideoFrames:
    """Frames of a video file, decoded sequentially and of 8 bits a channel.

    Reading in order decodes each frame once. Going back reopens the file, because not every codec
    seeks exactly. A pickled copy reopens it too.

    Raises:
        DatasetError: the file cannot be opened, or a counted frame cannot be decoded.
    """

    decodes: ClassVar[bool] = True
    path: Path

    def __post_init__(self) -> None:
        self._capture: cv2.VideoCapture | None = None
        self._next = 0

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: int) -> Image:
        position = index + len(self) if index < 0 else index
        if not 0 <= position < len(self):
            raise IndexError(f"frame {index} of {len(self)} in {self.path}")
        if self._capture is None or position < self._next:
            self._capture, self._next = self._open(), 0
        while self._next < position and self._capture.grab():
            self._next += 1
        decoded, image = self._capture.read()
        if not decoded or self._next != position:
            raise DatasetError(
                f"{self.path}: frame {position + 1} of {len(self)} cannot be decoded. "
                "Re-encode the video, or extract its frames as images."
            )
        self._next += 1
        return _rgb(image)

    def where(self, index: int) -> str:
        """The file and the frame in it."""
        return f"{self.path}, frame {index + 1}"

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_capture": None, "_next": 0}

    @cached_property
    def _length(self) -> int:
        """Counted frame by frame, since container metadata is often off by a few."""
        count, stated = self._count
        if self.path.suffix.lower() in _COUNTED and _falls_short(count, stated):
            raise DatasetError(
                f"{self.path}: frame {count + 1} of {stated} cannot be decoded, and none after "
                "it. Copy the video again, or re-encode it (ffmpeg -i IN -c:v libx264 OUT)."
            )
        return count

    def shortfall(self) -> str:
        """What a container without a number of frames promises beyond those that decode.

        It states a duration and a rate only, which a varying rate also explains.
        """
        count, stated = self._count
        if not _falls_short(count, stated):
            return ""
        return f"{self.path}: {count} frames decode, duration and frame rate promise {stated}"

    @cached_property
    def _count(self) -> tuple[int, int]:
        """Frames that decode, and frames that the container states."""
        import cv2

        capture, count = self._open(), 0
        while capture.grab():
            count += 1
        return count, round(capture.get(cv2.CAP_PROP_FRAME_COUNT))

    def _open(self) -> cv2.VideoCapture:
        import cv2

        if self.path.exists() and not self.path.is_file():
            raise DatasetError(f"{self.path}: expected a video file, found no regular file")
        capture = cv2.VideoCapture(str(self.path))
        if not capture.isOpened():
            state = "cannot be decoded" if self.path.is_file() else "does not exist"
            raise DatasetError(
                f"{self.path} {state}; expected a video that OpenCV can read. Re-encode it "
                "(H.264 in .mp4), or extract its frames as images."
            )
        return capture


def _falls_short(count: int, stated: int) -> bool:
    """Metadata is often off by a few."""
    return stated - count > max(2, stated / 100)


def _rgb(image: Any) -> Image:
    """A decoded frame in RGB order."""
    import cv2

    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)  # type: ignore[no-any-return]


def jpeg_size(path: Path) -> tuple[int, int] | None:
    """(width, height) in pixels from the header of a JPEG or PNG file, or None without one."""
    return image_size(path)

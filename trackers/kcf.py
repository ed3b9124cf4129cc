"""A kernelized correlation filter: the worked example of a plug-in tracker.

Equation numbers are those of Henriques, Caseiro, Martins and Batista, "High-speed tracking with
kernelized correlation filters", TPAMI 2015 ("KCF"). The pool of scales is that of Li and Zhu, "A
scale adaptive kernel correlation filter tracker with feature integration", ECCV workshops 2014.

Shapes: the window is ``h x w`` cells with C channels; spectra are those of ``rfft2``, which keeps
``f = w // 2 + 1`` columns.
"""

from __future__ import annotations

from typing import cast

import numpy as np
from numpy.typing import NDArray

from bench.arrays import FloatArray, Image
from bench.errors import ConfigError
from bench.tracker import Prediction, Region, as_box
from trackers.features import Floats, crop, hog_and_colour

Spectrum = NDArray[np.complex64]


class KCF:
    """Ridge regression on all shifts of a window, solved in the Fourier domain.

    Options are the constructor's typed keyword parameters. The defaults are the papers', except
    for the window: it has a fixed resolution, so that small targets get enough cells and large
    ones cost no more.

    Args:
        padding: each side of the window is ``1 + padding`` times the target's.
        window: resolution of the window: it is resampled to about ``window`` ** 2 pixels.
        cell: side of a histogram cell in pixels.
        kernel_sigma: bandwidth of the Gaussian kernel.
        regularization: lambda of the ridge regression.
        learning_rate: weight of the new frame in the model.
        label_sigma: width of the desired response, relative to the target.
        scales: number of scales searched per frame, odd; 1 keeps the initial size.
        scale_step: ratio of neighbouring scales.

    Raises:
        ConfigError: a value is out of range.
    """

    deterministic = True

    def __init__(
        self,
        padding: float = 2.0,
        window: int = 104,
        cell: int = 4,
        kernel_sigma: float = 0.5,
        regularization: float = 1e-4,
        learning_rate: float = 0.02,
        label_sigma: float = 0.1,
        scales: int = 3,
        scale_step: float = 1.02,
    ) -> None:
        _require(padding >= 0, "padding", padding, "0 or more")
        _require(cell >= 1, "cell", cell, "1 or more")
        _require(window >= 4 * cell, "window", window, f"four cells or more, so {4 * cell}")
        _require(kernel_sigma > 0, "kernel_sigma", kernel_sigma, "a positive number")
        _require(regularization > 0, "regularization", regularization, "a positive number")
        _require(0 <= learning_rate <= 1, "learning_rate", learning_rate, "0 to 1")
        _require(label_sigma > 0, "label_sigma", label_sigma, "a positive number")
        _require(scales >= 1 and scales % 2 == 1, "scales", scales, "an odd number")
        _require(scale_step > 1, "scale_step", scale_step, "more than 1")
        self.padding = padding
        self.resolution = window
        self.cell = cell
        self.kernel_sigma = kernel_sigma
        self.regularization = regularization
        self.learning_rate = learning_rate
        self.label_sigma = label_sigma
        self.pool = scale_step ** np.arange(-(scales // 2), scales // 2 + 1.0)

    def init(self, image: Image, region: Region) -> None:
        """Learn the target from the first frame; ``region`` is reduced to its box.

        Raises:
            TrackerError: the region is not a finite box, polygon or mask.
        """
        box = as_box(region)
        self.target = np.maximum(box[2:], 1.0)  # (2,) width and height in the first frame
        self.centre = box[:2] + box[2:] / 2
        self.scale = 1.0
        window = self.target * (1 + self.padding)
        zoom = self.resolution / np.sqrt(window.prod())
        cells = np.maximum(np.rint(window * zoom / self.cell), 4).astype(int)  # w, h
        self.shape = (int(cells[1]), int(cells[0]))
        self.window = cells * self.cell / zoom  # (2,) in pixels of the image at scale 1
        self.taper = np.outer(*(np.hanning(n + 2)[1:-1] for n in self.shape)).astype(np.float32)
        self.labels = self._desired_response(self.target * zoom / self.cell)
        self.model, self.alpha = self._learn(image)

    def update(self, image: Image) -> Prediction:
        """Find the target; the score is the peak of the response, about 1 for a perfect match."""
        scales = self.scale * self.pool
        responses = self._respond(self._features(image, scales))  # (S, h, w)
        peaks = responses.max(axis=(1, 2))
        best = int(peaks.argmax())
        shift = subpixel_peak(responses[best])  # in cells
        moved = self.centre + shift * self.window / self.shape[::-1] * scales[best]
        self._move(moved, float(scales[best]), image)
        model, alpha = self._learn(image)
        self.model += np.float32(self.learning_rate) * (model - self.model)
        self.alpha += np.float32(self.learning_rate) * (alpha - self.alpha)
        size = self.target * self.scale
        return Prediction(np.concatenate([self.centre - size / 2, size]), float(peaks[best]))

    def _move(self, centre: FloatArray, scale: float, image: Image) -> None:
        """Move there, keeping the centre in the image and the size between 1 pixel and it."""
        extent = np.array(image.shape[1::-1], dtype=np.float64)
        largest = max(1.0, (extent / self.target).min())
        self.centre = np.clip(centre, 0.0, extent)
        self.scale = float(np.clip(scale, 1 / self.target.min(), largest))

    def _desired_response(self, target: FloatArray) -> Spectrum:
        """Spectrum of a Gaussian that peaks at zero shift; ``target`` is in cells, w and h."""
        from scipy import fft

        sigma = np.sqrt(target.prod()) * self.label_sigma
        y, x = (np.fft.fftfreq(n, 1 / n) for n in self.shape)  # shifts 0, 1, .., -2, -1
        labels = np.exp(-0.5 * (x**2 + y[:, None] ** 2) / sigma**2)
        return cast(Spectrum, fft.rfft2(labels.astype(np.float32)))

    def _features(self, image: Image, scales: FloatArray) -> Spectrum:
        """Spectra of the tapered windows of several scales, ``(S, C, h, f)``."""
        from scipy import fft

        pixels = (self.shape[0] * self.cell, self.shape[1] * self.cell)
        windows = (crop(image, self.centre, self.window * scale, pixels) for scale in scales)
        channels = np.stack([hog_and_colour(window, self.cell) for window in windows])
        return cast(Spectrum, fft.rfft2(channels * self.taper))

    def _learn(self, image: Image) -> tuple[Spectrum, Spectrum]:
        """Template ``(C, h, f)`` and dual coefficients ``(h, f)`` of this frame, KCF eq. 17."""
        x = self._features(image, np.array([self.scale]))[0]
        return x, self.labels / (self._correlate(x, x) + np.float32(self.regularization))

    def _respond(self, z: Spectrum) -> Floats:
        """Response at every shift of each window, ``(S, C, h, f) -> (S, h, w)``, KCF eq. 22."""
        from scipy import fft

        return cast(Floats, fft.irfft2(self._correlate(self.model, z) * self.alpha, self.shape))

    def _correlate(self, x: Spectrum, z: Spectrum) -> Spectrum:
        """Spectrum of the Gaussian kernel of x with all shifts of z, ``(..., h, f)``, KCF eq. 31.

        The distance is divided by the number of features, as in the authors' code, so that
        ``kernel_sigma`` means the same for every window.
        """
        from scipy import fft

        cross = fft.irfft2((x.conj() * z).sum(axis=-3), self.shape)  # (..., h, w)
        energies = self._energy(x) + self._energy(z)
        features = x.shape[-3] * cross.shape[-2] * cross.shape[-1]
        distance = np.maximum(energies[..., None, None] - 2 * cross, 0) / features
        return cast(Spectrum, fft.rfft2(np.exp(-distance / np.float32(self.kernel_sigma**2))))

    def _energy(self, x: Spectrum) -> Floats:
        """Squared norm of features from their half spectrum ``(..., C, h, f)``, by Parseval."""
        height, width = self.shape
        twice = np.full(width // 2 + 1, 2, dtype=np.float32)  # omitted columns mirror these
        twice[0] = 1
        if width % 2 == 0:
            twice[-1] = 1
        power = (x.real**2 + x.imag**2) * twice
        return cast(Floats, power.sum(axis=(-3, -2, -1)) / (height * width))


def subpixel_peak(response: Floats) -> FloatArray:
    """Shift ``(2,)`` x, y of the peak of a circular response ``(h, w)``, refined by parabolas.

    >>> response = np.zeros((8, 8), dtype=np.float32)
    >>> response[6, 1] = 2
    >>> response[6, 2] = 1
    >>> subpixel_peak(response).round(2).tolist()
    [1.17, -2.0]
    """
    row, column = np.unravel_index(response.argmax(), response.shape)
    y, x = int(row), int(column)
    shift = np.array([_refine(response[y], x), _refine(response[:, x], y)])
    length = np.array(response.shape[::-1])
    return cast(FloatArray, (shift + length / 2) % length - length / 2)


def _refine(line: Floats, peak: int) -> float:
    """Vertex of the parabola through the peak of a circular line and its neighbours."""
    before, top, after = (float(line[(peak + step) % len(line)]) for step in (-1, 0, 1))
    curvature = before - 2 * top + after
    return peak + (0.5 * (before - after) / curvature if curvature < 0 else 0.0)


def _require(holds: bool, option: str, value: float, expected: str) -> None:
    """Raise a ConfigError unless an option's value is valid."""
    if not holds:
        raise ConfigError(f"kcf: option {option!r}: expected {expected}, found {value}")

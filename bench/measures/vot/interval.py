"""Estimates the interval of sequence lengths that the EAO averages over."""

from __future__ import annotations

import numpy as np

from bench.arrays import FloatArray

_MASS = 0.5


def estimate_interval(lengths: FloatArray) -> tuple[int, int, int]:
    """The most likely sequence length, and the interval around it with half of the probability.

    The density of lengths 1..longest is a normalised Gaussian kernel estimate. From its mode,
    the interval grows one frame at a time towards the larger density (official
    ``estimate_expected_overlap.m`` with ``gmm_estimate.m``). VOT2016 gives 168, 108, 371 and
    VOT2018 gives 160, 100, 356.

    Args:
        lengths: ``(S,)`` numbers of frames.

    Returns:
        peak, low, high; both ends included. All three are equal for sequences of equal length.
    """
    longest = int(lengths.max())
    variance = kernel_variance(lengths)
    if variance == 0:
        return longest, longest, longest
    grid = np.arange(1, longest + 1)
    density = np.exp(-0.5 * (grid[:, None] - lengths) ** 2 / variance).sum(axis=1)
    density /= density.sum()
    peak = low = high = int(density.argmax())
    mass = density[peak]
    while mass < _MASS:
        left = density[low - 1] if low > 0 else -1.0
        right = density[high + 1] if high + 1 < longest else -1.0
        if left > right:
            low, mass = low - 1, mass + left
        else:
            high, mass = high + 1, mass + right
    return peak + 1, low + 1, high + 1


def kernel_variance(values: FloatArray) -> float:
    """Variance of the Gaussian kernel for ``(S,)`` values, by the plug-in rule of oKDE.

    The integrated squared curvature is estimated from the sample smoothed by a pilot kernel:
    M. Kristan, A. Leonardis and D. Skocaj, "Multivariate online kernel density estimation with
    Gaussian kernels", Pattern Recognition 44 (2011), section 3.
    """
    count = len(values)
    pilot = float(values.var()) * (4 / (3 * count)) ** (2 / 5)
    if pilot == 0:
        return 0.0
    distance = (values[:, None] - values) ** 2 / pilot
    curvature = 2 * (1 - 2 * distance) + (1 - distance) ** 2  # F equals the pilot variance here
    smoothed = np.exp(-0.5 * distance) / np.sqrt(2 * np.pi * pilot)
    integral = float((smoothed * curvature).sum()) / count**2
    scale = (1 / (count * np.sqrt(pilot) * np.sqrt(4 * np.pi) * integral)) ** (1 / 5)
    return float(pilot * scale**2)

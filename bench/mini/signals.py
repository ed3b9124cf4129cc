"""Random streams and smooth random functions of time."""

from __future__ import annotations

import hashlib

import numpy as np

from bench.arrays import FloatArray


def stream(seed: int, *names: str) -> np.random.Generator:
    """Random generator for a seed and a path of names.

    Streams with different seeds or names are independent, so adding a video never changes
    another, and training videos never repeat test videos.
    """
    digest = hashlib.blake2b("/".join(names).encode(), digest_size=16).digest()
    words = np.frombuffer(digest, dtype="<u4").tolist()
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=words))


def wander(
    rng: np.random.Generator, frames: int, amplitude: float, period: float = 150.0
) -> FloatArray:
    """Smooth function ``(frames,)`` that starts at 0.

    Args:
        rng: random generator.
        frames: number of samples.
        amplitude: largest absolute value.
        period: of the slowest oscillation, in frames.
    """
    time = np.arange(frames)[:, None]
    periods = period * np.array([1.0, 0.47, 0.23])
    phases = rng.uniform(0, 2 * np.pi, 3)
    waves = np.sin(2 * np.pi * time / periods + phases) * np.array([1.0, 0.4, 0.08])
    values = waves.sum(axis=1) - waves[0].sum()
    scaled: FloatArray = values * (amplitude / max(np.abs(values).max(), 1e-9))
    return scaled


def roam(
    rng: np.random.Generator, frames: int, legs: int, dimensions: int = 2, softness: float = 2.5
) -> FloatArray:
    """Path through random points of the cube [-1, 1], ``(frames, dimensions)``.

    Straight legs at different speeds with rounded corners; unlike ``wander`` it turns sharply and
    changes speed. ``softness`` is the sigma of the rounding in frames.
    """
    times = np.sort(rng.uniform(0, frames - 1, max(legs - 1, 0)))
    times = np.concatenate([[0.0], times, [frames - 1.0]])
    points = rng.uniform(-1, 1, (len(times), dimensions))
    path = np.stack(
        [np.interp(np.arange(frames), times, points[:, d]) for d in range(dimensions)], axis=1
    )
    return smooth(path, softness)


def smooth(values: FloatArray, sigma: float) -> FloatArray:
    """Gaussian smoothing along the first axis of ``(N, D)``, with edge padding."""
    reach = max(1, int(np.ceil(3 * sigma)))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    padded = np.pad(values, ((reach, reach), (0, 0)), mode="edge")
    columns = [np.convolve(column, kernel / kernel.sum(), mode="valid") for column in padded.T]
    return np.stack(columns, axis=1)


def pulse(frames: int, centre: float, plateau: float, ramp: float) -> FloatArray:
    """Smooth pulse ``(frames,)`` from 0 to 1 and back, at 1 for ``plateau`` frames."""
    distance = np.abs(np.arange(frames) - centre) - plateau / 2
    level = np.clip(1 - distance / ramp, 0.0, 1.0)
    rounded: FloatArray = level * level * (3 - 2 * level)
    return rounded

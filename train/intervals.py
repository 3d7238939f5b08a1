"""Means of scores with 95 % bootstrap intervals, in which pictures of one article are drawn together.

In: values and the group of each. Out: `Interval`s. Knows nothing of pictures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

NUM_RESAMPLES = 2000


@dataclass(frozen=True)
class Interval:
    """A mean and its 95 % bootstrap interval."""

    mean: float
    low: float
    high: float


def bootstrap(values: Sequence[float], groups: Sequence[str]) -> Interval:
    """Mean with its 95 % interval; whole groups are drawn."""
    names = {group: number for number, group in enumerate(dict.fromkeys(groups))}
    sums, counts = np.zeros(len(names)), np.zeros(len(names))
    for value, group in zip(values, groups, strict=True):
        sums[names[group]] += value
        counts[names[group]] += 1
    draws = np.random.default_rng(0).integers(len(names), size=(NUM_RESAMPLES, len(names)))
    low, high = np.percentile(sums[draws].sum(axis=1) / counts[draws].sum(axis=1), (2.5, 97.5))
    return Interval(float(np.mean(values)), float(low), float(high))


def summarise(values: Sequence[float], groups: Sequence[str], name: str) -> dict[str, float | list[float]]:
    """The published figures of one kind of score, and its interval."""
    interval = bootstrap(values, groups)
    return {
        f"{name}_average": interval.mean,
        f"{name}_std": float(np.std(values)),
        f"{name}_min": float(np.min(values)),
        f"{name}_max": float(np.max(values)),
        f"{name}_interval": [interval.low, interval.high],
    }

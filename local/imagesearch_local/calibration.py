"""Match probability as a function of the cosine: isotonic regression, thinned to a few points."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["calibrated", "calibration_points", "pairs_of_views", "reliability"]

Array = NDArray[np.floating[Any]]


def pairs_of_views(
    vectors: Array, thing: NDArray[np.int64], *, rivals: int = 20
) -> tuple[Array, NDArray[np.bool_]]:
    """Return cosines and truth of the pairs a search would show.

    For every view: the best other view of its thing (a match) and its ``rivals`` nearest views of
    other things (no matches). So the probability answers "is this hit right?" and not "are two
    random pictures alike?".
    """
    scores, truth = [], []
    for index, row in enumerate(vectors @ vectors.T):
        own = (thing == thing[index]) & (np.arange(len(thing)) != index)
        if not own.any():
            continue
        others = np.sort(row[thing != thing[index]])[-rivals:]
        scores += [row[own].max(), *others]
        truth += [True] + [False] * len(others)
    return np.array(scores), np.array(truth)


def calibration_points(
    scores: Array, truth: NDArray[np.bool_], *, points: int = 32
) -> list[list[float]]:
    """Return ``[[cosine, probability], …]``, both ascending, from pool-adjacent-violators.

    The points lie evenly between the lowest and the highest cosine; a point's probability is the
    mean of the fitted steps around it, kept inside 0.001…0.999.
    """
    order = np.argsort(scores)
    x, fitted = scores[order], _isotonic(truth[order].astype(np.float64))
    at = np.linspace(np.quantile(x, 0.02), x[-1], points)
    reach = 2 * (at[-1] - at[0]) / points
    value = [
        fitted[near].mean() if near.any() else np.interp(c, x, fitted)
        for c, near in ((c, np.abs(x - c) <= reach) for c in at)
    ]
    probability = np.clip(np.maximum.accumulate(value), 0.001, 0.999)
    pairs = zip(at, probability, strict=True)
    rounded = {round(float(c), 4): round(float(p), 4) for c, p in pairs}
    return [list(point) for point in rounded.items()]


def calibrated(points: list[list[float]], scores: Array) -> Array:
    """Return the probability of each cosine."""
    cosines, probabilities = np.array(points).T
    told: Array = np.interp(scores, cosines, probabilities)
    return told


def reliability(given: Array, truth: NDArray[np.bool_], bins: int = 10) -> list[list[float]]:
    """Return ``[[mean probability, share right, count], …]`` over ten equal bins of probability."""
    place = np.minimum((given * bins).astype(int), bins - 1)
    rows = []
    for number in range(bins):
        inside = place == number
        if inside.any():
            rows.append(
                [
                    round(float(given[inside].mean()), 3),
                    round(float(truth[inside].mean()), 3),
                    int(inside.sum()),
                ]
            )
    return rows


def _isotonic(y: Array) -> Array:
    """Pool adjacent violators; ``y`` in the order of x."""
    sums: list[float] = []
    counts: list[int] = []
    for value in y:
        sums.append(float(value))
        counts.append(1)
        while len(sums) > 1 and sums[-2] * counts[-1] >= sums[-1] * counts[-2]:
            last_sum, last_count = sums.pop(), counts.pop()
            sums[-1] += last_sum
            counts[-1] += last_count
    return np.repeat(np.array(sums) / np.array(counts), counts)

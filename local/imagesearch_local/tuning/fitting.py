"""Adapt a fitted map to the views of things: candidates, cross-validation and figures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["CANDIDATES", "Candidate", "Figures", "adapted", "choose", "figures", "unit"]

Rows = NDArray[np.float32]
Numbers = NDArray[np.int64]

_FOLDS = 3


@dataclass(frozen=True, slots=True)
class Candidate:
    """How far to go from the bundle's map: not at all, or whitening with so much of a ridge.

    ``centred`` takes the mean of the owner's pictures off as well.
    """

    ridge: float | None = None
    centred: bool = False


CANDIDATES = (
    Candidate(),
    Candidate(centred=True),
    *(Candidate(ridge, centred) for ridge in (10.0, 3.0, 1.0, 0.3) for centred in (False, True)),
)
"""What is tried, the bundle's own map first: of equals the earlier one is taken."""


@dataclass(frozen=True, slots=True)
class Figures:
    """How well queries find their thing, 0…1 each, and how many there were."""

    recall_at_1: float
    recall_at_10: float
    map: float
    queries: int


def unit(rows: Rows) -> Rows:
    """Return the rows divided by their length."""
    divided: Rows = rows / np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), 1e-12)
    return divided


def adapted(rows: Rows, thing: Numbers, candidate: Candidate) -> tuple[Rows, Rows]:
    """Return shift ``(width,)`` and matrix ``(width, width)`` for mapped rows of numbered things.

    The covariance of the differences from each thing's mean is whitened, with ``ridge`` times its
    mean eigenvalue added (within-class covariance normalisation, Hatch et al. 2006).
    """
    width = rows.shape[1]
    shift = rows.mean(axis=0) if candidate.centred else np.zeros(width, np.float32)
    if candidate.ridge is None:
        return shift.astype(np.float32), np.eye(width, dtype=np.float32)
    away = rows - _means(rows, thing)[thing]
    values, directions = np.linalg.eigh((away.T @ away / len(rows)).astype(np.float64))
    values = np.clip(values, 0, None)
    scale = 1 / np.sqrt(values + candidate.ridge * values.mean() + 1e-12)
    whitener = directions * (scale / scale.mean()) @ directions.T
    return shift.astype(np.float32), whitener.astype(np.float32)


def choose(rows: Rows, thing: Numbers, candidates: Sequence[Candidate] = CANDIDATES) -> Candidate:
    """Return the candidate that finds best what it was not fitted on.

    In each of three folds the others are fitted on; among candidates within a thousandth of the
    best, by R@1 and mAP together, the earliest is taken.
    """
    found = []
    for candidate in candidates:
        told = [_judged(rows, thing, thing % _FOLDS == fold, candidate) for fold in range(_FOLDS)]
        found.append(float(np.mean([one.recall_at_1 + one.map for one in told])))
    best = max(found)
    return candidates[next(place for place, value in enumerate(found) if value >= best - 1e-3)]


def figures(rows: Rows, thing: Numbers, asked: Iterable[int]) -> Figures:
    """Search the first view of every thing for the other views of the things that are asked."""
    vectors = unit(rows)
    firsts = np.array([np.flatnonzero(thing == number)[0] for number in np.unique(thing)])
    wanted = np.isin(thing, list(asked))
    wanted[firsts] = False
    likeness = vectors[wanted] @ vectors[firsts].T
    own = likeness[thing[firsts] == thing[wanted][:, None]]
    rank = (likeness > own[:, None]).sum(axis=1)
    return Figures(
        float((rank < 1).mean()),
        float((rank < 10).mean()),
        float((1 / (rank + 1)).mean()),
        len(rank),
    )


def _judged(rows: Rows, thing: Numbers, held: NDArray[np.bool_], candidate: Candidate) -> Figures:
    shift, matrix = adapted(rows[~held], np.unique(thing[~held], return_inverse=True)[1], candidate)
    mapped = ((rows - shift) @ matrix).astype(np.float32)
    return figures(mapped, thing, np.unique(thing[held]).tolist())


def _means(rows: Rows, thing: Numbers) -> Rows:
    sums = np.zeros((int(thing.max()) + 1, rows.shape[1]))
    np.add.at(sums, thing, rows)
    counts = np.bincount(thing, minlength=len(sums))[:, None]
    means: Rows = (sums / np.maximum(counts, 1)).astype(np.float32)
    return means

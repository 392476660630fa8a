"""Different numbers among many."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["ascending", "count_distinct", "distinct_numbers"]

_Kind = TypeVar("_Kind", np.int64, np.uint64)


def ascending(numbers: NDArray[_Kind]) -> NDArray[_Kind]:
    """Return the different numbers, ascending.

    Sorting them is many times as fast as the hash table of ``numpy.unique``.
    """
    together = np.sort(numbers)
    first = np.ones(together.size, np.bool_)
    first[1:] = together[1:] != together[:-1]
    return together[first]


def distinct_numbers(numbers: Sequence[NDArray[np.uint64]]) -> NDArray[np.uint64]:
    """Return the different numbers of several arrays, ascending."""
    return ascending(np.concatenate([np.zeros(0, np.uint64), *numbers]))


def count_distinct(numbers: Sequence[NDArray[np.uint64]]) -> int:
    """Return how many different numbers there are in several arrays."""
    return distinct_numbers(numbers).size

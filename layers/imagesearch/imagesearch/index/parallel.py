"""Doing the same for several things at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

__all__ = ["each"]

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def each(work: Callable[[_Item], _Result], items: Iterable[_Item], parallel: int) -> list[_Result]:
    """Return ``work(item)`` for every item in order, ``parallel`` under way at a time."""
    items = list(items)
    if len(items) < 2 or parallel < 2:
        return [work(item) for item in items]
    with ThreadPoolExecutor(min(parallel, len(items))) as pool:
        return list(pool.map(work, items))

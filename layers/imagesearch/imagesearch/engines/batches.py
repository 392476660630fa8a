"""Things in batches of a size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

__all__ = ["batches"]

Thing = TypeVar("Thing")


def batches(things: Iterable[Thing], size: int) -> Iterator[list[Thing]]:
    """Yield lists of ``size`` things, of which the last may be shorter."""
    rest = iter(things)
    while batch := list(islice(rest, size)):
        yield batch

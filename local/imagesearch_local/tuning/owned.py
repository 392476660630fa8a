"""A picture of the owner's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

__all__ = ["HELD", "Owned", "numbered"]

HELD = 5
"""Every fifth thing is kept out of fitting, to judge by."""


@dataclass(frozen=True, slots=True)
class Owned:
    """A picture of the owner's: what it shows, and its file. Equal things are the same product."""

    thing: str
    read: Callable[[], bytes]


def numbered(pictures: Sequence[Owned]) -> list[int]:
    """Return the number of each picture's thing: things in the order of their names."""
    names = {name: n for n, name in enumerate(sorted({picture.thing for picture in pictures}))}
    return [names[picture.thing] for picture in pictures]

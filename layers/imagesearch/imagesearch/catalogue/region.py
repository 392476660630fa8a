"""A rectangle of a picture, in the vendor's order of corners."""

from __future__ import annotations

from dataclasses import dataclass

from imagesearch.errors import InvalidRegion

__all__ = ["Region"]


@dataclass(frozen=True, slots=True)
class Region:
    """A rectangle in pixels of the upright picture; ``x2`` and ``y2`` are exclusive.

    The order ``x1, x2, y1, y2`` (first both x, then both y) is the vendor's.
    """

    x1: int
    x2: int
    y1: int
    y2: int

    @classmethod
    def whole(cls, width: int, height: int) -> Region:
        """Return the region that covers a picture of ``width`` × ``height`` pixels."""
        return cls(0, width, 0, height)

    @classmethod
    def parse(cls, value: object) -> Region:
        """Read ``"x1,x2,y1,y2"`` or ``[x1, x2, y1, y2]``; raise :class:`InvalidRegion`."""
        parts = value.split(",") if isinstance(value, str) else value
        try:
            if not isinstance(parts, list | tuple) or any(
                isinstance(p, bool | float) for p in parts
            ):
                raise ValueError
            x1, x2, y1, y2 = (int(part) for part in parts)
        except (ValueError, TypeError):
            raise InvalidRegion(
                f"region must be four whole numbers x1,x2,y1,y2; got {str(value)[:80]!r}.",
                field="region",
            ) from None
        return cls(x1, x2, y1, y2)

    def within(self, width: int, height: int) -> Region:
        """Return this region if it is a rectangle inside the picture, else raise."""
        if not (self.x1 < self.x2 and self.y1 < self.y2):
            raise InvalidRegion(
                f"region {self} has no area: x1 < x2 and y1 < y2 must hold.", field="region"
            )
        if self.x1 < 0 or self.y1 < 0 or self.x2 > width or self.y2 > height:
            raise InvalidRegion(
                f"region {self} reaches outside the picture of {width} × {height} pixels.",
                field="region",
            )
        return self

    @property
    def width(self) -> int:
        """Return the width in pixels."""
        return self.x2 - self.x1

    @property
    def height(self) -> int:
        """Return the height in pixels."""
        return self.y2 - self.y1

    @property
    def area(self) -> int:
        """Return the area in pixels."""
        return self.width * self.height

    def as_list(self) -> list[int]:
        """Return ``[x1, x2, y1, y2]``."""
        return [self.x1, self.x2, self.y1, self.y2]

    def __str__(self) -> str:
        """Return ``"x1,x2,y1,y2"``, the form that :meth:`parse` reads."""
        return f"{self.x1},{self.x2},{self.y1},{self.y2}"

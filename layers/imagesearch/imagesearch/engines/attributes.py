"""What engines see of attributes: enough that filters are exact, in a form that every engine has.

A string is compared for equality only, so that an engine needs no more than a name for it: itself
where it is short and plain, else ``#`` and its hash. Names need no quoting, are never empty, and
never longer than 64 bytes. Whole numbers are kept as they are; what a filter says of one comes
down to bounds and lists within 64 bits.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from imagesearch.catalogue.filter.expression import Comparison, Membership

__all__ = ["LARGEST", "LONGEST_NAME", "SMALLEST", "Bound", "numbers", "string_name"]

SMALLEST, LARGEST = -(1 << 63), (1 << 63) - 1
LONGEST_NAME = 64
_PLAIN = re.compile(r"[A-Za-z0-9_.:/+-][A-Za-z0-9 _.:/+-]{0,63}")


def string_name(text: str) -> str:
    """Return the name of a string attribute's value; different strings have different names."""
    if _PLAIN.fullmatch(text):
        return text
    return "#" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:48]


@dataclass(frozen=True, slots=True)
class Bound:
    """``value <= limit`` if ``upper``, else ``value >= limit``, of a number of 64 bits."""

    limit: int
    upper: bool

    @classmethod
    def of(cls, comparison: Comparison) -> Bound:
        """Return the bound that a comparison sets."""
        upper = comparison.operator in {"<", "<="}
        step = {"<": -1, ">": 1}.get(comparison.operator, 0)
        return cls(comparison.value + step, upper)

    @property
    def always(self) -> bool:
        """Tell whether every number passes."""
        return self.limit >= LARGEST if self.upper else self.limit <= SMALLEST

    @property
    def never(self) -> bool:
        """Tell whether no number passes."""
        return self.limit < SMALLEST if self.upper else self.limit > LARGEST


def numbers(membership: Membership) -> list[int]:
    """Return the numbers of a list that an attribute can have, ascending, each once."""
    return sorted({v for v in _whole(membership.values) if SMALLEST <= v <= LARGEST})


def _whole(values: Iterable[int | str]) -> Iterable[int]:
    return (value for value in values if isinstance(value, int))

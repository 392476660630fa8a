"""How a table of pictures shows its attributes to a filter: one column per attribute."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from imagesearch.catalogue.picture import Attributes

__all__ = ["Columns", "IntColumn", "StringColumn", "TableColumns"]


@dataclass(frozen=True, slots=True)
class IntColumn:
    """An integer attribute of n rows: ``values`` (n,) int32 or int64, ``present`` (n,) bool.

    What stands in ``values`` where ``present`` is false does not matter.
    """

    values: NDArray[np.signedinteger[Any]]
    present: NDArray[np.bool_]

    @classmethod
    def of(cls, values: Sequence[int | None]) -> IntColumn:
        """Build the column of these values; ``None`` is not given."""
        present = np.fromiter((v is not None for v in values), np.bool_, len(values))
        return cls(np.fromiter((v or 0 for v in values), np.int64, len(values)), present)


@dataclass(frozen=True, slots=True)
class StringColumn:
    """A string attribute of n rows, dictionary-coded.

    ``codes`` (n,) signed integers are places in ``strings``, -1 where not given. ``strings`` are
    distinct and ascend by code point, which is also the order of their UTF-8 bytes.
    """

    codes: NDArray[np.signedinteger[Any]]
    strings: Sequence[str]

    @classmethod
    def of(cls, values: Sequence[str | None]) -> StringColumn:
        """Build the column of these values; ``None`` is not given."""
        strings = sorted({v for v in values if v is not None})
        places: dict[str | None, int] = {text: code for code, text in enumerate(strings)}
        codes = np.fromiter((places.get(v, -1) for v in values), np.int32, len(values))
        return cls(codes, strings)

    def code(self, text: str) -> int | None:
        """Return the code of ``text``, or ``None`` if no row has it."""
        place = bisect_left(self.strings, text)
        found = place < len(self.strings) and self.strings[place] == text
        return place if found else None


class Columns(Protocol):
    """The attributes of a table of pictures, row by row the same pictures in every column."""

    def __len__(self) -> int:
        """Return the number of rows."""
        ...

    def ints(self, field: str) -> IntColumn:
        """Return the column of ``int_attr``, ``int_attr2``, ``int_attr3`` or ``int_attr4``."""
        ...

    def strings(self, field: str) -> StringColumn:
        """Return the column of ``str_attr``, ``str_attr2``, ``str_attr3`` or ``str_attr4``."""
        ...


@dataclass(frozen=True, slots=True)
class TableColumns:
    """Columns over attributes that are in memory, made when a filter first asks for them."""

    rows: Sequence[Attributes]

    def __len__(self) -> int:
        return len(self.rows)

    def ints(self, field: str) -> IntColumn:
        """Return an integer attribute of all rows."""
        return IntColumn.of([getattr(row, field) for row in self.rows])

    def strings(self, field: str) -> StringColumn:
        """Return a string attribute of all rows."""
        return StringColumn.of([getattr(row, field) for row in self.rows])

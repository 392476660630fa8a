"""What a filter says, as a tree that is evaluated one picture or one table at a time."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imagesearch.catalogue.filter.columns import Columns, IntColumn, StringColumn
from imagesearch.catalogue.picture import Attributes

__all__ = [
    "INT_FIELDS",
    "STRING_FIELDS",
    "AllOf",
    "AnyOf",
    "Comparison",
    "Expression",
    "Membership",
]

INT_FIELDS = ("int_attr", "int_attr2", "int_attr3", "int_attr4")
STRING_FIELDS = ("str_attr", "str_attr2", "str_attr3", "str_attr4")

_ORDER: Mapping[str, Callable[[Any, Any], Any]] = MappingProxyType(
    {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
)
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Comparison:
    """``field operator value`` with one of ``<  <=  >  >=``; integers only."""

    field: str
    operator: str
    value: int

    def matches(self, attributes: Attributes) -> bool:
        """Tell whether one picture's attributes pass."""
        value = getattr(attributes, self.field)
        return value is not None and bool(_ORDER[self.operator](value, self.value))

    def mask(self, columns: Columns) -> Mask:
        """Return which rows pass, (n,) bool."""
        column = columns.ints(self.field)
        passed: Mask = _ORDER[self.operator](column.values, self.value) & column.present
        return passed

    def __str__(self) -> str:
        return f"{self.field} {self.operator} {self.value}"


@dataclass(frozen=True, slots=True)
class Membership:
    """``=  !=  in  not in``: the value is, or is not, one of ``values``.

    A picture without the attribute passes neither.
    """

    field: str
    values: tuple[int, ...] | tuple[str, ...]
    negated: bool = False

    def matches(self, attributes: Attributes) -> bool:
        """Tell whether one picture's attributes pass."""
        value = getattr(attributes, self.field)
        return value is not None and (value in self.values) is not self.negated

    def mask(self, columns: Columns) -> Mask:
        """Return which rows pass, (n,) bool."""
        if self.field in STRING_FIELDS:
            return self._string_mask(columns.strings(self.field))
        return self._int_mask(columns.ints(self.field))

    def _int_mask(self, column: IntColumn) -> Mask:
        limits = np.iinfo(column.values.dtype)
        wanted = [v for v in self.values if isinstance(v, int) and limits.min <= v <= limits.max]
        found = _is_one_of(column.values, wanted)
        return (~found if self.negated else found) & column.present

    def _string_mask(self, column: StringColumn) -> Mask:
        codes = [column.code(v) for v in self.values if isinstance(v, str)]
        found = _is_one_of(column.codes, [code for code in codes if code is not None])
        return (~found & (column.codes >= 0)) if self.negated else found

    def __str__(self) -> str:
        values = [_quote(v) if isinstance(v, str) else str(v) for v in self.values]
        if len(values) == 1:
            return f"{self.field} {'!=' if self.negated else '='} {values[0]}"
        return f"{self.field} {'not in' if self.negated else 'in'} ({', '.join(values)})"


@dataclass(frozen=True, slots=True)
class AllOf:
    """``AND`` of two terms or more, none of them ``AND`` itself."""

    terms: tuple[Comparison | Membership | AnyOf, ...]

    def matches(self, attributes: Attributes) -> bool:
        """Tell whether one picture's attributes pass."""
        return all(term.matches(attributes) for term in self.terms)

    def mask(self, columns: Columns) -> Mask:
        """Return which rows pass, (n,) bool."""
        return reduce(operator.and_, (term.mask(columns) for term in self.terms))

    def __str__(self) -> str:
        return " AND ".join(f"({t})" if isinstance(t, AnyOf) else str(t) for t in self.terms)


@dataclass(frozen=True, slots=True)
class AnyOf:
    """``OR`` of two terms or more, none of them ``OR`` itself."""

    terms: tuple[Comparison | Membership | AllOf, ...]

    def matches(self, attributes: Attributes) -> bool:
        """Tell whether one picture's attributes pass."""
        return any(term.matches(attributes) for term in self.terms)

    def mask(self, columns: Columns) -> Mask:
        """Return which rows pass, (n,) bool."""
        return reduce(operator.or_, (term.mask(columns) for term in self.terms))

    def __str__(self) -> str:
        return " OR ".join(str(term) for term in self.terms)


Expression = Comparison | Membership | AllOf | AnyOf


def _is_one_of(values: NDArray[np.signedinteger[Any]], wanted: list[int]) -> Mask:
    if len(wanted) == 1:
        same: Mask = values == wanted[0]
        return same
    return np.isin(values, np.array(wanted, values.dtype))


def _quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'

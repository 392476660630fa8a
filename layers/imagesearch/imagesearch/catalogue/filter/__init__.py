r"""The filter language: which pictures a search, a listing or a deletion is about.

::

    filter    = all { "OR" all }
    all       = term { "AND" term }                  AND binds tighter than OR
    term      = condition | "(" filter ")"           at most 32 open at once
    condition = intfield ( "=" | "!=" | "<" | "<=" | ">" | ">=" ) integer
              | strfield ( "=" | "!=" ) string
              | field [ "NOT" ] "IN" list
    list      = "(" value { "," value } ")" | "[" value { "," value } "]"
    intfield  = "int_attr" | "int_attr2" | "int_attr3" | "int_attr4"
    strfield  = "str_attr" | "str_attr2" | "str_attr3" | "str_attr4"
    integer   = [ "+" | "-" ] digit { digit }
    string    = '"' { any character but " and \ | '\"' | '\\' } '"'

Keywords and fields are read in any case, fields also without their underscore (``intAttr2``).
Spaces are free wherever two words do not touch. Strings are compared exactly, code point by code
point. **A picture that has no such attribute passes no condition on it, ``!=`` and ``NOT IN``
included**, as in SQL; so ``x`` and the opposite of ``x`` may both leave a picture out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imagesearch.catalogue.filter.columns import Columns, IntColumn, StringColumn, TableColumns
from imagesearch.catalogue.filter.expression import Expression
from imagesearch.catalogue.filter.parser import MAX_NESTING, parse
from imagesearch.catalogue.picture import Attributes
from imagesearch.errors import InvalidFilter

__all__ = [
    "MAX_LENGTH",
    "MAX_NESTING",
    "Columns",
    "Filter",
    "IntColumn",
    "StringColumn",
    "TableColumns",
]

MAX_LENGTH = 4096
"""Characters that a filter may have (the vendor's limit)."""


@dataclass(frozen=True, slots=True)
class Filter:
    """A parsed filter. ``str`` writes it in full spelling; reading that gives an equal filter."""

    expression: Expression

    @classmethod
    def parse(cls, text: str) -> Filter:
        """Read a filter of at most 4096 characters.

        Raises :class:`~imagesearch.errors.InvalidFilter`, which names the column (from 1), what
        stands there and what was expected, with a mark under the place in its ``fix``.
        """
        if len(text) > MAX_LENGTH:
            raise InvalidFilter(
                f"filter has {len(text)} characters; at most {MAX_LENGTH} are allowed.",
                fix="Shorten it, for instance with in (…) in place of a chain of OR.",
                field="filter",
            )
        return cls(parse(text))

    def matches(self, attributes: Attributes) -> bool:
        """Tell whether a picture with these attributes passes."""
        return self.expression.matches(attributes)

    def mask(self, columns: Columns) -> NDArray[np.bool_]:
        """Return which rows of a table pass, (n,) bool; row by row what :meth:`matches` says."""
        return self.expression.mask(columns)

    def __str__(self) -> str:
        return str(self.expression)

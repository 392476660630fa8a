"""Our filters in the words of Milvus, and the fields that they look at.

An absent string is the empty name, which no string has; of each number a second field tells
whether it is there. So nothing hangs on what Milvus says of null. Every string that is written
into an expression consists of letters that need no quoting.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from imagesearch.catalogue import Attributes
from imagesearch.catalogue.filter.expression import (
    INT_FIELDS,
    STRING_FIELDS,
    AllOf,
    AnyOf,
    Comparison,
    Expression,
)
from imagesearch.catalogue.filter.expression import Membership as Listed
from imagesearch.engines.attributes import SMALLEST, Bound, numbers, string_name
from imagesearch.index.engine import Question

__all__ = ["conditions", "fields"]

_NEVER = 'segment == "-"'
_WRITABLE = re.compile(r"[A-Za-z0-9 _.:/+#-]*")


def fields(attributes: Attributes) -> dict[str, Any]:
    """Return what filters look at of a picture's attributes, absent ones included."""
    found: dict[str, Any] = {}
    for field in STRING_FIELDS:
        value = getattr(attributes, field)
        found[field] = "" if value is None else string_name(value)
    for field in INT_FIELDS:
        value = getattr(attributes, field)
        found[field] = value or 0
        found[f"{field}_given"] = value is not None
    return found


def conditions(question: Question) -> str:
    """Return the expression of a question: its segments, its category and its own filter."""
    terms = [f"segment in {_strings(question.segments)}"]
    if question.category_id is not None:
        terms.append(f"category == {int(question.category_id)}")
    if question.filter is not None:
        terms.append(_expression(question.filter.expression))
    return " and ".join(terms)


def _expression(expression: Expression) -> str:
    match expression:
        case AllOf():
            return "(" + " and ".join(map(_expression, expression.terms)) + ")"
        case AnyOf():
            return "(" + " or ".join(map(_expression, expression.terms)) + ")"
        case Comparison():
            return _comparison(expression.field, Bound.of(expression))
    if expression.field in STRING_FIELDS:
        return _names(expression)
    return _numbers(expression)


def _comparison(field: str, bound: Bound) -> str:
    if bound.never:
        return _NEVER
    given = f"{field}_given == true"
    if bound.always:
        return given
    # The smallest number of 64 bits is never written: parsers read its digits before its sign.
    compared = f"{field} < {bound.limit + 1}" if bound.upper else f"{field} >= {bound.limit}"
    return f"({given} and {compared})"


def _names(listed: Listed) -> str:
    names = sorted({string_name(str(value)) for value in listed.values})
    if listed.negated:
        return f"{listed.field} not in {_strings(['', *names])}"
    return f"{listed.field} in {_strings(names)}"


def _numbers(listed: Listed) -> str:
    field, values = listed.field, numbers(listed)
    smallest = values[:1] == [SMALLEST]
    others = values[1:] if smallest else values
    if listed.negated:
        terms = [f"{field}_given == true"]
        terms += [f"{field} not in {others}"] if others else []
        terms += [f"{field} >= {SMALLEST + 1}"] if smallest else []
        return "(" + " and ".join(terms) + ")"
    terms = [f"{field} in {others}"] if others else []
    terms += [f"{field} < {SMALLEST + 1}"] if smallest else []
    if not terms:
        return _NEVER
    return f"({field}_given == true and ({' or '.join(terms)}))"


def _strings(names: Iterable[str]) -> str:
    written = []
    for name in names:
        if not _WRITABLE.fullmatch(name):
            raise ValueError(f"{name!r} is not a name that an expression can hold")
        written.append(f'"{name}"')
    return f"[{', '.join(written)}]"

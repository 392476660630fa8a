"""Our filters in the words of Amazon S3 Vectors, and the metadata that they look at.

JSON's numbers are exact up to 2^53. A number beyond is kept as ±2^53 and, beside that, exactly in
two halves of 32 bits (``int_attr_high``, ``int_attr_low``), which only such a number has.

What the service says of a key that a vector lacks is not relied on: where it matters, the filter
asks for the key with ``$exists`` as well.
"""

from __future__ import annotations

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
from imagesearch.engines.attributes import Bound, numbers, string_name
from imagesearch.index.engine import Question

__all__ = ["conditions", "metadata"]

Document = dict[str, Any]
_EDGE = 1 << 53
_NEVER: Document = {"segment": {"$eq": "-"}}


def metadata(attributes: Attributes) -> Document:
    """Return what filters look at of a picture's attributes: at most 700 bytes."""
    found: Document = {}
    for field, value in attributes.given().items():
        if field in STRING_FIELDS:
            found[field] = string_name(str(value))
        elif field in INT_FIELDS:
            found |= _number(field, int(value))
    return found


def conditions(question: Question) -> Document:
    """Return the filter of a question: its segments, its category and its own filter."""
    terms: list[Document] = [{"segment": {"$in": list(question.segments)}}]
    if question.category_id is not None:
        terms.append({"category": {"$eq": question.category_id}})
    if question.filter is not None:
        terms.append(_expression(question.filter.expression))
    return terms[0] if len(terms) == 1 else {"$and": terms}


def _expression(expression: Expression) -> Document:
    match expression:
        case AllOf():
            return {"$and": [_expression(term) for term in expression.terms]}
        case AnyOf():
            return {"$or": [_expression(term) for term in expression.terms]}
        case Comparison():
            return _comparison(expression.field, Bound.of(expression))
    if expression.field in STRING_FIELDS:
        return _strings(expression)
    return _none_of(expression) if expression.negated else _one_of(expression)


def _strings(listed: Listed) -> Document:
    names = sorted({string_name(str(value)) for value in listed.values})
    if not listed.negated:
        return {listed.field: {"$in": names}}
    return {"$and": [_there(listed.field), {listed.field: {"$nin": names}}]}


def _comparison(field: str, bound: Bound) -> Document:
    if bound.never:
        return _NEVER
    if bound.always:
        return _there(field)
    if abs(bound.limit) < _EDGE:
        return {field: {"$lte" if bound.upper else "$gte": bound.limit}}
    beyond = _halves(field, bound)
    if bound.upper is (bound.limit > 0):  # all that is within 2^53 passes as well
        within = {field: {"$lt": _EDGE} if bound.upper else {"$gt": -_EDGE}}
        return {"$or": [within, *beyond]}
    return {"$or": beyond}


def _halves(field: str, bound: Bound) -> list[Document]:
    """Return which numbers beyond 2^53 are within a bound that is beyond it as well."""
    high, low = _split(bound.limit)
    past, up_to = ("$lt", "$lte") if bound.upper else ("$gt", "$gte")
    same = {"$and": [{f"{field}_high": {"$eq": high}}, {f"{field}_low": {up_to: low}}]}
    return [{f"{field}_high": {past: high}}, same]


def _one_of(listed: Listed) -> Document:
    field, near, beyond = listed.field, *_parted(listed)
    terms: list[Document] = [{field: {"$in": near}}] if near else []
    for high, low in beyond:
        same = [{f"{field}_high": {"$eq": high}}, {f"{field}_low": {"$eq": low}}]
        terms.append({"$and": same})
    if not terms:
        return _NEVER
    return terms[0] if len(terms) == 1 else {"$or": terms}


def _none_of(listed: Listed) -> Document:
    field, near, beyond = listed.field, *_parted(listed)
    terms = [_there(field)]
    terms += [{field: {"$nin": near}}] if near else []
    terms += [_other_than(field, *halves) for halves in beyond]
    return terms[0] if len(terms) == 1 else {"$and": terms}


def _parted(listed: Listed) -> tuple[list[int], list[tuple[int, int]]]:
    """Return the numbers of a list within 2^53, and the halves of those beyond."""
    values = numbers(listed)
    near = [value for value in values if abs(value) < _EDGE]
    return near, [_split(value) for value in values if abs(value) >= _EDGE]


def _other_than(field: str, high: int, low: int) -> Document:
    different: list[Document] = [
        {f"{field}_high": {"$exists": False}},
        {f"{field}_high": {"$ne": high}},
        {f"{field}_low": {"$ne": low}},
    ]
    return {"$or": different}


def _number(field: str, value: int) -> Document:
    if abs(value) < _EDGE:
        return {field: value}
    high, low = _split(value)
    edge = _EDGE if value > 0 else -_EDGE
    return {field: edge, f"{field}_high": high, f"{field}_low": low}


def _split(value: int) -> tuple[int, int]:
    return value >> 32, value & 0xFFFFFFFF


def _there(field: str) -> Document:
    return {field: {"$exists": True}}

"""Reading a filter by recursive descent, one method per rule of the grammar."""

from __future__ import annotations

import re
from collections.abc import Callable
from types import MappingProxyType
from typing import NoReturn, TypeVar

from imagesearch.catalogue.filter.expression import (
    INT_FIELDS,
    STRING_FIELDS,
    AllOf,
    AnyOf,
    Comparison,
    Expression,
    Membership,
)
from imagesearch.catalogue.filter.tokens import Kind, Token, fault, tokens

__all__ = ["MAX_NESTING", "parse"]

MAX_NESTING = 32
"""Parentheses that may be open at once."""

_FIELDS = MappingProxyType(
    {
        spelling: name
        for name in INT_FIELDS + STRING_FIELDS
        for spelling in (name, name.replace("_", ""))
    }
)
_SIGNS = MappingProxyType(
    {
        **dict.fromkeys(INT_FIELDS, ("=", "!=", "<", "<=", ">", ">=")),
        **dict.fromkeys(STRING_FIELDS, ("=", "!=")),
    }
)
_CLOSING = MappingProxyType({"(": ")", "[": "]"})
_Value = TypeVar("_Value", int, str)
_ESCAPE = re.compile(r'\\(["\\])')


def parse(text: str) -> Expression:
    """Return what ``text`` says, or raise :class:`~imagesearch.errors.InvalidFilter`."""
    return _Parser(text).whole()


class _Parser:
    """One reading of one text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._rest = tokens(text)
        self._next = next(self._rest)
        self._open = 0

    def whole(self) -> Expression:
        expression = self._any_of()
        self._take(Kind.END, "AND, OR or the end")
        return expression

    def _any_of(self) -> Expression:
        terms = self._joined(self._all_of, "or")
        flat = (t.terms if isinstance(t, AnyOf) else (t,) for t in terms)
        return terms[0] if len(terms) == 1 else AnyOf(tuple(t for group in flat for t in group))

    def _all_of(self) -> Expression:
        terms = self._joined(self._term, "and")
        flat = (t.terms if isinstance(t, AllOf) else (t,) for t in terms)
        return terms[0] if len(terms) == 1 else AllOf(tuple(t for group in flat for t in group))

    def _joined(self, term: Callable[[], Expression], word: str) -> list[Expression]:
        terms = [term()]
        while self._skip(word):
            terms.append(term())
        return terms

    def _term(self) -> Expression:
        if self._next.text != "(":
            return self._condition()
        if self._open == MAX_NESTING:
            self._fail(f"at most {MAX_NESTING} parentheses open at once")
        self._take(Kind.OPEN, "(")
        self._open += 1
        expression = self._any_of()
        if self._next.text != ")":
            self._fail("AND, OR or )")
        self._take(Kind.CLOSE, ")")
        self._open -= 1
        return expression

    def _condition(self) -> Expression:
        field = _FIELDS.get(self._next.text.lower())
        if field is None:
            self._fail("a field (int_attr … int_attr4, str_attr … str_attr4) or (")
        self._take(Kind.WORD, "a field")
        if self._skip("in"):
            return Membership(field, self._list(field))
        if self._skip("not"):
            if not self._skip("in"):
                self._fail("in after not")
            return Membership(field, self._list(field), negated=True)
        return self._comparison(field)

    def _comparison(self, field: str) -> Expression:
        if self._next.text not in _SIGNS[field]:
            self._fail(f"{' '.join(_SIGNS[field])} in or not in after {field}")
        sign = self._take(Kind.OPERATOR, "an operator").text
        if sign not in ("=", "!="):
            return Comparison(field, sign, self._integer(field))
        if field in INT_FIELDS:
            return Membership(field, (self._integer(field),), negated=sign == "!=")
        return Membership(field, (self._string(field),), negated=sign == "!=")

    def _list(self, field: str) -> tuple[int, ...] | tuple[str, ...]:
        if field in INT_FIELDS:
            return self._listed(lambda: self._integer(field))
        return self._listed(lambda: self._string(field))

    def _listed(self, item: Callable[[], _Value]) -> tuple[_Value, ...]:
        opening = self._take(Kind.OPEN, "( and the list of values")
        items = [item()]
        while self._next.kind is Kind.COMMA:
            self._take(Kind.COMMA, ",")
            items.append(item())
        closing = _CLOSING[opening.text]
        if self._next.text != closing:
            self._fail(f", or {closing}")
        self._take(Kind.CLOSE, closing)
        return tuple(dict.fromkeys(items))

    def _integer(self, field: str) -> int:
        return int(self._take(Kind.INTEGER, f"an integer, as {field} is one").text)

    def _string(self, field: str) -> str:
        token = self._take(Kind.STRING, f"a string in double quotes, as {field} is one")
        return _ESCAPE.sub(r"\1", token.text[1:-1])

    def _skip(self, word: str) -> bool:
        """Take the keyword ``word``, in any case, if it is next; tell whether it was."""
        found = self._next.kind is Kind.WORD and self._next.text.lower() == word
        if found:
            self._take(Kind.WORD, word)
        return found

    def _take(self, kind: Kind, expected: str) -> Token:
        token = self._next
        if token.kind is not kind:
            self._fail(expected)
        if kind is not Kind.END:
            self._next = next(self._rest)
        return token

    def _fail(self, expected: str) -> NoReturn:
        raise fault(self._text, self._next.start, str(self._next), expected)

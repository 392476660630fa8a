"""Cutting a filter's text into tokens, and the one way to say where it is wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from unicodedata import east_asian_width

from imagesearch.errors import InvalidFilter

__all__ = ["Kind", "Token", "fault", "tokens"]


class Kind(Enum):
    """What a token is."""

    WORD = "word"
    INTEGER = "integer"
    STRING = "string"
    OPERATOR = "operator"
    OPEN = "open"
    CLOSE = "close"
    COMMA = "comma"
    STRANGE = "strange"
    END = "end"


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the filter's text; ``start`` counts characters from 0."""

    kind: Kind
    text: str
    start: int

    def __str__(self) -> str:
        """Name the token in an error."""
        return "the end" if self.kind is Kind.END else _quoted(self.text)


# Operators of other languages are tokens too, so that an error can name them whole.
_TOKEN = re.compile(
    r"""\s*(?:
        (?P<word>[A-Za-z_][A-Za-z0-9_]*)
      | (?P<integer>[+-]?[0-9]+)
      | (?P<string>"(?:[^"\\]|\\["\\])*")
      | (?P<operator>>=|<=|!=|<>|==|=|>|<|&&|\|\|)
      | (?P<open>[(\[])
      | (?P<close>[)\]])
      | (?P<comma>,)
      | (?P<end>\Z)
      | (?P<strange>.)
    )""",
    re.VERBOSE | re.DOTALL,
)
_BAD_ESCAPE = re.compile(r'"(?:[^"\\]|\\["\\])*\\(?!["\\])')
_HINTS = {
    "'": "Write strings in double quotes.",
    "“": 'Write strings in straight double quotes (").',
    "”": 'Write strings in straight double quotes (").',
    "==": "Write = for equality.",
    "<>": "Write != for inequality.",
    "&&": "Write AND.",
    "||": "Write OR.",
    ".": "Attributes are whole numbers; write one without a point.",
}
_CONTEXT = 40


def tokens(text: str) -> Iterator[Token]:
    """Yield the tokens of ``text``, the last one of kind ``END``.

    A character that begins no token is one of kind ``STRANGE``; a string without its end or with
    an unknown escape raises :class:`InvalidFilter`.
    """
    for match in _TOKEN.finditer(text):
        name = match.lastgroup or ""
        token = Token(Kind(name), match[name], match.start(name))
        if token.text == '"':
            raise _unfinished(text, token.start)
        yield token
        if token.kind is Kind.END:
            return


def fault(text: str, start: int, found: str, expected: str) -> InvalidFilter:
    """Return the error that at ``start`` of ``text`` stands ``found`` and not ``expected``."""
    hint = _HINTS.get(found.strip("'") or "'", "Correct the filter at the mark.")
    return InvalidFilter(
        f"filter, column {start + 1}: found {found}, expected {expected}.",
        fix=f"{hint}\n{_marked(text, start)}",
        field="filter",
    )


def _unfinished(text: str, start: int) -> InvalidFilter:
    if bad := _BAD_ESCAPE.match(text, start):
        place = bad.end() - 1
        escape = _quoted(text[place : place + 2])
        return fault(text, place, escape, r"\" or \\, the only escapes of a string")
    return fault(text, start, "a string without end", 'a closing " after it')


def _quoted(text: str, limit: int = 32) -> str:
    short = f"{text[: limit - 1]}…" if len(text) > limit else text
    return f"'{short}'" if short.isprintable() else repr(short)


def _marked(text: str, start: int) -> str:
    """Return the text around ``start`` on one line and a caret under it on the next."""
    first = max(0, start - _CONTEXT)
    before, after = text[first:start], text[start : start + _CONTEXT]
    gap = "".join("\u3000" if east_asian_width(c) in "WF" else " " for c in before)
    line = "".join(c if c.isprintable() else " " for c in before + after)
    return f"{line}\n{gap}^"

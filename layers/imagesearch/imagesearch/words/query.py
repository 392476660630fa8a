"""What is left of a query in words once the polite words around it are taken away."""

from __future__ import annotations

import re
import unicodedata

from imagesearch.errors import InvalidField

__all__ = ["MAX_CHARACTERS", "understood"]

MAX_CHARACTERS = 512
"""Longest text that is searched for, in characters, before and after normalising."""

_NOUN = r"(?:photo(?:graph)?|picture|image|pic|drawing|illustration)s?"
_BEFORE = (
    re.compile(r"(?:please\s+)?(?:show|find|give|get)\s+me\s+", re.IGNORECASE),
    re.compile(r"(?:please\s+)?(?:search|look|looking)\s+for\s+", re.IGNORECASE),
    re.compile(r"i(?:'m|\s+am)\s+looking\s+for\s+", re.IGNORECASE),
    re.compile(rf"(?:(?:an?|the|some)\s+)?{_NOUN}\s+(?:of|with|showing)\s+", re.IGNORECASE),
    re.compile(
        r"(?:请|帮我|给我|我要|我想要|我想)*(?:看看|看一下|搜索|查找|寻找|搜一下|找一下|搜|找)"
    ),
)
_BEFORE_NOUN = re.compile(r"(?:an?|the|some)\s+", re.IGNORECASE)
_AFTER = (
    re.compile(rf"\s+{_NOUN}$", re.IGNORECASE),
    re.compile(r"(?:的图|的?(?:图片|照片|相片|图像))$"),
)


def understood(text: str) -> str:
    """Return what a query asks for: NFKC, single blanks, no lead-in such as "a photo of" or 的图片.

    A lead-in stays where nothing would be left. Raises :class:`InvalidField` for a text of more
    than 512 characters, or without any letter or digit.
    """
    if len(text) > MAX_CHARACTERS:
        raise InvalidField(
            "text",
            f"text has {len(text)} characters; the limit is {MAX_CHARACTERS}.",
            fix="Send what the picture shows in a few words.",
        )
    plain = " ".join(unicodedata.normalize("NFKC", text).split())[:MAX_CHARACTERS].strip()
    if not _says_something(plain):
        raise InvalidField(
            "text",
            f"text {text[:40]!r} has no word in it.",
            fix="Send English or Chinese words, or numbers.",
        )
    for pattern in _BEFORE:
        plain = _without(pattern.match(plain), plain)
    plain = _without(_BEFORE_NOUN.match(plain), plain)
    for pattern in _AFTER:
        plain = _without(pattern.search(plain), plain)
    return plain


def _without(found: re.Match[str] | None, text: str) -> str:
    """Return the text without a match, unless that leaves nothing to search for."""
    if found is None:
        return text
    rest = (text[: found.start()] + text[found.end() :]).strip()
    return rest if _says_something(rest) else text


def _says_something(text: str) -> bool:
    return any(character.isalnum() for character in text)

"""The body of API version 2018-01-20: ``key,start,end#key,start,end^content``.

The offsets are zero-based into the content, the end exclusive. Java's SDK counts UTF-16 code
units of the text before it is encoded, Python's counts bytes; the two differ only where the
content is not ASCII. A picture's key is the Base64 of its name and its value the Base64 of its
bytes (https://help.aliyun.com/document_detail/179222.html).
"""

from __future__ import annotations

import re

from imagesearch.contract.refusals import UnreadableItemBody

__all__ = ["parse_item_body"]

_ENTRY = re.compile(r"([^,#^]+),(\d{1,9}),(\d{1,9})", re.ASCII)
_MAX_ENTRIES = 200


def parse_item_body(body: bytes) -> dict[str, str]:
    """Return the values by key. Raises :class:`UnreadableItemBody` for each way to be wrong."""
    meta, caret, content = body.partition(b"^")
    if not caret:
        raise UnreadableItemBody("the body has no '^' after its list.", code="NoCaretSeperator")
    if not meta:
        raise UnreadableItemBody("the list before '^' is empty.", code="EmptyMeta")
    entries = _entries(meta)
    pieces = _Content.counted(content, max(end for _, _, end in entries))
    values: dict[str, str] = {}
    for key, start, end in entries:
        if key in values:
            raise UnreadableItemBody(f"{key[:80]!r} is listed twice.")
        values[key] = pieces.cut(key, start, end)
    return values


def _entries(meta: bytes) -> list[tuple[str, int, int]]:
    try:
        parts = meta.decode().split("#")
    except UnicodeDecodeError:
        raise UnreadableItemBody("the list before '^' is not UTF-8.") from None
    if len(parts) > _MAX_ENTRIES:
        raise UnreadableItemBody(f"the list has {len(parts)} entries; at most {_MAX_ENTRIES}.")
    return [_entry(part) for part in parts]


def _entry(part: str) -> tuple[str, int, int]:
    found = _ENTRY.fullmatch(part)
    if not found:
        raise UnreadableItemBody(f"{part[:80]!r} is not key,start,end.")
    key, start, end = found[1], int(found[2]), int(found[3])
    if start > end:
        raise UnreadableItemBody(f"{part[:80]!r} ends before it starts.")
    return key, start, end


class _Content:
    """The content, cut by whichever unit the sender counted in."""

    def __init__(self, content: bytes, encoding: str, width: int) -> None:
        self._content, self._encoding, self._width = content, encoding, width

    @classmethod
    def counted(cls, content: bytes, end: int) -> _Content:
        """Find the sender's unit from where the last value ends."""
        if end == len(content) or content.isascii():
            return cls(content, "utf-8", 1)
        try:
            units = content.decode().encode("utf-16-le")
        except UnicodeDecodeError:
            raise UnreadableItemBody(
                "the content is not UTF-8.",
                fix="Run the client with UTF-8 as its default charset (-Dfile.encoding=UTF-8).",
            ) from None
        if 2 * end == len(units):
            return cls(units, "utf-16-le", 2)
        raise UnreadableItemBody(
            f"the last value ends at {end}, but the content has {len(content)} bytes, "
            f"or {len(units) // 2} UTF-16 units."
        )

    def cut(self, key: str, start: int, end: int) -> str:
        """Return the text from ``start`` to ``end``."""
        if end * self._width > len(self._content):
            raise UnreadableItemBody(
                f"{key[:80]!r} ends at {end}, but the content has "
                f"{len(self._content) // self._width}."
            )
        try:
            return self._content[start * self._width : end * self._width].decode(self._encoding)
        except UnicodeDecodeError:
            raise UnreadableItemBody(f"{key[:80]!r} is cut inside a character.") from None

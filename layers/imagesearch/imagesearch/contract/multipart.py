"""The form upload: ``multipart/form-data`` (RFC 7578) with one file."""

from __future__ import annotations

import re
from dataclasses import dataclass

from imagesearch.contract.refusals import MalformedForm

__all__ = ["Form", "parse_form"]

_BOUNDARY = re.compile(r"""boundary=(?:"([^"\r\n]{1,70})"|([^\s;"]{1,70}))""", re.IGNORECASE)
_NAME = re.compile(rb'[;\s]name="([^"\r\n]{0,200})"', re.IGNORECASE)
_MAX_PARTS = 30
_MAX_HEAD = 4096


@dataclass(frozen=True, slots=True)
class Form:
    """The text fields, and the file's bytes."""

    fields: dict[str, str]
    file: bytes


def parse_form(content_type: str, body: bytes) -> Form:
    """Read the form of a content type with its boundary. Raises :class:`MalformedForm`."""
    found = _BOUNDARY.search(content_type)
    if not found:
        raise MalformedForm("the content type has no boundary.")
    parts = _parts(b"\r\n--" + (found[1] or found[2]).encode(), b"\r\n" + body)
    fields: dict[str, str] = {}
    file: bytes | None = None
    for name, content in parts:
        if name in fields or (name == "file" and file is not None):
            raise MalformedForm(f"the form has {name!r} twice.")
        if name == "file":
            file = content
        else:
            fields[name] = _text(name, content)
    if file is None:
        raise MalformedForm("the form has no file.")
    return Form(fields, file)


def _parts(delimiter: bytes, body: bytes) -> list[tuple[str, bytes]]:
    preamble, *pieces = body.split(delimiter, _MAX_PARTS + 1)
    if preamble or len(pieces) < 2 or not pieces[-1].startswith(b"--"):
        raise MalformedForm("the form does not begin and end with its boundary.")
    return [_part(piece) for piece in pieces[:-1]]


def _part(piece: bytes) -> tuple[str, bytes]:
    head, blank, content = piece.partition(b"\r\n\r\n")
    name = _NAME.search(head)
    if not blank or len(head) > _MAX_HEAD or not name:
        raise MalformedForm("a part of the form has no name.")
    return _text("name", name[1]), content


def _text(name: str, content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise MalformedForm(f"form field {name!r} is not UTF-8.") from None

r"""The envelope of small objects: one line of text that says what follows and proves it whole.

::

    imagesearch <kind> <version> <SHA-256 of the body, 64 hex digits> <bytes of the body>\n<body>
"""

from __future__ import annotations

import hashlib

from imagesearch.errors import CorruptObject

__all__ = ["VERSION", "seal", "unseal"]

VERSION = 2
"""Version of the whole layout; docs/index-format.md describes it."""
_LONGEST_LINE = 160


def seal(kind: str, body: bytes) -> bytes:
    """Return ``body`` in an envelope of this kind."""
    digest = hashlib.sha256(body).hexdigest()
    return f"imagesearch {kind} {VERSION} {digest} {len(body)}\n".encode() + body


def unseal(kind: str, key: str, sealed: bytes) -> bytes:
    """Return the body of the object ``key``.

    Raises :class:`CorruptObject`, which names the key and what is wrong.
    """
    line, newline, body = sealed.partition(b"\n") if b"\n" in sealed[:_LONGEST_LINE] else (b"",) * 3
    words = line.decode("ascii", "replace").split(" ")
    if not newline or len(words) != 5 or words[0] != "imagesearch":
        raise CorruptObject(f"{key} does not begin as an object of this index does.")
    if words[1] != kind:
        raise CorruptObject(f"{key} holds a {words[1]}, not a {kind}.")
    if words[2] != str(VERSION):
        raise CorruptObject(
            f"{key} has format version {words[2]}; this software reads version {VERSION}.",
            fix="Use a release that reads that version, or build the instance anew.",
        )
    if str(len(body)) != words[4]:
        raise CorruptObject(f"{key} has {len(body)} bytes of body where it says {words[4]}.")
    if hashlib.sha256(body).hexdigest() != words[3]:
        raise CorruptObject(f"{key} has altered bytes: its SHA-256 does not match.")
    return body

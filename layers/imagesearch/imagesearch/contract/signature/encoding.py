"""The percent-encoding and digests that signatures are made with."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from urllib.parse import quote

__all__ = ["encode", "hmac_sha1", "same"]


# Base64, as it is and encoded once: what nearly all of a long request consists of.
_PICTURE = re.compile(r"[A-Za-z0-9_.~%+/=-]*")


def encode(text: str) -> str:
    """Percent-encode all but the unreserved characters of RFC 3986 section 2.3."""
    if _PICTURE.fullmatch(text):  # five times as fast as quote for a picture of megabytes
        rest = text.replace("%", "%25").replace("+", "%2B")
        return rest.replace("/", "%2F").replace("=", "%3D")
    return quote(text, safe="~")


def hmac_sha1(secret: str, text: str) -> str:
    """Return the Base64 of the HMAC-SHA1 of a text."""
    return base64.b64encode(
        hmac.new(secret.encode(), text.encode(), hashlib.sha1).digest()
    ).decode()


def same(expected: str, given: str) -> bool:
    """Compare two signatures in constant time."""
    return hmac.compare_digest(expected.encode(), given.encode())

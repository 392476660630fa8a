"""JSON that means one thing only: no name twice, no depth without end."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

import msgspec

from imagesearch.errors import InvalidJson

__all__ = ["decode_object"]

# A string, and the colon that makes it a name. Strings hold no bare quote, so that in a text
# that was decoded before every match is a string.
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"[ \t\r\n]*(:?)')


def decode_object(body: bytes) -> dict[str, object]:
    """Decode a JSON object; :class:`InvalidJson` says what is wrong with anything else.

    Programs differ on which of two members of one name counts, so neither does here.
    """
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidJson(f"the body is not JSON: {str(error)[:200]}") from None
    except RecursionError:
        raise InvalidJson(
            "the body is not JSON that is read here: it is nested too deep."
        ) from None
    if not isinstance(found, dict):
        raise InvalidJson(f"the body must be a JSON object, not {type(found).__name__}.")
    if sum(map(bool, _STRING.findall(body))) != _names(found):
        raise InvalidJson(f"{_repeated(body)!r} is given twice in the body.")
    return found


def _names(found: object) -> int:
    if isinstance(found, dict):
        return len(found) + sum(map(_names, found.values()))
    return sum(map(_names, found)) if isinstance(found, list) else 0


def _repeated(body: bytes) -> str:
    """Return the first name that an object has twice, shortened."""
    repeated: list[str] = []

    def note(pairs: Iterable[tuple[str, object]]) -> None:
        names = [name for name, _ in pairs]
        repeated.extend(name for name in names if names.count(name) > 1)

    json.loads(body, object_pairs_hook=note)
    return repeated[0][:80]

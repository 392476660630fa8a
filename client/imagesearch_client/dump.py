"""Records as lines of increment.meta, the form in which they can be read back."""

from __future__ import annotations

import msgspec

from imagesearch_client.answers import Picture
from imagesearch_client.sources import FIELDS

__all__ = ["dump_line"]


def dump_line(picture: Picture) -> bytes:
    """Return a picture as a line of increment.meta; all keys are those of the vendor."""
    given = {name: getattr(picture, name) for name in sorted(FIELDS - {"crop", "region"})}
    given["region"] = ",".join(map(str, picture.region))
    line = {"OperationType": "ADD"}
    line |= {_key(name): value for name, value in given.items() if value is not None}
    return msgspec.json.encode(line) + b"\n"


def _key(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))

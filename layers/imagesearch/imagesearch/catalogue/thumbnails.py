"""Thumbnails: small copies of pictures, kept in packs of as many as one write adds.

A pack is one object below ``Instance.thumbnails``: JPEG files, one behind the other. A picture's
``thumbnail`` says in which pack its own is, where it begins, and how long it is. Packs are never
changed, and an instance's moves between indexes leave them alone.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field

from imagesearch.catalogue.instance import Instance
from imagesearch.catalogue.picture import Picture
from imagesearch.errors import NoSuchObject
from imagesearch.storage import ObjectStore

__all__ = ["Pack", "Place", "read_thumbnail"]

_PLACE = re.compile(r"([0-9a-f]{32})-(\d{1,9})-(\d{1,6})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a thumbnail is: the name of a pack, and which bytes of it."""

    pack: str
    start: int
    length: int

    @classmethod
    def parse(cls, text: str) -> Place | None:
        """Read what :meth:`__str__` writes; ``None`` for anything else."""
        match = _PLACE.fullmatch(text)
        return cls(match[1], int(match[2]), int(match[3])) if match else None

    def __str__(self) -> str:
        """Return the place as ``Picture.thumbnail`` has it."""
        return f"{self.pack}-{self.start}-{self.length}"

    def key(self, instance: Instance) -> str:
        """Return the key of the pack."""
        return f"{instance.thumbnails}{self.pack}"


@dataclass(slots=True)
class Pack:
    """Thumbnails that are written together."""

    name: str = field(default_factory=lambda: secrets.token_hex(16))
    _parts: list[bytes] = field(default_factory=list)
    _size: int = 0

    def add(self, thumbnail: bytes) -> str:
        """Take a thumbnail in and return what its picture's ``thumbnail`` is to say."""
        place = Place(self.name, self._size, len(thumbnail))
        self._parts.append(thumbnail)
        self._size += len(thumbnail)
        return str(place)

    def write(self, store: ObjectStore, instance: Instance) -> None:
        """Store the pack, unless it is empty. Comes before the write that refers to it."""
        if self._parts:
            store.put(f"{instance.thumbnails}{self.name}", b"".join(self._parts))


def read_thumbnail(store: ObjectStore, instance: Instance, picture: Picture) -> bytes:
    """Return a picture's thumbnail, a JPEG file; empty if it has none."""
    place = Place.parse(picture.thumbnail)
    if place is None:
        return b""
    try:
        return store.get_range(place.key(instance), place.start, place.length)
    except NoSuchObject:
        return b""

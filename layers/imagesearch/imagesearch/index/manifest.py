"""The manifest: the one mutable object, which says what the index consists of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import msgspec

from imagesearch.errors import CorruptObject
from imagesearch.index.log import Version
from imagesearch.index.sealed import seal, unseal

__all__ = ["FileInfo", "Manifest", "Mark", "Outpost", "SegmentInfo", "State"]

State = Literal["open", "frozen", "retired"]
"""``frozen``: read as ever, but writes are refused; ``retired``: another index took its place."""


class FileInfo(msgspec.Struct, frozen=True):
    """An object of a segment: its size in bytes and the SHA-256 of all of it, in hex."""

    size: int
    sha256: str


class SegmentInfo(msgspec.Struct, frozen=True):
    """An immutable segment.

    ``rows`` counts its pictures, ``categories`` those of each category, ``clock`` is the newest
    of its rows, ``files`` are its objects by their last name (``meta``, ``b1``, ``i8`` or
    ``usearch``, ``m8``), ``held`` names the engine that holds all its rows, if one does.
    """

    id: str
    rows: int
    clock: int
    categories: dict[int, int]
    files: dict[str, FileInfo]
    held: str = ""


class Outpost(msgspec.Struct, frozen=True):
    """The engine elsewhere that is given every segment before the manifest names it.

    ``name`` is the engine's; ``serving`` tells that searches ask it for the segments it holds;
    ``since`` is the generation in which it was attached: what an engine of this name was given
    for an earlier one may be gone.
    """

    name: str
    serving: bool = False
    since: int = 0


class Mark(msgspec.Struct, frozen=True, array_like=True):
    """At the store's time ``at`` (µs) the floor of every new snapshot was at least ``clock``."""

    clock: int
    at: int


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What an index consists of, at one generation.

    ``index`` is a random identity that every other object repeats. ``clock`` is at least that
    of every write folded so far. Of the log, objects with a clock of at most ``low_water`` and
    those named in ``folded`` are in the segments already (or were rolled back), with every
    earlier copy of the same operation; all others count in full. ``tombs`` names the object
    with the dead rows, if there are any, and ``dead`` counts them. ``swept`` is when (store's
    time, µs) garbage was last collected. ``state`` tells whether the index may be written and
    read, or was left for another one. ``outpost`` is the engine elsewhere, if there is one.
    """

    index: str
    model: str
    generation: int
    clock: int = 0
    low_water: int = 0
    folded: tuple[str, ...] = ()
    segments: tuple[SegmentInfo, ...] = ()
    dead: dict[str, int] = {}
    tombs: str = ""
    marks: tuple[Mark, ...] = ()
    swept: int = 0
    state: State = "open"
    outpost: Outpost | None = None

    @property
    def attached(self) -> tuple[str, int] | None:
        """Return which engine elsewhere is attached, and since when."""
        return (self.outpost.name, self.outpost.since) if self.outpost else None

    def encode(self) -> bytes:
        """Return the manifest's bytes."""
        return seal("manifest", msgspec.json.format(msgspec.json.encode(self), indent=1))

    @classmethod
    def decode(cls, key: str, data: bytes) -> Manifest:
        """Read the object ``key``; :class:`CorruptObject` unless it is whole."""
        try:
            return _manifest.decode(unseal("manifest", key, data))
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise CorruptObject(f"{key} is not a manifest: {error}.") from None

    def tail(self, names: Iterable[str]) -> list[Version]:
        """Return those of the listed log objects that no segment holds yet, oldest first.

        An earlier copy of an operation that was folded says nothing new, and if a rollback has
        undone that operation it must not come back by it.
        """
        folded = frozenset(self.folded)
        versions = (Version.parse(name) for name in sorted(names) if name not in folded)
        tail = [found for found in versions if found and found.clock > self.low_water]
        if not tail or tail[0].clock > self.clock:
            return tail
        last = {name[21:]: name for name in sorted(folded)}
        return [found for found in tail if last.get(found.name[21:], "") < found.name]


# Made at import: msgspec crashes when several threads use a struct for the first time at once.
_manifest = msgspec.json.Decoder(Manifest)


@dataclass(frozen=True, slots=True)
class Held:
    """A manifest, and the ETag and bytes of the object it was read from."""

    manifest: Manifest
    etag: str
    body: bytes

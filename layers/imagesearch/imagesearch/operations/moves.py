"""What is noted about moves of an instance to another model bundle, so that one can go on or back.

Everything lies below ``Instance.moves``: which index holds the vectors of which bundle, which
switches were made, who is at work, and which looks of two indexes are of the same picture.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import msgspec

from imagesearch.catalogue import Instance, PictureKey
from imagesearch.errors import Conflict, LostRace, NoSuchObject
from imagesearch.index import Features
from imagesearch.storage import ObjectStore

__all__ = ["Look", "Moves", "look_of"]

Look = tuple[str, str]
"""An index's name and the digest of a row in it."""


class _Notes(msgspec.Struct, frozen=True, kw_only=True):
    """``indexes`` gives the index of each bundle, ``switches`` the bundles in force, in order."""

    indexes: dict[str, str]
    switches: tuple[str, ...]


_Pair = tuple[str, str, Look, Look]


def look_of(index: str, features: Features) -> Look:
    """Name the look that a picture has in an index."""
    return index, hashlib.blake2b(features.row.tobytes(), digest_size=12).hexdigest()


@dataclass(frozen=True, slots=True)
class Moves:
    """The notes on one instance's moves."""

    store: ObjectStore
    instance: Instance

    def index_of(self, model: str) -> str:
        """Return the name of the index for a bundle's vectors; a new one is noted at once."""
        notes = self._notes()
        if model not in notes.indexes:
            fresh = f"{self.instance.incarnation}-{len(notes.indexes)}{secrets.token_hex(3)}"
            notes = _Notes(indexes={**notes.indexes, model: fresh}, switches=notes.switches)
            self._keep(notes)
        return notes.indexes[model]

    def others(self) -> dict[str, str]:
        """Return the bundle and the name of every index that is not in force."""
        used = self.instance.index
        return {m: index for m, index in self._notes().indexes.items() if index != used}

    def before(self) -> str | None:
        """Return the bundle that was in force before the last switch, if there was one."""
        switches = self._notes().switches
        return switches[-2] if len(switches) > 1 else None

    def switched(self, model: str, *, back: bool) -> None:
        """Note that ``model`` is in force now."""
        notes = self._notes()
        kept = notes.switches[:-2] if back else notes.switches
        self._keep(_Notes(indexes=notes.indexes, switches=(*kept, model)))

    def clear(self) -> None:
        """Forget everything but the index that is in force, and the engines."""
        keys = {info.key for info in self.store.list(self._prefix)}
        self.store.delete(sorted(keys - {self._engines}))

    @property
    def engines(self) -> dict[str, str]:
        """Return the engines elsewhere that may hold something, and the prefix of which index."""
        return self._noted_engines()[0]

    def change_engines(self, change: Callable[[dict[str, str]], Mapping[str, str]]) -> None:
        """Note what ``change`` makes of :attr:`engines`.

        Raises :class:`Conflict` if somebody else has changed them at the same moment.
        """
        engines, etag = self._noted_engines()
        body = msgspec.json.encode(change(engines), order="sorted")
        try:
            if etag:
                self.store.compare_and_swap(self._engines, body, etag)
            else:
                self.store.put_if_absent(self._engines, body)
        except LostRace:
            raise Conflict(
                f"somebody else is handing over instance {self.instance.name!r} at this moment.",
                fix=f"See how far that is: imagesearch handover {self.instance.name} --status. "
                "Then say the same again, if it is still to be done.",
            ) from None

    def _noted_engines(self) -> tuple[dict[str, str], str]:
        """Return the engines that are noted, and the ETag of the note; empty if there is none."""
        try:
            found = self.store.get(self._engines)
        except NoSuchObject:
            return {}, ""
        return msgspec.json.decode(found.body, type=dict[str, str]), found.etag

    def pairs(self) -> dict[PictureKey, set[frozenset[Look]]]:
        """Return which looks of a picture in two indexes are of the same picture file."""
        found: dict[PictureKey, set[frozenset[Look]]] = {}
        for info in self.store.list(f"{self._prefix}pairs/"):
            for product_id, pic_name, *looks in msgspec.msgpack.decode(
                self.store.get(info.key).body, type=list[_Pair]
            ):
                found.setdefault(PictureKey(product_id, pic_name), set()).add(frozenset(looks))
        return found

    def note_pairs(self, pairs: Iterable[tuple[PictureKey, Look, Look]]) -> None:
        """Note that these looks are of the same picture files."""
        body = msgspec.msgpack.encode([(*key, ours, theirs) for key, ours, theirs in pairs])
        name = f"{time.time_ns():020d}{secrets.token_hex(4)}"
        self.store.put(f"{self._prefix}pairs/{name}", body)

    def begin(self) -> None:
        """Become the only one who moves the instance; :class:`Conflict` if somebody else does."""
        try:
            self.store.put_if_absent(self._running, secrets.token_hex(8).encode())
        except LostRace:
            raise Conflict(
                f"somebody moves instance {self.instance.name!r} to another bundle already.",
                fix="Wait for it; if it was interrupted: imagesearch reindex --cancel.",
            ) from None

    @property
    def under_way(self) -> bool:
        """Tell whether somebody moves the instance, or was interrupted at it."""
        try:
            self.store.head(self._running)
        except NoSuchObject:
            return False
        return True

    def end(self) -> None:
        """Let somebody else move the instance."""
        self.store.delete([self._running])

    @property
    def _prefix(self) -> str:
        return self.instance.moves

    @property
    def _engines(self) -> str:
        return f"{self._prefix}engines.json"

    @property
    def _running(self) -> str:
        return f"{self._prefix}running"

    def _notes(self) -> _Notes:
        try:
            body = self.store.get(f"{self._prefix}notes.json").body
        except NoSuchObject:
            model = self.instance.model
            return _Notes(indexes={model: self.instance.index}, switches=(model,))
        return msgspec.json.decode(body, type=_Notes)

    def _keep(self, notes: _Notes) -> None:
        self.store.put(f"{self._prefix}notes.json", msgspec.json.encode(notes))

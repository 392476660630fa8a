"""Changing the manifest: the write that everything else in an index's upkeep comes down to."""

from __future__ import annotations

import hashlib
import secrets
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

import msgspec

from imagesearch.errors import EngineUnavailable, LostRace
from imagesearch.index.filling import fill, rows_of_draft
from imagesearch.index.keys import Keys
from imagesearch.index.manifest import FileInfo, Held, Manifest, SegmentInfo
from imagesearch.index.outposts import Outposts
from imagesearch.index.policy import Policy
from imagesearch.index.reader import Reader
from imagesearch.index.segment import Draft
from imagesearch.index.tombs import Tombs
from imagesearch.storage import ObjectStore

__all__ = ["Keeper"]


@dataclass(frozen=True, slots=True)
class Keeper:
    """What the upkeep of one index works with."""

    store: ObjectStore
    keys: Keys
    reader: Reader
    policy: Policy
    outposts: Outposts

    def commit(self, held: Held, after: Manifest) -> bool:
        """Put the next manifest in force; false if somebody else was first.

        The one it replaces is kept in the history first, so that every generation is in there
        once it has been replaced, and none that never was in force.
        """
        now = held.manifest.generation
        with suppress(LostRace):  # if other bytes are there, scrub will tell
            self.store.put_if_absent(self.keys.history(now), held.body)
        try:
            self.store.compare_and_swap(
                self.keys.manifest,
                msgspec.structs.replace(after, generation=now + 1).encode(),
                held.etag,
            )
        except LostRace:
            return False
        return True

    def put_segment(self, manifest: Manifest, draft: Draft) -> SegmentInfo:
        """Write a segment's files, fill the engine elsewhere, and return what the segment is."""
        name = _new_name(manifest)
        files = draft.files(
            manifest.index, name, graph=self.policy.wants_graph(len(draft.pictures))
        )
        for file, data in files.items():
            self.store.put(self.keys.segment(name, file), data)
        return _described(name, draft, files, self._filled(manifest, name, draft))

    def _filled(self, manifest: Manifest, segment: str, draft: Draft) -> str:
        """Fill the engine elsewhere, if there is one, and return which then holds the segment.

        If it cannot be filled, none does: the segment is searched here until somebody fills it.
        """
        if manifest.outpost is None:
            return ""
        try:
            engine = self.outposts.engine(manifest.outpost.name)
            fill(engine, rows_of_draft(segment, draft), self.policy.parallel)
        except EngineUnavailable:
            self.outposts.refused += 1
            return ""
        return engine.name

    def put_tombs(self, manifest: Manifest, tombs: Tombs) -> Manifest:
        """Write the tombstones, if they have changed, and return the manifest that names them."""
        dead = {segment: int(rows.size) for segment, rows in sorted(tombs.dead.items())}
        if not tombs:
            return msgspec.structs.replace(manifest, dead=dead, tombs="")
        name = _new_name(manifest)
        self.store.put(self.keys.tombs(name), tombs.encode(manifest.index, name))
        return msgspec.structs.replace(manifest, dead=dead, tombs=name)


def _new_name(manifest: Manifest) -> str:
    """Return a name that no object ever had, so that none waiting to be deleted is reused."""
    return f"{manifest.generation + 1:012d}-{secrets.token_hex(8)}"


def _described(name: str, draft: Draft, files: Mapping[str, bytes], held: str) -> SegmentInfo:
    return SegmentInfo(
        name,
        len(draft.pictures),
        int(draft.versions[:, 0].max()),
        dict(sorted(Counter(picture.category_id for picture in draft.pictures).items())),
        {
            file: FileInfo(len(data), hashlib.sha256(data).hexdigest())
            for file, data in files.items()
        },
        held,
    )

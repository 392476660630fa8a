"""One consistent state of an index: segments, what of them is hidden, and the log's tail."""

from __future__ import annotations

import heapq
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from imagesearch.catalogue import Picture, PictureKey
from imagesearch.catalogue.filter import Filter
from imagesearch.errors import CorruptObject
from imagesearch.index.block import Block, TailBlock
from imagesearch.index.changes import Changes
from imagesearch.index.engine import HeldRow
from imagesearch.index.log import Entry, Version
from imagesearch.index.manifest import Manifest, SegmentInfo
from imagesearch.index.numbers import ascending, count_distinct
from imagesearch.index.segment import Segment
from imagesearch.index.shelf import Shelf
from imagesearch.index.table import Run, key_hashes
from imagesearch.index.tail import Tail, Write
from imagesearch.index.tombs import Deletions, Tombs

__all__ = ["View"]


class View:
    """An immutable state.

    ``damage`` is what keeps a part of the log from being known; ``misses`` tells that the damage
    is an object that ought to be in the log and is not.
    """

    def __init__(
        self,
        manifest: Manifest,
        tail: Tail,
        shelf: Shelf,
        *,
        damage: CorruptObject | None = None,
        misses: bool = False,
    ) -> None:
        self.manifest = manifest
        self.tail = tail
        self.damage = damage
        self.misses = misses
        self.shelf = shelf
        self._hidden: dict[str, NDArray[np.int64]] = {}
        self._changes_of: dict[str, tuple[dict[PictureKey, Write], NDArray[np.int64]]] = {}

    @cached_property
    def tombs(self) -> Tombs:
        """Return what is dead in the segments without regard to the tail."""
        return self.shelf.tombs(self.manifest)

    @cached_property
    def deletions(self) -> Deletions:
        """Return the deletions of the tail and those before it that still may matter."""
        return self.tombs.deletions.merged(self.tail.deletions)

    @cached_property
    def changes(self) -> Changes:
        """Return the changes of the tail and those before it that still may matter."""
        return self.tombs.changes.merged(self.tail.changes)

    @cached_property
    def writes(self) -> dict[PictureKey, Write]:
        """Return the pictures that the tail adds or changes, as they are by now."""
        writes = dict(self._added)
        for segment in self.segments() if self.tail.changes else ():
            writes |= self._changed(segment)[0]
        return writes

    @cached_property
    def _added(self) -> dict[PictureKey, Write]:
        """Return the pictures that the tail adds, as they are by now."""
        if not self.changes:
            return self._standing
        return {
            key: replace(write, entry=self.changes.applied(write.entry, write.version))
            for key, write in self._standing.items()
        }

    def _changed(self, segment: Segment) -> tuple[dict[PictureKey, Write], NDArray[np.int64]]:
        """Return the pictures of a segment that the tail changes, and all its hidden rows."""
        if segment.id not in self._changes_of:
            hidden, rows, changed = self._overruled(segment), [], {}
            found = segment.table.locate(list(self.tail.changes.settings))
            places = np.setdiff1d(found[found >= 0], hidden)
            for row, entry in zip(places.tolist(), segment.entries(places), strict=True):
                version = segment.table.version(row)
                new = self.changes.applied(entry, version)
                if new is not entry:
                    changed[new.picture.key] = Write(version, new)
                    rows.append(row)
            both = np.concatenate([hidden, np.array(rows, np.int64)])
            self._changes_of[segment.id] = changed, ascending(both)
        return self._changes_of[segment.id]

    @cached_property
    def _standing(self) -> dict[PictureKey, Write]:
        """Return the tail's entries that count: not deleted nor replaced by a later one."""
        self.check()
        writes = {
            key: write
            for key, write in self.tail.writes.items()
            if not self.deletions.hides(key, write.version)
        }
        # A write can arrive after a later one was folded; only then has a segment a newer row.
        late = [k for k, w in writes.items() if w.version.clock <= self.manifest.clock]
        for key, version in self._folded_versions(late):
            if key in writes and version > writes[key].version:
                del writes[key]
        return writes

    def _folded_versions(self, keys: Sequence[PictureKey]) -> Iterator[tuple[PictureKey, Version]]:
        """Yield when segments say that some pictures were written, dead rows included."""
        for segment in self.segments() if keys else ():
            table = segment.table
            for key, row in zip(keys, table.locate(keys).tolist(), strict=True):
                if row >= 0:
                    yield key, table.version(row)

    @cached_property
    def _tail_block(self) -> TailBlock:
        return TailBlock(self._added.values())

    def check(self) -> None:
        """Raise what is damaged in the log, since no answer without it would be right."""
        if self.damage:
            raise self.damage

    def segment(self, info: SegmentInfo) -> Segment:
        """Return a segment, opened."""
        return self.shelf.segment(self.manifest.index, info)

    def segments(
        self,
        category_id: int | None = None,
        *,
        tables_only: bool = True,
        among: Iterable[SegmentInfo] | None = None,
    ) -> list[Segment]:
        """Return the segments that have pictures of a category (``None`` is any), made ready.

        They are all those of the manifest, or some that are given.
        """
        found = [
            self.segment(info)
            for info in (self.manifest.segments if among is None else among)
            if category_id is None or category_id in info.categories
        ]
        self.shelf.prepare(found, tables_only=tables_only)
        return found

    def blocks(
        self,
        category_id: int | None = None,
        *,
        tables_only: bool = True,
        among: Iterable[SegmentInfo] | None = None,
    ) -> Iterator[tuple[Block, NDArray[np.int64]]]:
        """Yield everything to go through, with the rows of it that are hidden, ascending."""
        yield from self.folded(category_id, tables_only=tables_only, among=among)
        if self._added:
            yield self._tail_block, np.zeros(0, np.int64)

    def folded(
        self,
        category_id: int | None = None,
        *,
        tables_only: bool = True,
        among: Iterable[SegmentInfo] | None = None,
    ) -> Iterator[tuple[Block, NDArray[np.int64]]]:
        """Yield the same without the pictures that the tail adds."""
        for segment in self.segments(category_id, tables_only=tables_only, among=among):
            yield segment, self.hidden(segment)
            if self.tail.changes and (changed := self._changed(segment)[0]):
                yield TailBlock(changed.values()), np.zeros(0, np.int64)

    def prepare_meanings(self, category_id: int | None = None) -> None:
        """Make the meanings of a category's pictures ready (``None`` is any)."""
        self.shelf.prepare_meanings(self.segments(category_id))

    def hidden(self, segment: Segment) -> NDArray[np.int64]:
        """Return a segment's rows that are deleted, replaced or changed, ascending."""
        return self._changed(segment)[1] if self.tail.changes else self._overruled(segment)

    def _overruled(self, segment: Segment) -> NDArray[np.int64]:
        """Return a segment's rows that are deleted or replaced, ascending."""
        if segment.id not in self._hidden:
            rows = [self.tombs.of(segment.id), *self._hidden_by_tail(segment)]
            self._hidden[segment.id] = ascending(np.concatenate(rows))
        return self._hidden[segment.id]

    def _hidden_by_tail(self, segment: Segment) -> Iterator[NDArray[np.int64]]:
        self.check()
        table = segment.table
        keys, versions, hashes = self._newer
        rows = table.locate(keys, hashes)
        older = [
            int(rows[i])
            for i in np.flatnonzero(rows >= 0).tolist()
            if table.version(int(rows[i])) < versions[i]
        ]
        yield np.array(older, np.int64)
        for product_id, version in self.tail.deletions.products.items():
            rows = table.rows_of_product(product_id)
            yield rows[[table.version(row) < version for row in rows.tolist()]]

    @cached_property
    def _newer(self) -> tuple[list[PictureKey], list[Version], NDArray[np.uint32]]:
        """Return the keys that the tail writes or deletes, when, and their hashes."""
        writes, deletions = self.tail.writes, self.tail.deletions.pictures
        keys = [*writes, *deletions]
        versions = [*(write.version for write in writes.values()), *deletions.values()]
        return keys, versions, key_hashes(keys)

    def hides(self, row: HeldRow) -> bool:
        """Tell whether a row that an engine holds is dead, deleted or replaced."""
        dead = self.tombs.of(row.segment)
        place = int(np.searchsorted(dead, row.row))
        if place < dead.size and int(dead[place]) == row.row:
            return True
        key, version = row.picture.key, row.version
        standing = self.tail.writes.get(key)
        newer = standing is not None and standing.version > version
        return newer or self.tail.deletions.hides(key, version)

    def _is_overruled(self, segment: Segment, row: int) -> bool:
        hidden = self._overruled(segment)
        place = int(np.searchsorted(hidden, row))
        return place < hidden.size and int(hidden[place]) == row

    @cached_property
    def pictures(self) -> int:
        """Return the number of pictures."""
        self.check()
        if not self.tail.names:
            return sum(
                info.rows - self.manifest.dead.get(info.id, 0) for info in self.manifest.segments
            )
        return len(self._added) + sum(len(s) - self._overruled(s).size for s in self.segments())

    @cached_property
    def products(self) -> int:
        """Return the number of products."""
        return count_distinct([*self._products()])

    def _products(self) -> Iterator[NDArray[np.uint64]]:
        for block, hidden in self.blocks():
            yield block.distinct_products(np.delete(np.arange(len(block)), hidden))

    def find(self, key: PictureKey, *, meaning: bool = True) -> Entry | None:
        """Return one picture and its look, or ``None``; without ``meaning`` that may be left out.

        A meaning costs a request to the store, unless all of its segment's were prepared.
        """
        if key in self._added:
            return self._added[key].entry
        for segment in self.segments():
            row = int(segment.table.locate([key])[0])
            if row >= 0 and not self._is_overruled(segment, row):
                entry = segment.entries(np.array([row]), meanings=meaning)[0]
                return self.changes.applied(entry, segment.version(row))
        return None

    def find_all(
        self, keys: Sequence[PictureKey], *, meaning: bool = True
    ) -> dict[PictureKey, Entry]:
        """Return those of some pictures that there are, by key."""
        found = ((key, self.find(key, meaning=meaning)) for key in keys)
        return {key: entry for key, entry in found if entry}

    def of_product(self, product_id: str) -> list[PictureKey]:
        """Return the keys of a product's pictures, in order."""
        return [key for key, _ in self.written(product_id)]

    def written(self, product_id: str) -> list[tuple[PictureKey, Version]]:
        """Return the keys of a product's pictures, in order, and when each was written."""
        found = [
            (key, write.version)
            for key, write in self._added.items()
            if key.product_id == product_id
        ]
        for segment in self.segments():
            rows = segment.table.rows_of_product(product_id)
            rows = np.setdiff1d(rows, self._overruled(segment))
            found += [(segment.key_of(row), segment.table.version(row)) for row in rows.tolist()]
        return sorted(found)

    def matching(
        self, filter: Filter | None, *, after: PictureKey | None = None, limit: int = 100
    ) -> list[Picture]:
        """Return the first pictures after a key that pass a filter, in the order of keys."""
        return [block.picture(row) for block, row in islice(self._listed(filter, after), limit)]

    def lacking(
        self, *, after: PictureKey | None = None, limit: int = 100
    ) -> list[tuple[Picture, Version]]:
        """Return the first pictures after a key that have no meaning, and their versions."""
        found = islice(self._listed(None, after, lacking=True), limit)
        return [(block.picture(row), block.version(row)) for block, row in found]

    def _listed(
        self, filter: Filter | None, after: PictureKey | None, *, lacking: bool = False
    ) -> Iterator[tuple[Block, int]]:
        """Yield rows in the order of keys; with ``lacking`` only those without a meaning."""
        runs = [
            _listed(block, hidden, filter, after, run, lacking=lacking)
            for block, hidden in self.blocks()
            for run in block.runs
        ]
        for _, block, row in heapq.merge(*runs, key=lambda place: place[0]):
            yield block, row


def _listed(
    block: Block,
    hidden: NDArray[np.int64],
    filter: Filter | None,
    after: PictureKey | None,
    run: Run,
    *,
    lacking: bool,
) -> Iterator[tuple[PictureKey, Block, int]]:
    """Yield the pictures of one category after a key, in order."""
    start, end = run.start, run.end
    if after is not None:
        rows: Sequence[int] = range(start, end)
        start += bisect_right(rows, after, key=block.key_of)
    mask = passing(block, hidden, filter, start, end)
    if lacking:
        unknown = ~block.meant[start:end]
        mask = unknown if mask is None else mask & unknown
    for row in range(start, end) if mask is None else (start + np.flatnonzero(mask)).tolist():
        yield block.key_of(row), block, row


def passing(
    block: Block, hidden: NDArray[np.int64], filter: Filter | None, start: int, end: int
) -> NDArray[np.bool_] | None:
    """Return which of some rows are alive and pass the filter; ``None`` means all of them."""
    mask = filter.mask(block.columns(start, end)) if filter else None
    first, last = np.searchsorted(hidden, [start, end])
    if first < last:
        mask = np.ones(end - start, np.bool_) if mask is None else mask
        mask[hidden[first:last] - start] = False
    return mask

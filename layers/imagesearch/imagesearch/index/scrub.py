"""Scrubbing: every object of an index is read, checked, and accounted for."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from imagesearch.errors import CorruptObject, ImageSearchError, NoSuchObject
from imagesearch.index.collect import referred
from imagesearch.index.features import DIMENSIONS, bits_of, squares_of
from imagesearch.index.files import File, check_file
from imagesearch.index.graph import HEADER
from imagesearch.index.keeper import Keeper
from imagesearch.index.log import LogObject, Version
from imagesearch.index.manifest import Manifest, SegmentInfo
from imagesearch.index.scan import codes_of
from imagesearch.index.table import Table
from imagesearch.index.tombs import Tombs
from imagesearch.storage import ObjectInfo

__all__ = ["Problem", "Scrubbed", "scrub"]

_RESTORE = "Restore the object from the bucket's versions"
_LOG_FIX = (
    f"{_RESTORE}; if there is none, roll back to the last generation, which undoes everything "
    "still in the log, and repeat those writes."
)
_SEGMENT_FIX = f"{_RESTORE}, or roll back to a generation that does not need it."
_HISTORY_FIX = "Delete it: only rolling back to this generation needs it."
_STRAY_FIX = "Delete it, unless you put it there on purpose; nothing reads it."


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is not as it should be: the object, what is wrong, and what to do."""

    key: str
    what: str
    fix: str


@dataclass(frozen=True, slots=True)
class Scrubbed:
    """What a scrub found.

    ``objects`` and ``bytes`` count what was read. ``orphans`` are files that nothing refers to:
    no harm, collected in time.
    """

    objects: int
    bytes: int
    problems: tuple[Problem, ...]
    orphans: tuple[str, ...]


def scrub(keeper: Keeper) -> Scrubbed:
    """Read and check every object below the index's prefix.

    Raises only when the manifest itself cannot be read; all else is reported.
    """
    # Listed first: what is collected after the manifest was read would seem to be missing.
    work = _Scrub(keeper, {info.key: info for info in keeper.store.list(keeper.keys.prefix)})
    work.check(keeper.reader.manifest().manifest)
    return Scrubbed(work.objects, work.bytes, tuple(work.problems), tuple(work.orphans))


class _Scrub:
    def __init__(self, keeper: Keeper, listed: dict[str, ObjectInfo]) -> None:
        self._store = keeper.store
        self._keys = keeper.keys
        self._keeper = keeper
        self._listed = listed
        self.objects = 0
        self.bytes = 0
        self.problems: list[Problem] = []
        self.orphans: list[str] = []

    def check(self, manifest: Manifest) -> None:
        """Check everything, beginning with what is in force."""
        living = Counter[bytes]()
        tombs = self._tombs(manifest)
        for info in manifest.segments:
            try:
                living += self._segment(manifest, info, tombs)
            except ImageSearchError as error:
                self._problem(self._keys.segment(info.id, "*"), error.detail, _SEGMENT_FIX)
        for key, times in living.items():
            if times > 1:
                self._problem(self._keys.manifest, f"{key!r} is alive {times} times.", _SEGMENT_FIX)
        self._log(manifest)
        wanted = {*referred(self._keeper, manifest), *self._histories(manifest)}
        self._strays(wanted)

    def _read(self, key: str) -> bytes:
        try:
            data = self._store.get(key).body
        except NoSuchObject:
            raise CorruptObject(f"{key} is missing.") from None
        self.objects += 1
        self.bytes += len(data)
        return data

    def _tombs(self, manifest: Manifest) -> Tombs:
        if not manifest.tombs:
            return Tombs()
        key = self._keys.tombs(manifest.tombs)
        try:
            tombs = Tombs.decode(key, self._read(key), index=manifest.index, id=manifest.tombs)
        except CorruptObject as error:
            self._problem(key, error.detail, _SEGMENT_FIX)
            return Tombs()
        counted = {name: rows.size for name, rows in tombs.dead.items()}
        if counted != manifest.dead:
            self._problem(key, "it does not count the dead as the manifest does.", _SEGMENT_FIX)
        return tombs

    def _segment(self, manifest: Manifest, info: SegmentInfo, tombs: Tombs) -> Counter[bytes]:
        """Check a segment's files, and them against each other; return its living keys."""
        data = {}
        for name, file in self._files(info):
            data[name] = self._read(file.key)
            check_file(file.key, data[name], file.info)
        key = self._keys.segment(info.id, "meta")
        table = Table(key, memoryview(data["meta"]), index=manifest.index, segment=info.id)
        looks = data["usearch"][HEADER:] if "usearch" in data else data["i8"]
        rows = np.frombuffer(looks, np.int8, info.rows * DIMENSIONS).reshape(-1, DIMENSIONS)
        if [zlib.crc32(row.data) for row in rows] != table.row_crc.tolist():
            raise CorruptObject(f"{key} has other checksums than its rows.")
        if not np.array_equal(squares_of(rows), table.square):
            raise CorruptObject(f"{key} has other lengths than its rows.")
        if codes_of(bits_of(rows)).tobytes() != data["b1"] or len(table) != info.rows:
            raise CorruptObject(
                f"{self._keys.segment(info.id, 'b1')} does not follow from the rows."
            )
        self._meanings(key, table, data.get("m8", b""))
        alive = np.delete(np.arange(info.rows), tombs.of(info.id))
        return Counter("\0".join(table.key_of(row)).encode() for row in alive.tolist())

    def _meanings(self, key: str, table: Table, data: bytes) -> None:
        """Check the meanings of a segment against its table."""
        rows = np.frombuffer(data, np.int8, len(data) // DIMENSIONS * DIMENSIONS)
        rows = rows.reshape(-1, DIMENSIONS)
        checksums = np.array([zlib.crc32(row.data) for row in rows], np.uint32)
        whole = len(data) == int(table.meant.sum()) * DIMENSIONS
        whole &= np.array_equal(checksums, table.meaning_column("meaning_crc"))
        whole &= np.array_equal(squares_of(rows), table.meaning_column("meaning_square"))
        if not whole:
            raise CorruptObject(f"{key} has other checksums than its meanings.")

    def _files(self, info: SegmentInfo) -> Iterator[tuple[str, File]]:
        for name, file in info.files.items():
            yield name, File(self._keys.segment(info.id, name), file)

    def _log(self, manifest: Manifest) -> None:
        """Check the log objects that still count, and that none of them came after a lost one."""
        names = [key.removeprefix(self._keys.logs) for key in self._under(self._keys.logs)]
        accounted = {*names, *manifest.folded}
        for version in manifest.tail(names):
            key = self._keys.log(version.name)
            try:
                found = LogObject.decode(key, self._read(key), index=manifest.index)
            except CorruptObject as error:
                self._problem(key, error.detail, _LOG_FIX)
                continue
            before = Version.parse(found.previous)
            if before and before.clock > manifest.low_water and before.name not in accounted:
                lost = self._keys.log(before.name)
                self._problem(lost, f"it is missing; {key} came after it.", _LOG_FIX)

    def _histories(self, manifest: Manifest) -> Iterator[str]:
        """Check the earlier manifests; yield what they refer to."""
        for key in self._under(self._keys.histories):
            try:
                found = Manifest.decode(key, self._read(key))
            except CorruptObject as error:
                self._problem(key, error.detail, _HISTORY_FIX)
                continue
            if found.index != manifest.index or key != self._keys.history(found.generation):
                self._problem(key, "it is another index's or generation's.", _HISTORY_FIX)
                continue
            needed = [*referred(self._keeper, found)]
            yield from needed
            for lost in sorted({*needed} - self._listed.keys()):
                self._problem(lost, f"it is missing; {key} refers to it.", _HISTORY_FIX)

    def _strays(self, wanted: set[str]) -> None:
        """Note what nothing refers to, and what does not belong here at all."""
        own = {self._keys.manifest, self._keys.pulse, *self._under(self._keys.histories)}
        own |= {*self._under(self._keys.queries)}
        for key in sorted(self._listed.keys() - wanted - own):
            name = key.removeprefix(self._keys.logs)
            if key.startswith((self._keys.segments, self._keys.all_tombs)):
                self.orphans.append(key)
            elif name == key or Version.parse(name) is None:
                self._problem(key, "it is no object of an index.", _STRAY_FIX)

    def _under(self, prefix: str) -> Iterable[str]:
        return sorted(key for key in self._listed if key.startswith(prefix))

    def _problem(self, key: str, what: str, fix: str) -> None:
        self.problems.append(Problem(key, what, fix))

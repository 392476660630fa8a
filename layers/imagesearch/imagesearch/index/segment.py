"""A segment: an immutable set of pictures in a few files, each opened when it is first needed."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from imagesearch.catalogue import Picture, PictureKey
from imagesearch.catalogue.filter import Columns
from imagesearch.errors import CorruptObject
from imagesearch.index.block import Places
from imagesearch.index.features import BIT_BYTES, DIMENSIONS, Features
from imagesearch.index.files import File, Files
from imagesearch.index.graph import HEADER, Graph, build_graph
from imagesearch.index.keys import Keys
from imagesearch.index.log import Entry, Version
from imagesearch.index.manifest import SegmentInfo
from imagesearch.index.parallel import each
from imagesearch.index.scan import WORDS, codes_of
from imagesearch.index.sections import Column
from imagesearch.index.table import Run, Table, build_table, product_hash, row_order

__all__ = ["FEW_ROWS", "Draft", "Segment"]

FEW_ROWS = 256
"""Rows that are rather read one by one than waited for."""
_READS = 32
"""Single rows that are read at once."""


@dataclass(frozen=True, slots=True)
class Draft:
    """Pictures that are to become a segment: n of them, in :func:`row_order`.

    ``versions`` (n, 2) uint64, ``rows`` (n, 512) int8, ``codes`` (8, n) uint64, ``meant`` (n,)
    which pictures' meaning is known, and ``meanings`` (m, 512) int8 those.
    """

    pictures: Sequence[Picture]
    versions: NDArray[np.uint64]
    rows: NDArray[np.int8]
    codes: NDArray[np.uint64]
    meant: NDArray[np.bool_]
    meanings: NDArray[np.int8]

    @classmethod
    def of(cls, writes: Iterable[tuple[Version, Entry]]) -> Draft:
        """Return the draft of these pictures, given in any order; at least one."""
        listed = list(writes)
        ordered = [listed[i] for i in row_order([entry.picture for _, entry in listed])]
        return cls(
            [entry.picture for _, entry in ordered],
            np.array([tuple(version) for version, _ in ordered], np.uint64),
            np.stack([entry.features.row for _, entry in ordered]),
            codes_of(np.stack([entry.features.bits for _, entry in ordered])),
            np.array([entry.meaning is not None for _, entry in ordered], np.bool_),
            _stacked([entry.meaning for _, entry in ordered if entry.meaning is not None]),
        )

    def files(self, index: str, segment: str, *, graph: bool) -> dict[str, bytes]:
        """Return the segment's files by their last name."""
        table = build_table(
            index, segment, self.pictures, self.versions, self.rows, self.meant, self.meanings
        )
        files = {"meta": table, "b1": self.codes.tobytes()}
        files |= {"usearch": build_graph(self.rows)} if graph else {"i8": self.rows.tobytes()}
        return files | ({"m8": self.meanings.tobytes()} if self.meant.any() else {})


class Segment:
    """An opened segment, as a :class:`~imagesearch.index.block.Block`.

    ``meta`` is the file of its row table, ``b1`` that of its codes, ``looks`` that of its rows
    and ``m8`` that of its meanings, if there are any.
    """

    def __init__(self, index: str, info: SegmentInfo, files: Files, keys: Keys) -> None:
        self.id = info.id
        self._index = index
        self._size = info.rows
        self._files = files
        self._has_graph = "usearch" in info.files
        looks = "usearch" if self._has_graph else "i8"
        self.meta, self.b1, self.looks = (
            File(keys.segment(info.id, name), info.files[name]) for name in ("meta", "b1", looks)
        )
        self._first_row = HEADER if self._has_graph else 0
        self.m8 = None
        if "m8" in info.files:
            self.m8 = File(keys.segment(info.id, "m8"), info.files["m8"])

    def __len__(self) -> int:
        return self._size

    @cached_property
    def table(self) -> Table:
        """Return the row table."""
        file = self._files.open(self.meta)
        table = Table(self.meta.key, file, index=self._index, segment=self.id)
        if len(table) != self._size:
            raise CorruptObject(f"{self.meta.key} has {len(table)} rows, not {self._size}.")
        return table

    @cached_property
    def codes(self) -> NDArray[np.uint64]:
        """Return the sign bits as words, (8, n)."""
        file = self._files.open(self.b1)
        _check_size(self.b1.key, file, self._size * BIT_BYTES)
        return np.frombuffer(file, "<u8").reshape(WORDS, -1)

    @property
    def squares(self) -> NDArray[np.uint32]:
        """Return the squared length of each row (n,)."""
        return self.table.square

    @cached_property
    def _all_rows(self) -> NDArray[np.int8]:
        file = self._files.open(self.looks)
        if not self._has_graph:
            _check_size(self.looks.key, file, self._size * DIMENSIONS)
        rows = np.frombuffer(file, np.int8, self._size * DIMENSIONS, self._first_row)
        return rows.reshape(-1, DIMENSIONS)

    @cached_property
    def _graph(self) -> Graph:
        return Graph(self.looks.key, self._files.open(self.looks), self._size)

    @property
    def remote(self) -> bool:
        """Tell whether rows still have to be read one by one from the store."""
        return not self._files.has(self.looks)

    @cached_property
    def salt(self) -> int:
        """Return 64 bits that no other block has."""
        return product_hash(self.id)

    @property
    def runs(self) -> Sequence[Run]:
        """Return the rows of each category."""
        return list(self.table.runs.values())

    def nearest(self, row: NDArray[np.int8]) -> NDArray[np.int64] | None:
        """Return about 256 rows most like ``row``, ascending; ``None`` if there is no graph."""
        return self._graph.nearest(row) if self._has_graph and not self.remote else None

    def rows(self, places: Places) -> NDArray[np.int8]:
        """Return some rows (…, 512).

        A few rows of a large segment that is not here yet are read one by one, each checked,
        while the whole of it is on its way.
        """
        if isinstance(places, slice) or not self.remote or not 0 < places.size <= FEW_ROWS:
            return self._all_rows[places]
        if not self._files.persistent:
            return self._all_rows[places]
        self._files.fetch_soon(self.looks)
        return self._single_rows(self.looks, self._first_row, self.table.row_crc, places)

    @property
    def meant(self) -> NDArray[np.bool_]:
        """Return whose meaning is known, (n,)."""
        return self.table.meant

    def meanings(self, places: Places) -> NDArray[np.int8]:
        """Return the meanings of some rows (…, 512), ascending, all of which have one."""
        found = self._meaning_places(places)
        file = self.m8
        if file is None:
            return np.zeros((0, DIMENSIONS), np.int8)
        far = self._files.persistent and not self._files.has(file)
        if far and not isinstance(found, slice) and found.size <= FEW_ROWS:
            return self._single_rows(file, 0, self.table.meaning_column("meaning_crc"), found)
        data = self._files.open(file)
        _check_size(file.key, data, self.table.meaning_column("meaning_crc").size * DIMENSIONS)
        return np.frombuffer(data, np.int8).reshape(-1, DIMENSIONS)[found]

    def meaning_squares(self, places: Places) -> NDArray[np.uint32]:
        """Return the squared lengths of the meanings of some rows, all of which have one."""
        return self.table.meaning_column("meaning_square")[self._meaning_places(places)]

    def _meaning_places(self, places: Places) -> Places:
        """Return where the meanings of some rows are among all meanings."""
        before = self.table.meaning_places
        if before is None:
            return places
        if isinstance(places, slice):
            return slice(int(before[places.start]), int(before[places.stop - 1]) + 1)
        found = before[places].astype(np.int64)
        together = found.size > FEW_ROWS and found[-1] - found[0] + 1 == found.size
        return slice(int(found[0]), int(found[-1]) + 1) if together else found

    def version(self, row: int) -> Version:
        """Return when a row's picture was written."""
        return self.table.version(row)

    def columns(self, start: int, end: int) -> Columns:
        """Return the attributes of consecutive rows."""
        return self.table.columns(start, end)

    def classes(self, start: int, end: int) -> NDArray[np.int16] | None:
        """Return the classes of some rows, (n, 3), -1 for none; ``None`` if no row has any."""
        return self.table.classes(start, end)

    def free_texts(self, start: int, end: int) -> Iterable[tuple[int, str]]:
        """Return custom contents, each with the number of rows between its row and ``start``."""
        return self.table.free_texts(start, end)

    def key_of(self, row: int) -> PictureKey:
        """Return a row's key."""
        return self.table.key_of(row)

    def picture(self, row: int) -> Picture:
        """Return a row's picture."""
        return self.table.picture(row)

    def products(self, places: Places) -> NDArray[np.uint64]:
        """Return a number for the product of each of some rows."""
        return self.table.product_hash[self.table.product[places]]

    def distinct_products(self, places: Places) -> NDArray[np.uint64]:
        """Return those numbers without repeats."""
        there = np.zeros(self.table.product_hash.size, np.bool_)
        there[self.table.product[places]] = True
        return self.table.product_hash[there]

    def bits(self, places: Places) -> NDArray[np.uint8]:
        """Return the sign bits of some rows, (…, 64)."""
        return np.ascontiguousarray(self.codes[:, places].T).view(np.uint8)

    def entries(self, places: NDArray[np.int64], *, meanings: bool = True) -> list[Entry]:
        """Return what is known of some rows' pictures, with their meanings or without."""
        if not places.size:
            return []
        meant = self.meant[places] & meanings
        known = iter(self.meanings(places[meant])) if meant.any() else iter(())
        parts = zip(places.tolist(), self.rows(places), self.bits(places), meant, strict=True)
        return [
            Entry(self.picture(row), Features(look, bits), next(known) if has else None)
            for row, look, bits, has in parts
        ]

    def _single_rows(
        self, file: File, first: int, checksums: Column, places: NDArray[np.int64]
    ) -> NDArray[np.int8]:
        """Return some rows of a file that is not here, whose rows begin at byte ``first``."""

        def read(row: int) -> bytes:
            data = self._files.read(file, first + row * DIMENSIONS, DIMENSIONS)
            if zlib.crc32(data) != checksums[row]:
                raise CorruptObject(f"{file.key} has altered bytes in row {row}.")
            return data

        found = each(read, places.tolist(), _READS)
        return np.frombuffer(b"".join(found), np.int8).reshape(-1, DIMENSIONS)


def _stacked(rows: Sequence[NDArray[np.int8]]) -> NDArray[np.int8]:
    return np.stack(rows) if rows else np.zeros((0, DIMENSIONS), np.int8)


def _check_size(key: str, file: memoryview, size: int) -> None:
    if len(file) != size:
        raise CorruptObject(f"{key} has {len(file)} bytes where its segment has {size}.")

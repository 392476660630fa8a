"""A segment: an immutable set of pictures in three files, each opened when it is first needed."""

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
from imagesearch.index.table import Run, Table, build_table, row_order

__all__ = ["FEW_ROWS", "Draft", "Segment"]

FEW_ROWS = 256
"""Rows that are rather read one by one than waited for."""
_READS = 32
"""Single rows that are read at once."""


@dataclass(frozen=True, slots=True)
class Draft:
    """Pictures that are to become a segment: n of them, in :func:`row_order`.

    ``versions`` (n, 2) uint64, ``rows`` (n, 512) int8, ``codes`` (8, n) uint64.
    """

    pictures: Sequence[Picture]
    versions: NDArray[np.uint64]
    rows: NDArray[np.int8]
    codes: NDArray[np.uint64]

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
        )

    def files(self, index: str, segment: str, *, graph: bool) -> dict[str, bytes]:
        """Return the segment's files by their last name."""
        table = build_table(index, segment, self.pictures, self.versions, self.rows)
        looks = {"usearch": build_graph(self.rows)} if graph else {"i8": self.rows.tobytes()}
        return {"meta": table, "b1": self.codes.tobytes(), **looks}


class Segment:
    """An opened segment, as a :class:`~imagesearch.index.block.Block`.

    ``meta`` is the file of its row table, ``b1`` that of its codes and ``looks`` that of its rows.
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
        return self._single_rows(places)

    def columns(self, start: int, end: int) -> Columns:
        """Return the attributes of consecutive rows."""
        return self.table.columns(start, end)

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

    def entry(self, row: int) -> Entry:
        """Return one row's picture and look."""
        place = np.array([row])
        return Entry(self.picture(row), Features(self.rows(place)[0], self.bits(place)[0]))

    def _single_rows(self, places: NDArray[np.int64]) -> NDArray[np.int8]:
        def read(row: int) -> bytes:
            start = self._first_row + row * DIMENSIONS
            data = self._files.read(self.looks, start, DIMENSIONS)
            if zlib.crc32(data) != self.table.row_crc[row]:
                raise CorruptObject(f"{self.looks.key} has altered bytes in row {row}.")
            return data

        found = each(read, places.tolist(), _READS)
        return np.frombuffer(b"".join(found), np.int8).reshape(-1, DIMENSIONS)


def _check_size(key: str, file: memoryview, size: int) -> None:
    if len(file) != size:
        raise CorruptObject(f"{key} has {len(file)} bytes where its segment has {size}.")

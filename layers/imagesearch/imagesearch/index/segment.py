"""A segment: an immutable set of pictures in three files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from imagesearch.catalogue import Picture, PictureKey
from imagesearch.catalogue.filter import Columns
from imagesearch.errors import CorruptObject
from imagesearch.index.features import BIT_BYTES, DIMENSIONS, Features
from imagesearch.index.log import Entry
from imagesearch.index.table import Run, Table, build_table, row_order

__all__ = ["Draft", "Segment", "matrix"]

_Kind = TypeVar("_Kind", np.int8, np.uint8)


@dataclass(frozen=True, slots=True)
class Draft:
    """Pictures that are to become a segment, in any order: n of them.

    ``versions`` (n, 2) uint64, ``rows`` (n, 512) int8, ``bits`` (n, 64) uint8.
    """

    pictures: Sequence[Picture]
    versions: NDArray[np.uint64]
    rows: NDArray[np.int8]
    bits: NDArray[np.uint8]

    def files(self, index: str, segment: str) -> tuple[dict[str, bytes], NDArray[np.int64]]:
        """Return the segment's files by their last name, and which picture became which row."""
        order = np.array(row_order(self.pictures), np.int64)
        rows, bits = self.rows[order], self.bits[order]
        pictures = [self.pictures[i] for i in order]
        table = build_table(index, segment, pictures, self.versions[order], rows)
        return {"meta": table, "b1": bits.tobytes(), "i8": rows.tobytes()}, order


class Segment:
    """An opened segment, as a :class:`~imagesearch.index.block.Block`."""

    def __init__(
        self, id: str, table: Table, bits: NDArray[np.uint8], rows: NDArray[np.int8]
    ) -> None:
        self.id = id
        self.table = table
        self.bits = bits
        self._rows = rows

    def __len__(self) -> int:
        return len(self.table)

    @property
    def runs(self) -> Sequence[Run]:
        """Return the rows of each category."""
        return list(self.table.runs.values())

    def rows(self, places: NDArray[np.int64]) -> NDArray[np.int8]:
        """Return some rows (len(places), 512)."""
        return self._rows[places]

    def all_rows(self, start: int, end: int) -> NDArray[np.int8]:
        """Return consecutive rows (end - start, 512)."""
        return self._rows[start:end]

    def columns(self, start: int, end: int) -> Columns:
        """Return the attributes of consecutive rows."""
        return self.table.columns(start, end)

    def key_of(self, row: int) -> PictureKey:
        """Return a row's key."""
        return self.table.key_of(row)

    def picture(self, row: int) -> Picture:
        """Return a row's picture."""
        return self.table.picture(row)

    def products(self, places: NDArray[np.int64]) -> NDArray[np.uint64]:
        """Return a number for the product of some rows."""
        return self.table.product_hash[self.table.product[places]].astype(np.uint64)

    def entry(self, row: int) -> Entry:
        """Return one row's picture and look."""
        place = np.array([row])
        return Entry(self.picture(row), Features(self.rows(place)[0], self.bits[row]))


def matrix(key: str, file: memoryview, rows: int, kind: type[_Kind]) -> NDArray[_Kind]:
    """Return a file of sign bits (uint8) or rows (int8) as an array; raise on another size."""
    width = BIT_BYTES if kind is np.uint8 else DIMENSIONS
    if len(file) != rows * width:
        raise CorruptObject(f"{key} has {len(file)} bytes where {rows} × {width} are due.")
    return np.frombuffer(file, kind).reshape(rows, width)

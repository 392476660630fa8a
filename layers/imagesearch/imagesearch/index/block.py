"""What a search goes through: segments and the log's tail, seen alike."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from imagesearch.catalogue import Picture, PictureKey
from imagesearch.catalogue.filter import Columns, TableColumns
from imagesearch.index.features import BIT_BYTES, DIMENSIONS, squares_of
from imagesearch.index.log import Version
from imagesearch.index.numbers import ascending
from imagesearch.index.scan import codes_of
from imagesearch.index.table import Run, classes_of, product_hash
from imagesearch.index.tail import Write

__all__ = ["Block", "Places", "TailBlock"]

Places = NDArray[np.int64] | slice
"""Rows of a block: their numbers, or a slice of consecutive ones."""


class Block(Protocol):
    """Pictures in the order of category and key, each with its look: n rows."""

    def __len__(self) -> int:
        """Return the number of rows."""
        ...

    @property
    def salt(self) -> int:
        """Return 64 bits that no other block has."""
        ...

    @property
    def runs(self) -> Sequence[Run]:
        """Return the rows of each category."""
        ...

    @property
    def codes(self) -> NDArray[np.uint64]:
        """Return the sign bits as words, (8, n)."""
        ...

    @property
    def squares(self) -> NDArray[np.uint32]:
        """Return the squared length of each row (n,)."""
        ...

    @property
    def remote(self) -> bool:
        """Tell whether rows still have to be read one by one from the store."""
        ...

    def nearest(self, row: NDArray[np.int8]) -> NDArray[np.int64] | None:
        """Return about 256 rows most like ``row``, ascending; ``None`` if they must be scanned."""
        ...

    def rows(self, places: Places) -> NDArray[np.int8]:
        """Return some rows (…, 512)."""
        ...

    @property
    def meant(self) -> NDArray[np.bool_]:
        """Return whose meaning is known, (n,)."""
        ...

    def meanings(self, places: Places) -> NDArray[np.int8]:
        """Return the meanings of some rows (…, 512), all of which have one."""
        ...

    def meaning_squares(self, places: Places) -> NDArray[np.uint32]:
        """Return the squared lengths of the meanings of some rows, all of which have one."""
        ...

    def version(self, row: int) -> Version:
        """Return when a row's picture was written."""
        ...

    def columns(self, start: int, end: int) -> Columns:
        """Return the attributes of consecutive rows."""
        ...

    def classes(self, start: int, end: int) -> NDArray[np.int16] | None:
        """Return the classes of some rows, (n, 3), -1 for none; ``None`` if no row has any."""
        ...

    def free_texts(self, start: int, end: int) -> Iterable[tuple[int, str]]:
        """Return custom contents, each with the number of rows between its row and ``start``."""
        ...

    def key_of(self, row: int) -> PictureKey:
        """Return a row's key."""
        ...

    def picture(self, row: int) -> Picture:
        """Return a row's picture."""
        ...

    def products(self, places: Places) -> NDArray[np.uint64]:
        """Return a number for the product of each of some rows, the same in every block."""
        ...

    def distinct_products(self, places: Places) -> NDArray[np.uint64]:
        """Return those numbers without repeats, in any order."""
        ...


class TailBlock:
    """The pictures of the log's tail."""

    remote = False

    def __init__(self, writes: Iterable[Write]) -> None:
        self._writes = sorted(
            writes, key=lambda w: (w.entry.picture.category_id, w.entry.picture.key)
        )
        self._entries = [write.entry for write in self._writes]

    def __len__(self) -> int:
        return len(self._entries)

    @cached_property
    def salt(self) -> int:
        """Return 64 bits that no other block has."""
        return int.from_bytes(os.urandom(8))

    @cached_property
    def runs(self) -> Sequence[Run]:
        """Return the rows of each category."""
        categories = np.array([e.picture.category_id for e in self._entries], np.int64)
        found, starts = np.unique(categories, return_index=True)
        bounds = [*starts.tolist(), len(self)]
        return [Run(*run) for run in zip(found.tolist(), bounds[:-1], bounds[1:], strict=True)]

    @cached_property
    def codes(self) -> NDArray[np.uint64]:
        """Return the sign bits as words, (8, n)."""
        bits = [entry.features.bits for entry in self._entries]
        return codes_of(np.stack(bits) if bits else np.zeros((0, BIT_BYTES), np.uint8))

    @cached_property
    def squares(self) -> NDArray[np.uint32]:
        """Return the squared length of each row (n,)."""
        return squares_of(self._rows)

    @cached_property
    def _rows(self) -> NDArray[np.int8]:
        rows = [entry.features.row for entry in self._entries]
        return np.stack(rows) if rows else np.zeros((0, DIMENSIONS), np.int8)

    @cached_property
    def _products(self) -> NDArray[np.uint64]:
        hashes = [product_hash(entry.picture.key.product_id) for entry in self._entries]
        return np.array(hashes, np.uint64)

    def nearest(self, row: NDArray[np.int8]) -> NDArray[np.int64] | None:  # noqa: ARG002
        """Return that the tail must be scanned."""
        return None

    def rows(self, places: Places) -> NDArray[np.int8]:
        """Return some rows (…, 512)."""
        return self._rows[places]

    @cached_property
    def meant(self) -> NDArray[np.bool_]:
        """Return whose meaning is known, (n,)."""
        return np.array([entry.meaning is not None for entry in self._entries], np.bool_)

    @cached_property
    def _meanings(self) -> NDArray[np.int8]:
        none = np.zeros(DIMENSIONS, np.int8)
        rows = [none if entry.meaning is None else entry.meaning for entry in self._entries]
        return np.stack(rows) if rows else np.zeros((0, DIMENSIONS), np.int8)

    def meanings(self, places: Places) -> NDArray[np.int8]:
        """Return the meanings of some rows (…, 512)."""
        return self._meanings[places]

    def meaning_squares(self, places: Places) -> NDArray[np.uint32]:
        """Return the squared lengths of the meanings of some rows."""
        return squares_of(self._meanings[places])

    def version(self, row: int) -> Version:
        """Return when a row's picture was written."""
        return self._writes[row].version

    def columns(self, start: int, end: int) -> Columns:
        """Return the attributes of consecutive rows."""
        return TableColumns([entry.picture.attributes for entry in self._entries[start:end]])

    def classes(self, start: int, end: int) -> NDArray[np.int16] | None:
        """Return the classes of some rows, (n, 3), -1 for none; ``None`` if no row has any."""
        return classes_of([entry.picture for entry in self._entries[start:end]])

    def free_texts(self, start: int, end: int) -> Iterable[tuple[int, str]]:
        """Return custom contents, each with the number of rows between its row and ``start``."""
        for row, entry in enumerate(self._entries[start:end]):
            text = entry.picture.attributes.custom_content
            if text is not None:
                yield row, text

    def key_of(self, row: int) -> PictureKey:
        """Return a row's key."""
        return self._entries[row].picture.key

    def picture(self, row: int) -> Picture:
        """Return a row's picture."""
        return self._entries[row].picture

    def products(self, places: Places) -> NDArray[np.uint64]:
        """Return a number for the product of each of some rows."""
        return self._products[places]

    def distinct_products(self, places: Places) -> NDArray[np.uint64]:
        """Return those numbers without repeats."""
        return ascending(self._products[places])

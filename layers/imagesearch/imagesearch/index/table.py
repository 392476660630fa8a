"""The row table of a segment: everything about its pictures but their looks, column by column.

Rows are ordered by category, then product, then picture name, so that a category is one run of
rows, a product one run within it, and a listing needs no sorting.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from imagesearch.catalogue import Attributes, Picture, PictureKey, Region
from imagesearch.catalogue.filter import IntColumn, StringColumn
from imagesearch.catalogue.filter.expression import INT_FIELDS, STRING_FIELDS
from imagesearch.errors import CorruptObject
from imagesearch.index.features import squares_of
from imagesearch.index.log import Version
from imagesearch.index.sections import Column, Sections, Texts, pack, text_columns

__all__ = ["Run", "Table", "build_table", "classes_of", "key_hashes", "product_hash", "row_order"]

_FREE_TEXT = "custom_content"
_MOST_CLASSES = 3
_NO_CLASS = -1


class Run(msgspec.Struct, frozen=True, array_like=True):
    """The rows ``start`` to ``end`` (exclusive) are the pictures of a category."""

    category_id: int
    start: int
    end: int


class _About(msgspec.Struct, frozen=True):
    index: str
    segment: str
    rows: int
    runs: list[Run]


# Made at import: msgspec crashes when several threads use a struct for the first time at once.
_about = msgspec.json.Decoder(_About)


def key_hashes(keys: Iterable[PictureKey]) -> NDArray[np.uint32]:
    """Return the CRC-32 of each key's ``product_id``, a zero byte and ``pic_name`` in UTF-8.

    They find rows fast; who finds one compares the key itself.
    """
    return np.array([zlib.crc32(f"{key[0]}\0{key[1]}".encode()) for key in keys], np.uint32)


def product_hash(product_id: str) -> int:
    """Return the first 8 bytes of the SHA-256 of a product id, little-endian."""
    return int.from_bytes(hashlib.sha256(product_id.encode()).digest()[:8], "little")


def row_order(pictures: Sequence[Picture]) -> list[int]:
    """Return the order in which a table holds these pictures."""
    # Code point order of strings is the order of their UTF-8 bytes.
    return sorted(range(len(pictures)), key=lambda i: (pictures[i].category_id, pictures[i].key))


def build_table(
    index: str,
    segment: str,
    pictures: Sequence[Picture],
    versions: NDArray[np.uint64],
    rows: NDArray[np.int8],
    meant: NDArray[np.bool_],
    meanings: NDArray[np.int8],
) -> bytes:
    """Return the file for pictures in :func:`row_order`, their versions (n, 2) and rows (n, 512).

    ``meant`` (n,) tells whose meaning is known, ``meanings`` (m, 512) are those. Rows and
    meanings are stored elsewhere; here are their squared lengths and checksums.
    """
    products = sorted({picture.key.product_id for picture in pictures})
    ordinals = {product_id: place for place, product_id in enumerate(products)}
    hashes = key_hashes(picture.key for picture in pictures)
    by_key = np.argsort(hashes, kind="stable").astype(np.uint32)
    columns: dict[str, Column] = {
        "clock": versions[:, 0],
        "operation": versions[:, 1],
        "key_hash": hashes[by_key],
        "by_key": by_key,
        "product": np.array([ordinals[p.key.product_id] for p in pictures], np.uint32),
        "product_hash": np.array([product_hash(product) for product in products], np.uint64),
        "region": _smallest(
            np.array([(r.x1, r.x2, r.y1, r.y2) for r in (p.region for p in pictures)], np.int64)
        ).reshape(-1),
        "square": squares_of(rows),
        "row_crc": _checksums(rows),
        **text_columns("product_id", products),
        **text_columns("pic_name", [picture.key.pic_name for picture in pictures]),
        **_attribute_columns([picture.attributes for picture in pictures]),
        **_picture_columns(pictures),
    }
    if meant.any():
        columns |= {"meaning_square": squares_of(meanings), "meaning_crc": _checksums(meanings)}
        columns |= _presence("meaning", meant)
    runs = _runs([picture.category_id for picture in pictures])
    return pack(_About(index, segment, len(pictures), runs), columns)


def _checksums(rows: NDArray[np.int8]) -> NDArray[np.uint32]:
    return np.array([zlib.crc32(row) for row in np.ascontiguousarray(rows)], np.uint32)


def _runs(categories: Sequence[int]) -> list[Run]:
    runs: list[Run] = []
    for row, category_id in enumerate(categories):
        if not runs or runs[-1].category_id != category_id:
            runs.append(Run(category_id, row, row))
        runs[-1] = Run(category_id, runs[-1].start, row + 1)
    return runs


def _attribute_columns(attributes: Sequence[Attributes]) -> dict[str, Column]:
    """Return columns for the attributes that any picture has."""
    columns: dict[str, Column] = {}
    for field in INT_FIELDS:
        ints = IntColumn.of([getattr(a, field) for a in attributes])
        if ints.present.any():
            columns[field] = _smallest(ints.values, signed=True)
            columns |= _presence(field, ints.present)
    for field in STRING_FIELDS:
        strings = StringColumn.of([getattr(a, field) for a in attributes])
        if strings.strings:
            columns[field] = _smallest(strings.codes, signed=True)
            columns |= text_columns(field, strings.strings)
    texts = [a.custom_content for a in attributes]
    if any(text is not None for text in texts):
        columns |= text_columns(_FREE_TEXT, [text or "" for text in texts])
        columns |= _presence(_FREE_TEXT, np.array([text is not None for text in texts]))
    return columns


def _picture_columns(pictures: Sequence[Picture]) -> dict[str, Column]:
    """Return columns for what only some pictures have: thumbnails and classes."""
    columns: dict[str, Column] = {}
    if any(picture.thumbnail for picture in pictures):
        columns |= text_columns("thumbnail", [picture.thumbnail for picture in pictures])
    classes = classes_of(pictures)
    if classes is not None:
        columns["classes"] = classes.reshape(-1)
    return columns


def classes_of(pictures: Sequence[Picture]) -> NDArray[np.int16] | None:
    """Return the classes of pictures, (n, 3), -1 for none; ``None`` if no picture has any."""
    if not any(picture.classes for picture in pictures):
        return None
    classes = np.full((len(pictures), _MOST_CLASSES), _NO_CLASS, np.int16)
    for row, picture in enumerate(pictures):
        classes[row, : len(picture.classes)] = picture.classes
    return classes


def _presence(field: str, present: NDArray[np.bool_]) -> dict[str, Column]:
    return {} if present.all() else {f"{field}.present": np.packbits(present)}


def _smallest(values: Column, *, signed: bool = False) -> Column:
    """Return the values in the smallest type that holds them all."""
    low, high = (int(values.min()), int(values.max())) if values.size else (0, 0)
    kinds = "i1 i2 i4 i8" if signed or low < 0 else "u1 u2 u4 i8"
    limits = ((kind, np.iinfo(kind)) for kind in kinds.split())
    return values.astype(next(k for k, m in limits if m.min <= low and high <= m.max))


class Table:
    """An opened row table."""

    def __init__(self, key: str, file: memoryview, *, index: str, segment: str) -> None:
        """Open the file; :class:`CorruptObject` unless it is this segment's of this index."""
        self.key = key
        self._sections = Sections(key, file)
        try:
            about = _about.decode(self._sections.about)
            self.clock = self._sections["clock"]
            self.operation = self._sections["operation"]
            self.product = self._sections["product"]
            self.product_hash = self._sections["product_hash"].astype(np.uint64, copy=False)
            self.square = self._sections["square"].astype(np.uint32, copy=False)
            self.row_crc = self._sections["row_crc"]
            self._key_hash = self._sections["key_hash"]
            self._by_key = self._sections["by_key"]
            self._region = self._sections["region"].reshape(-1, 4)
            self._products = self._texts("product_id")
            self._pic_names = self._texts("pic_name")
        except (msgspec.MsgspecError, KeyError, ValueError) as error:
            raise CorruptObject(f"{key} is not a row table: {error!r}.") from None
        if (about.index, about.segment) != (index, segment):
            raise CorruptObject(f"{key} holds segment {about.segment} of index {about.index}.")
        self.runs = {run.category_id: run for run in about.runs}
        self._size = about.rows

    def __len__(self) -> int:
        return self._size

    def locate(
        self, keys: Sequence[PictureKey], hashes: NDArray[np.uint32] | None = None
    ) -> NDArray[np.int64]:
        """Return the row of each key, (len(keys),), -1 where the table has none.

        ``hashes`` are the keys' :func:`key_hashes`, if they are known already.
        """
        rows = np.full(len(keys), -1, np.int64)
        hashes = key_hashes(keys) if hashes is None else hashes
        first = np.searchsorted(self._key_hash, hashes, "left")
        last = np.searchsorted(self._key_hash, hashes, "right")
        for place in np.flatnonzero(first < last).tolist():
            for row in self._by_key[first[place] : last[place]].tolist():
                if self.key_of(row) == keys[place]:
                    rows[place] = row
        return rows

    def rows_of_product(self, product_id: str) -> NDArray[np.int64]:
        """Return the rows of a product's pictures, ascending."""
        from bisect import bisect_left

        ordinal = bisect_left(self._products, product_id)
        if ordinal == len(self._products) or self._products[ordinal] != product_id:
            return np.zeros(0, np.int64)
        found = []
        for run in self.runs.values():
            span = self.product[run.start : run.end]
            first, last = np.searchsorted(span, [ordinal, ordinal + 1])
            found.append(np.arange(run.start + first, run.start + last))
        return np.concatenate(found)

    def versions(self, rows: NDArray[np.int64]) -> NDArray[np.uint64]:
        """Return when some rows were written, (len(rows), 2)."""
        return np.stack([self.clock[rows], self.operation[rows]], axis=1).astype(np.uint64)

    def version(self, row: int) -> Version:
        """Return when a row was written."""
        return Version(int(self.clock[row]), int(self.operation[row]))

    def key_of(self, row: int) -> PictureKey:
        """Return a row's key."""
        return PictureKey(self._products[self.product[row]], self._pic_names[row])

    def category_of(self, row: int) -> int:
        """Return a row's category."""
        return next(r.category_id for r in self.runs.values() if r.start <= row < r.end)

    def picture(self, row: int) -> Picture:
        """Return a row's picture."""
        return Picture(
            self.key_of(row),
            self.category_of(row),
            Region(*self._region[row].tolist()),
            Attributes(**self._given(row)),
            *self._seen(row),
        )

    def pictures(self) -> Iterator[Picture]:
        """Yield every row's picture, in order."""
        return (self.picture(row) for row in range(len(self)))

    @cached_property
    def meant(self) -> NDArray[np.bool_]:
        """Return whose meaning is known, (n,)."""
        if "meaning_square" not in self._sections:
            return np.zeros(len(self), np.bool_)
        return self._present("meaning")

    @cached_property
    def meaning_places(self) -> NDArray[np.uint32] | None:
        """Return how many meanings are before each row's, (n,); ``None`` if all are known."""
        if self.meant.all():
            return None
        return np.cumsum(self.meant, dtype=np.uint32) - self.meant

    def meaning_column(self, name: str) -> NDArray[np.uint32]:
        """Return ``meaning_square`` or ``meaning_crc`` of the meanings there are, (m,)."""
        if name not in self._sections:
            return np.zeros(0, np.uint32)
        return self._sections[name].astype(np.uint32, copy=False)

    def columns(self, start: int, end: int) -> TableSlice:
        """Return the attributes of some rows, as a filter reads them."""
        return TableSlice(self, start, end)

    def classes(self, start: int, end: int) -> NDArray[np.int16] | None:
        """Return the classes of some rows, (n, 3), -1 for none; ``None`` if no row has any."""
        if "classes" not in self._sections:
            return None
        return self._sections["classes"].reshape(-1, _MOST_CLASSES)[start:end]  # type: ignore[return-value]

    def free_texts(self, start: int, end: int) -> Iterator[tuple[int, str]]:
        """Yield the custom contents of some rows, and which row after ``start`` has each."""
        if f"{_FREE_TEXT}.offsets" not in self._sections:
            return
        texts = self._texts(_FREE_TEXT)
        for row in np.flatnonzero(self._present(_FREE_TEXT)[start:end]).tolist():
            yield row, texts[start + row]

    def ints(self, field: str) -> IntColumn | None:
        """Return an integer attribute of all rows, or ``None`` if no row has it."""
        if field not in self._sections:
            return None
        return IntColumn(self._sections[field], self._present(field))  # type: ignore[arg-type]

    def strings(self, field: str) -> StringColumn | None:
        """Return a string attribute of all rows, or ``None`` if no row has it."""
        if field not in self._sections:
            return None
        return StringColumn(self._sections[field], self._texts(field))  # type: ignore[arg-type]

    def _given(self, row: int) -> dict[str, Any]:
        given: dict[str, Any] = {}
        for field in INT_FIELDS:
            if field in self._sections and self._present(field)[row]:
                given[field] = int(self._sections[field][row])
        for field in STRING_FIELDS:
            if field in self._sections and self._sections[field][row] >= 0:
                given[field] = self._texts(field)[self._sections[field][row]]
        if f"{_FREE_TEXT}.offsets" in self._sections and self._present(_FREE_TEXT)[row]:
            given[_FREE_TEXT] = self._texts(_FREE_TEXT)[row]
        return given

    def _seen(self, row: int) -> tuple[str, tuple[int, ...]]:
        """Return a row's thumbnail and classes."""
        thumbnail, classes = "", ()
        if "thumbnail.offsets" in self._sections:
            thumbnail = self._texts("thumbnail")[row]
        if "classes" in self._sections:
            found = self._sections["classes"][_MOST_CLASSES * row : _MOST_CLASSES * (row + 1)]
            classes = tuple(number for number in found.tolist() if number != _NO_CLASS)
        return thumbnail, classes

    def _texts(self, name: str) -> Texts:
        return Texts(self._sections[f"{name}.offsets"], self._sections[f"{name}.text"])

    def _present(self, field: str) -> NDArray[np.bool_]:
        if field not in self._presences:
            name = f"{field}.present"
            self._presences[field] = (
                np.unpackbits(self._sections[name], count=len(self)).view(np.bool_)  # type: ignore[arg-type]
                if name in self._sections
                else np.ones(len(self), np.bool_)
            )
        return self._presences[field]

    @cached_property
    def _presences(self) -> dict[str, NDArray[np.bool_]]:
        return {}


class TableSlice:
    """Consecutive rows of a table, as :class:`~imagesearch.catalogue.filter.Columns`."""

    __slots__ = ("_rows", "_table")

    def __init__(self, table: Table, start: int, end: int) -> None:
        self._table = table
        self._rows = slice(start, end)

    def __len__(self) -> int:
        return self._rows.stop - self._rows.start

    def ints(self, field: str) -> IntColumn:
        """Return an integer attribute of these rows."""
        column = self._table.ints(field)
        if column is None:
            return IntColumn(np.zeros(len(self), np.int8), np.zeros(len(self), np.bool_))
        return IntColumn(column.values[self._rows], column.present[self._rows])

    def strings(self, field: str) -> StringColumn:
        """Return a string attribute of these rows."""
        column = self._table.strings(field)
        if column is None:
            return StringColumn(np.full(len(self), -1, np.int8), ())
        return StringColumn(column.codes[self._rows], column.strings)

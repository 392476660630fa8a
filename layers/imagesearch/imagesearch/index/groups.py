"""Numbers that tell which hits belong together: to one product, or to one value of an attribute."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from imagesearch.catalogue import Picture
from imagesearch.catalogue.filter.columns import StringColumn
from imagesearch.catalogue.filter.expression import STRING_FIELDS
from imagesearch.index.block import Block, Places
from imagesearch.index.numbers import ascending
from imagesearch.index.table import product_hash

__all__ = ["GROUPINGS", "PRODUCT", "distinct_groups", "group_of", "groups"]

PRODUCT = "product_id"
GROUPINGS = (PRODUCT, *STRING_FIELDS)
"""What hits may be grouped by."""
_ALONE = np.uint64(1 << 63)


def groups(block: Block, places: Places, by: str) -> NDArray[np.uint64]:
    """Return a number for the group of each of some rows, the same in every block and process.

    A picture without the attribute is a group of its own.
    """
    if by == PRODUCT:
        return block.products(places)
    column, rows = _column(block, places, by)
    used = np.flatnonzero(np.bincount(column.codes[column.codes >= 0]))
    table = np.zeros(int(used[-1]) + 2 if used.size else 1, np.uint64)
    table[used] = [_hash(column.strings[code]) for code in used.tolist()]
    found: NDArray[np.uint64] = table[column.codes]  # -1 takes the last, which is for nobody
    alone = column.codes < 0
    salt = np.uint64(block.salt >> 1)
    found[alone] = (salt + rows[alone].astype(np.uint64)) | _ALONE
    return found


def distinct_groups(block: Block, places: Places, by: str) -> NDArray[np.uint64]:
    """Return those numbers without repeats, in any order."""
    return (
        block.distinct_products(places) if by == PRODUCT else ascending(groups(block, places, by))
    )


def group_of(picture: Picture, by: str) -> tuple[str, ...]:
    """Return what a picture has in common with those of its group, and no others."""
    if by == PRODUCT:
        return (picture.key.product_id,)
    value: str | None = getattr(picture.attributes, by)
    return picture.key if value is None else (value,)


def _hash(text: str) -> int:
    """Return 63 bits of a text's hash; the first bit is for pictures that have none."""
    return product_hash(text) >> 1


def _column(block: Block, places: Places, by: str) -> tuple[StringColumn, NDArray[np.int64]]:
    """Return an attribute of some rows, and the rows' numbers."""
    if isinstance(places, slice):
        column = block.columns(places.start, places.stop).strings(by)
        return column, np.arange(places.start, places.stop)
    column = block.columns(0, len(block)).strings(by)
    return StringColumn(column.codes[places], column.strings), places

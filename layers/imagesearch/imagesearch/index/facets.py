"""Counting the pictures that pass a filter, by what their owners said of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imagesearch.catalogue.filter import Filter
from imagesearch.catalogue.filter.columns import Columns
from imagesearch.catalogue.filter.expression import INT_FIELDS, STRING_FIELDS
from imagesearch.index.block import Block
from imagesearch.index.view import View, passing

__all__ = ["CATEGORY", "COUNTABLE", "Facet", "facets"]

CATEGORY = "category_id"
COUNTABLE = (CATEGORY, *INT_FIELDS, *STRING_FIELDS)
"""What pictures may be counted by."""

Value = int | str


@dataclass(frozen=True, slots=True)
class Facet:
    """How many pictures have each value of one field.

    ``counts`` has the most frequent values first (equally frequent ones ascending), ``others``
    counts the pictures with a value that is not among them, ``missing`` those without any.
    """

    counts: tuple[tuple[Value, int], ...]
    others: int
    missing: int


def facets(
    view: View,
    fields: Sequence[str],
    *,
    category_id: int | None = None,
    filter: Filter | None = None,
    limit: int = 20,
) -> dict[str, Facet]:
    """Count the pictures that pass, exactly, by each of some fields of :data:`COUNTABLE`."""
    found: dict[str, Counter[Value]] = {field: Counter() for field in fields}
    total = 0
    for block, hidden in view.blocks(category_id):
        for run in block.runs:
            if category_id not in (None, run.category_id):
                continue
            mask = passing(block, hidden, filter, run.start, run.end)
            count = run.end - run.start if mask is None else int(np.count_nonzero(mask))
            total += count
            if not count:
                continue
            for field in fields:
                if field == CATEGORY:
                    found[field][run.category_id] += count
                else:
                    found[field].update(_counted(block, field, run.start, run.end, mask))
    return {field: _facet(counter, total, limit) for field, counter in found.items()}


def _counted(
    block: Block, field: str, start: int, end: int, mask: NDArray[np.bool_] | None
) -> dict[Value, int]:
    """Return how many of some rows have each value."""
    columns: Columns = block.columns(start, end)
    if field in INT_FIELDS:
        numbers = columns.ints(field)
        kept = numbers.present if mask is None else numbers.present & mask
        values, counts = np.unique(numbers.values[kept], return_counts=True)
        return dict(zip(values.tolist(), counts.tolist(), strict=True))
    texts = columns.strings(field)
    kept = texts.codes >= 0 if mask is None else (texts.codes >= 0) & mask
    codes, counts = np.unique(texts.codes[kept], return_counts=True)
    return {
        texts.strings[code]: count
        for code, count in zip(codes.tolist(), counts.tolist(), strict=True)
    }


def _facet(counter: Counter[Value], total: int, limit: int) -> Facet:
    ranked = sorted(counter.items(), key=lambda item: (-item[1], item[0]))
    shown = ranked[:limit]
    given = counter.total()
    return Facet(tuple(shown), given - sum(count for _, count in shown), total - given)

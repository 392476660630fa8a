"""A random sample of an index's pictures."""

from __future__ import annotations

import numpy as np

from imagesearch.index.block import Block
from imagesearch.index.features import Features, bits_of
from imagesearch.index.log import Entry
from imagesearch.index.view import View

__all__ = ["sample"]


def sample(view: View, count: int, seed: int) -> list[Entry]:
    """Return up to ``count`` different pictures, each as likely as any other.

    The same seed gives the same pictures of the same state.
    """
    blocks = [
        (block, np.setdiff1d(np.arange(len(block)), hidden)) for block, hidden in view.blocks()
    ]
    ends = np.cumsum([rows.size for _, rows in blocks], dtype=np.int64)
    total = int(ends[-1]) if ends.size else 0
    chosen = np.sort(np.random.default_rng(seed).permutation(total)[:count])
    found = []
    for place in chosen.tolist():
        i = int(np.searchsorted(ends, place, side="right"))
        block, rows = blocks[i]
        found.append(_entry(block, int(rows[place - int(ends[i])])))
    return found


def _entry(block: Block, row: int) -> Entry:
    look = block.rows(np.array([row]))
    return Entry(block.picture(row), Features(look[0], bits_of(look)[0]))

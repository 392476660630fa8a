"""Which lines of a file must be carried out one after the other.

Order matters between lines about the same picture, and between all lines about a product that
some line deletes as a whole. Any other two lines may change places. Names are compared by 64-bit
hashes: two that happen to agree are tied for nothing, and that is all.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from imagesearch.ingest.lines import Line

__all__ = ["Ties"]

_MOST_LINES = 20_000_000
_MOST_TIES = 1_000_000


@dataclass(frozen=True, slots=True)
class Ties:
    """What ties lines: ``products`` that are deleted as a whole, ``pictures`` named repeatedly.

    Both are hashes. ``None`` stands for all of them: there were too many to be kept.
    """

    products: frozenset[int] | None
    pictures: frozenset[int] | None

    def of(self, line: Line) -> int | None:
        """Return the same number for all lines that must stay with this one; ``None`` if free."""
        product = _hash(line.product_id)
        if self.products is None or product in self.products:
            return product
        picture = _hash(line.product_id, line.pic_name)
        if self.pictures is None or picture in self.pictures:
            return picture
        return None

    @dataclass(slots=True)
    class Seen:
        """The lines of a file so far, in 8 bytes each."""

        products: set[int] = field(default_factory=set)
        pictures: array[int] = field(default_factory=lambda: array("Q"))
        most_lines: int = _MOST_LINES
        most_ties: int = _MOST_TIES

        def note(self, line: Line) -> None:
            """Note a line."""
            if not line.pic_name and len(self.products) <= self.most_ties:
                self.products.add(_hash(line.product_id))
            elif line.pic_name and len(self.pictures) <= self.most_lines:
                self.pictures.append(_hash(line.product_id, line.pic_name))

        def ties(self) -> Ties:
            """Return what ties the lines that were noted."""
            too_many = len(self.products) > self.most_ties or len(self.pictures) > self.most_lines
            if too_many:
                return Ties(None, None)
            repeated = _repeated(self.pictures)
            pictures = frozenset(repeated) if len(repeated) <= self.most_ties else None
            return Ties(frozenset(self.products), pictures)


def _repeated(hashes: array[int]) -> Sequence[int]:
    found = np.sort(np.frombuffer(hashes, np.uint64)) if hashes else np.empty(0, np.uint64)
    return list(np.unique(found[1:][found[1:] == found[:-1]]).tolist())


def _hash(*names: str) -> int:
    digest = hashlib.blake2b("\0".join(names).encode(), digest_size=8).digest()
    return int.from_bytes(digest)

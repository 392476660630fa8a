"""The seam to a vector engine elsewhere: it finds candidates, log and manifest stay the truth.

An engine holds whole segments, row by row. A segment never changes, so neither does a row that an
engine holds: overwrites, deletions, changes, merges and rollbacks are other segments, or rows that
the index knows to be hidden. Each row brings its picture and its look, so that a search opens no
file of a segment that is held.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from imagesearch.catalogue import Picture, PictureKey
from imagesearch.catalogue.filter import Filter
from imagesearch.index.features import Features
from imagesearch.index.log import Version

__all__ = ["BATCH", "Engine", "HeldRow", "Nearest", "Question", "row_id"]

BATCH = 500
"""Most rows that an engine is given, and most pictures it is asked for, in one call."""


@dataclass(frozen=True, slots=True)
class HeldRow:
    """A row of a segment as an engine holds it: all that a hit is made of.

    ``row`` is its number in ``segment``, ``version`` when its picture was written and ``look``
    (512,) int8 the row itself, from which relevance and Hamming distance follow exactly.
    """

    segment: str
    row: int
    version: Version
    picture: Picture
    look: NDArray[np.int8]

    @property
    def id(self) -> str:
        """Return the name under which engines keep the row."""
        return row_id(self.segment, self.picture.key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What an engine is asked for: the ``wanted`` rows most alike, of some segments.

    ``category_id`` and ``filter`` restrict them as in a search; the engine evaluates both exactly,
    by the attributes that the rows were filled with.
    """

    features: Features
    segments: Sequence[str]
    wanted: int
    category_id: int | None = None
    filter: Filter | None = None


@dataclass(frozen=True, slots=True)
class Nearest:
    """Rows most alike first (by cosine); ``complete`` tells that no others pass."""

    rows: Sequence[HeldRow]
    complete: bool


class Engine(Protocol):
    """A vector engine elsewhere. Calls may come from several threads and processes at once.

    What was filled is found by every call that begins after :meth:`fill` returned. Every method
    raises :class:`~imagesearch.errors.EngineUnavailable` when the engine does not answer, refuses
    or is throttled for longer than a few tries; :meth:`create` and :meth:`erase` raise
    :class:`~imagesearch.errors.Conflict` if the collection is somebody else's; nothing else.
    """

    @property
    def name(self) -> str:
        """Return what names engine and collection in manifests, the same for ever."""
        ...

    @property
    def deepest(self) -> int:
        """Return how many rows one question can bring at most."""
        ...

    @property
    def named_at_once(self) -> int:
        """Return how many rows one request of :meth:`find` names: pictures times segments."""
        ...

    def create(self) -> None:
        """Make the collection, marked as the owner's; nothing happens if it exists."""
        ...

    def fill(self, rows: Sequence[HeldRow]) -> None:
        """Hold up to :data:`BATCH` rows. Again is harmless."""
        ...

    def remove(self, segment: str, keys: Iterable[PictureKey]) -> None:
        """Forget a segment's rows, whose keys are given. Again is harmless."""
        ...

    def nearest(self, question: Question) -> Nearest:
        """Return the rows most alike."""
        ...

    def find(self, keys: Sequence[PictureKey], segments: Sequence[str]) -> Sequence[HeldRow]:
        """Return the rows of up to :data:`BATCH` pictures in some segments, in any order."""
        ...

    def erase(self) -> None:
        """Delete the collection and everything in it; nothing happens if there is none."""
        ...


def row_id(segment: str, key: PictureKey) -> str:
    """Return the name under which engines keep a picture's row of a segment, 62 characters.

    It follows from the key, so that a picture is found without knowing its row.
    """
    product, name = key.product_id.encode(), key.pic_name.encode()
    digest = hashlib.sha256(len(product).to_bytes(4, "big") + product + name)
    return f"{segment}-{digest.hexdigest()[:32]}"

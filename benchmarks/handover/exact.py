"""A vector engine in this process, exact and without a network: what others are held against."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from threading import RLock

import numpy as np
from imagesearch.catalogue import PictureKey
from imagesearch.catalogue.filter import Filter
from imagesearch.errors import EngineUnavailable
from imagesearch.index import Entry
from imagesearch.index.block import TailBlock
from imagesearch.index.engine import BATCH, HeldRow, Nearest, Question, row_id
from imagesearch.index.features import Features, bits_of
from imagesearch.index.tail import Write
from imagesearch.index.view import passing
from numpy.typing import NDArray

__all__ = ["ExactEngine"]

_NONE = np.zeros(0, np.int64)


class ExactEngine:
    """Holds rows in memory and compares all of them. Thread-safe."""

    deepest = 10_000
    named_at_once = BATCH

    def __init__(self, name: str) -> None:
        self._name = name
        self._rows: dict[str, dict[str, HeldRow]] = {}
        self._blocks: dict[str, _Block] = {}
        self._made = False
        self._lock = RLock()

    @property
    def name(self) -> str:
        """Return the engine's name."""
        return self._name

    def __len__(self) -> int:
        return sum(map(len, self._rows.values()))

    def create(self) -> None:
        """Make the collection."""
        self._made = True

    def fill(self, rows: Sequence[HeldRow]) -> None:
        """Hold rows."""
        with self._lock:
            self._check()
            for row in rows:
                self._rows.setdefault(row.segment, {})[row.id] = row
                self._blocks.pop(row.segment, None)

    def remove(self, segment: str, keys: Iterable[PictureKey]) -> None:
        """Forget rows."""
        with self._lock:
            for key in keys:
                self._rows.get(segment, {}).pop(row_id(segment, key), None)
            self._blocks.pop(segment, None)

    def nearest(self, question: Question) -> Nearest:
        """Return the rows most alike."""
        with self._lock:
            self._check()
            blocks = [block for block in map(self._block, question.segments) if block.rows]
        row = question.features.row.astype(np.float32)
        found: list[tuple[float, HeldRow]] = []
        total = 0
        for block in blocks:
            alike = block.looks @ row
            for places in block.passing(question.category_id, question.filter):
                total += places.size
                cosines = alike[places]
                first = _first(cosines, question.wanted)
                found += [(float(cosines[i]), block.rows[int(places[i])]) for i in first]
        found.sort(key=lambda pair: -pair[0])
        return Nearest([held for _, held in found[: question.wanted]], total <= question.wanted)

    def find(self, keys: Sequence[PictureKey], segments: Sequence[str]) -> Sequence[HeldRow]:
        """Return rows by key."""
        with self._lock:
            self._check()
            places = ((self._rows.get(s, {}), row_id(s, key)) for s in segments for key in keys)
            return [rows[name] for rows, name in places if name in rows]

    def erase(self) -> None:
        """Delete everything."""
        with self._lock:
            self._made = False
            self._rows.clear()
            self._blocks.clear()

    def _check(self) -> None:
        if not self._made:
            raise EngineUnavailable(f"{self._name} has no collection.")

    def _block(self, segment: str) -> _Block:
        if segment not in self._blocks:
            self._blocks[segment] = _Block.of(self._rows.get(segment, {}).values())
        return self._blocks[segment]


def _first(cosines: NDArray[np.float32], wanted: int) -> NDArray[np.int64]:
    """Return the places of the largest, largest first."""
    if wanted >= cosines.size:
        return np.argsort(-cosines)
    chosen = np.argpartition(-cosines, wanted - 1)[:wanted]
    return chosen[np.argsort(-cosines[chosen])]


@dataclass(frozen=True, slots=True)
class _Block:
    """The rows of one segment, by category and key; ``looks`` are their unit vectors."""

    rows: list[HeldRow]
    looks: NDArray[np.float32]
    block: TailBlock

    @classmethod
    def of(cls, held: Iterable[HeldRow]) -> _Block:
        rows = sorted(held, key=lambda row: (row.picture.category_id, row.picture.key))
        if not rows:
            return cls([], np.zeros((0, 512), np.float32), TailBlock([]))
        looks = np.stack([row.look for row in rows])
        bits = bits_of(looks)
        writes = [
            Write(row.version, Entry(row.picture, Features(row.look, bits[i])))
            for i, row in enumerate(rows)
        ]
        wide = looks.astype(np.float32)
        wide /= np.linalg.norm(wide, axis=1, keepdims=True)
        return cls(rows, wide, TailBlock(writes))

    def passing(
        self, category_id: int | None, filter: Filter | None
    ) -> Iterator[NDArray[np.int64]]:
        for run in self.block.runs:
            if category_id is not None and run.category_id != category_id:
                continue
            mask = passing(self.block, _NONE, filter, run.start, run.end)
            every = np.arange(run.start, run.end)
            yield every if mask is None else every[mask]

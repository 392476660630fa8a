"""Writers and searchers under way, and a record of what was acknowledged to them."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from imagesearch.catalogue import Attributes, Picture, PictureKey, Region
from imagesearch.errors import EngineUnavailable
from imagesearch.index import (
    Change,
    Entry,
    Features,
    Index,
    OfPicture,
    Query,
    Snapshot,
    encode,
)
from imagesearch.operations.deployment import Deployment
from imagesearch.operations.live_queries import LiveQuery, may_keep, settled
from numpy.typing import NDArray

__all__ = [
    "INSTANCE",
    "Book",
    "Faults",
    "Folder",
    "Known",
    "Searcher",
    "Writer",
    "check",
    "look",
]

INSTANCE = "shop"
"""The instance that is handed over."""

_WHOLE = Region.whole(100, 80)
_HITS = 20
_OTHER = 88888888


def look(vector: NDArray[np.float32], key: PictureKey, category: int, tag: int) -> Entry:
    """Return the entry of a picture."""
    picture = Picture(key, category, _WHOLE, Attributes(int_attr=tag))
    return Entry.of(picture, vector, None)


@dataclass(frozen=True, slots=True)
class Known:
    """What was last acknowledged of a picture: how it looks, its tag, whether it is there."""

    features: Features
    tag: int
    there: bool = True


@dataclass(slots=True)
class Faults:
    """What went wrong: acknowledged pictures not found, deleted ones returned, old states shown."""

    lost: int = 0
    returned: int = 0
    stale: int = 0

    def __str__(self) -> str:
        return f"{self.lost} lost, {self.returned} returned after deletion, {self.stale} stale"


class Book:
    """What was acknowledged, picture by picture; a picture is written by one at a time."""

    def __init__(self) -> None:
        self.known: dict[PictureKey, Known] = {}
        self.keys: list[PictureKey] = []
        self.writes: Counter[str] = Counter()
        self.touched: set[PictureKey] = set()
        self.lock = threading.Lock()
        self._busy: set[PictureKey] = set()

    def note(self, kind: str, key: PictureKey, known: Known) -> None:
        """Note what was acknowledged."""
        with self.lock:
            if key not in self.known:
                self.keys.append(key)
            self.known[key] = known
            self.writes[kind] += 1
            if kind != "loaded":
                self.touched.add(key)

    def take(self, dice: random.Random) -> PictureKey | None:
        """Return a picture that nobody else writes or checks now; :meth:`leave` it afterwards."""
        with self.lock:
            key = self.keys[dice.randrange(len(self.keys))] if self.keys else None
            if key is None or key in self._busy:
                return None
            self._busy.add(key)
            return key

    def leave(self, key: PictureKey) -> None:
        """Let others have a picture."""
        with self.lock:
            self._busy.discard(key)


class _Worker(threading.Thread):
    """Does one thing after another until it is told to stop."""

    def __init__(self, pause: float, seed: int) -> None:
        super().__init__(daemon=True)
        self.dice = random.Random(seed)
        self._pause = pause
        self._stopping = threading.Event()
        self.trouble: BaseException | None = None

    def stop(self) -> None:
        """Do no more, and raise what went wrong."""
        self._stopping.set()
        self.join()
        if self.trouble:
            raise self.trouble

    def run(self) -> None:
        """Work."""
        try:
            while not self._stopping.wait(self._pause):
                self.once()
        except BaseException as error:
            self.trouble = error

    def once(self) -> None:
        """Do it once."""
        raise NotImplementedError


class Writer(_Worker):
    """Adds, overwrites, deletes and patches pictures, a few in each write."""

    def __init__(
        self, index: Index, book: Book, vectors: NDArray[np.float32], *, pause: float, seed: int
    ) -> None:
        super().__init__(pause, seed)
        self._index, self._book, self._vectors, self._seed = index, book, vectors, seed
        self._made = 0

    def once(self) -> None:
        """Write once."""
        kind = self.dice.choices(["add", "overwrite", "delete", "patch"], [4, 2, 2, 2])[0]
        key = self._fresh() if kind == "add" else self._book.take(self.dice)
        if key is None:
            return
        try:
            known = self._book.known.get(key)
            if known is None or not known.there:
                kind = "add"
            self._book.note(kind, key, self._write(kind, key, known))
        finally:
            self._book.leave(key)

    def _fresh(self) -> PictureKey:
        self._made += 1
        return PictureKey(f"w{self._seed}-{self._made // 3}", f"{self._made % 3}")

    def _write(self, kind: str, key: PictureKey, known: Known | None) -> Known:
        after = self._index.place()
        tag = self.dice.randrange(1000)
        if kind == "delete" and known:
            self._index.append(deletions=[OfPicture(key)], after=after)
            return Known(known.features, known.tag, there=False)
        if kind == "patch" and known:
            self._index.append(changes=[Change(key, {"int_attr": tag})], after=after)
            return Known(known.features, tag)
        entry = look(self._vectors[self.dice.randrange(len(self._vectors))], key, _OTHER, tag)
        self._index.append([entry], after=after)
        return Known(entry.features, tag)


class Folder(_Worker):
    """Keeps the index in shape; what an engine refuses is left for the next time."""

    def __init__(self, work: Callable[[], object], *, pause: float) -> None:
        super().__init__(pause, 0)
        self._work = work

    def once(self) -> None:
        """Do what is due."""
        with suppress(EngineUnavailable):
            self._work()


class Searcher(_Worker):
    """Searches for what was acknowledged and for other pictures; the former it checks."""

    def __init__(
        self,
        deployment: Deployment,
        book: Book,
        faults: Faults,
        vectors: NDArray[np.float32],
        *,
        pause: float,
        seed: int,
    ) -> None:
        super().__init__(pause, seed)
        self._deployment, self._book, self._faults = deployment, book, faults
        self._vectors = vectors
        self.searches = 0
        self.refused = 0

    def once(self) -> None:
        """Search twice; an engine that does not answer is refused, not wrong."""
        try:
            self._search()
        except EngineUnavailable:
            self.refused += 1

    def _search(self) -> None:
        """Search for a picture that nobody writes meanwhile, and for one that is not there."""
        key = self._book.take(self.dice)
        if key is None:
            return
        try:
            snapshot = self._deployment.open(INSTANCE).snapshot
            check(snapshot, key, self._book.known[key], self._faults)
        finally:
            self._book.leave(key)
        catalogue = self._deployment.open(INSTANCE)
        vector = self._vectors[self.dice.randrange(len(self._vectors))]
        wanted = f"int_attr<{self.dice.randrange(1, 1000)}" if self.dice.random() < 0.3 else None
        asked = LiveQuery(features=encode(vector), filter=wanted)
        settled(may_keep(self._deployment, catalogue, asked))
        catalogue.snapshot.search(asked.query(10))
        self.searches += 2


def check(snapshot: Snapshot, key: PictureKey, known: Known, faults: Faults) -> None:
    """Search for one picture as it was acknowledged, and count what is wrong."""
    hits = snapshot.search(Query(features=known.features, num=_HITS)).hits
    found = next((hit for hit in hits if hit.picture.key == key), None)
    if not known.there:
        faults.returned += found is not None or snapshot.find(key) is not None
    elif found:
        same = found.likeness.score == 1.0
        faults.stale += not same or found.picture.attributes.int_attr != known.tag
    elif len(hits) < _HITS or hits[-1].likeness.score < 1.0 or snapshot.find(key) is None:
        faults.lost += 1  # else a page of pictures that look exactly the same ends before it

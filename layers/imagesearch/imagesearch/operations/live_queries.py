"""A sample of live searches, kept while an instance is handed over, to compare answers with.

Of a search are kept the row of what was searched for, category and filter: no picture, no hits,
nothing of who asked. There are at most :data:`KEPT` of an instance, below its index's prefix, so
that whoever erases the index erases them too.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from concurrent.futures import Future, wait
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from imagesearch.catalogue import Instance
from imagesearch.catalogue.filter import Filter
from imagesearch.errors import CorruptObject, ImageSearchError, NoSuchObject
from imagesearch.index import Features, Query
from imagesearch.index.features import DIMENSIONS, bits_of
from imagesearch.index.keys import Keys
from imagesearch.index.sealed import seal, unseal
from imagesearch.observe import logger

if TYPE_CHECKING:
    from imagesearch.operations.deployment import Catalogue, Deployment
    from imagesearch.storage import ObjectStore

__all__ = [
    "KEPT",
    "LiveQuery",
    "forget_live",
    "kept_live",
    "live_queries",
    "may_keep",
    "settled",
]

KEPT = 1000
"""Live searches that are kept of an instance at most; a new one takes the place of another."""
_PATIENCE = 0.1
"""Seconds that a search which is kept waits for that at its end."""
_chance = random.SystemRandom()  # others would come out of a snapshot the same every time


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveQuery:
    """What somebody searched for: the look, and what the hits were restricted to."""

    features: Features
    category_id: int | None = None
    filter: str | None = None

    def query(self, num: int) -> Query:
        """Return the search for the first ``num`` hits."""
        return Query(
            features=self.features,
            category_id=self.category_id,
            filter=None if self.filter is None else Filter.parse(self.filter),
            num=num,
        )


class _Stored(msgspec.Struct, frozen=True, kw_only=True):
    row: bytes
    category_id: int | None = None
    filter: str | None = None


# Made at import: msgspec crashes when several threads use a struct for the first time at once.
_stored = msgspec.msgpack.Decoder(_Stored)


def may_keep(deployment: Deployment, catalogue: Catalogue, asked: LiveQuery) -> Future[None] | None:
    """Begin to keep a search, if its instance has an engine elsewhere and chance will have it.

    Costs nothing but that glance otherwise. What is kept is written on another thread.
    """
    if catalogue.snapshot.manifest.outpost is None:
        return None
    if _chance.random() >= deployment.settings.query_share:
        return None
    return deployment.soon(lambda: _keep(deployment.store, catalogue.instance, asked))


def settled(keeping: Future[None] | None) -> None:
    """Wait a moment until a search is kept, which was begun before it was answered."""
    if keeping is not None:
        wait([keeping], _PATIENCE)


def live_queries(store: ObjectStore, instance: Instance, limit: int = KEPT) -> Iterator[LiveQuery]:
    """Yield up to ``limit`` kept searches, in an order that says nothing."""
    for info in islice(store.list(Keys(instance.prefix).queries), limit):
        try:
            yield _decoded(info.key, store.get(info.key).body)
        except (NoSuchObject, CorruptObject):
            continue  # forgotten meanwhile, or of another release


def kept_live(store: ObjectStore, instance: Instance) -> int:
    """Return how many searches are kept."""
    return sum(1 for _ in store.list(Keys(instance.prefix).queries))


def forget_live(store: ObjectStore, instance: Instance) -> None:
    """Delete the kept searches."""
    store.delete([info.key for info in store.list(Keys(instance.prefix).queries)])


def _keep(store: ObjectStore, instance: Instance, asked: LiveQuery) -> None:
    """Write a search to a place drawn at random; a failure is nothing to its caller."""
    row = asked.features.row.tobytes()
    body = msgspec.msgpack.encode(
        _Stored(row=row, category_id=asked.category_id, filter=asked.filter)
    )
    try:
        store.put(Keys(instance.prefix).query(_chance.randrange(KEPT)), seal("query", body))
    except ImageSearchError:
        logger().warning("a search was not kept", extra={"instance": instance.name}, exc_info=True)


def _decoded(key: str, data: bytes) -> LiveQuery:
    try:
        stored = _stored.decode(unseal("query", key, data))
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise CorruptObject(f"{key} is not a search: {error}.") from None
    if len(stored.row) != DIMENSIONS:
        raise CorruptObject(f"{key} has a row of {len(stored.row)} bytes, not {DIMENSIONS}.")
    row = np.frombuffer(stored.row, np.int8)
    features = Features(row, bits_of(row[np.newaxis])[0])
    return LiveQuery(features=features, category_id=stored.category_id, filter=stored.filter)

"""Milvus as the engine: a cluster, Zilliz Cloud, or milvus-lite in a file."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import product
from typing import Any

import numpy as np

from imagesearch.catalogue import PictureKey
from imagesearch.catalogue.filter.expression import INT_FIELDS, STRING_FIELDS
from imagesearch.engines import milvus_filter, records
from imagesearch.engines.attributes import LONGEST_NAME
from imagesearch.engines.batches import batches
from imagesearch.engines.ownership import check_erasable, check_own
from imagesearch.errors import CorruptObject, EngineUnavailable
from imagesearch.index.engine import BATCH, HeldRow, Nearest, Question, row_id
from imagesearch.index.features import DIMENSIONS, squares_of
from imagesearch.index.scan import dot_products

__all__ = ["LONGEST_RECORD", "MilvusEngine", "connect"]

_SECONDS = 10
"""How long one call may take, its repetitions included."""
_FILL_SECONDS = 60
"""The same of one that nobody waits for: milvus-lite takes nothing while it builds a graph."""
_DEEPEST = 16_384
"""Neighbours that one search brings (the service's limit for offset and limit together)."""
_LONGEST_ID, LONGEST_RECORD = 128, 65_535
_OWNER = "imagesearch.owner"
"""The collection's property that tells whose it is; milvus-lite forgets descriptions."""


Client = Any  # pymilvus is no part of what is installed for development


def connect(uri: str, token: str) -> Client:
    """Connect to the Milvus at ``uri``: an address, or the path of a file of milvus-lite."""
    import pymilvus

    logging.getLogger("pymilvus").setLevel(logging.CRITICAL)  # what it says is in our errors
    return pymilvus.MilvusClient(uri, token=token, timeout=_SECONDS)


class MilvusEngine:
    """The collection ``collection``, read and written with consistency ``Strong``.

    It is used only if it is marked as ``owner``'s, as :meth:`create` does.
    """

    def __init__(self, open_client: Callable[[], Client], collection: str, owner: str = "") -> None:
        self._open = open_client
        self._collection = collection
        self._owner = owner
        self._lock = threading.Lock()
        self._opened: Client = None

    @property
    def name(self) -> str:
        """Return ``milvus:`` and the collection."""
        return f"milvus:{self._collection}"

    @property
    def deepest(self) -> int:
        """Return the limit of Milvus."""
        return _DEEPEST

    @property
    def named_at_once(self) -> int:
        """Return as many as are written in one request."""
        return BATCH

    def create(self) -> None:
        """Make the collection, unless there is one; raise if that one is of another make."""
        with self._client("create_collection") as client:
            if not client.has_collection(self._collection, timeout=_SECONDS):
                _make(client, self._collection, self._owner)
            found = client.describe_collection(self._collection, timeout=_SECONDS)
        there, wanted = {field["name"] for field in found["fields"]}, set(_FIELDS)
        if there != wanted:
            raise EngineUnavailable(
                f"{self.name} is a collection of another make: its fields are {sorted(there)}.",
                fix="Drop it, or name another.",
            )
        check_own(self.name, _owner_of(found), self._owner)

    def fill(self, rows: Sequence[HeldRow]) -> None:
        """Upsert rows, up to 500 in a request."""
        for some in batches(rows, BATCH):
            data = [_entity(row) for row in some]
            with self._client("upsert") as client:
                client.upsert(self._collection, data, timeout=_FILL_SECONDS)

    def remove(self, segment: str, keys: Iterable[PictureKey]) -> None:
        """Delete rows by their ids, up to 500 in a request."""
        with self._client("delete") as client:
            if not client.has_collection(self._collection, timeout=_SECONDS):
                return
            for some in batches((row_id(segment, key) for key in keys), BATCH):
                client.delete(self._collection, ids=some, timeout=_SECONDS)

    def nearest(self, question: Question) -> Nearest:
        """Search for as many rows as are wanted or one search brings."""
        if not question.segments:
            return Nearest((), complete=True)
        wanted = min(question.wanted, _DEEPEST)
        passing = milvus_filter.conditions(question)
        with self._client("search") as client:
            (found,) = client.search(
                self._collection,
                [question.features.row.astype(np.float32)],
                filter=passing,
                limit=wanted,
                output_fields=["record"],
                consistency_level="Strong",
                timeout=_SECONDS,
            )
        rows = self._rows((hit["id"], hit["entity"].get("record")) for hit in found)
        if len(rows) == wanted:
            return Nearest(rows, complete=False)
        return self._completed(question, passing, rows)

    def _completed(self, question: Question, passing: str, rows: list[HeldRow]) -> Nearest:
        """Tell whether fewer rows than wanted are all, and if not, compare all that pass here.

        A graph that is walked under a filter which few rows pass may end before it found them.
        """
        (counted,) = self._query("count", passing, ["count(*)"])
        count = int(counted["count(*)"])
        if count <= len(rows) or count > _DEEPEST:
            return Nearest(rows, complete=count <= len(rows))
        found = self._query("query", passing, ["id", "record"], limit=count)
        rows = _ranked(self._rows((row["id"], row.get("record")) for row in found), question)
        return Nearest(rows[: question.wanted], complete=len(rows) <= question.wanted)

    def _query(
        self, action: str, passing: str, fields: list[str], **options: int
    ) -> Sequence[Mapping[str, Any]]:
        with self._client(action) as client:
            found: Sequence[Mapping[str, Any]] = client.query(
                self._collection,
                filter=passing,
                output_fields=fields,
                consistency_level="Strong",
                timeout=_SECONDS,
                **options,
            )
        return found

    def find(self, keys: Sequence[PictureKey], segments: Sequence[str]) -> Sequence[HeldRow]:
        """Get rows by their ids, up to 500 in a request."""
        found: list[HeldRow] = []
        for some in batches((row_id(s, key) for key, s in product(keys, segments)), BATCH):
            with self._client("get") as client:
                got = client.get(
                    self._collection,
                    some,
                    output_fields=["id", "record"],
                    consistency_level="Strong",
                    timeout=_SECONDS,
                )
            found += self._rows((row["id"], row.get("record")) for row in got)
        return found

    def erase(self) -> None:
        """Drop the collection, if there is one and it is nobody else's."""
        with self._client("drop_collection") as client:
            if client.has_collection(self._collection, timeout=_SECONDS):
                found = client.describe_collection(self._collection, timeout=_SECONDS)
                check_erasable(self.name, _owner_of(found), self._owner)
                client.drop_collection(self._collection, timeout=_SECONDS)

    def _rows(self, found: Iterable[tuple[str, object]]) -> list[HeldRow]:
        try:
            return [records.decode(str(name), record) for name, record in found]
        except CorruptObject as error:
            raise EngineUnavailable(
                f"{self.name} brought what was not put there: {error}",
                fix="imagesearch handover --back, then hand over again to fill it anew.",
            ) from None

    @contextmanager
    def _client(self, action: str) -> Iterator[Client]:
        """Lend the client; what goes wrong is raised as the engine's not answering."""
        try:
            import grpc
            import pymilvus
        except ImportError as error:
            raise EngineUnavailable(
                f"{self.name} needs pymilvus, which is not here: {error}.",
                fix="Add the layer that tools/engines/milvus_layer.sh builds; see docs/scale.md.",
            ) from None
        try:
            yield self._connected()
        except (pymilvus.MilvusException, grpc.RpcError, OSError) as error:
            raise EngineUnavailable(
                f"{self.name} did not do {action}: {type(error).__name__}, {str(error)[:300]}"
            ) from error

    def _connected(self) -> Client:
        with self._lock:
            if self._opened is None:
                self._opened = self._open()
            return self._opened


_FIELDS = (
    "id",
    "vector",
    "segment",
    "category",
    *STRING_FIELDS,
    *INT_FIELDS,
    *(f"{field}_given" for field in INT_FIELDS),
    "record",
)


def _owner_of(found: Mapping[str, Any]) -> str:
    return str(dict(found.get("properties") or {}).get(_OWNER, ""))


def _make(client: Client, collection: str, owner: str) -> None:
    """Make the collection and its index, and load it; another may do the same meanwhile."""
    import pymilvus
    from pymilvus import DataType

    kinds = {
        "id": (DataType.VARCHAR, {"is_primary": True, "max_length": _LONGEST_ID}),
        "vector": (DataType.FLOAT_VECTOR, {"dim": DIMENSIONS}),
        "segment": (DataType.VARCHAR, {"max_length": _LONGEST_ID}),
        "category": (DataType.INT64, {}),
        "record": (DataType.VARCHAR, {"max_length": LONGEST_RECORD}),
    }
    kinds |= dict.fromkeys(STRING_FIELDS, (DataType.VARCHAR, {"max_length": LONGEST_NAME}))
    kinds |= dict.fromkeys(INT_FIELDS, (DataType.INT64, {}))
    schema = pymilvus.MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)
    for field in _FIELDS:
        kind, options = kinds.get(field, (DataType.BOOL, {}))
        schema.add_field(field, kind, **options)
    index = pymilvus.MilvusClient.prepare_index_params()
    index.add_index("vector", index_type="AUTOINDEX", metric_type="COSINE")
    try:
        client.create_collection(
            collection,
            schema=schema,
            index_params=index,
            consistency_level="Strong",
            properties={_OWNER: owner},
            timeout=_SECONDS,
        )
    except pymilvus.MilvusException:
        if not client.has_collection(collection, timeout=_SECONDS):
            raise


def _entity(row: HeldRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "vector": row.look.astype(np.float32),
        "segment": row.segment,
        "category": row.picture.category_id,
        **milvus_filter.fields(row.picture.attributes),
        "record": records.encode(row),
    }


def _ranked(rows: list[HeldRow], question: Question) -> list[HeldRow]:
    """Return rows by their cosine, the most alike first."""
    if not rows:
        return rows
    looks = np.stack([row.look for row in rows])
    lengths = np.sqrt(np.maximum(squares_of(looks), 1).astype(np.float64))
    cosines = dot_products(question.features.row, looks) / lengths
    return [rows[place] for place in np.argsort(-cosines, kind="stable").tolist()]

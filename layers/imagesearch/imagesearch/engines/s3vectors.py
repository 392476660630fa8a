"""Amazon S3 Vectors as the engine: one vector index for each index of ours.

One for each group of categories would make a search in one category cheaper, which is paid by the
size of what it goes through. It would have to ask all of them when it names no category, and each
is listed, filled and paid apart; an owner whose categories are that large has instances for them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imagesearch.catalogue import PictureKey
from imagesearch.engines import records, s3vectors_filter
from imagesearch.engines.batches import batches
from imagesearch.engines.ownership import check_erasable, check_own, digest
from imagesearch.engines.refusals import of_client
from imagesearch.errors import CorruptObject, EngineUnavailable
from imagesearch.index.engine import BATCH, HeldRow, Nearest, Question, row_id
from imagesearch.index.features import DIMENSIONS

__all__ = ["ACTIONS", "S3VectorsEngine", "connect"]

ACTIONS = (
    "s3vectors:CreateIndex",
    "s3vectors:GetIndex",
    "s3vectors:PutVectors",
    "s3vectors:DeleteVectors",
    "s3vectors:QueryVectors",
    "s3vectors:GetVectors",
    "s3vectors:DeleteIndex",
)
"""Everything that a policy must allow, on the vector index."""
_RECORD = "record"
_OWNER = "owner-"
"""What the name of a metadata key begins with that no vector has and whose rest tells the owner.

Only the names of keys can be told of a vector index when it is made; tags would need more rights.
"""
_GOT = 100
"""Vectors that one GetVectors may name."""
_DEEPEST_PAGED, _DEEPEST = 10_000, 100
"""Neighbours that QueryVectors brings: with pages, and in regions and releases without them."""
_DEEPER = 10
"""How many times as many rows are asked for where fewer came than were wanted."""
Client = Any  # the stubs of boto3 that are installed do not describe this service


def connect(*, endpoint: str | None = None, region: str | None = None) -> Client:
    """Make a client of S3 Vectors that gives up within the 30 s of an HTTP API request.

    What is throttled is repeated thrice, after up to 1, 2 and 4 s, by chance.
    """
    import boto3
    from botocore.config import Config

    return boto3.Session().client(
        "s3vectors",
        endpoint_url=endpoint,
        region_name=region,
        config=Config(
            connect_timeout=1,
            read_timeout=5,
            retries={"mode": "standard", "total_max_attempts": 4},
            max_pool_connections=16,
        ),
    )


class S3VectorsEngine:
    """The vector index ``index`` in the vector bucket ``bucket``, which exists.

    Vectors are the int8 rows as float32, which holds each exactly; ``record`` is metadata that no
    filter can look at, all else is made for filters. It is used only if it is marked as
    ``owner``'s, as :meth:`create` does.
    """

    def __init__(
        self, open_client: Callable[[], Client], bucket: str, index: str, owner: str = ""
    ) -> None:
        self._open = open_client
        self._mark = f"{_OWNER}{digest(owner)}"
        self._place = {"vectorBucketName": bucket, "indexName": index}
        self._lock = threading.Lock()
        self._opened: Client = None
        self._refused_depth = False

    @property
    def name(self) -> str:
        """Return ``s3vectors:`` and where the vector index is."""
        return f"s3vectors:{self._place['vectorBucketName']}/{self._place['indexName']}"

    @property
    def deepest(self) -> int:
        """Return 10,000, or 100 where the client or the region knows no pages of neighbours."""
        if self._refused_depth or "nextToken" not in self._parameters("QueryVectors"):
            return _DEEPEST
        return _DEEPEST_PAGED

    @property
    def named_at_once(self) -> int:
        """Return the limit of GetVectors."""
        return _GOT

    def create(self) -> None:
        """Make the vector index, unless there is one; raise if that one is of another make."""
        found = self._index()
        if found is None:
            self._make()
            found = self._index() or {}
        self._check(found)

    def fill(self, rows: Sequence[HeldRow]) -> None:
        """Put rows, up to 500 in a request."""
        for some in batches(rows, BATCH):
            self._call("put_vectors", vectors=[_vector(row) for row in some])

    def remove(self, segment: str, keys: Iterable[PictureKey]) -> None:
        """Delete rows by their names, up to 500 in a request."""
        for some in batches((row_id(segment, key) for key in keys), BATCH):
            self._call("delete_vectors", none_if="NotFoundException", keys=some)

    def nearest(self, question: Question) -> Nearest:
        """Query, page by page, for as many rows as are wanted or one query brings.

        Where fewer come, the query is repeated deeper: under a filter the service may end before
        it found all that pass. If no more come then, they are all, as far as can be told.
        """
        if not question.segments:
            return Nearest((), complete=True)
        found = self._nearest(question, question.wanted)
        wanted = min(question.wanted, self.deepest)  # which the first query may have taught
        if len(found) >= wanted:
            return Nearest(found, complete=False)
        more = self._nearest(question, wanted * _DEEPER)
        return Nearest(more[:wanted], complete=len(more) <= min(len(found), wanted))

    def _nearest(self, question: Question, wanted: int) -> list[HeldRow]:
        """Return up to so many rows, or as many as one query brings."""
        try:
            return self._queried(question, min(wanted, self.deepest))
        except _TooDeep:
            self._refused_depth = True
            return self._queried(question, self.deepest)

    def find(self, keys: Sequence[PictureKey], segments: Sequence[str]) -> Sequence[HeldRow]:
        """Get rows by their names, up to 100 in a request."""
        names = (row_id(segment, key) for key, segment in product(keys, segments))
        found: list[HeldRow] = []
        for some in batches(names, _GOT):
            answer = self._call("get_vectors", keys=some, returnMetadata=True)
            found += self._rows(answer)
        return found

    def erase(self) -> None:
        """Delete the vector index, if there is one and it is nobody else's."""
        if (found := self._index()) is not None:
            check_erasable(self.name, _mark_of(found), self._mark)
        self._call("delete_index", none_if="NotFoundException")

    def _queried(self, question: Question, wanted: int) -> list[HeldRow]:
        asked: dict[str, Any] = {
            "topK": wanted,
            "queryVector": {"float32": _direction(question.features.row)},
            "filter": s3vectors_filter.conditions(question),
            "returnMetadata": True,
        }
        if "queryMode" in self._parameters("QueryVectors"):
            asked["queryMode"] = "ENHANCED"  # filters first; else fewer may come than pass
        found: list[HeldRow] = []
        for answer in self._pages(asked):
            found += self._rows(answer)
            if len(found) >= wanted:
                break
        return found[:wanted]

    def _pages(self, asked: dict[str, Any]) -> Iterator[Mapping[str, Any]]:
        while True:
            answer = self._call("query_vectors", **asked)
            yield answer
            if not answer.get("nextToken"):
                return
            asked = asked | {"nextToken": answer["nextToken"]}

    def _rows(self, answer: Mapping[str, Any]) -> list[HeldRow]:
        try:
            return [records.decode(v["key"], v["metadata"][_RECORD]) for v in answer["vectors"]]
        except (CorruptObject, KeyError, TypeError) as error:
            raise EngineUnavailable(
                f"{self.name} brought what was not put there: {error}",
                fix="imagesearch handover --back, then hand over again to fill it anew.",
            ) from None

    def _index(self) -> Mapping[str, Any] | None:
        answer = self._call("get_index", none_if="NotFoundException")
        return None if answer is None else dict(answer["index"])

    def _make(self) -> None:
        self._call(
            "create_index",
            none_if="ConflictException",
            dataType="float32",
            dimension=DIMENSIONS,
            distanceMetric="cosine",
            metadataConfiguration={"nonFilterableMetadataKeys": [_RECORD, self._mark]},
        )

    def _check(self, found: Mapping[str, Any]) -> None:
        kept = _unfiltered(found)
        made = found.get("dimension"), found.get("distanceMetric"), _RECORD in kept
        if made != (DIMENSIONS, "cosine", True):
            raise EngineUnavailable(
                f"{self.name} is a vector index of another make: dimension {made[0]}, distance "
                f"{made[1]}, metadata that is not filtered {kept}.",
                fix="Delete it, or name another.",
            )
        check_own(self.name, _mark_of(found), self._mark)

    def _parameters(self, operation: str) -> Mapping[str, object]:
        model = self._client.meta.service_model.operation_model(operation)
        members: Mapping[str, object] = model.input_shape.members
        return members

    @property
    def _client(self) -> Client:
        from botocore.exceptions import BotoCoreError

        with self._lock:
            if self._opened is None:
                try:
                    self._opened = self._open()
                except BotoCoreError as error:
                    raise EngineUnavailable(
                        f"no client of S3 Vectors can be made here: {error}",
                        fix="Set AWS_REGION; bring a release of boto3 that knows s3vectors.",
                    ) from error
            return self._opened

    def _call(self, operation: str, *, none_if: str = "", **parameters: object) -> Any:  # noqa: ANN401
        """Return the answer, or ``None`` if the refusal is ``none_if``."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            return getattr(self._client, operation)(**self._place, **parameters)
        except ClientError as error:
            told = error.response.get("Error", {})
            if told.get("Code") == none_if:
                return None
            if told.get("Code") == "ValidationException" and _too_deep(parameters, told):
                raise _TooDeep from error
            raise of_client(error, self.name) from error
        except BotoCoreError as error:
            raise EngineUnavailable(
                f"{self.name} did not answer {operation}: {type(error).__name__}, "
                f"{str(error)[:300]}"
            ) from error


def _unfiltered(found: Mapping[str, Any]) -> Sequence[str]:
    """Return the metadata keys of a vector index that no filter looks at."""
    keys: Sequence[str] = found.get("metadataConfiguration", {}).get(
        "nonFilterableMetadataKeys", []
    )
    return keys


def _mark_of(found: Mapping[str, Any]) -> str:
    return next((key for key in _unfiltered(found) if key.startswith(_OWNER)), "")


class _TooDeep(Exception):
    """The service brings fewer neighbours at once than were asked for."""


def _too_deep(parameters: Mapping[str, object], told: Mapping[str, Any]) -> bool:
    wanted = parameters.get("topK")
    return isinstance(wanted, int) and wanted > _DEEPEST and "topk" in str(told).lower()


def _vector(row: HeldRow) -> dict[str, Any]:
    return {
        "key": row.id,
        "data": {"float32": _direction(row.look)},
        "metadata": {
            "segment": row.segment,
            "category": row.picture.category_id,
            **s3vectors_filter.metadata(row.picture.attributes),
            _RECORD: records.encode(row),
        },
    }


def _direction(look: NDArray[np.int8]) -> list[int]:
    """Return a row's direction; the service refuses that of a row of zeros, so it has another."""
    values: list[int] = look.tolist()
    return values if look.any() else [1] + [0] * (DIMENSIONS - 1)

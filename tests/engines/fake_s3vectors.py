"""A fake of Amazon S3 Vectors, over HTTP. It is not the service.

What it takes and gives is held against botocore's model of the service; the limits that the model
does not have are those of the service's guide. It finds exact neighbours, throttles every few
requests and pages early. What the guide leaves open is a switch: ``absent_differs`` tells whether
``$ne`` and ``$nin`` pass a vector that lacks the key, and ``looks_at`` how many of the nearest a
query holds its filter against for each that it is to bring.
"""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

import boto3
import numpy as np
from botocore import xform_name
from botocore.model import ListShape, OperationModel, ServiceModel, Shape, StructureShape
from botocore.validate import ParamValidator

FILTERABLE_BYTES, METADATA_BYTES, METADATA_KEYS = 2048, 40 * 1024, 50
PAYLOAD = 20 << 20
_COMPARED = {
    "$eq": lambda a, b: a == b,
    "$ne": lambda a, b: a != b,
    "$gt": lambda a, b: a > b,
    "$gte": lambda a, b: a >= b,
    "$lt": lambda a, b: a < b,
    "$lte": lambda a, b: a <= b,
}
_DIFFERENT = {"$ne", "$nin"}


class Refused(Exception):
    """An error of the service: its name in the model, and what it says."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


@dataclass
class Vector:
    look: np.ndarray
    metadata: dict[str, Any]


@dataclass
class VectorIndex:
    made: dict[str, Any]
    vectors: dict[str, Vector] = field(default_factory=dict)

    @property
    def unfiltered(self) -> set[str]:
        return set(self.made.get("metadataConfiguration", {}).get("nonFilterableMetadataKeys", []))


def service_model() -> ServiceModel:
    client = boto3.client(
        "s3vectors", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
    )
    return client.meta.service_model


class FakeS3Vectors(ThreadingHTTPServer):
    """One account with some vector buckets."""

    daemon_threads = True

    def __init__(
        self,
        buckets: tuple[str, ...] = ("vectors",),
        *,
        throttled_every: int = 7,
        page: int = 40,
        deepest: int = 10_000,
        absent_differs: bool = False,
        looks_at: int = 1_000_000,
    ) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.model = service_model()
        self.buckets: dict[str, dict[str, VectorIndex]] = {name: {} for name in buckets}
        self.throttled_every, self.page, self.deepest = throttled_every, page, deepest
        self.absent_differs, self.looks_at = absent_differs, looks_at
        self.refusals: dict[str, str] = {}  # operation -> the error that it gives from now on
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02})

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()

    def answer(self, path: str, payload: bytes) -> dict[str, Any]:
        """Return an operation's answer, or raise what it refuses with."""
        operation = self._operation(path)
        body = json.loads(payload)
        with self._lock:
            self.requests.append((operation.name, body))
            count = len(self.requests)
            if code := self.refusals.get(operation.name):
                raise Refused(code, "as the test wants it")
            if self.throttled_every and count % self.throttled_every == 0:
                raise Refused("TooManyRequestsException", "Please slow down.")
            if len(payload) > PAYLOAD:
                raise Refused("ValidationException", f"{len(payload)} bytes of payload")
            _hold(operation.input_shape, body)
            given = getattr(self, xform_name(operation.name))(body) or {}
        if operation.output_shape:
            _hold(operation.output_shape, given)
        return given

    def _operation(self, path: str) -> OperationModel:
        for name in self.model.operation_names:
            operation = self.model.operation_model(name)
            if operation.http["requestUri"] == path and hasattr(self, xform_name(name)):
                return operation
        raise Refused("ValidationException", f"the fake has no {path}")

    def _index(self, body: Mapping[str, Any]) -> VectorIndex:
        bucket = self._bucket(body)
        if body.get("indexName") not in bucket:
            raise Refused("NotFoundException", "The specified index could not be found")
        return bucket[body["indexName"]]

    def _bucket(self, body: Mapping[str, Any]) -> dict[str, VectorIndex]:
        if body.get("vectorBucketName") not in self.buckets:
            raise Refused("NotFoundException", "The specified vector bucket could not be found")
        return self.buckets[body["vectorBucketName"]]

    def create_index(self, body: dict[str, Any]) -> dict[str, Any]:
        bucket = self._bucket(body)
        if body["indexName"] in bucket:
            raise Refused("ConflictException", "An index with the specified name already exists")
        bucket[body["indexName"]] = VectorIndex(body)
        return {"indexArn": _arn(body)}

    def get_index(self, body: dict[str, Any]) -> dict[str, Any]:
        made = self._index(body).made
        kept = ("vectorBucketName", "indexName", "dataType", "dimension", "distanceMetric")
        found = {name: made[name] for name in kept}
        if "metadataConfiguration" in made:
            found["metadataConfiguration"] = made["metadataConfiguration"]
        return {"index": found | {"indexArn": _arn(made), "creationTime": 0}}

    def delete_index(self, body: dict[str, Any]) -> None:
        self._index(body)
        del self._bucket(body)[body["indexName"]]

    def put_vectors(self, body: dict[str, Any]) -> None:
        index = self._index(body)
        made = {given["key"]: _vector(given, index) for given in body["vectors"]}
        if len(made) < len(body["vectors"]):
            raise Refused("ValidationException", "a key is given twice")
        index.vectors |= made

    def delete_vectors(self, body: dict[str, Any]) -> None:
        index = self._index(body)
        for key in body["keys"]:
            index.vectors.pop(key, None)

    def get_vectors(self, body: dict[str, Any]) -> dict[str, Any]:
        index = self._index(body)
        found = [(key, index.vectors[key]) for key in body["keys"] if key in index.vectors]
        return {"vectors": [_shown(key, vector, body) for key, vector in found]}

    def query_vectors(self, body: dict[str, Any]) -> dict[str, Any]:
        index = self._index(body)
        if body["topK"] > self.deepest:
            raise Refused("ValidationException", f"topK must be at most {self.deepest}")
        if body.get("filter") is not None:
            check_filter(body["filter"], index.unfiltered)
        near = self._nearest(index, body)
        start = int(body.get("nextToken", 0))
        page = near[start : start + self.page]
        answer = {
            "vectors": [_shown(key, index.vectors[key], body) for _, key in page],
            "distanceMetric": index.made["distanceMetric"],
        }
        if start + self.page < len(near):
            answer["nextToken"] = str(start + self.page)
        return answer

    def _nearest(self, index: VectorIndex, body: dict[str, Any]) -> list[tuple[float, str]]:
        asked, wanted = _look(body["queryVector"], index), body.get("filter")
        if not index.vectors:
            return []
        looks = np.stack([vector.look for vector in index.vectors.values()])
        cosines = looks @ asked / (np.linalg.norm(looks, axis=1) * np.linalg.norm(asked))
        near = sorted(zip((1 - cosines).tolist(), index.vectors, strict=True))
        passing = [
            (distance, key)
            for distance, key in near[: body["topK"] * self.looks_at]
            if wanted is None or passes(index.vectors[key].metadata, wanted, self.absent_differs)
        ]
        return passing[: body["topK"]]


def _arn(body: Mapping[str, Any]) -> str:
    where = f"{body['vectorBucketName']}/index/{body['indexName']}"
    return f"arn:aws:s3vectors:us-east-1:123456789012:bucket/{where}"


def _shown(key: str, vector: Vector, body: Mapping[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = {"key": key}
    if body.get("returnMetadata"):
        shown["metadata"] = vector.metadata
    if body.get("returnData"):
        shown["data"] = {"float32": vector.look.tolist()}
    return shown


def _vector(given: Mapping[str, Any], index: VectorIndex) -> Vector:
    metadata = given.get("metadata", {})
    for key, value in metadata.items():
        _check_metadata(key, value)
    filterable = {k: v for k, v in metadata.items() if k not in index.unfiltered}
    if _bytes(filterable) > FILTERABLE_BYTES:
        raise Refused(
            "ValidationException", f"Filterable metadata must have at most {FILTERABLE_BYTES} bytes"
        )
    if _bytes(metadata) > METADATA_BYTES or len(metadata) > METADATA_KEYS:
        raise Refused("ValidationException", "too much metadata")
    return Vector(_look(given["data"], index), {k: _kept(v) for k, v in metadata.items()})


def _check_metadata(key: str, value: object) -> None:
    parts = value if isinstance(value, list) else [value]
    if not 1 <= len(key) <= 63 or "." in key or key.startswith("$"):
        raise Refused("ValidationException", f"{key!r} cannot be a key of metadata")
    if not all(isinstance(part, str | int | float | bool) for part in parts):
        raise Refused("ValidationException", f"{key!r} is neither text, number, boolean nor list")


def _kept(value: Any) -> Any:
    """JSON's numbers are doubles."""
    if isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return value


def _bytes(metadata: Mapping[str, Any]) -> int:
    return len(json.dumps(metadata))  # as ASCII: at least as long as whatever the service counts


def _look(data: Mapping[str, Any], index: VectorIndex) -> np.ndarray:
    look = np.array(data["float32"], np.float32)
    if look.shape != (index.made["dimension"],):
        raise Refused("ValidationException", f"a vector of dimension {look.shape}")
    if not np.isfinite(look).all():
        raise Refused("ValidationException", "a vector that is not of finite numbers")
    if index.made["distanceMetric"] == "cosine" and not look.any():
        raise Refused("ValidationException", "Zero vectors are not allowed for cosine")
    return look


def check_filter(document: object, unfiltered: set[str]) -> None:
    """Refuse what is no filter of the guide's grammar."""
    if not isinstance(document, dict) or not document:
        raise Refused("ValidationException", f"{document!r} is no filter")
    for key, value in document.items():
        if key in {"$and", "$or"}:
            if not isinstance(value, list) or not value:
                raise Refused("ValidationException", f"{key} takes a list of filters")
            for part in value:
                check_filter(part, unfiltered)
            continue
        if key.startswith("$") or key in unfiltered:
            raise Refused("ValidationException", f"{key!r} cannot be filtered")
        for operator, operand in (value if isinstance(value, dict) else {"$eq": value}).items():
            _check_operand(operator, operand)
        if value == {}:
            raise Refused("ValidationException", "an empty condition")


def _check_operand(operator: str, operand: object) -> None:
    number = isinstance(operand, int | float) and not isinstance(operand, bool)
    good = {
        "$eq": isinstance(operand, str | int | float | bool),
        "$ne": isinstance(operand, str | int | float | bool),
        "$in": isinstance(operand, list) and bool(operand),
        "$nin": isinstance(operand, list) and bool(operand),
        "$exists": isinstance(operand, bool),
        **dict.fromkeys(["$gt", "$gte", "$lt", "$lte"], number),
    }
    if not good.get(operator, False):
        raise Refused("ValidationException", f"{operator} {operand!r:.80} is no condition")


def passes(metadata: Mapping[str, Any], document: Mapping[str, Any], absent_differs: bool) -> bool:
    """Tell whether a vector passes a filter."""
    for key, value in document.items():
        if key in {"$and", "$or"}:
            join = all if key == "$and" else any
            if not join(passes(metadata, part, absent_differs) for part in value):
                return False
            continue
        for operator, operand in (value if isinstance(value, dict) else {"$eq": value}).items():
            if not _condition(metadata.get(key), operator, operand, absent_differs):
                return False
    return True


def _condition(value: Any, operator: str, operand: Any, absent_differs: bool) -> bool:
    if operator == "$exists":
        return (value is not None) is operand
    if value is None:
        return absent_differs and operator in _DIFFERENT
    values = value if isinstance(value, list) else [value]
    if operator in {"$in", "$nin"}:
        found = any(v == _kept(one) for v in values for one in operand)
        return found is (operator == "$in")
    compared = _COMPARED[operator]
    return any(
        compared(v, _kept(operand))
        for v in values
        if isinstance(v, str) is isinstance(operand, str)
    )


def _hold(shape: Shape, given: Any) -> None:
    """Hold parameters against the model: botocore checks types and minima, this also maxima."""
    report = ParamValidator().validate(given, shape)
    if report.has_errors():
        raise Refused("ValidationException", report.generate_report())
    _maxima(shape, given)


def _maxima(shape: Shape, given: Any) -> None:
    most = shape.metadata.get("max", math.inf)
    if shape.type_name in {"integer", "float"}:
        size = given
    else:
        size = len(given) if shape.type_name in {"string", "list"} else 0
    if size > most:
        raise Refused("ValidationException", f"{shape.name} is {size}; at most {most} is allowed")
    if isinstance(shape, StructureShape) and not shape.metadata.get("document"):
        if unknown := given.keys() - shape.members.keys():
            raise Refused("ValidationException", f"{shape.name} has no {unknown}")
        for name, value in given.items():
            _maxima(shape.members[name], value)
    if isinstance(shape, ListShape) and shape.member.type_name != "float":
        for value in given:
            _maxima(shape.member, value)


class _Handler(BaseHTTPRequestHandler):
    server: FakeS3Vectors
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        payload = self.rfile.read(int(self.headers["Content-Length"]))
        status, code = 200, ""
        try:
            if "/s3vectors/aws4_request" not in self.headers.get("Authorization", ""):
                raise Refused("AccessDeniedException", "not signed for s3vectors")
            reply = self.server.answer(self.path, payload)
        except Refused as refused:
            code, reply = refused.code, {"message": refused.message}
            shape = self.server.model.shape_for(code)
            status = shape.metadata.get("error", {}).get("httpStatusCode", 400)
        data = json.dumps(reply).encode()
        self.send_response(status)
        if code:
            self.send_header("x-amzn-ErrorType", code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

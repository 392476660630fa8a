"""The object store on Amazon S3, or any server with S3's conditional writes."""

from __future__ import annotations

import random
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from imagesearch.errors import LostRace, NoSuchObject, StorageError, StorageUnavailable
from imagesearch.storage import ObjectInfo, StoredObject

if TYPE_CHECKING:
    from datetime import datetime

    from botocore.exceptions import ClientError
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import GetObjectRequestTypeDef, PutObjectRequestTypeDef

__all__ = ["S3ObjectStore", "connect"]

# From the system: a generator's own seed would be the same in all environments of a snapshot.
_chance = random.SystemRandom()
_CONFLICT_TRIES = 8
_READ_TRIES = 3
_MISSING = {"NoSuchKey", "404", "NotFound"}
_PRECONDITION = {"PreconditionFailed", "412"}
_CONFLICT = {"ConditionalRequestConflict", "OperationAborted", "409"}


def connect(*, endpoint: str | None = None) -> S3Client:
    """Make an S3 client that answers or gives up within the 30 s of an HTTP API request.

    Four attempts of at most 5 s, with botocore's ``standard`` back-off of at most 7 s between
    them; a conditional write that is repeated after a lost answer is recognised by
    :class:`S3ObjectStore`. The read time-out is for each wait for bytes, not a whole object.
    """
    import boto3
    from botocore.config import Config

    # A session of its own: boto3's default one keeps the first credentials it ever saw.
    return boto3.Session().client(
        "s3",
        endpoint_url=endpoint,
        config=Config(
            connect_timeout=1,
            read_timeout=4,
            retries={"mode": "standard", "total_max_attempts": 4},
            max_pool_connections=48,
            s3={"addressing_style": "path" if endpoint else "auto"},
        ),
    )


class S3ObjectStore:
    """An :class:`~imagesearch.storage.ObjectStore` in one bucket."""

    def __init__(self, client: S3Client, bucket: str) -> None:
        self._s3 = client
        self.bucket = bucket

    def get(self, key: str) -> StoredObject:
        """Read an object; :class:`NoSuchObject` if there is none."""
        return self._read({"Bucket": self.bucket, "Key": key})

    def get_if_changed(self, key: str, etag: str) -> StoredObject | None:
        """Read an object unless it still has ``etag``; ``None`` means unchanged."""
        try:
            return self._read({"Bucket": self.bucket, "Key": key, "IfNoneMatch": etag})
        except _NotModified:
            return None

    def get_range(self, key: str, start: int, length: int) -> bytes:
        """Read ``length`` bytes from ``start``; shorter only at the object's end."""
        if length <= 0:
            return b""
        try:
            span = f"bytes={start}-{start + length - 1}"
            return self._read({"Bucket": self.bucket, "Key": key, "Range": span}).body
        except _BeyondEnd:
            return b""

    def head(self, key: str) -> ObjectInfo:
        """Describe an object without its bytes; ``NoSuchObject`` if there is none."""
        with _translated(key):
            found = self._s3.head_object(Bucket=self.bucket, Key=key)
        return ObjectInfo(
            key, found["ContentLength"], found["ETag"], _micros(found["LastModified"])
        )

    def put(self, key: str, body: bytes, *, content_type: str = "") -> str:
        """Write an object whatever is there, and return its ETag."""
        request: PutObjectRequestTypeDef = {"Bucket": self.bucket, "Key": key, "Body": body}
        if content_type:
            request["ContentType"] = content_type
        with _translated(key):
            return self._s3.put_object(**request)["ETag"]

    def put_if_absent(self, key: str, body: bytes) -> str:
        """Create an object and return its ETag; :class:`LostRace` if another is there."""
        return self._conditional_put(
            {"Bucket": self.bucket, "Key": key, "Body": body, "IfNoneMatch": "*"}, body
        )

    def compare_and_swap(self, key: str, body: bytes, etag: str) -> str:
        """Replace the version ``etag`` and return the new ETag, else raise ``LostRace``."""
        return self._conditional_put(
            {"Bucket": self.bucket, "Key": key, "Body": body, "IfMatch": etag}, body
        )

    def list(self, prefix: str, *, after: str = "") -> Iterator[ObjectInfo]:
        """List keys under ``prefix`` in ascending order, those greater than key ``after``."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket, Prefix=prefix, StartAfter=after
        )
        with _translated(prefix):
            for page in pages:
                for found in page.get("Contents", []):
                    yield ObjectInfo(
                        found["Key"],
                        found["Size"],
                        found["ETag"],
                        _micros(found["LastModified"]),
                    )

    def delete(self, keys: Iterable[str]) -> None:
        """Delete objects; one that is not there is not an error."""
        for some in _chunks(keys, 1000):
            with _translated(some[0]):
                answer = self._s3.delete_objects(
                    Bucket=self.bucket,
                    Delete={"Objects": [{"Key": key} for key in some], "Quiet": True},
                )
            for failed in answer.get("Errors", []):
                raise StorageError(f"{failed.get('Key')} was not deleted: {failed.get('Code')}.")

    def presign_put(self, key: str, *, content_type: str, size: int, seconds: int) -> str:
        """Return an address to which anybody may PUT ``size`` bytes within ``seconds``."""
        return self._s3.generate_presigned_url(
            "put_object",
            Params={
                "Bucket": self.bucket,
                "Key": key,
                "ContentType": content_type,
                "ContentLength": size,
            },
            ExpiresIn=seconds,
        )

    def presign_get(self, key: str, *, seconds: int) -> str:
        """Return an address from which anybody may GET the object within ``seconds``."""
        return self._s3.generate_presigned_url(
            "get_object", Params={"Bucket": self.bucket, "Key": key}, ExpiresIn=seconds
        )

    def _read(self, request: GetObjectRequestTypeDef) -> StoredObject:
        from botocore.exceptions import BotoCoreError, HTTPClientError

        key = request["Key"]
        for attempt in range(_READ_TRIES):
            with _translated(key):
                found = self._s3.get_object(**request)
            try:
                return StoredObject(found["Body"].read(), found["ETag"])
            except (BotoCoreError, HTTPClientError, OSError) as error:
                # The body broke off after the headers: botocore does not retry that itself.
                if attempt == _READ_TRIES - 1:
                    raise StorageUnavailable(
                        f"reading {key} broke off: {type(error).__name__}."
                    ) from error
        raise AssertionError("unreachable")

    def _conditional_put(self, request: PutObjectRequestTypeDef, body: bytes) -> str:
        key = request["Key"]
        for attempt in range(_CONFLICT_TRIES):
            try:
                with _translated(key):
                    return self._s3.put_object(**request)["ETag"]
            except _Conflict:
                # 409: another conditional write is under way; its outcome is not known yet.
                time.sleep(_chance.uniform(0, 0.02 * 2**attempt))
            except (_Failed, NoSuchObject):
                return self._own_write(key, body)
        raise StorageUnavailable(f"{key} stayed in conflict through {_CONFLICT_TRIES} tries.")

    def _own_write(self, key: str, body: bytes) -> str:
        """Return the ETag if the object holds exactly our bytes, else raise ``LostRace``."""
        try:
            found = self.get(key)
        except NoSuchObject:
            raise LostRace(f"{key} is gone.") from None
        if found.body != body:
            raise LostRace(f"{key} was written by somebody else first.")
        return found.etag


class _NotModified(StorageError):
    """The object still has the ETag asked about."""


class _BeyondEnd(StorageError):
    """The range begins after the object's last byte."""


class _Conflict(StorageError):
    """Another conditional write to the key is under way."""


class _Failed(StorageError):
    """The condition of a conditional write does not hold."""


@contextmanager
def _translated(key: str) -> Iterator[None]:
    """Turn botocore's exceptions into ours."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        raise _meaning(error, key) from error
    except BotoCoreError as error:
        raise StorageUnavailable(
            f"the object store did not answer for {key}: {type(error).__name__}."
        ) from error


def _meaning(error: ClientError, key: str) -> StorageError:
    code = str(error.response.get("Error", {}).get("Code", ""))
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if status == 304:
        return _NotModified(key)
    if code in _MISSING:
        return NoSuchObject(f"{key} is not in the store.")
    if status == 416 or code == "InvalidRange":
        return _BeyondEnd(key)
    if status == 412 or code in _PRECONDITION:
        return _Failed(key)
    if status == 409 or code in _CONFLICT:
        return _Conflict(key)
    if status >= 500 or status == 429 or code in {"SlowDown", "RequestTimeout"}:
        return StorageUnavailable(f"the object store answered {status} {code} for {key}.")
    return StorageError(f"the object store refused {key}: {status} {code}.")


def _micros(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000_000)


def _chunks(keys: Iterable[str], size: int) -> Iterator[list[str]]:
    chunk: list[str] = []
    for key in keys:
        chunk.append(key)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk

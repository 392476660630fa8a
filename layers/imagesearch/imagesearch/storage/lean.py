"""The S3 store for functions that mostly read: boto3 is imported at the first write of any size.

A search lists, gets, now and then keeps a few bytes, and nothing else; it need not wait for boto3,
which takes longer to import than the networks take to load.
"""

from __future__ import annotations

import os
import random
import re
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from imagesearch.errors import NoSuchObject, StorageError, StorageUnavailable
from imagesearch.storage import ObjectInfo, StoredObject
from imagesearch.storage.s3 import S3ObjectStore, connect
from imagesearch.storage.signing import Credentials, sign

if TYPE_CHECKING:
    from ssl import SSLContext

    from mypy_boto3_s3 import S3Client

__all__ = ["LeanS3ObjectStore", "open_store"]

_CONNECT_SECONDS, _READ_SECONDS = 1, 4
_TRIES = 4
_PAUSE = 0.1
_SMALL = 4096
"""Bytes up to which an object is written without boto3, if nothing is asked of the write."""
_AGAIN = frozenset({429, 500, 502, 503, 504})
_FIELDS = re.compile("<(Key|LastModified|ETag|Size)>([^<]*)</")
_FIELDS_EACH = 4
_chance = random.SystemRandom()


def open_store(
    bucket: str, *, endpoint: str | None, environment: Mapping[str, str] = os.environ
) -> S3ObjectStore:
    """Open a bucket without boto3 where the environment has all that takes, as Lambda's has.

    Elsewhere keys and region may come from profiles and the like, which is boto3's business.
    """
    credentials, region = Credentials(environment), environment.get("AWS_REGION", "")
    if credentials.known and region:
        return LeanS3ObjectStore(bucket, endpoint=endpoint, region=region, credentials=credentials)
    return S3ObjectStore(connect(endpoint=endpoint), bucket)


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


class LeanS3ObjectStore(S3ObjectStore):
    """Reads and writes little by itself, and does everything else as :class:`S3ObjectStore` does.

    Attempts, time-outs and pauses are those of :func:`~imagesearch.storage.s3.connect`.
    """

    def __init__(
        self, bucket: str, *, endpoint: str | None, region: str, credentials: Credentials
    ) -> None:
        """Name the bucket; nothing is opened yet."""
        self.bucket = bucket
        self._endpoint, self._region, self._credentials = endpoint, region, credentials
        china = ".cn" if region.startswith("cn-") else ""
        address = endpoint or f"https://{bucket}.s3.{region}.amazonaws.com{china}"
        parts = urlsplit(address)
        self._host = parts.netloc
        self._root = f"/{bucket}" if endpoint else ""
        self._secure = parts.scheme == "https"
        self._seen: dict[str, dict[str, ObjectInfo]] = {}
        self._idle: list[HTTPConnection] = []
        self._lock = threading.Lock()
        weakref.finalize(self, _close, self._idle)

    @cached_property
    def _trust(self) -> SSLContext:
        """Return whom to believe who they are, read once: it takes longer than a connection."""
        from ssl import create_default_context

        return create_default_context()

    @cached_property
    def _s3(self) -> S3Client:  # type: ignore[override]
        return connect(endpoint=self._endpoint)

    def get(self, key: str) -> StoredObject:
        """Read an object; :class:`NoSuchObject` if there is none."""
        answer = _sound(self._ask("GET", key), key)
        return StoredObject(answer.body, answer.headers["etag"])

    def get_if_changed(self, key: str, etag: str) -> StoredObject | None:
        """Read an object unless it still has ``etag``; ``None`` means unchanged."""
        answer = self._ask("GET", key, headers={"if-none-match": etag})
        if answer.status == 304:
            return None
        return StoredObject(_sound(answer, key).body, answer.headers["etag"])

    def get_range(self, key: str, start: int, length: int) -> bytes:
        """Read ``length`` bytes from ``start``; shorter only at the object's end."""
        if length <= 0:
            return b""
        span = {"range": f"bytes={start}-{start + length - 1}"}
        answer = self._ask("GET", key, headers=span)
        return b"" if answer.status == 416 else _sound(answer, key).body

    def head(self, key: str) -> ObjectInfo:
        """Describe an object without its bytes; ``NoSuchObject`` if there is none."""
        headers = _sound(self._ask("HEAD", key), key).headers
        from email.utils import parsedate_to_datetime

        changed = parsedate_to_datetime(headers["last-modified"]).timestamp()
        return ObjectInfo(
            key, int(headers["content-length"]), headers["etag"], int(changed * 1_000_000)
        )

    def put(self, key: str, body: bytes, *, content_type: str = "") -> str:
        """Write an object whatever is there, and return its ETag."""
        if content_type or len(body) > _SMALL:
            return super().put(key, body, content_type=content_type)
        return _sound(self._ask("PUT", key, body=body), key).headers["etag"]

    def list(self, prefix: str, *, after: str = "") -> Iterator[ObjectInfo]:
        """List keys under ``prefix`` in ascending order, those greater than key ``after``."""
        query = {"list-type": "2", "prefix": prefix}
        if after:
            query["start-after"] = after
        while True:
            answer = _sound(self._ask("GET", "", query=query), prefix)
            found, token = _page(answer.body, self._seen.get(prefix, {}))
            if "continuation-token" not in query:
                self._seen = {prefix: found}
            yield from found.values()
            if not token:
                return
            query["continuation-token"] = token

    def _ask(
        self,
        method: str,
        key: str,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> _Answer:
        """Send a request until it is answered; a connection that broke is opened anew."""
        path = f"{self._root}/{key}" if key else self._root + ("" if self._root else "/")

        def attempt() -> _Answer:
            target, signed = sign(
                method,
                self._host,
                path,
                query or {},
                keys=self._credentials.current(),
                region=self._region,
                now=time.time(),
                body=body,
            )
            return self._send(method, target, {**signed, **(headers or {})}, body)

        return _persist(attempt, key or "the listing")

    def _send(self, method: str, target: str, headers: dict[str, str], body: bytes) -> _Answer:
        with self._lock:
            line = self._idle.pop() if self._idle else None
        if line is not None:
            # It may have been closed at the other end, or be from before a snapshot.
            with suppress(OSError, HTTPException):
                return self._talk(line, method, target, headers, body)
        return self._talk(self._connected(), method, target, headers, body)

    def _connected(self) -> HTTPConnection:
        line = (
            HTTPSConnection(self._host, timeout=_CONNECT_SECONDS, context=self._trust)
            if self._secure
            else HTTPConnection(self._host, timeout=_CONNECT_SECONDS)
        )
        line.connect()
        line.sock.settimeout(_READ_SECONDS)
        return line

    def _talk(
        self, line: HTTPConnection, method: str, target: str, headers: dict[str, str], body: bytes
    ) -> _Answer:
        """Send one request over a connection, and keep that for the next unless it failed."""
        try:
            line.request(method, target, body=body or None, headers=headers)
            answer = line.getresponse()
            names = {name.lower(): value for name, value in answer.getheaders()}
            found = _Answer(answer.status, names, answer.read())
        except BaseException:
            line.close()
            raise
        if answer.will_close:
            line.close()
        else:
            with self._lock:
                self._idle.append(line)
        return found


def _close(idle: list[HTTPConnection]) -> None:
    for line in idle:
        line.close()


def _persist(attempt: Callable[[], _Answer], what: str) -> _Answer:
    trouble = ""
    for number in range(_TRIES):
        if number:
            time.sleep(_chance.uniform(0, _PAUSE * 4**number))
        try:
            answer = attempt()
        except (OSError, HTTPException) as error:
            trouble = repr(error)
            continue
        if answer.status not in _AGAIN:
            return answer
        trouble = f"{answer.status} {_code(answer.body)}"
    raise StorageUnavailable(f"the object store did not answer for {what}: {trouble}")


def _sound(answer: _Answer, key: str) -> _Answer:
    """Return an answer that is what was asked for, else raise what it says."""
    if answer.status in {200, 206}:
        return answer
    code = _code(answer.body)
    if answer.status == 404 and code in {"NoSuchKey", ""}:
        raise NoSuchObject(f"{key} is not in the store.")
    raise StorageError(f"the object store refused {key}: {answer.status} {code}.")


def _code(body: bytes) -> str:
    from xml.etree import ElementTree as ET

    with suppress(ET.ParseError):
        return ET.fromstring(body).findtext("Code", "")  # noqa: S314 - written by S3
    return ""


def _page(body: bytes, seen: Mapping[str, ObjectInfo]) -> tuple[dict[str, ObjectInfo], str]:
    """Return what a page of a listing shows, and where the next one begins; empty if it is last.

    What it shows comes with the text of each element; what was ``seen`` is not read again. The
    elements that matter hold text alone, so a pattern finds them, ten times as fast as a parser
    of XML, which counts when hundreds of names are looked through before every search.
    """
    text = body.decode(errors="replace")
    if not text.rstrip().endswith("</ListBucketResult>"):
        raise StorageError("the object store sent something else than a listing.")
    _, *items = text.split("<Contents>")
    token = text.partition("<NextContinuationToken>")[2].partition("<")[0]
    return {item: seen.get(item) or _info(item) for item in items}, _plain(token)


def _info(item: str) -> ObjectInfo:
    fields = dict(_FIELDS.findall(item))
    if len(fields) != _FIELDS_EACH:
        raise StorageError("the object store sent a listing that cannot be read.")
    changed = datetime.fromisoformat(fields["LastModified"]).timestamp()
    key, etag = _plain(fields["Key"]), _plain(fields["ETag"].replace("&#34;", '"'))
    return ObjectInfo(key, int(fields["Size"]), etag, int(changed * 1_000_000))


def _plain(text: str) -> str:
    """Return an element's text as it was before XML's characters were escaped."""
    if "&" not in text:
        return text
    from xml.etree import ElementTree as ET

    return ET.fromstring(f"<text>{text}</text>").text or ""  # noqa: S314 - written by S3

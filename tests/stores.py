"""A bucket in memory whose requests are counted and can be made to fail."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from imagesearch.storage import ObjectInfo, StoredObject

from tests.simulation.bucket import Bucket

PAGE = 1000


def _nothing(_verb: str, _key: str) -> None:
    pass


class MemoryStore(Bucket):
    """Every request calls ``before(verb, key)`` first and ``after(verb, key)`` once it is done.

    Either may raise: before, and the request never arrives; after, and its answer is lost. Verbs
    are the names of the store's methods. ``requests`` are counted as S3 would: a listing by its
    pages, a deletion by its thousands.
    """

    def __init__(self, now: Callable[[], int] = lambda: 0) -> None:
        super().__init__(now)
        self.before: Callable[[str, str], None] = _nothing
        self.after: Callable[[str, str], None] = _nothing
        self.requests: list[tuple[str, str]] = []
        self._lock = threading.RLock()

    def get(self, key: str) -> StoredObject:
        with self._request("get", key):
            return super().get(key)

    def get_if_changed(self, key: str, etag: str) -> StoredObject | None:
        with self._request("get_if_changed", key):
            body, info = self._find(key)
            return None if info.etag == etag else StoredObject(body, info.etag)

    def get_range(self, key: str, start: int, length: int) -> bytes:
        with self._request("get_range", key):
            return super().get_range(key, start, length)

    def head(self, key: str) -> ObjectInfo:
        with self._request("head", key):
            return super().head(key)

    def put(self, key: str, body: bytes, *, content_type: str = "") -> str:
        with self._request("put", key):
            return super().put(key, body, content_type=content_type)

    def put_if_absent(self, key: str, body: bytes) -> str:
        with self._request("put_if_absent", key):
            return self._own_write(key, body) if key in self._objects else super().put(key, body)

    def compare_and_swap(self, key: str, body: bytes, etag: str) -> str:
        with self._request("compare_and_swap", key):
            same = key in self._objects and self._objects[key][1].etag == etag
            return super().put(key, body) if same else self._own_write(key, body)

    def list(self, prefix: str, *, after: str = "") -> Iterator[ObjectInfo]:
        while True:
            with self._request("list", prefix):
                page = [self._objects[key][1] for key in self.keys_after(prefix, after, PAGE)]
            yield from page
            if len(page) < PAGE:
                return
            after = page[-1].key

    def delete(self, keys: Iterable[str]) -> None:
        wanted = [*keys]
        for first in range(0, len(wanted), PAGE):
            with self._request("delete", wanted[first]):
                super().delete(wanted[first : first + PAGE])

    def keys(self, prefix: str = "") -> Any:
        """Return the keys there are, without it being a request."""
        return self.keys_after(prefix, "")

    def body(self, key: str) -> bytes:
        """Return an object's bytes, without it being a request."""
        return self._objects[key][0]

    def damage(self, key: str, body: bytes) -> None:
        """Change an object's bytes behind everybody's back."""
        super().put(key, body)

    def lose(self, key: str) -> None:
        """Remove an object behind everybody's back."""
        super().delete([key])

    @contextmanager
    def _request(self, verb: str, key: str) -> Iterator[None]:
        self.before(verb, key)
        with self._lock:
            self.requests.append((verb, key))
            yield
        self.after(verb, key)

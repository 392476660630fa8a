"""A store that counts what is asked of it."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from imagesearch.storage import ObjectInfo, ObjectStore, StoredObject

__all__ = ["CountedStore", "Requests"]

PAGE = 1000
"""Most keys that S3 lists, or deletes, in one request."""


@dataclass(slots=True)
class Requests:
    """Requests by verb, and the bytes of objects that were read and written."""

    count: Counter[str] = field(default_factory=Counter)
    read: int = 0
    written: int = 0

    def figures(self) -> dict[str, int]:
        """Return lists, gets, puts and the bytes each way."""
        return {
            "lists": self.count["LIST"],
            "gets": self.count["GET"] + self.count["HEAD"],
            "puts": self.count["PUT"],
            "read": self.read,
            "written": self.written,
        }


class CountedStore:
    """Passes everything on to another store, and counts."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._lock = threading.Lock()
        self.requests = Requests()

    def start_over(self) -> None:
        """Count from nought."""
        with self._lock:
            self.requests = Requests()

    def get(self, key: str) -> StoredObject:
        """Read an object."""
        found = self._store.get(key)
        self._note("GET", read=len(found.body))
        return found

    def get_if_changed(self, key: str, etag: str) -> StoredObject | None:
        """Read an object unless it still has ``etag``."""
        found = self._store.get_if_changed(key, etag)
        self._note("GET", read=len(found.body) if found else 0)
        return found

    def get_range(self, key: str, start: int, length: int) -> bytes:
        """Read some bytes of an object."""
        found = self._store.get_range(key, start, length)
        self._note("GET", read=len(found))
        return found

    def head(self, key: str) -> ObjectInfo:
        """Describe an object."""
        self._note("HEAD")
        return self._store.head(key)

    def put(self, key: str, body: bytes, *, content_type: str = "") -> str:
        """Write an object."""
        self._note("PUT", written=len(body))
        return self._store.put(key, body, content_type=content_type)

    def put_if_absent(self, key: str, body: bytes) -> str:
        """Create an object."""
        self._note("PUT", written=len(body))
        return self._store.put_if_absent(key, body)

    def compare_and_swap(self, key: str, body: bytes, etag: str) -> str:
        """Replace an object."""
        self._note("PUT", written=len(body))
        return self._store.compare_and_swap(key, body, etag)

    def list(self, prefix: str, *, after: str = "") -> Iterator[ObjectInfo]:
        """List keys; every thousand begun is a request."""
        for number, info in enumerate(self._store.list(prefix, after=after)):
            if number and number % PAGE == 0:
                self._note("LIST")
            yield info
        self._note("LIST")

    def delete(self, keys: Iterable[str]) -> None:
        """Delete objects."""
        self._note("DELETE")
        self._store.delete(keys)

    def presign_put(self, key: str, *, content_type: str, size: int, seconds: int) -> str:
        """Return an address to write to; nothing is asked of the store."""
        return self._store.presign_put(key, content_type=content_type, size=size, seconds=seconds)

    def presign_get(self, key: str, *, seconds: int) -> str:
        """Return an address to read from; nothing is asked of the store."""
        return self._store.presign_get(key, seconds=seconds)

    def _note(self, verb: str, *, read: int = 0, written: int = 0) -> None:
        with self._lock:
            self.requests.count[verb] += 1
            self.requests.read += read
            self.requests.written += written

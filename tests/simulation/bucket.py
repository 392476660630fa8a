"""A bucket in memory that keeps exactly the promises of ``ObjectStore``."""

from __future__ import annotations

import hashlib
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator

from imagesearch.errors import LostRace, NoSuchObject
from imagesearch.storage import ObjectInfo, StoredObject


class Bucket:
    """An ``ObjectStore`` in memory; ``now`` is the store's own clock, in microseconds."""

    def __init__(self, now: Callable[[], int] = lambda: 0) -> None:
        self._now = now
        self._objects: dict[str, tuple[bytes, ObjectInfo]] = {}
        self._keys: list[str] | None = []

    def get(self, key: str) -> StoredObject:
        body, info = self._find(key)
        return StoredObject(body, info.etag)

    def get_if_changed(self, key: str, etag: str) -> StoredObject | None:
        stored = self.get(key)
        return None if stored.etag == etag else stored

    def get_range(self, key: str, start: int, length: int) -> bytes:
        return self._find(key)[0][start : start + length]

    def head(self, key: str) -> ObjectInfo:
        return self._find(key)[1]

    def put(self, key: str, body: bytes, *, content_type: str = "") -> str:  # noqa: ARG002
        # As in S3, equal bytes have equal ETags.
        etag = f'"{hashlib.md5(body).hexdigest()}"'
        if key not in self._objects:
            self._keys = None
        self._objects[key] = bytes(body), ObjectInfo(key, len(body), etag, self._now())
        return etag

    def put_if_absent(self, key: str, body: bytes) -> str:
        if key not in self._objects:
            return self.put(key, body)
        return self._own_write(key, body)

    def compare_and_swap(self, key: str, body: bytes, etag: str) -> str:
        if key in self._objects and self._objects[key][1].etag == etag:
            return self.put(key, body)
        return self._own_write(key, body)

    def list(self, prefix: str, *, after: str = "") -> Iterator[ObjectInfo]:
        for key in self.keys_after(prefix, after):
            yield self._objects[key][1]

    def keys_after(self, prefix: str, after: str, limit: int | None = None) -> list[str]:
        """Return the first keys of a listing, at most ``limit``."""
        if self._keys is None:
            self._keys = sorted(self._objects)
        later = after >= prefix
        place = bisect_right(self._keys, after) if later else bisect_left(self._keys, prefix)
        found: list[str] = []
        while place < len(self._keys) and self._keys[place].startswith(prefix):
            if limit is not None and len(found) == limit:
                break
            found.append(self._keys[place])
            place += 1
        return found

    def delete(self, keys: Iterable[str]) -> None:
        for key in keys:
            if self._objects.pop(key, None) is not None:
                self._keys = None

    def presign_put(self, key: str, *, content_type: str, size: int, seconds: int) -> str:
        return f"https://bucket.invalid/{key}?type={content_type}&size={size}&for={seconds}"

    def presign_get(self, key: str, *, seconds: int) -> str:
        return f"https://bucket.invalid/{key}?for={seconds}"

    def _find(self, key: str) -> tuple[bytes, ObjectInfo]:
        try:
            return self._objects[key]
        except KeyError:
            raise NoSuchObject(f"{key} is not there.") from None

    def _own_write(self, key: str, body: bytes) -> str:
        found = self._objects.get(key)
        if found is not None and found[0] == body:
            return found[1].etag
        raise LostRace(f"{key} was changed by somebody else.")

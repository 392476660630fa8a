"""The only seam to durable state: a small, strongly consistent object store.

What the rest of the package may rely on is exactly what :class:`ObjectStore` promises, no more;
Amazon S3 and any server with S3's conditional writes keep the promise.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

__all__ = ["ObjectInfo", "ObjectStore", "StoredObject"]


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """One line of a listing. ``modified`` is the store's own time, in microseconds."""

    key: str
    size: int
    etag: str
    modified: int


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object's bytes and the ETag that names this version of them."""

    body: bytes
    etag: str


class ObjectStore(Protocol):
    """A bucket (or a prefix of one) with conditional writes.

    All methods are thread-safe, retry what is safe to retry, and raise
    :class:`~imagesearch.errors.StorageUnavailable` when the store stays silent.
    Listing and reading see every write that was answered before they began.
    """

    def get(self, key: str) -> StoredObject:
        """Read an object; :class:`~imagesearch.errors.NoSuchObject` if there is none."""
        ...

    def get_if_changed(self, key: str, etag: str) -> StoredObject | None:
        """Read an object unless it still has ``etag``; ``None`` means unchanged."""
        ...

    def get_range(self, key: str, start: int, length: int) -> bytes:
        """Read ``length`` bytes from ``start``; shorter only at the object's end."""
        ...

    def head(self, key: str) -> ObjectInfo:
        """Describe an object without its bytes; ``NoSuchObject`` if there is none."""
        ...

    def put(self, key: str, body: bytes, *, content_type: str = "") -> str:
        """Write an object whatever is there, and return its ETag."""
        ...

    def put_if_absent(self, key: str, body: bytes) -> str:
        """Create an object and return its ETag.

        An object with exactly these bytes counts as our own write whose answer was lost, and is
        a success; any other raises :class:`~imagesearch.errors.LostRace`.
        """
        ...

    def compare_and_swap(self, key: str, body: bytes, etag: str) -> str:
        """Replace the version ``etag`` and return the new ETag, else raise ``LostRace``.

        As with :meth:`put_if_absent`, finding exactly our bytes counts as success.
        """
        ...

    def list(self, prefix: str, *, after: str = "") -> Iterator[ObjectInfo]:
        """List keys under ``prefix`` in ascending order, those greater than key ``after``."""
        ...

    def delete(self, keys: Iterable[str]) -> None:
        """Delete objects; one that is not there is not an error."""
        ...

    def presign_put(self, key: str, *, content_type: str, size: int, seconds: int) -> str:
        """Return an address to which anybody may PUT ``size`` bytes within ``seconds``."""
        ...

    def presign_get(self, key: str, *, seconds: int) -> str:
        """Return an address from which anybody may GET the object within ``seconds``."""
        ...

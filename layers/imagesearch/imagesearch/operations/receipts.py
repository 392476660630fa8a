"""Receipts for what was erased, signed with a secret of the deployment."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Collection
from contextlib import suppress

import msgspec

from imagesearch.errors import LostRace, NoSuchObject
from imagesearch.storage import ObjectStore

__all__ = ["Receipt", "digest", "is_genuine", "signed"]

_SECRET = "receipts/secret"  # noqa: S105  a key, not a secret


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """What was erased, and the signature of the deployment that did it.

    No ``products`` stand for the whole instance, which then has no index afterwards. ``sequence``
    is the last write that is covered: a picture of a product that was added later is a new one.
    ``objects`` counts the objects and versions that were deleted, ``digest`` is the SHA-256 of
    their keys and versions, a line each, sorted. ``signature`` is the HMAC-SHA256 of the rest as
    JSON with sorted keys.
    """

    id: str
    instance: str
    incarnation: str
    products: list[str]
    pictures: int
    requested: str
    completed: str
    sequence: int
    generation_before: int
    generation_after: int
    index_before: str
    index_after: str
    objects: int
    digest: str
    signature: str = ""


def signed(store: ObjectStore, receipt: Receipt) -> Receipt:
    """Return a receipt with the signature of this deployment."""
    return msgspec.structs.replace(receipt, signature=_signature(receipt, _secret(store)))


def is_genuine(store: ObjectStore, receipt: Receipt) -> bool:
    """Tell whether a receipt was made by this deployment and is unaltered."""
    return hmac.compare_digest(receipt.signature, _signature(receipt, _secret(store)))


def digest(deleted: Collection[tuple[str, str]]) -> str:
    """Return the SHA-256 of deleted objects' keys and versions, a line each, sorted."""
    lines = sorted(f"{key} {version}\n" for key, version in deleted)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _signature(receipt: Receipt, secret: bytes) -> str:
    unsigned = msgspec.structs.replace(receipt, signature="")
    return hmac.new(
        secret, msgspec.json.encode(unsigned, order="sorted"), hashlib.sha256
    ).hexdigest()


def _secret(store: ObjectStore) -> bytes:
    """Return what this deployment signs its receipts with; made at the first."""
    try:
        return store.get(_SECRET).body
    except NoSuchObject:
        with suppress(LostRace):
            store.put_if_absent(_SECRET, secrets.token_bytes(32))
        return store.get(_SECRET).body

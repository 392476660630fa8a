"""No request is answered twice: the first one to arrive leaves a mark in the store."""

from __future__ import annotations

import hashlib
import secrets

from imagesearch.contract.refusals import RepeatedRequest
from imagesearch.contract.signature import Claim
from imagesearch.errors import LostRace, NoSuchObject
from imagesearch.storage import ObjectStore

__all__ = ["PREFIX", "Nonces"]

PREFIX = "nonces/"
_GRACE = 5.0


class Nonces:
    """The nonces that were spent, as one small object each, so that all Lambdas see them.

    A mark matters for half an hour, twice the window of a request's time; the bucket's lifecycle
    removes it after a day.
    """

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    def spend(self, claim: Claim, now: float) -> None:
        """Raise :class:`RepeatedRequest` if the request was answered before.

        SDKs that sign without a nonce make the same signature for the same request within one
        second. Such a request may come again for five seconds, no longer.
        """
        unique = claim.nonce or claim.signature
        key = PREFIX + hashlib.sha256(f"{claim.key_id}\n{unique}".encode()).hexdigest()
        try:
            self._store.put_if_absent(key, f"{now:.3f} {secrets.token_hex(8)}".encode())
        except LostRace:
            if claim.nonce or now - self._first(key, now) > _GRACE:
                raise RepeatedRequest(
                    "the nonce was used before." if claim.nonce else "the request came before."
                ) from None

    def _first(self, key: str, now: float) -> float:
        try:
            return float(self._store.get(key).body.partition(b" ")[0])
        except NoSuchObject:
            return now

"""Access keys: who may call, and for which instances.

Keys live outside the bucket, because whoever may read pictures need not read secrets: in SSM
Parameter Store or Secrets Manager in the cloud, in a file of mode 0600 locally. Several keys are
valid at once, which is what makes rotation possible.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import string
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from imagesearch.limits import UNLIMITED, Limits
from imagesearch.reach import Reach

__all__ = ["AccessKey", "KeyRing", "KeySource", "digest_of_token"]

_ALPHABET = string.ascii_letters + string.digits


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessKey:
    """A key pair and what it may do. Times are in seconds since 1970.

    ``instances`` are names or patterns such as ``shop-*``; ``token_digest`` is the SHA-256 of
    the security token that a temporary key must be sent with.
    ``limits`` are how much it may ask for.
    """

    id: str
    secret: str = field(repr=False)
    name: str = ""
    instances: tuple[str, ...] = ("*",)
    read_only: bool = False
    active: bool = True
    created: int = 0
    expires: int | None = None
    token_digest: str = field(default="", repr=False)
    limits: Limits = UNLIMITED

    @classmethod
    def new(
        cls,
        *,
        name: str,
        instances: tuple[str, ...] = ("*",),
        read_only: bool = False,
        now: int,
        expires: int | None = None,
        temporary: bool = False,
        limits: Limits = UNLIMITED,
    ) -> tuple[AccessKey, str]:
        """Make a random key, and its security token, which is empty unless it is temporary."""
        token = secrets.token_urlsafe(48) if temporary else ""
        key = cls(
            id=("STS." if temporary else "SIS") + _random(21),
            secret=_random(40),
            name=name,
            instances=instances,
            read_only=read_only,
            created=now,
            expires=expires,
            token_digest=digest_of_token(token) if token else "",
            limits=limits,
        )
        return key, token

    def usable(self, now: float) -> bool:
        """Tell whether the key is neither revoked nor expired."""
        return self.active and (self.expires is None or now < self.expires)

    def reaches(self, instance: str) -> bool:
        """Tell whether the key may be used for the instance."""
        return Reach(self.instances).includes(instance)

    def accepts_token(self, token: str) -> bool:
        """Compare a security token in constant time."""
        return hmac.compare_digest(digest_of_token(token) if token else "", self.token_digest)


def digest_of_token(token: str) -> str:
    """Return what is stored of a security token."""
    return hashlib.sha256(token.encode()).hexdigest()


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


class KeySource(Protocol):
    """Where the keys are kept."""

    def load(self) -> Mapping[str, AccessKey]:
        """Return every key by id."""
        ...

    def save(self, key: AccessKey) -> None:
        """Add a key, or replace the one of the same id."""
        ...

    def remove(self, key_id: str) -> None:
        """Forget a key; one that is not there is not an error."""
        ...


class KeyRing:
    """The keys of a source, remembered for a minute.

    A key that is not known makes it look again, so that a new key works at once, but not more
    often than every five seconds, so that guesses cost the source nothing.
    """

    def __init__(
        self,
        source: KeySource,
        *,
        keep: float = 60.0,
        look_again: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._source, self._keep, self._look_again, self._clock = source, keep, look_again, clock
        self._keys: Mapping[str, AccessKey] = {}
        self._loaded: float | None = None

    def find(self, key_id: str) -> AccessKey | None:
        """Return the key, whether usable or not, or ``None``."""
        self._refresh(self._keep)
        if key_id not in self._keys:
            self._refresh(self._look_again)
        return self._keys.get(key_id)

    def _refresh(self, age: float) -> None:
        now = self._clock()
        if self._loaded is None or now - self._loaded >= age:
            self._keys, self._loaded = self._source.load(), now

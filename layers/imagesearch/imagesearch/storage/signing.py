"""AWS Signature Version 4 for requests without a body, and the credentials to make it with.

Signs as "Authenticating Requests: Using the Authorization Header" of the Amazon S3 API reference
has it. botocore does this and much more, at a third of a second for its import.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

import msgspec

__all__ = ["Credentials", "Keys", "sign"]

_EMPTY = hashlib.sha256(b"").hexdigest()
_RENEW_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Keys:
    """An access key; ``expires`` is in seconds since 1970."""

    id: str
    secret: str
    token: str = ""
    expires: float = float("inf")


class _Given(msgspec.Struct, rename={"id": "AccessKeyId", "secret": "SecretAccessKey"}):
    """What the endpoint for credentials answers."""

    id: str
    secret: str
    token: str = msgspec.field(name="Token", default="")
    expires: str = msgspec.field(name="Expiration", default="")


class Credentials:
    """The keys Lambda gives a function, in its environment or, after a snapshot, at an endpoint."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._environment = environment
        self._held: Keys | None = None
        self._lock = threading.Lock()

    @property
    def known(self) -> bool:
        """Tell whether there are keys in one of the two places."""
        return {"AWS_ACCESS_KEY_ID", "AWS_CONTAINER_CREDENTIALS_FULL_URI"} & set(
            self._environment
        ) != set()

    def current(self) -> Keys:
        """Return keys that are good for at least five minutes."""
        found = self._environment
        if "AWS_ACCESS_KEY_ID" in found:
            token = found.get("AWS_SESSION_TOKEN", "")
            return Keys(found["AWS_ACCESS_KEY_ID"], found["AWS_SECRET_ACCESS_KEY"], token)
        with self._lock:
            if self._held is None or self._held.expires < time.time() + _RENEW_SECONDS:
                self._held = self._ask()
            return self._held

    def _ask(self) -> Keys:
        import urllib.request
        from datetime import datetime

        address = self._environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"]
        token = self._environment.get("AWS_CONTAINER_AUTHORIZATION_TOKEN", "")
        request = urllib.request.Request(address, headers={"authorization": token})  # noqa: S310
        with urllib.request.urlopen(request, timeout=2) as answer:  # noqa: S310
            given = msgspec.json.decode(answer.read(), type=_Given)
        until = datetime.fromisoformat(given.expires).timestamp() if given.expires else float("inf")
        return Keys(given.id, given.secret, given.token, until)


def sign(
    method: str,
    host: str,
    path: str,
    query: Mapping[str, str],
    *,
    keys: Keys,
    region: str,
    now: float,
    body: bytes = b"",
) -> tuple[str, dict[str, str]]:
    """Return the request's target and the headers that prove who asks, and for what body."""
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
    scope = f"{stamp[:8]}/{region}/s3/aws4_request"
    escaped = quote(path, safe="/-_.~")
    pairs = sorted((quote(n, safe="-_.~"), quote(v, safe="-_.~")) for n, v in query.items())
    asked = "&".join(f"{name}={value}" for name, value in pairs)
    content = hashlib.sha256(body).hexdigest() if body else _EMPTY
    headers = {"host": host, "x-amz-content-sha256": content, "x-amz-date": stamp}
    if keys.token:
        headers["x-amz-security-token"] = keys.token
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    canonical = "\n".join((method, escaped, asked, lines, names, content))
    text = "\n".join(("AWS4-HMAC-SHA256", stamp, scope, _digest(canonical)))
    key = f"AWS4{keys.secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={keys.id}/{scope}, SignedHeaders={names}, "
        f"Signature={signature}"
    )
    return f"{escaped}?{asked}" if asked else escaped, headers


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()

"""Requests that the vendor's SDKs really sent (with a made-up key), and a store to remember in."""

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from imagesearch.contract.keys import AccessKey, KeyRing, digest_of_token
from imagesearch.contract.request import Request

KEY_ID, SECRET, TOKEN = "LTAIfakeAccessKeyId01", "fakeSecretKey0123456789abcdef", "fakeStsToken"


@dataclass(frozen=True)
class Vector:
    """One recorded request. ``time`` is when it was signed, in seconds since 1970."""

    name: str
    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    def event(self, **changes: Any) -> dict[str, Any]:
        return event(self.method, self.target, self.headers, self.body, **changes)

    def request(self) -> Request:
        return Request.from_event(self.event())

    @property
    def time(self) -> float:
        query = dict(parse_qsl(urlsplit(self.target).query))
        stamp = self.headers.get("x-acs-date") or query.get("Timestamp")
        if stamp:
            return datetime.fromisoformat(stamp).timestamp()
        return (
            datetime.strptime(self.headers["date"], "%a, %d %b %Y %H:%M:%S GMT")
            .replace(tzinfo=UTC)
            .timestamp()
        )

    @property
    def signed(self) -> bool:
        return "authorization" in self.headers or "Signature=" in self.target


def event(
    method: str, target: str, headers: Mapping[str, str], body: bytes = b"", **changes: Any
) -> dict[str, Any]:
    """Return the API Gateway event (payload 2.0) of a request."""
    path, _, query = target.partition("?")
    return {
        "version": "2.0",
        "routeKey": f"{method} {path}",
        "rawPath": path,
        "rawQueryString": query,
        "headers": dict(headers),
        "requestContext": {"requestId": "R-1", "http": {"method": method, "path": path}},
        "body": base64.b64encode(body).decode(),
        "isBase64Encoded": True,
        **changes,
    }


def _load() -> Iterator[Vector]:
    with (Path(__file__).parent / "vectors/requests.jsonl").open() as lines:
        for line in lines:
            one = json.loads(line)
            body = (
                base64.b64decode(one["body_base64"])
                if "body_base64" in one
                else one.get("body", "").encode()
            )
            yield Vector(one["name"], one["method"], one["target"], one["headers"], body)


VECTORS = {vector.name: vector for vector in _load()}
SIGNED = [vector for vector in VECTORS.values() if vector.signed]


@dataclass
class Keys:
    """A source of keys in memory; counts how often it is asked."""

    keys: dict[str, AccessKey] = field(default_factory=dict)
    loads: int = 0

    def load(self) -> Mapping[str, AccessKey]:
        self.loads += 1
        return dict(self.keys)

    def save(self, key: AccessKey) -> None:
        self.keys[key.id] = key

    def remove(self, key_id: str) -> None:
        self.keys.pop(key_id, None)


def ring(vector: Vector | None = None, **changes: Any) -> KeyRing:
    """Return a ring with the key that the recorded requests were signed with."""
    temporary = vector is not None and "x-acs-security-token" in vector.headers
    token = digest_of_token(TOKEN) if temporary else ""
    key = AccessKey(**{"id": KEY_ID, "secret": SECRET, "token_digest": token, **changes})
    return KeyRing(Keys({key.id: key}))

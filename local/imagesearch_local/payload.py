"""HTTP requests as API Gateway's payload format 2.0, and function answers back as HTTP.

Format: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, unquote

from imagesearch_local.intrinsics import ACCOUNT, REGION
from imagesearch_local.problems import FunctionFailed
from imagesearch_local.template import Route

__all__ = ["MAX_EVENT", "HttpAnswer", "HttpRequest", "read_answer"]

MAX_EVENT = 6_291_556
"""Longest event (and longest answer) of a synchronous invocation in bytes; AWS's limit."""

_TEXT_TYPES = {"application/json", "application/javascript", "application/xml"}
_OWN_HEADERS = {"connection", "content-length", "transfer-encoding", "keep-alive", "upgrade"}


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequest:
    """One request as it came over the wire. ``headers`` may repeat a name."""

    id: str
    method: str
    raw_path: bytes
    raw_query: bytes
    headers: tuple[tuple[str, str], ...]
    body: bytes
    client: str
    server: tuple[str, int]
    protocol: str
    received: datetime

    @property
    def path(self) -> str:
        """Return the path, URL-decoded, as API Gateway matches and hands it on."""
        return unquote(self.raw_path.decode("latin-1"))

    def event(
        self,
        route: Route,
        parameters: Mapping[str, str],
        allowed: Mapping[str, Any] | None = None,
    ) -> bytes:
        """Return the JSON event for the function behind ``route``.

        ``allowed`` is what an authorizer said of the caller, if one was asked.
        """
        event = self._described(route, parameters)
        text = _as_text(self.body, _joined(self.headers))
        event["isBase64Encoded"] = bool(self.body) and text is None
        if allowed is not None:
            event["requestContext"]["authorizer"] = {"lambda": dict(allowed)}
        if self.body:
            event["body"] = base64.b64encode(self.body).decode() if text is None else text
        return json.dumps(event, ensure_ascii=False).encode()

    def question(self, route: Route, parameters: Mapping[str, str], identity: str) -> bytes:
        """Return the JSON event that asks an authorizer about the caller; it has no body."""
        where = f"arn:aws:execute-api:{REGION}:{ACCOUNT}:local/$default/{self.method}{self.path}"
        asked = {"type": "REQUEST", "routeArn": where, "identitySource": [identity, route.key]}
        return json.dumps(self._described(route, parameters) | asked, ensure_ascii=False).encode()

    def _described(self, route: Route, parameters: Mapping[str, str]) -> dict[str, Any]:
        headers = _joined(self.headers)
        cookies = headers.pop("cookie", None)
        query = self.raw_query.decode("latin-1")
        event: dict[str, Any] = {
            "version": "2.0",
            "routeKey": route.key,
            "rawPath": self.path,
            "rawQueryString": query,
            "headers": {**headers, **self._forwarding()},
            "requestContext": self._context(route, headers),
        }
        if cookies:
            event["cookies"] = [cookie.strip() for cookie in cookies.split(";")]
        if query:
            event["queryStringParameters"] = _joined(parse_qsl(query, keep_blank_values=True))
        if parameters:
            event["pathParameters"] = dict(parameters)
        return event

    def _forwarding(self) -> dict[str, str]:
        return {
            "x-forwarded-for": self.client,
            "x-forwarded-port": str(self.server[1]),
            "x-forwarded-proto": "http",
        }

    def _context(self, route: Route, headers: Mapping[str, str]) -> dict[str, Any]:
        return {
            "accountId": ACCOUNT,
            "apiId": "local",
            "domainName": headers.get("host", self.server[0]),
            "domainPrefix": "local",
            "http": {
                "method": self.method,
                "path": self.path,
                "protocol": self.protocol,
                "sourceIp": self.client,
                "userAgent": headers.get("user-agent", ""),
            },
            "requestId": self.id,
            "routeKey": route.key,
            "stage": "$default",
            "time": self.received.astimezone(UTC).strftime("%d/%b/%Y:%H:%M:%S +0000"),
            "timeEpoch": int(self.received.timestamp() * 1000),
        }


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What goes back over the wire; a header name may repeat."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


def read_answer(payload: bytes) -> HttpAnswer:
    """Read a function's answer as HTTP API does.

    An object with ``statusCode`` is the answer; anything else is the body of a 200 in JSON.
    Raises :class:`FunctionFailed` when it is neither.
    """
    try:
        found = json.loads(payload)
    except ValueError:
        raise FunctionFailed("the function's answer is not JSON.") from None
    if not isinstance(found, dict) or "statusCode" not in found:
        body = found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)
        return HttpAnswer(200, (("content-type", "application/json"),), body.encode())
    try:
        return HttpAnswer(_status(found), tuple(_headers(found)), _body(found))
    except (TypeError, ValueError, AttributeError) as error:
        raise FunctionFailed(f"the function's answer is malformed: {error}.") from None


def _status(found: Mapping[str, Any]) -> int:
    status = int(found["statusCode"])
    if not 200 <= status <= 599:
        raise ValueError(f"statusCode {status}")
    return status


def _headers(found: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    headers = {name.lower(): str(value) for name, value in (found.get("headers") or {}).items()}
    headers.setdefault("content-type", "text/plain; charset=utf-8")
    yield from ((name, value) for name, value in headers.items() if name not in _OWN_HEADERS)
    yield from (("set-cookie", str(cookie)) for cookie in found.get("cookies") or [])


def _body(found: Mapping[str, Any]) -> bytes:
    body = found.get("body") or ""
    if not isinstance(body, str):
        raise TypeError("body is not a string")
    try:
        return (
            base64.b64decode(body, validate=True) if found.get("isBase64Encoded") else body.encode()
        )
    except binascii.Error:
        raise ValueError("body is not Base64") from None


def _joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    joined: dict[str, str] = {}
    for name, value in pairs:
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined


def _as_text(body: bytes, headers: Mapping[str, str]) -> str | None:
    """Return a body that HTTP API hands on as text; ``None`` for one it hands on in Base64."""
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    textual = kind.startswith("text/") or kind in _TEXT_TYPES or kind.endswith(("+json", "+xml"))
    if not textual or "content-encoding" in headers:
        return None
    try:
        return body.decode()
    except UnicodeDecodeError:
        return None

"""The door of the HTTP functions: API Gateway payload 2.0 in, JSON or a problem out.

API Gateway has matched the route already, so a function's :class:`Api` is a table from
``routeKey`` to a plain function of :class:`Request`. Problems follow RFC 9457.
"""

from __future__ import annotations

import base64
import binascii
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any
from urllib.parse import parse_qsl

import msgspec

from imagesearch.errors import (
    BadRequest,
    BodyTooLarge,
    ImageSearchError,
    InvalidField,
    NoSuchRoute,
    StorageUnavailable,
    TooManyRequests,
    UnsupportedContentType,
)
from imagesearch.limits import UNLIMITED, Gauge, Kind, Limits
from imagesearch.observe import logger
from imagesearch.reach import EVERYWHERE, Reach
from imagesearch.strictjson import decode_object

__all__ = ["MAX_BODY", "Answer", "Api", "Problem", "Request", "problem", "render_problem"]

MAX_BODY = 8 * 1024 * 1024
"""Longest request body in bytes, the vendor's limit."""
_MAX_QUERY = 200


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request. Header names are lower-case; the body is what was sent, decoded.

    ``key`` names the API key it came with, if it came with one; ``limits`` and ``reach`` are that
    key's.
    """

    route: str
    path: str
    path_parameters: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    id: str
    key: str = ""
    limits: Limits = UNLIMITED
    reach: Reach = EVERYWHERE

    @classmethod
    def from_event(cls, event: Mapping[str, Any]) -> Request:
        """Read an API Gateway HTTP API event (payload format 2.0)."""
        headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
        return cls(
            route=event["routeKey"],
            path=event.get("rawPath", ""),
            path_parameters=event.get("pathParameters") or {},
            query=_query(event.get("rawQueryString", "")),
            headers=headers,
            body=_body(event),
            id=_request_id(event),
            key=str(_allowed(event).get("key", "")),
            limits=Limits.of(_allowed(event)),
            reach=Reach.of(_allowed(event)),
        )

    @property
    def content_type(self) -> str:
        """Return the media type in lower case, without parameters; empty if not given."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def fields(self) -> dict[str, Any]:
        """Gather path parameters, query parameters and the JSON body, or raw picture, in one.

        A picture sent as the body itself appears as bytes under ``image``. Values that came by
        path or query are strings. A name given twice is refused.
        """
        given: dict[str, Any] = dict(self.query)
        if self.body:
            given = _merge(given, self._body_fields())
        return _merge(given, dict(self.path_parameters))

    def _body_fields(self) -> dict[str, Any]:
        kind = self.content_type
        if kind.startswith("image/") or kind == "application/octet-stream":
            return {"image": self.body}
        if kind not in {"application/json", "text/json"} and not kind.endswith("+json"):
            raise UnsupportedContentType(
                f"content type {kind[:80] or '(none)'!r} is not taken here.",
            )
        return decode_object(self.body)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a route gives back. ``stages`` become the ``Server-Timing`` header, in ms.

    The body is written as JSON, unless it is bytes: those are sent as they are.
    """

    body: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    stages: Mapping[str, float] = field(default_factory=dict)


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A failure, as RFC 9457 describes it, with members of ours."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: Annotated[str, msgspec.Meta(description="The name to program against.")]
    request_id: str
    fix: Annotated[str, msgspec.Meta(description="What to do instead.")]
    field: str | None = None
    detail_zh: str | None = None
    fix_zh: str | None = None
    problems: Annotated[
        list[dict[str, str | int]] | None,
        msgspec.Meta(description="The first lines of increment.meta that are wrong."),
    ] = None
    problems_total: int | None = None


Route = Callable[[Request], Answer]


class Api:
    """The routes of one function, and the Lambda handler that serves them."""

    def __init__(self, gauge: Gauge | None = None) -> None:
        self._routes: dict[str, Route] = {}
        self._spent: dict[str, Kind] = {}
        self._shared: set[str] = set()
        self._gauge = gauge or Gauge()

    def route(
        self, key: str, *, spends: Kind | None = None, shared: bool = False
    ) -> Callable[[Route], Route]:
        """Serve ``"METHOD /path/{parameter}"``, a route key of the template.

        ``spends`` names which of a key's rates a request counts against. A key that is limited to
        instances may call routes with ``{instance}`` for those, and of the others the ``shared``.
        """

        def register(function: Route) -> Route:
            self._routes[key] = function
            if spends:
                self._spent[key] = spends
            if shared:
                self._shared.add(key)
            return function

        return register

    @property
    def routes(self) -> frozenset[str]:
        """Return every route key that is served."""
        return frozenset(self._routes)

    def __call__(self, event: Mapping[str, Any], _context: object) -> dict[str, Any]:
        """Answer one event; never raises."""
        began = time.perf_counter()
        request_id = _request_id(event)
        logger().append_keys(request_id=request_id)
        try:
            request = Request.from_event(event)
            answer = self._serve(request)
        except ImageSearchError as error:
            answer = problem(error, request_id=request_id, path=event.get("rawPath", ""))
            _log_failure(error)
        except Exception:
            logger().exception("unexpected failure")
            answer = problem(
                ImageSearchError(), request_id=request_id, path=event.get("rawPath", "")
            )
        spent = (time.perf_counter() - began) * 1000
        logger().info(
            "answered",
            extra={
                "route": event.get("routeKey"),
                "instance": (event.get("pathParameters") or {}).get("instance"),
                "status": answer.status,
                "ms": round(spent, 1),
            },
        )
        return _payload(answer, request_id, spent)

    def _serve(self, request: Request) -> Answer:
        route = self._routes.get(request.route)
        if route is None:
            raise NoSuchRoute(f"{request.route} is not served here.")
        self._permit(request)
        if request.route in self._spent:
            self._gauge.take(request.key, self._spent[request.route], request.limits)
        return route(request)

    def _permit(self, request: Request) -> None:
        """Refuse a key that may not be used for the instance, before anything else is known."""
        if (instance := request.path_parameters.get("instance")) is not None:
            request.reach.check(instance)
        else:
            request.reach.check_shared(request.route, shared=request.route in self._shared)


def render_problem(error: ImageSearchError, *, request_id: str, path: str) -> Problem:
    """Describe a failure."""
    return Problem(
        type=f"urn:imagesearch:problem:{error.code}",
        title=error.title(),
        status=error.status,
        detail=_told(error),
        instance=path,
        code=error.code,
        request_id=request_id,
        fix=error.fix,
        field=error.field,
        **error.particulars(),
    )


def _told(error: ImageSearchError) -> str:
    """Return what a caller may know of a failure: of ours no more than what kind it is.

    The rest is in the log, under the request's id. A message that comes with advice of its own is
    meant for the caller.
    """
    ours = error.status == 500 or isinstance(error, StorageUnavailable)
    return error.title() if ours and error.fix == error.default_fix else error.detail


def problem(error: ImageSearchError, *, request_id: str, path: str) -> Answer:
    """Answer a failure with ``application/problem+json``."""
    wait = error.seconds if isinstance(error, TooManyRequests) else 1
    retry = {"retry-after": str(wait)} if error.status in {429, 503} else {}
    return Answer(
        render_problem(error, request_id=request_id, path=path),
        status=error.status,
        headers={"content-type": "application/problem+json", **retry},
    )


def _payload(answer: Answer, request_id: str, spent: float) -> dict[str, Any]:
    stages = {**answer.stages, "total": spent}
    raw = isinstance(answer.body, bytes)
    return {
        "statusCode": answer.status,
        "headers": {
            "content-type": "application/json",
            "cache-control": "no-store",
            "x-content-type-options": "nosniff",
            "x-request-id": request_id,
            "server-timing": ", ".join(f"{name};dur={ms:.1f}" for name, ms in stages.items()),
            **answer.headers,
        },
        "body": base64.b64encode(answer.body).decode()
        if raw
        else msgspec.json.encode(answer.body).decode(),
        "isBase64Encoded": raw,
    }


def _log_failure(error: ImageSearchError) -> None:
    log = logger().error if error.status >= 500 else logger().info
    log(
        "refused",
        extra={"code": error.code, "detail": error.detail},
        exc_info=error.status >= 500 and not isinstance(error, StorageUnavailable),
    )


def _allowed(event: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what the authorizer of API keys said of this request's."""
    authorizer = event.get("requestContext", {}).get("authorizer") or {}
    return authorizer.get("lambda") or {}


def _request_id(event: Mapping[str, Any]) -> str:
    found = event.get("requestContext", {}).get("requestId")
    return str(found) if found else uuid.uuid4().hex


def _body(event: Mapping[str, Any]) -> bytes:
    text = event.get("body") or ""
    try:
        body = base64.b64decode(text) if event.get("isBase64Encoded") else text.encode()
    except (binascii.Error, ValueError):
        raise BadRequest("the body does not decode.") from None
    if len(body) > MAX_BODY:
        raise BodyTooLarge(f"the body has {len(body):,} bytes; the limit is {MAX_BODY:,}.")
    return body


def _query(raw: str) -> dict[str, str]:
    found: dict[str, str] = {}
    try:
        pairs = parse_qsl(raw, keep_blank_values=True, errors="strict", max_num_fields=_MAX_QUERY)
    except UnicodeDecodeError:
        raise BadRequest("a value of the query is not UTF-8.") from None
    except ValueError:
        raise BadRequest(f"the query has more than {_MAX_QUERY} fields.") from None
    for name, value in pairs:
        if name in found:
            raise InvalidField(name[:80], f"{name[:80]} is given twice in the query.")
        found[name] = value
    return found


def _merge(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    for name in first.keys() & second.keys():
        raise InvalidField(name[:80], f"{name[:80]} is given in two places of the request.")
    return {**first, **second}

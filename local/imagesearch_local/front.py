"""The HTTP front: what API Gateway does before and after a function."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec
from imagesearch.errors import BodyTooLarge, ImageSearchError, MethodNotAllowed
from imagesearch.http import MAX_BODY, render_problem
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from imagesearch_local.callers import Callers, TurnedAway
from imagesearch_local.emulator import FunctionPool
from imagesearch_local.logs import FRONT
from imagesearch_local.payload import MAX_EVENT, HttpAnswer, HttpRequest, read_answer
from imagesearch_local.problems import FunctionBusy, FunctionTimedOut
from imagesearch_local.routes import Match, Router

__all__ = ["Front"]

# How much of a body that is too large is read and thrown away, so that a client which sends
# first and reads later gets our answer rather than a reset connection.
_PATIENCE = 4 * MAX_BODY
# How long (s) a request may wait for an environment. Whoever would wait longer is told at once that
# it is too much: work for callers that have gone away would leave no time for those still there.
_LONGEST_QUEUE = 10.0


class Front:
    """An ASGI application that serves a template's routes by its functions."""

    def __init__(
        self, router: Router, pools: Mapping[str, FunctionPool], callers: Callers | None = None
    ) -> None:
        """Serve ``router``'s routes; ``pools`` holds each function's pool by name.

        Without ``callers`` anybody may call.
        """
        self._router = router
        self._pools = pools
        self._callers = callers
        self._running: set[asyncio.Task[bytes]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            raise NotImplementedError(scope["type"])
        began = time.perf_counter()
        request = Request(scope, receive)
        request_id = uuid.uuid4().hex
        try:
            answer = await self._answer(request, request_id)
        except ClientDisconnect:
            return
        except TurnedAway as refused:
            answer = refused.answer
        except asyncio.CancelledError:  # the server's patience with requests under way has ended
            answer = self._problem(FunctionBusy("the service is stopping."), request, request_id)
        except ImageSearchError as error:
            answer = self._problem(error, request, request_id)
        except Exception:
            FRONT.exception("%s unexpected failure", request_id)
            answer = self._problem(ImageSearchError(), request, request_id)
        spent = (time.perf_counter() - began) * 1000
        FRONT.info(
            "%s %s %s %d %.1f ms", request_id, request.method, scope["path"], answer.status, spent
        )
        await _respond(answer, request_id, spent, request.method)(scope, receive, send)

    async def _answer(self, request: Request, request_id: str) -> HttpAnswer:
        path = request.scope["path"]
        if request.method == "OPTIONS" and (methods := self._router.methods(path)):
            return HttpAnswer(204, (("allow", ", ".join([*methods, "OPTIONS"])),), b"")
        match = self._match(request.method, path)
        body = await _read(request)
        described = _describe(request, request_id, body)
        allowed = await self._callers.check(described, match) if self._callers else None
        event = described.event(match.route, match.parameters, allowed)
        if len(event) > MAX_EVENT:
            raise BodyTooLarge(
                f"the request makes an event of {len(event):,} bytes; a function takes "
                f"{MAX_EVENT:,}, which is a picture of about 4.5 MB."
            )
        return read_answer(await self._invoke(match, event))

    def _match(self, method: str, path: str) -> Match:
        """Find the route; HEAD is served by the route of GET where it has none of its own."""
        try:
            return self._router.match(method, path)
        except MethodNotAllowed:
            if method == "HEAD":
                return self._router.match("GET", path)
            raise

    async def _invoke(self, match: Match, event: bytes) -> bytes:
        """Wait for the function as long as the route may; past that it runs on, unheard."""
        pool = self._pools[match.function.name]
        task = asyncio.create_task(pool.invoke(event, patience=_LONGEST_QUEUE))
        self._running.add(task)
        task.add_done_callback(self._forget)
        done, _ = await asyncio.wait([task], timeout=match.route.seconds)
        if not done:
            raise FunctionTimedOut(
                f"{match.function.name} did not answer within {match.route.seconds:g} seconds."
            )
        return task.result()

    def _problem(self, error: ImageSearchError, request: Request, request_id: str) -> HttpAnswer:
        path = request.scope["path"]
        headers = [("content-type", "application/problem+json")]
        if isinstance(error, MethodNotAllowed):
            headers.append(("allow", ", ".join(self._router.methods(path))))
        if error.status == 503:
            headers.append(("retry-after", "1"))
        body = render_problem(error, request_id=request_id, path=path)
        return HttpAnswer(error.status, tuple(headers), msgspec.json.encode(body))

    def _forget(self, task: asyncio.Task[bytes]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # whoever waited has it; nobody may be left to


async def _read(request: Request) -> bytes:
    """Read the body, keeping no more than the limit."""
    announced = request.headers.get("content-length", "0")
    size = int(announced) if announced.isdigit() else 0
    if size > MAX_BODY and "expect" in request.headers:
        raise _too_large(size)
    parts: list[bytes] = []
    received = 0
    async for part in request.stream():
        received += len(part)
        if received > _PATIENCE:
            break
        if received <= MAX_BODY:
            parts.append(part)
    if received > MAX_BODY:
        raise _too_large(max(size, received))
    return b"".join(parts)


def _too_large(size: int) -> BodyTooLarge:
    return BodyTooLarge(f"the body has {size:,} bytes or more; the limit is {MAX_BODY:,}.")


def _describe(request: Request, request_id: str, body: bytes) -> HttpRequest:
    scope = request.scope
    return HttpRequest(
        id=request_id,
        method=request.method,
        raw_path=scope["raw_path"],
        raw_query=scope["query_string"],
        headers=tuple(request.headers.items()),
        body=body,
        client=request.client.host if request.client else "",
        server=scope["server"],
        protocol=f"HTTP/{scope['http_version']}",
        received=datetime.now(UTC),
    )


def _respond(answer: HttpAnswer, request_id: str, spent: float, method: str) -> Response:
    response = Response(b"" if method == "HEAD" else answer.body, answer.status)
    for name, value in answer.headers:
        response.headers.append(name, value)
    response.headers.setdefault("x-request-id", request_id)
    response.headers.setdefault("server-timing", f"total;dur={spent:.1f}")
    return response

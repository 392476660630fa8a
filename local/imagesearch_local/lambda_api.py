"""The Invoke call of the Lambda API, for functions that start other functions.

``boto3.client("lambda").invoke`` of a function process arrives here. An asynchronous invocation
is answered at once, then run; when it fails it is tried twice more, as Lambda does.
Reference: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from urllib.parse import unquote

from imagesearch.errors import ImageSearchError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from imagesearch_local.emulator import FunctionPool
from imagesearch_local.logs import SERVICE
from imagesearch_local.problems import FunctionBusy

__all__ = ["Background", "LambdaApi"]

_PATH = re.compile(r"/2015-03-31/functions/(?P<name>[^/]+)/invocations/?")
_MAX_ASYNCHRONOUS_EVENT = 1_048_576


class Background:
    """Asynchronous invocations under way."""

    def __init__(self, *, pauses: tuple[float, ...] = (1.0, 2.0), waiting: int = 10_000) -> None:
        """Retry after each of ``pauses`` (seconds; Lambda waits one and two minutes)."""
        self._pauses = pauses
        self._waiting = waiting
        self._tasks: set[asyncio.Task[None]] = set()

    def invoke(self, pool: FunctionPool, event: bytes) -> None:
        """Run the function on ``event`` soon. Raises :class:`FunctionBusy` when swamped."""
        if len(self._tasks) >= self._waiting:
            raise FunctionBusy(f"{self._waiting} asynchronous invocations wait already.")
        task = asyncio.create_task(self._run(pool, event))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Drop what has not been run."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _run(self, pool: FunctionPool, event: bytes) -> None:
        for pause in (*self._pauses, None):
            try:
                await pool.invoke(event)
            except ImageSearchError as error:
                SERVICE.warning("asynchronous %s: %s", pool.function.name, error.detail)
            else:
                return
            if pause is not None:
                await asyncio.sleep(pause)
        SERVICE.error("asynchronous %s given up: %s", pool.function.name, event[:2000])


class LambdaApi:
    """An ASGI application that answers Lambda's Invoke."""

    def __init__(self, pools: Mapping[str, FunctionPool], background: Background) -> None:
        """Invoke the functions of ``pools``, asynchronous ones through ``background``."""
        self._pools = pools
        self._background = background

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one API call."""
        if scope["type"] != "http":
            raise NotImplementedError(scope["type"])
        response = await self._answer(Request(scope, receive))
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        found = _PATH.fullmatch(request.scope["path"])
        name = _function_name(unquote(found["name"])) if found else ""
        pool = self._pools.get(name)
        if request.method != "POST" or pool is None:
            return _refuse(404, "ResourceNotFoundException", f"there is no function {name!r}.")
        event = await request.body() or b"{}"
        if request.headers.get("x-amz-invocation-type", "RequestResponse") == "Event":
            return self._accept(pool, event)
        try:
            return Response(await pool.invoke(event), media_type="application/json")
        except FunctionBusy as busy:
            return _refuse(429, "TooManyRequestsException", busy.detail)
        except ImageSearchError as error:
            body = {"errorType": error.code, "errorMessage": error.detail}
            return JSONResponse(body, headers={"x-amz-function-error": "Unhandled"})

    def _accept(self, pool: FunctionPool, event: bytes) -> Response:
        if len(event) > _MAX_ASYNCHRONOUS_EVENT:
            limit = f"{_MAX_ASYNCHRONOUS_EVENT:,} bytes"
            return _refuse(413, "RequestTooLargeException", f"the event is larger than {limit}.")
        try:
            self._background.invoke(pool, event)
        except FunctionBusy as busy:
            return _refuse(429, "TooManyRequestsException", busy.detail)
        return Response(status_code=202)


def _function_name(given: str) -> str:
    """Return the plain name in a name, ``name:qualifier``, or ARN of a function."""
    return given.rpartition(":function:")[2].partition(":")[0]


def _refuse(status: int, kind: str, message: str) -> Response:
    return JSONResponse({"Message": message}, status, headers={"x-amzn-errortype": kind})

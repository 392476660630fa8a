"""uvicorn under our own signal handling."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from types import TracebackType
from typing import Self

import uvicorn
from starlette.types import ASGIApp

from imagesearch_local.ports import LOOPBACK
from imagesearch_local.problems import LocalFailure

__all__ = ["HttpServer", "listen"]

_GRACE_SECONDS = 3


def listen(port: int, host: str = LOOPBACK) -> socket.socket:
    """Open a listening socket; port 0 takes any free one. Raises :class:`LocalFailure`."""
    # The protocol is named because asyncio turns Nagle's delay off only for sockets that name it.
    server = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        server.bind((host, port))
        server.listen(1024)
    except (OSError, OverflowError) as error:
        server.close()
        raise LocalFailure(
            f"cannot listen on {host}:{port}: {error}. Choose another port with --port."
        ) from None
    return server


class HttpServer:
    """An HTTP server for an ASGI application, for as long as the ``async with`` lasts."""

    def __init__(self, application: ASGIApp, server: socket.socket) -> None:
        """Serve ``application`` on the listening socket ``server``, which is ours from here on."""
        config = uvicorn.Config(
            application,
            interface="asgi3",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=65,
            timeout_graceful_shutdown=_GRACE_SECONDS,
        )
        self._uvicorn = _Uvicorn(config)
        self._socket = server
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Begin to serve."""
        self._task = asyncio.create_task(self._uvicorn.serve([self._socket]))
        while not self._uvicorn.started and not self._task.done():
            await asyncio.sleep(0.005)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Take no new requests, give those under way a few seconds, and end."""
        self._uvicorn.should_exit = True
        if self._task:
            await self._task


class _Uvicorn(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the service."""
        yield

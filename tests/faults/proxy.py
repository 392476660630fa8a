"""A proxy in front of an S3 server that answers as a store in trouble does.

It understands as much of HTTP/1.1 as the S3 clients speak: ``Content-Length`` and chunked bodies,
``Expect: 100-continue``, connections that are used again. Requests are passed on untouched, so
that their signatures still hold.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from types import TracebackType
from typing import Self

__all__ = ["Asked", "Fault", "Faults", "StoreProxy", "Weather"]

_HANG_SECONDS = 20.0
_SLOW_SECONDS = (0.2, 2.5)
_LATE_SECONDS = (0.5, 8.0)


class Fault(StrEnum):
    """What a store in trouble does with one request."""

    INTERNAL_ERROR = "500"
    SLOW_DOWN = "503"
    SLOW = "slow"
    HANG = "hang"
    RESET = "reset"
    """The connection breaks before the request has done anything."""
    LOST_ANSWER = "lost answer"
    """The request is carried out, and the connection breaks instead of the answer."""
    LATE = "late"
    """The connection breaks; the request is carried out seconds later."""
    TRUNCATED = "truncated"
    """The answer's body breaks off half way."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as the store sees it."""

    method: str
    target: str
    head: bytes
    body: bytes


Faults = Callable[[Asked], Fault | None]
"""Decides what happens to a request; ``None`` is nothing out of the ordinary."""


@dataclass(slots=True)
class Weather:
    """Faults at random: ``share`` of the requests suffer one of ``kinds``."""

    share: float
    kinds: tuple[Fault, ...] = tuple(Fault)
    chance: random.Random = field(default_factory=lambda: random.Random(1))

    def __call__(self, _asked: Asked) -> Fault | None:
        """Draw."""
        return self.chance.choice(self.kinds) if self.chance.random() < self.share else None


class StoreProxy:
    """A proxy on a port of its own, for as long as the ``with`` lasts.

    ``faults`` may be replaced at any time. ``upstream`` is asked for the store's port whenever a
    request is passed on: the store may have been started anew.
    """

    def __init__(self, upstream: Callable[[], int], faults: Faults | None = None) -> None:
        self.faults: Faults = faults or (lambda _: None)
        self.requests: list[Asked] | None = None
        """Set it to a list, and every request is noted there."""
        self.seen: Counter[str] = Counter()
        self.port = 0
        self._upstream = upstream
        self._chance = random.Random(2)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="store proxy")
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._open(), self._loop).result()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _open(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._start(self._converse(reader, writer))

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(OSError, EOFError):
                while asked := await _read(reader, writer):
                    if not await self._answer(asked, writer):
                        break
        finally:
            writer.transport.abort()

    async def _answer(self, asked: Asked, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; tell whether the connection goes on."""
        if self.requests is not None:
            self.requests.append(asked)
        fault = self.faults(asked)
        self.seen["requests"] += 1
        if fault:
            self.seen[fault] += 1
        match fault:
            case Fault.INTERNAL_ERROR | Fault.SLOW_DOWN:
                writer.write(_error(fault, asked.method))
            case Fault.HANG:
                await asyncio.sleep(_HANG_SECONDS)
                return False
            case Fault.RESET:
                return False
            case Fault.LOST_ANSWER:
                await self._forward(asked)
                return False
            case Fault.LATE:
                self._start(self._later(asked))
                return False
            case Fault.TRUNCATED:
                answer = await self._forward(asked)
                head, _, body = answer.partition(b"\r\n\r\n")
                writer.write(head + b"\r\n\r\n" + body[: len(body) // 2])
                await writer.drain()
                return False
            case _:
                if fault is Fault.SLOW:
                    await asyncio.sleep(self._chance.uniform(*_SLOW_SECONDS))
                writer.write(await self._forward(asked))
        await writer.drain()
        return True

    async def _later(self, asked: Asked) -> None:
        await asyncio.sleep(self._chance.uniform(*_LATE_SECONDS))
        with contextlib.suppress(OSError, EOFError):
            await self._forward(asked)

    async def _forward(self, asked: Asked) -> bytes:
        """Have the store carry out a request, and return its whole answer."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._upstream())
        try:
            head = _without(asked.head, {b"expect", b"connection"})
            writer.write(head[:-2] + b"Connection: close\r\n\r\n" + asked.body)
            await writer.drain()
            answer = await reader.read(-1)
        finally:
            writer.close()
        head, _, body = answer.partition(b"\r\n\r\n")
        if not head:
            raise ConnectionResetError("the store broke off")
        return _without(head + b"\r\n\r\n", {b"connection"}) + body


async def _read(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Asked | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    first, *_ = head.split(b"\r\n", 1)
    method, target, _ = first.decode("latin-1").split(" ", 2)
    headers = dict(_headers(head))
    if headers.get(b"expect", b"").lower() == b"100-continue":
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        await writer.drain()
    if headers.get(b"transfer-encoding", b"").lower() == b"chunked":
        body = b"".join([part async for part in _chunks(reader)])
    else:
        body = await reader.readexactly(int(headers.get(b"content-length", b"0")))
    return Asked(method, target, head, body)


async def _chunks(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    """Yield a chunked body as it came, trailer included."""
    while True:
        line = await reader.readuntil(b"\r\n")
        yield line
        size = int(line.split(b";")[0], 16)
        if size:
            yield await reader.readexactly(size + 2)
            continue
        while (trailer := await reader.readuntil(b"\r\n")) != b"\r\n":
            yield trailer
        yield b"\r\n"
        return


def _headers(head: bytes) -> Iterator[tuple[bytes, bytes]]:
    for line in head.split(b"\r\n")[1:]:
        name, separator, value = line.partition(b":")
        if separator:
            yield name.strip().lower(), value.strip()


def _without(head: bytes, names: Iterable[bytes]) -> bytes:
    lines = head.split(b"\r\n")
    kept = [line for line in lines if line.partition(b":")[0].strip().lower() not in names]
    return b"\r\n".join(kept)


def _error(fault: Fault, method: str) -> bytes:
    code, status = {
        Fault.INTERNAL_ERROR: ("InternalError", "500 Internal Server Error"),
        Fault.SLOW_DOWN: ("SlowDown", "503 Slow Down"),
    }[fault]
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>now</Message></Error>".encode()
    kind = f"Content-Type: application/xml\r\nContent-Length: {len(body)}"
    head = f"HTTP/1.1 {status}\r\n{kind}\r\n\r\n".encode()
    return head + (b"" if method == "HEAD" else body)

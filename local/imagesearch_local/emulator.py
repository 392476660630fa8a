"""Lambda functions on this machine: one emulator process per environment, as many as asked for.

An *environment* is AWS's Runtime Interface Emulator with one function process behind it. As in
Lambda it serves one request at a time, stays warm for the next one, and is thrown away when its
function process dies or runs out of time.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx

from imagesearch_local.intrinsics import REGION
from imagesearch_local.logs import FUNCTIONS
from imagesearch_local.ports import LOOPBACK, free_ports
from imagesearch_local.problems import FunctionBusy, FunctionFailed, FunctionTimedOut
from imagesearch_local.processes import Child, tethered
from imagesearch_local.template import Function

__all__ = ["FunctionPool", "Limits"]

_INVOKE = "/2015-03-31/functions/function/invocations"
_START_SECONDS = 15.0
_OVERTIME_SECONDS = 20.0  # on top of a function's own limit: a cold start on a busy machine


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How many environments a function may have, how many requests may wait, and how long.

    ``idle_seconds`` is how long a warm environment is kept without work.
    """

    environments: int = max(2, os.cpu_count() or 2)
    waiting: int = 1000
    idle_seconds: float = 300.0


class FunctionPool:
    """The environments of one function."""

    def __init__(
        self,
        function: Function,
        *,
        emulator: Path,
        scratch: Path,
        variables: Mapping[str, str],
        limits: Limits,
    ) -> None:
        """Prepare a pool; ``variables`` are set on top of those the template gives."""
        self.function = function
        self._emulator = emulator
        self._scratch = scratch
        self._variables = variables
        self._limits = limits
        self._slots = asyncio.Semaphore(limits.environments)
        self._waiting = 0
        self._idle: list[_Environment] = []
        self._all: set[_Environment] = set()
        self._started = 0
        self._closed = False

    async def invoke(self, event: bytes, *, patience: float | None = None) -> bytes:
        """Run the function on ``event`` (JSON) and return its answer (JSON).

        Raises :class:`FunctionFailed` when it raised or its process died, :class:`FunctionTimedOut`
        after the function's own limit, :class:`FunctionBusy` when too many wait already or no
        environment becomes free within ``patience`` seconds.
        """
        if self._slots.locked() and self._waiting >= self._limits.waiting:
            raise FunctionBusy(f"{self._waiting} requests wait for {self.function.name} already.")
        self._waiting += 1
        try:
            await asyncio.wait_for(self._slots.acquire(), patience)
        except TimeoutError:
            raise FunctionBusy(
                f"no environment of {self.function.name} became free within {patience:g} s."
            ) from None
        finally:
            self._waiting -= 1
        try:
            return await self._invoke(event)
        finally:
            self._slots.release()

    async def reap(self) -> None:
        """Stop environments that have been idle for too long."""
        oldest = time.monotonic() - self._limits.idle_seconds
        tired = [environment for environment in self._idle if environment.used < oldest]
        self._idle = [environment for environment in self._idle if environment.used >= oldest]
        for environment in tired:
            await self._retire(environment)

    async def close(self) -> None:
        """Stop every environment, busy ones too."""
        self._closed = True
        await asyncio.gather(*(self._retire(environment) for environment in list(self._all)))

    def kill(self) -> None:
        """End every environment at once, without waiting."""
        for environment in self._all:
            environment.kill()

    async def _invoke(self, event: bytes) -> bytes:
        while environment := await self._warm():
            # One that has just died may not be known to be dead: it never saw the event.
            with contextlib.suppress(_Unreached):
                return await self._use(environment, event)
        try:
            return await self._use(await self._cold(), event)
        except _Unreached:
            raise FunctionFailed(f"the process of {self.function.name} died.") from None

    async def _use(self, environment: _Environment, event: bytes) -> bytes:
        healthy = False
        try:
            answer = await environment.invoke(event)
        except _RaisedInside as raised:
            healthy = True  # an exception in the handler leaves the process as it was
            raise FunctionFailed(f"{self.function.name} raised {raised}.") from None
        else:
            healthy = True
            return answer
        finally:
            if healthy and not self._closed:
                environment.used = time.monotonic()
                self._idle.append(environment)
            else:
                await self._retire(environment)

    async def _warm(self) -> _Environment | None:
        """Return the environment used last that still lives, or ``None``."""
        while self._idle:
            environment = self._idle.pop()
            if environment.alive:
                return environment
            await self._retire(environment)
        return None

    async def _cold(self) -> _Environment:
        for _ in range(3):  # a port may have been taken between choosing it and using it
            if self._closed:
                break
            self._started += 1
            environment = _Environment(self.function, self._started, self._scratch)
            self._all.add(environment)
            if await environment.start(self._emulator, self._variables):
                return environment
            await self._retire(environment)
        raise FunctionFailed(f"no environment of {self.function.name} could be started.")

    async def _retire(self, environment: _Environment) -> None:
        await environment.stop()
        self._all.discard(environment)


class _RaisedInside(Exception):
    """The handler raised; the text names type and message."""


class _Unreached(Exception):
    """The emulator took no connection, so the event reached nobody."""


class _Environment:
    """One emulator process with its function process, port and scratch folder."""

    def __init__(self, function: Function, number: int, scratch: Path) -> None:
        self.used = time.monotonic()
        self._function = function
        self._scratch = scratch / f"{function.label}-{number}"
        self._prefix = f"[{function.label}#{number}] "
        self._child: Child | None = None
        self._http: httpx.AsyncClient | None = None

    @property
    def alive(self) -> bool:
        return self._child is not None and self._child.alive

    async def start(self, emulator: Path, variables: Mapping[str, str]) -> bool:
        """Start the emulator and wait until it listens; tell whether it does."""
        self._scratch.mkdir(parents=True, exist_ok=True)
        port, runtime_port = free_ports(2)
        self._child = await Child.start(
            [
                str(emulator),
                *("--log-level", "warn"),
                *("--runtime-interface-emulator-address", f"{LOOPBACK}:{port}"),
                *("--runtime-api-address", f"{LOOPBACK}:{runtime_port}"),
                *tethered([sys.executable, "-m", "awslambdaric", self._function.handler]),
            ],
            cwd=self._function.folder,
            env=_environment(self._function, self._scratch, variables),
            log=lambda line: FUNCTIONS.info("%s%s", self._prefix, line),
        )
        self._http = httpx.AsyncClient(
            base_url=f"http://{LOOPBACK}:{port}",
            timeout=httpx.Timeout(self._function.timeout + _OVERTIME_SECONDS, connect=5.0),
            trust_env=False,
        )
        return await self._listens(port)

    async def invoke(self, event: bytes) -> bytes:
        name = self._function.name
        if self._http is None:
            raise FunctionFailed(f"{name} has not been started.")
        try:
            answer = await self._http.post(_INVOKE, content=event)
        except httpx.TimeoutException:
            raise FunctionTimedOut(f"{name} did not answer in time.") from None
        except httpx.ConnectError:
            raise _Unreached from None
        except httpx.TransportError:
            raise FunctionFailed(f"the process of {name} died.") from None
        return _check(answer, name, self._function.timeout)

    async def stop(self) -> None:
        if self._http:
            await self._http.aclose()
        if self._child:
            await self._child.stop(grace=0)
        shutil.rmtree(self._scratch, ignore_errors=True)

    def kill(self) -> None:
        if self._child:
            self._child.kill()

    async def _listens(self, port: int) -> bool:
        deadline = time.monotonic() + _START_SECONDS
        while self.alive and time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection(LOOPBACK, port)
                writer.close()
                return self.alive
            await asyncio.sleep(0.01)
        return False


def _check(answer: httpx.Response, name: str, timeout: int) -> bytes:
    """Return the function's answer, or raise what the emulator says instead."""
    body = answer.content
    if body.startswith(b"Task timed out after"):
        raise FunctionTimedOut(f"{name} did not end within its {timeout} seconds.")
    error = _error(body)
    if answer.status_code == httpx.codes.OK and error is None:
        return body
    if answer.status_code == httpx.codes.OK:
        raise _RaisedInside(error)
    raise FunctionFailed(f"{name} ended without an answer: {error or body[:200]!r}")


def _error(body: bytes) -> str | None:
    """Return type and message if ``body`` is Lambda's description of an exception."""
    if b'"errorType"' not in body or b'"errorMessage"' not in body:
        return None
    with contextlib.suppress(ValueError):
        found = json.loads(body)
        if isinstance(found, dict) and "errorType" in found and "statusCode" not in found:
            return f"{found['errorType']}: {found.get('errorMessage')}"
    return None


def _environment(function: Function, scratch: Path, variables: Mapping[str, str]) -> dict[str, str]:
    """Return the whole environment of a function process; nothing of ours leaks in."""
    layers = [
        layer / "python" if (layer / "python").is_dir() else layer for layer in function.layers
    ]
    return {
        "PATH": os.defpath,
        "LANG": "C.UTF-8",
        "TZ": ":UTC",
        "HOME": str(scratch),
        "TMPDIR": str(scratch),
        "PYTHONPATH": os.pathsep.join(map(str, [function.folder, *layers])),
        "PYTHONUNBUFFERED": "1",
        "LAMBDA_TASK_ROOT": str(function.folder),
        "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_TIMEOUT": str(function.timeout),
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory),
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "IMAGESEARCH_CACHE": str(scratch / "imagesearch"),
        **{name: _local(value, function, scratch) for name, value in function.environment.items()},
        **variables,
    }


def _local(value: str, function: Function, scratch: Path) -> str:
    """Map the two folders that only Lambda has: ``/opt/…`` of the layers, and ``/tmp``."""
    if value == "/tmp" or value.startswith("/tmp/"):
        return str(scratch / value[len("/tmp/") :])
    if not value.startswith("/opt/"):
        return value
    rest = Path(value[len("/opt/") :])
    for layer in reversed(function.layers):  # a later layer covers an earlier one
        inside = [layer / rest]
        if rest.parts[0] == layer.name:
            inside.append(layer.joinpath(*rest.parts[1:]))
        for place in inside:
            if place.exists():
                return str(place)
    return value

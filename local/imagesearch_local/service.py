"""A whole deployment on one machine: object store, functions, HTTP front."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from socket import socket
from typing import NoReturn

from imagesearch_local.callers import Callers
from imagesearch_local.emulator import FunctionPool, Limits
from imagesearch_local.events import HOOK, Bridge, Hook, Sweeper, Trouble, listens
from imagesearch_local.folder import DataFolder
from imagesearch_local.front import Front
from imagesearch_local.keys import keys_place
from imagesearch_local.lambda_api import Background, LambdaApi
from imagesearch_local.logs import SERVICE
from imagesearch_local.ports import LOOPBACK
from imagesearch_local.problems import LocalFailure
from imagesearch_local.rie import emulator
from imagesearch_local.routes import Router
from imagesearch_local.seaweed import Seaweed, Webhook
from imagesearch_local.serving import HttpServer, listen
from imagesearch_local.template import Template
from imagesearch_local.words import words_folder

__all__ = ["Plan", "Service", "running"]

_REAP_SECONDS = 15.0


def _asked_for() -> Trouble:
    return Trouble.parse(os.environ.get("IMAGESEARCH_EVENT_TROUBLE", ""))


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to run: a template, the folder that keeps its data, limits, and trouble with events.

    ``store_proxy`` is the address under which functions find the object store, if not its own.
    """

    template: Template
    folder: DataFolder
    limits: Limits = field(default_factory=Limits)
    trouble: Trouble = field(default_factory=_asked_for)
    store_proxy: str = field(default_factory=lambda: os.environ.get("IMAGESEARCH_STORE_PROXY", ""))


@dataclass(slots=True)
class Service:
    """A running deployment."""

    url: str
    seaweed: Seaweed
    pools: dict[str, FunctionPool]

    async def fails(self) -> NoReturn:
        """Wait for the object store to end, which it should not; raise :class:`LocalFailure`."""
        status = await self.seaweed.ended()
        raise LocalFailure(f"the object store ended by itself (status {status}); see its log.")

    def kill(self) -> None:
        """End every process at once."""
        for pool in self.pools.values():
            pool.kill()
        self.seaweed.kill()


@asynccontextmanager
async def running(plan: Plan, server: socket) -> AsyncIterator[Service]:
    """Run a deployment on the listening socket ``server`` until the block ends.

    On leaving, requests under way get a few seconds, then functions and object store are stopped.
    """
    emulator_path = await asyncio.to_thread(emulator)
    host, port = server.getsockname()
    async with AsyncExitStack() as stack:
        internal = listen(0)
        inside = f"http://{LOOPBACK}:{internal.getsockname()[1]}"
        token = secrets.token_hex(16)
        wanted = listens(plan.template.functions)
        webhook = Webhook.about(wanted, inside + HOOK, token)
        seaweed = await Seaweed.start(plan.folder, plan.template.buckets, webhook)
        stack.push_async_callback(seaweed.stop)
        SERVICE.info("object store at %s", seaweed.endpoint)
        words = await asyncio.to_thread(words_folder, plan.template.path.parent)
        variables = {
            **({"IMAGESEARCH_WORDS": str(words)} if words else {}),
            **seaweed.variables,
            "AWS_ENDPOINT_URL_S3": plan.store_proxy or seaweed.endpoint,
            "IMAGESEARCH_KEYS": keys_place(plan.folder),
            "IMAGESEARCH_PRIVATE_CALLBACKS": "true",
            "AWS_ENDPOINT_URL_LAMBDA": inside,
        }
        pools = _pools(plan, emulator_path, variables)
        plan.folder.tell_engine({**plan.template.functions[0].environment, **variables})
        for pool in pools.values():
            stack.push_async_callback(pool.close)
        background = Background()
        bridge = Bridge(pools, trouble=plan.trouble)
        hook = Hook(bridge, token, LambdaApi(pools, background))
        await stack.enter_async_context(HttpServer(hook, internal))
        stack.push_async_callback(background.close)
        stack.push_async_callback(bridge.close)
        stack.enter_context(_reaping(pools.values()))
        asked = plan.template.authorizer
        callers = Callers(asked, pools) if asked else None
        front = Front(Router(plan.template.functions), pools, callers)
        await stack.enter_async_context(HttpServer(front, server))
        stack.enter_context(_sweeping(Sweeper(bridge, [*pools.values()]), seaweed, wanted))
        SERVICE.info("serving %s at http://%s:%d", plan.template.path, host, port)
        yield Service(f"http://{host}:{port}", seaweed, pools)
        SERVICE.info("stopping")


def _pools(plan: Plan, emulator_path: Path, variables: dict[str, str]) -> dict[str, FunctionPool]:
    if not plan.template.functions:
        raise LocalFailure(f"{plan.template.path} has no functions.")
    return {
        function.name: FunctionPool(
            function,
            emulator=emulator_path,
            scratch=plan.folder.scratch.resolve(),
            variables=variables,
            limits=plan.limits,
        )
        for function in plan.template.functions
    }


@contextlib.contextmanager
def _sweeping(
    sweeper: Sweeper, seaweed: Seaweed, wanted: Sequence[tuple[str, str]]
) -> Iterator[None]:
    """Look for what was left undone, if there can be any; and from time to time from then on."""

    async def sweep() -> None:
        left = [await asyncio.to_thread(seaweed.holds, *place) for place in wanted]
        await sweeper.run(at_start=any(left))

    task = asyncio.create_task(sweep())
    try:
        yield
    finally:
        task.cancel()
        if task.done() and not task.cancelled() and (error := task.exception()):
            SERVICE.error("the sweeper ended: %r", error)


@contextlib.contextmanager
def _reaping(pools: Iterable[FunctionPool]) -> Iterator[None]:
    async def reap() -> None:
        while True:
            await asyncio.sleep(_REAP_SECONDS)
            for pool in pools:
                await pool.reap()

    task = asyncio.create_task(reap())
    try:
        yield
    finally:
        task.cancel()

"""``imagesearch serve``: run the deployment until it is told to stop."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from socket import socket

from imagesearch_local.logs import SERVICE, open_logs
from imagesearch_local.service import Plan, Service, running
from imagesearch_local.serving import listen

__all__ = ["serve"]

Announce = Callable[[Service], Awaitable[None]]


def serve(plan: Plan, *, port: int, verbose: bool, announce: Announce) -> None:
    """Serve ``plan`` on ``port`` until SIGINT or SIGTERM; a second one ends everything at once.

    ``announce`` is called once when the service answers. Raises :class:`LocalFailure` when the
    service cannot start or its object store ends.
    """
    with listen(port) as server:
        url = "http://{}:{}".format(*server.getsockname())
        with plan.folder.held(url):
            open_logs(plan.folder.logs, verbose=verbose)
            asyncio.run(_until_told(plan, server, announce))


async def _until_told(plan: Plan, server: socket, announce: Announce) -> None:
    told: list[signal.Signals] = []
    services: list[Service] = []
    task = asyncio.create_task(_run(plan, server, announce, services))

    def stop(number: signal.Signals) -> None:
        SERVICE.info("%s", number.name)
        told.append(number)
        if len(told) > 1:
            for service in services:
                service.kill()
            os._exit(128 + number)  # the kernel ends whatever is still tied to us
        task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop, number)
    try:
        await task
    except asyncio.CancelledError:
        if not told:
            raise


async def _run(plan: Plan, server: socket, announce: Announce, services: list[Service]) -> None:
    async with running(plan, server) as service:
        services.append(service)
        failing = asyncio.create_task(service.fails())
        await announce(service)
        await failing

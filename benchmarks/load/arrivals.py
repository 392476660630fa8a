"""Requests that arrive when they arrive, however slow the answers are.

A generator with a number of users who wait for their answers slows down together with the service
and so hides how bad it is (locust and autocannon work so). Here the times of arrival are drawn
beforehand, a request is sent at its time whatever became of the others, and its latency counts
from then on.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import numpy as np

__all__ = ["Load", "Shot", "offered"]

Shot = Callable[[], Awaitable[str]]
"""Sends one request and returns how it ended: a status, or the name of an error."""


@dataclass(slots=True)
class Load:
    """What became of the requests that arrived in ``seconds``; latencies in ms, of successes."""

    rate: float
    seconds: float
    latencies: list[float] = field(default_factory=list)
    refusals: list[float] = field(default_factory=list)
    ends: Counter[str] = field(default_factory=Counter)
    drained: float = 0.0

    @property
    def offered(self) -> float:
        """Return the requests that arrived per second."""
        return sum(self.ends.values()) / self.seconds

    @property
    def answered(self) -> float:
        """Return the successes per second, of arrivals to last answer."""
        return len(self.latencies) / max(self.seconds, self.drained)

    def row(self) -> str:
        """Return a row of a Markdown table."""
        p50, p90, p99 = np.percentile(self.latencies or [0.0], [50, 90, 99])
        failed = ", ".join(
            f"{count} × {end}" for end, count in sorted(self.ends.items()) if end[0] != "2"
        )
        refused = f"{np.percentile(self.refusals, 50):,.0f}" if self.refusals else "–"
        cells = [f"{self.offered:.1f}", f"{self.answered:.1f}", f"{p50:,.0f}", f"{p90:,.0f}"]
        return f"| {' | '.join([*cells, f'{p99:,.0f}', failed or 'none', refused])} |"


async def offered(rate: float, seconds: float, shot: Shot, *, seed: int = 1) -> Load:
    """Offer ``rate`` requests per second, at random times (a Poisson process), for some seconds."""
    load, loop = Load(rate, seconds), asyncio.get_running_loop()
    chance = random.Random(seed)
    began = loop.time()

    async def one(due: float) -> None:
        end = await shot()
        load.ends[end] += 1
        latency = (loop.time() - due) * 1000
        (load.latencies if end[0] == "2" else load.refusals).append(latency)

    async with asyncio.TaskGroup() as group:
        due = began
        while (due := due + chance.expovariate(rate)) < began + seconds:
            await asyncio.sleep(max(0.0, due - loop.time()))
            group.create_task(one(due))
    load.drained = loop.time() - began
    return load

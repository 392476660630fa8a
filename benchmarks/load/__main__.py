"""Offer more and more load to the running service; print the curve, and what was lost."""

from __future__ import annotations

import argparse
import asyncio
import base64
import functools
import json
import random
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from benchmarks.load.arrivals import Load, offered
from benchmarks.load.memory import Memory
from tests.pictures import as_bytes, drawn
from tests.running import Service

INSTANCE = "load"
PICTURES = 200
HEAD = (
    "| offered /s | answered /s | p50 ms | p90 ms | p99 ms | failed | failed after, p50 ms |\n"
    "|---:|---:|---:|---:|---:|---|---:|"
)


@dataclass(slots=True)
class Shooter:
    """Nine searches by picture to one add; remembers every add that was acknowledged."""

    http: httpx.AsyncClient
    adds: float
    chance: random.Random = field(default_factory=lambda: random.Random(5))
    acknowledged: set[str] = field(default_factory=set)
    sent: int = 0

    async def __call__(self) -> str:
        """Send the next request and return how it ended."""
        self.sent += 1
        number = self.sent
        adds = self.chance.random() < self.adds
        try:
            answer = await (self.add(number) if adds else self.search(number))
        except httpx.TransportError as error:
            return type(error).__name__
        if answer.status_code == 201:
            self.acknowledged.add(f"n{number}")
        if answer.status_code == 503 and "retry-after" not in answer.headers:
            return "503 without Retry-After"
        return str(answer.status_code)

    async def search(self, number: int) -> httpx.Response:
        """Search with a picture, its subject given."""
        body = {"image": _look(number % PICTURES), "region": "0,64,0,64", "num": 10}
        return await self.http.post(f"/v1/instances/{INSTANCE}/search", json=body)

    async def add(self, number: int) -> httpx.Response:
        """Add a picture under a name of its own."""
        body = {"product_id": f"n{number}", "pic_name": "a", "image": _look(number)}
        more = {"region": "0,64,0,64", "category_id": 5}
        return await self.http.post(f"/v1/instances/{INSTANCE}/pictures", json=body | more)


@functools.lru_cache(PICTURES)
def _look(number: int) -> str:
    return base64.b64encode(as_bytes(drawn(number, size=(64, 64)))).decode()


async def run(given: argparse.Namespace, service: Service) -> int:
    """Run the steps and return how many acknowledged adds are missing at the end."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=100)
    async with httpx.AsyncClient(base_url=service.url, timeout=90, limits=limits) as http:
        shooter = Shooter(http, given.adds)
        await http.put(f"/v1/instances/{INSTANCE}", json={"service": "product"})
        for number in range(PICTURES):
            shooter.sent = number
            (await shooter.add(number)).raise_for_status()
        await offered(2, 5, shooter)  # everything warm
        print(f"{PICTURES} pictures; {given.adds:.0%} adds, the rest searches by picture\n\n{HEAD}")
        for rate in [float(rate) for rate in given.rates.split(",")]:
            await _step(rate, given.seconds, shooter)
        if given.steady:
            await _steady(given, shooter, service)
        lost = await _lost(http, shooter)
    print(json.dumps({"acknowledged": len(shooter.acknowledged), "lost": lost}))
    return lost


async def _step(rate: float, seconds: float, shooter: Shooter) -> Load:
    load = await offered(rate, seconds, shooter)
    print(load.row(), flush=True)
    return load


async def _steady(given: argparse.Namespace, shooter: Shooter, service: Service) -> None:
    """Offer a steady rate for minutes, and watch the memory of every process."""
    memory = Memory(service)
    print(f"\n{given.steady:g} minutes at {given.rate:g} /s\n\n{HEAD}")
    watching = asyncio.create_task(memory.watch(every=5.0))
    await _step(given.rate, given.steady * 60, shooter)
    watching.cancel()
    print(f"\n{memory.table()}\n")


async def _lost(http: httpx.AsyncClient, shooter: Shooter) -> int:
    there: set[str] = set()
    cursor: str | None = None
    while True:
        query = {"limit": "500", **({"cursor": cursor} if cursor else {})}
        page = (await http.get(f"/v1/instances/{INSTANCE}/pictures", params=query)).json()
        there |= {picture["product_id"] for picture in page["pictures"]}
        if (cursor := page["next_cursor"]) is None:
            return len(shooter.acknowledged - there)


def main() -> int:
    """Read the options, start a service, run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description=__doc__)
    parser.add_argument("--rates", default="2,4,8,12,16,24,32,48,96,8", help="requests/s, in turn")
    parser.add_argument("--seconds", type=float, default=12.0, help="for each rate")
    parser.add_argument("--adds", type=float, default=0.1, help="share of adds")
    parser.add_argument("--steady", type=float, default=0.0, help="minutes at a steady rate")
    parser.add_argument("--rate", type=float, default=8.0, help="the steady rate")
    parser.add_argument("--environments", type=int, default=2, help="processes of a function")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="load-") as folder:
        service = Service(Path(folder) / "data")
        service.start("--environments", str(given.environments))
        try:
            return 1 if asyncio.run(run(given, service)) else 0
        finally:
            service.stop()


if __name__ == "__main__":
    sys.exit(main())

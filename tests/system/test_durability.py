"""Acknowledged means durable: many writers at once, and functions killed while they write."""

from __future__ import annotations

import base64
import os
import random
import signal
import threading
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

import httpx
import pytest

from tests.pictures import as_bytes, drawn
from tests.running import Service

pytestmark = pytest.mark.system

WRITERS = 8
EACH = 100


def add(client: httpx.Client, instance: str, product: str, seed: int) -> bool:
    """Add a picture of a few bytes, its region given so that only the embedder runs."""
    body = {
        "product_id": product,
        "pic_name": "main.jpg",
        "image": base64.b64encode(as_bytes(drawn(seed, size=(64, 64)))).decode(),
        "category_id": 5,
        "region": "0,64,0,64",
    }
    return client.post(f"/v1/instances/{instance}/pictures", json=body).status_code == 201


def write(url: str, instance: str, writer: int) -> list[str]:
    with httpx.Client(base_url=url, timeout=120) as client:
        names = [f"w{writer}-{n}" for n in range(EACH)]
        return [
            name for n, name in enumerate(names) if add(client, instance, name, writer * EACH + n)
        ]


def listed(client: httpx.Client, instance: str) -> list[str]:
    names: list[str] = []
    cursor: str | None = None
    while True:
        query = {"limit": "500", **({"cursor": cursor} if cursor else {})}
        page = client.get(f"/v1/instances/{instance}/pictures", params=query).json()
        names += [picture["product_id"] for picture in page["pictures"]]
        cursor = page["next_cursor"]
        if cursor is None:
            return names


def test_what_eight_processes_add_at_once_is_all_there_and_nothing_twice(
    service: Service, client: httpx.Client, instance: str
) -> None:
    with ProcessPoolExecutor(WRITERS, mp_context=get_context("spawn")) as pool:
        writers = [pool.submit(write, service.url, instance, n) for n in range(WRITERS)]
        acknowledged = [name for done in writers for name in done.result()]
    assert len(acknowledged) == WRITERS * EACH
    assert sorted(listed(client, instance)) == sorted(acknowledged)
    shown = client.get(f"/v1/instances/{instance}").json()
    assert shown["pictures"] == len(acknowledged)
    for name in random.Random(1).sample(acknowledged, 20):
        by_name = {"product_id": name, "pic_name": "main.jpg", "category_id": 5, "num": 1}
        found = client.post(f"/v1/instances/{instance}/search", json=by_name).json()
        assert found["hits"][0]["sort_expr_values"] == "7.33136443711219e+24;0"


def test_functions_killed_while_they_add_lose_nothing_acknowledged(own_service: Service) -> None:
    own_service.start()
    acknowledged: list[str] = []
    stop = threading.Event()

    def writer(number: int) -> None:
        with own_service.client() as client:
            for n in range(10_000):
                if stop.is_set():
                    return
                name = f"k{number}-{n}"
                try:
                    if add(client, "killed", name, n):
                        acknowledged.append(name)
                except httpx.TransportError:
                    continue

    with own_service.client() as client:
        client.put("/v1/instances/killed", json={"service": "product"}).raise_for_status()
    with ThreadPoolExecutor(4) as pool:
        running = [pool.submit(writer, n) for n in range(4)]
        kills = kill_some(own_service, acknowledged, 8)
        stop.set()
        for done in running:
            done.result()
    assert kills == 8
    assert len(acknowledged) > 8
    own_service.stop(signal.SIGKILL)
    own_service.start()
    with own_service.client() as client:
        missing = set(acknowledged) - set(listed(client, "killed"))
    assert not missing


def kill_some(service: Service, acknowledged: list[str], wanted: int) -> int:
    """Kill function processes between acknowledgements; return how many were killed."""
    chance = random.Random(7)
    kills, seen = 0, 0
    deadline = time.monotonic() + 180
    while kills < wanted and time.monotonic() < deadline:
        time.sleep(chance.uniform(0.05, 0.3))
        pids = service.function_processes()
        if pids and len(acknowledged) >= seen + 4:
            seen = len(acknowledged)
            os.kill(chance.choice(pids), signal.SIGKILL)
            kills += 1
    return kills

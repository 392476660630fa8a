"""One running service for the tests that do not stop it, and one for each that does."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.running import Service


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One service for all tests that do not stop it."""
    running = Service(tmp_path_factory.mktemp("service"))
    running.start()
    yield running
    running.stop()


@pytest.fixture
def own_service(tmp_path: Path) -> Iterator[Service]:
    """A service that the test may stop and start; not started yet."""
    running = Service(tmp_path / "data")
    yield running
    if running.process:
        running.stop(signal.SIGKILL)


@pytest.fixture
def client(service: Service) -> Iterator[httpx.Client]:
    with service.client() as open_client:
        yield open_client


@pytest.fixture
def instance(client: httpx.Client) -> Iterator[str]:
    """A fresh product instance, erased afterwards."""
    name = f"t{time.time_ns() // 1000:x}{os.getpid() % 10}"[:20]
    client.put(f"/v1/instances/{name}", json={"service": "product"}).raise_for_status()
    yield name
    client.delete(f"/v1/instances/{name}", params={"confirm": name})

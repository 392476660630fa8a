"""A service for the SDKs: the contract on a bucket in memory, over HTTP and HTTPS."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contract.caller import World
from tests.contract.sdk.sdks import Target
from tests.contract.sdk.serving import make_certificate, serving


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> World:
    """The world behind the servers; its clock is the real one."""
    import time

    world = World(tmp_path_factory.mktemp("cache"))
    world.contract._clock = time.time
    return world


@pytest.fixture(scope="module")
def target(served: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    certificate = make_certificate(tmp_path_factory.mktemp("tls"))

    def backend(event: object) -> dict[str, object]:
        return served.contract(event, None)  # type: ignore[arg-type]

    with serving(backend) as http, serving(backend, certificate) as https:
        yield Target(served.key, http, https, certificate)

"""A running service whose functions reach the object store through a proxy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from imagesearch_local.folder import DataFolder

from tests.faults.proxy import StoreProxy
from tests.running import Service


@dataclass(slots=True)
class Troubled:
    """The service and what stands between it and its store."""

    service: Service
    proxy: StoreProxy

    def calm(self) -> None:
        """End all trouble."""
        self.proxy.faults = lambda _: None
        self.proxy.requests = None


@pytest.fixture(scope="package")  # other services of the session are not to find this proxy
def _troubled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Troubled]:
    data = tmp_path_factory.mktemp("troubled")
    with (
        StoreProxy(lambda: DataFolder(data).remembered().storage_ports["s3"]) as proxy,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("IMAGESEARCH_STORE_PROXY", proxy.url)
        service = Service(data)
        service.start("--environments", "1")
        with service.client() as client:
            made = client.put("/v1/instances/shop", json={"service": "product"})
            made.raise_for_status()
        yield Troubled(service, proxy)
        service.stop()


@pytest.fixture
def troubled(_troubled: Troubled) -> Iterator[Troubled]:
    """The service, calm before and after each test."""
    _troubled.calm()
    yield _troubled
    _troubled.calm()

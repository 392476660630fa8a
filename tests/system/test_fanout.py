"""A large instance is searched by functions of their own, each a process with its share of it."""

from __future__ import annotations

import base64
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from imagesearch.index import Index
from imagesearch_local.direct import open_deployment
from imagesearch_local.folder import DataFolder

from tests.pictures import as_bytes, drawn
from tests.running import ROOT, Service

pytestmark = [pytest.mark.system, pytest.mark.usefixtures("large")]

EACH = 6


@pytest.fixture(scope="module")
def fanned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service with two rankers, which have a part in every search of segments."""
    running = Service(tmp_path_factory.mktemp("fanned"))
    options = ("Rankers=2", "RankersRows=1")
    running.start(*(part for option in options for part in ("--parameter", option)))
    yield running
    running.stop()


@pytest.fixture(scope="module")
def client(fanned: Service) -> Iterator[httpx.Client]:
    with fanned.client() as open_client:
        yield open_client


def add(client: httpx.Client, product: str, seed: int) -> None:
    body = {
        "product_id": product,
        "pic_name": "main.jpg",
        "image": base64.b64encode(as_bytes(drawn(seed, size=(64, 64)))).decode(),
        "category_id": 5,
        "region": "0,64,0,64",
        "str_attr": "even" if seed % 2 == 0 else "odd",
    }
    client.post("/v1/instances/large/pictures", json=body).raise_for_status()


def found(client: httpx.Client, seed: int, **more: object) -> httpx.Response:
    image = base64.b64encode(as_bytes(drawn(seed, size=(64, 64)))).decode()
    body = {"image": image, "crop": False, "num": 50, **more}
    return client.post("/v1/instances/large/search", json=body)


def products(answer: httpx.Response) -> list[str]:
    return [hit["product_id"] for hit in answer.raise_for_status().json()["hits"]]


@pytest.fixture(scope="module")
def large(fanned: Service, client: httpx.Client) -> Iterator[Index]:
    """An instance of two segments."""
    client.put("/v1/instances/large", json={"service": "product"}).raise_for_status()
    before = dict(os.environ)
    deployment = open_deployment(DataFolder(fanned.data), ROOT / "template.yaml")
    index = deployment.index(deployment.instances.get("large"))
    for part in range(2):
        for seed in range(part * EACH, (part + 1) * EACH):
            add(client, f"p{seed}", seed)
        assert index.fold()
    yield index
    os.environ.clear()
    os.environ.update(before)


def shares(service: Service) -> dict[str, set[str]]:
    """The segments that each process of a ranker has fetched."""
    found: dict[str, set[str]] = {}
    for file in (service.data / "run").glob("rank-*/imagesearch/*/*.b1"):
        found.setdefault(file.relative_to(service.data / "run").parts[0], set()).add(file.stem)
    return found


def rankers(service: Service) -> list[int]:
    folders = {pid: Path(f"/proc/{pid}/cwd").resolve() for pid in service.function_processes()}
    return [pid for pid, folder in folders.items() if folder.name == "rank"]


def test_each_function_fetches_its_share_and_all_is_found(
    fanned: Service, client: httpx.Client, large: Index
) -> None:
    everything = [f"p{seed}" for seed in range(2 * EACH)]
    answer = found(client, 3)
    assert sorted(products(answer)) == sorted(everything)
    assert answer.json()["total"] == len(everything)
    assert products(answer)[0] == "p3"
    held = shares(fanned)
    assert {name.rpartition("-")[0] for name in held} == {"rank-1", "rank-2"}
    one, other = held.values()
    assert not one & other
    assert one | other == {info.id for info in large.snapshot().manifest.segments}
    searching = (fanned.data / "run").glob("search-*/imagesearch/*/*.b1")
    assert not [*searching]


def test_filters_pages_and_products_are_those_of_the_whole(client: httpx.Client) -> None:
    even = found(client, 4, filter='str_attr = "even"')
    assert sorted(products(even)) == sorted(f"p{n}" for n in range(0, 2 * EACH, 2))
    pages = [products(found(client, 4, start=start, num=5)) for start in (0, 5, 10)]
    assert [name for page in pages for name in page] == products(found(client, 4))
    one_each = found(client, 4, distinct_by="str_attr")
    assert one_each.json()["total"] == len(products(one_each)) == 2


def test_a_write_is_found_at_once_and_a_deleted_picture_is_not(client: httpx.Client) -> None:
    assert products(found(client, 2))[0] == "p2"
    add(client, "fresh", 777)
    assert products(found(client, 777))[0] == "fresh"
    client.delete("/v1/instances/large/pictures/p2").raise_for_status()
    assert "p2" not in products(found(client, 2))
    add(client, "p3", 778)
    assert products(found(client, 778))[0] == "p3"
    assert products(found(client, 3)).count("p3") == 1


def test_a_search_outlives_the_functions_that_share_it(
    fanned: Service, client: httpx.Client
) -> None:
    before = products(found(client, 5))
    killed = rankers(fanned)
    assert len(killed) >= 2
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    assert products(found(client, 5)) == before

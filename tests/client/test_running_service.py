"""Both clients against the running service: every method does what it says."""

from __future__ import annotations

import asyncio
import io
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from imagesearch_client import (
    AsyncClient,
    Client,
    Part,
    Unreachable,
    answers,
    read_source,
    refusals,
)
from imagesearch_client.wire import LARGEST_IN_LINE
from PIL import Image

from tests.pictures import as_bytes, drawn
from tests.running import Service

pytestmark = pytest.mark.system

ONE, OTHER = as_bytes(drawn(1), "PNG"), as_bytes(drawn(2), "PNG")


@pytest.fixture
def client(service: Service) -> Iterator[Client]:
    with Client(service.url) as opened:
        yield opened


@pytest.fixture
def instance(client: Client) -> Iterator[str]:
    name = f"c{secrets.token_hex(6)}"
    assert client.create_instance(name).service == "product"
    yield name
    client.delete_instance(name)


def test_pictures_are_added_found_changed_and_deleted(
    client: Client, instance: str, tmp_path: Path
) -> None:
    (tmp_path / "one.png").write_bytes(ONE)
    added = client.add(instance, tmp_path / "one.png", "p1", "a", int_attr=5, category_id=4)
    assert added.picture.category_id == 4
    client.add(instance, io.BytesIO(OTHER), "p2", "a/b?", str_attr="red")
    [best, _] = client.search(instance, ONE, num=2, min_sequence=added.sequence).hits
    assert (best.product_id, best.score, best.hamming, best.int_attr) == ("p1", 1.0, 0, 5)
    assert client.search(instance, by=("p1", "a"), filter='str_attr = "red"').total == 1
    assert client.update(instance, "p1", "a", int_attr=6).picture.int_attr == 6
    assert client.picture(instance, "p1", "a").int_attr == 6
    assert client.picture(instance, "p2", "a/b?").str_attr == "red"
    assert [p.product_id for p in client.pictures(instance, page_size=1)] == ["p1", "p2"]
    assert client.delete(instance, "p2", "a/b?").deleted == ["a/b?"]
    assert client.delete_selected(instance, "int_attr = 6").deleted == ["a"]
    assert client.instance(instance).pictures == 0
    assert client.compare(instance, ONE, ONE).score == 1.0
    assert instance in {one.name for one in client.instances()}
    assert client.ready().status == "ok"


def test_several_things_are_searched_for_counted_and_compared(
    client: Client, instance: str
) -> None:
    for name, seed in (("a", 1), ("b", 2), ("c", 1)):
        client.add(instance, as_bytes(drawn(seed), "PNG"), name, "n", str_attr=f"s{seed}")
    parts = [Part(image=ONE), Part(by=("b", "n"), weight=-0.5)]
    both = client.search_combined(instance, parts, num=2)
    assert {hit.product_id for hit in both.hits} == {"a", "c"}
    assert len(both.hits[0].parts) == 2
    worded = client.search_text(instance, "s2", num=1)
    assert (worded.hits[0].product_id, worded.hits[0].words) == ("b", 1.0)
    assert worded.query.meaning
    [subject, *_] = client.search_subjects(instance, ONE, num=1).regions
    assert subject.hits
    explained = client.explain(instance, ONE, "a", "n", cells=2)
    assert [len(row) for row in explained.query.cells] == [2, 2]
    assert client.search_text(instance, "s1", num=5).total == 2
    facet = client.facets(instance, "str_attr", "category_id")["str_attr"]
    assert [(value.value, value.count) for value in facet.values] == [("s1", 2), ("s2", 1)]
    looked: list[int] = []
    [twins] = client.duplicates(instance, page_size=2, score=0.999, on_progress=looked.append)
    assert (twins.picture.product_id, twins.duplicates[0].product_id) == ("a", "c")
    assert looked[-1] == 3
    record = client.picture(instance, "a", "n")
    assert record.thumbnail
    assert client.thumbnail(instance, record.thumbnail).startswith(b"\xff\xd8")


def test_a_large_picture_goes_by_an_upload(client: Client, instance: str) -> None:
    noise = Image.frombytes("RGB", (1500, 1200), secrets.token_bytes(1500 * 1200 * 3))
    large = as_bytes(noise, "PNG")
    assert len(large) > LARGEST_IN_LINE
    client.add(instance, large, "p", "large")
    assert client.search(instance, large).hits[0].hamming == 0


def test_a_refusal_is_the_exception_of_its_code(client: Client, instance: str) -> None:
    with pytest.raises(refusals.InvalidInstance):
        client.instance("nothing-here")
    with pytest.raises(refusals.UnsupportedPicFormat) as refused:
        client.add(instance, b"not a picture", "p", "n")
    assert refused.value.fix
    assert refused.value.request_id
    with pytest.raises(refusals.InvalidFilterClause):
        client.search(instance, ONE, filter="colour ~ red")
    with pytest.raises(refusals.InvalidField):
        client.search(instance, ONE, score_threshold=7.0)
    client.add(instance, ONE, "p", "n")
    with pytest.raises(refusals.PictureExists):
        client.add(instance, ONE, "p", "n", if_exists="fail")
    with pytest.raises(refusals.BucketNotFound):
        client.submit_increment(instance, "no-such-bucket", "/x")
    assert client.check_increment(instance, "no-such-bucket", "/x").ok is False
    assert client.increments(instance) == []


def test_a_folder_is_imported_dumped_and_read_back(
    client: Client, instance: str, tmp_path: Path
) -> None:
    folder = tmp_path / "goods"
    (folder / "lamps").mkdir(parents=True)
    for seed in range(6):
        (folder / "lamps" / f"{seed}.png").write_bytes(as_bytes(drawn(seed), "PNG"))
    (folder / "broken.jpg").write_bytes(b"broken")
    seen: list[int] = []
    summary = client.import_folder(
        instance,
        folder,
        journal=tmp_path / "journal",
        on_progress=lambda so_far: seen.append(so_far.added),
    )
    assert (summary.added, seen[-1]) == (6, 6)
    assert [failure.code for failure in summary.failures] == ["UnsupportedPicFormat"]
    assert client.import_folder(instance, folder, journal=tmp_path / "journal").known == 6
    assert client.dump(instance, folder / "increment.meta") == 6
    lines = (folder / "increment.meta").read_text().splitlines()
    assert all('"ProductId":"lamps"' in line for line in lines)
    assert len(read_source(folder).items) == 7


async def _round(url: str, folder: Path) -> tuple[answers.Found, int, list[str]]:
    name = f"c{secrets.token_hex(6)}"
    async with AsyncClient(url) as client:
        await client.create_instance(name, "generic")
        try:
            await asyncio.gather(
                *(client.add(name, as_bytes(drawn(n), "PNG"), f"p{n}", "a") for n in range(4))
            )
            summary = await client.import_folder(name, folder)
            found = await client.search(name, as_bytes(drawn(3), "PNG"), num=1)
            listed = [picture.product_id async for picture in client.pictures(name)]
            with pytest.raises(refusals.PictureNotFound):
                await client.picture(name, "none", "a")
            return found, summary.added, listed
        finally:
            await client.delete_instance(name)


def test_the_awaited_client_does_the_same(service: Service, tmp_path: Path) -> None:
    for seed in (7, 8):
        (tmp_path / f"s{seed}.png").write_bytes(as_bytes(drawn(seed), "PNG"))
    found, added, listed = asyncio.run(_round(service.url, tmp_path))
    assert (found.hits[0].product_id, found.hits[0].hamming) == ("p3", 0)
    assert added == 2
    assert listed == ["p0", "p1", "p2", "p3", "s7", "s8"]


def test_a_server_of_another_kind_is_unreachable(service: Service) -> None:
    with Client(f"{service.url}/other") as client, pytest.raises((refusals.NotFound, Unreachable)):
        client.instances()

"""Thumbnails of batch tasks and the inbox: one pack for every write, crash or not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from imagesearch.catalogue import Picture
from imagesearch.catalogue.thumbnails import Place
from imagesearch.operations.scrubbing import scrub_instance
from imagesearch.operations.thumbnails import ShowThumbnail, show_thumbnail

from tests.ingest.yard import Killed, Yard, add, delete


@pytest.fixture
def yard(yard: Yard) -> Iterator[Yard]:
    """A yard in which thumbnails are made."""
    yard.thumbnails = True
    return yard


def pictures(yard: Yard) -> list[Picture]:
    return yard.deployment.open("shop").snapshot.matching(None, limit=10_000)


def packs(yard: Yard) -> list[str]:
    return [key for key in yard.store.keys("index/") if "-thumbs/" in key]


def shown(yard: Yard, picture: Picture) -> bytes:
    wanted = ShowThumbnail(instance="shop", thumbnail=picture.thumbnail)
    return show_thumbnail(yard.deployment, wanted)


def test_a_task_writes_one_pack_for_every_write(yard: Yard) -> None:
    yard.submit([add(f"p{n}", f"{n}.jpg") for n in range(300)])
    for n in range(300):
        yard.bucket.objects[f"goods/{n}.jpg"] = f"{n}:3".encode()
    yard.run()
    found = pictures(yard)
    assert len(found) == 300
    places = [Place.parse(picture.thumbnail) for picture in found]
    assert {place.pack for place in places if place} == {k.rpartition("/")[2] for k in packs(yard)}
    writes = [
        key for verb, key in yard.store.requests if verb == "put_if_absent" and "/wal/" in key
    ]
    assert len(packs(yard)) == len(writes)
    for picture in (found[0], found[150], found[-1]):
        number = picture.key.pic_name.partition(".")[0]
        assert shown(yard, picture) == b"\xff\xd8 small " + f"{number}:3".encode()
    assert scrub_instance(yard.deployment, "shop").problems == ()


def test_a_task_that_only_deletes_writes_none(yard: Yard) -> None:
    yard.submit([delete("p1"), delete("p2", "a.jpg")])
    yard.run()
    assert packs(yard) == []


def test_a_crash_between_pack_and_write_leaves_no_picture_without_its_thumbnail(
    yard: Yard,
) -> None:
    yard.submit([add(f"p{n}") for n in range(20)])
    died = False

    def die(verb: str, key: str) -> None:
        nonlocal died
        yard._note(verb, key)
        if "-thumbs/" in key and verb == "put" and not died:
            died = True
            raise Killed

    yard.store.after = die
    yard.run()
    yard.sweep()
    yard.run()
    assert died
    assert len(pictures(yard)) == 20
    assert all(shown(yard, picture) for picture in pictures(yard))
    assert scrub_instance(yard.deployment, "shop").problems == ()


def test_the_inbox_makes_them_too(yard: Yard) -> None:
    yard.store.put("inbox/shop/p/a.jpg", b"7:3")
    yard.run()
    [picture] = pictures(yard)
    assert shown(yard, picture) == b"\xff\xd8 small 7:3"

"""Thumbnails: stored before the write that names them, shown by name, collected when unused."""

from __future__ import annotations

from typing import Any

import pytest
from imagesearch.catalogue import Instance, PictureKey, Service
from imagesearch.catalogue.thumbnails import Pack, Place
from imagesearch.errors import StorageUnavailable, UnknownPicture
from imagesearch.operations.add import AddPicture, add_picture
from imagesearch.operations.compact import compact_all
from imagesearch.operations.delete import DeletePicture, delete_picture
from imagesearch.operations.deployment import Deployment
from imagesearch.operations.instances import (
    CreateInstance,
    DeleteInstance,
    create_instance,
    delete_instance,
)
from imagesearch.operations.scrubbing import scrub_instance
from imagesearch.operations.thumbnails import (
    ShowThumbnail,
    collect_thumbnails,
    show_thumbnail,
)
from imagesearch.operations.update import UpdatePicture, update_picture

from tests.operations.conftest import Make
from tests.simulation.bucket import Bucket

DAY = 86_400 * 1_000_000


def add(deployment: Deployment, name: str, image: bytes = b"1", **more: str) -> str:
    request = AddPicture(instance="shop", product_id="p", pic_name=name, image=image, **more)
    return add_picture(deployment, request).picture.thumbnail


def show(deployment: Deployment, thumbnail: str) -> bytes:
    return show_thumbnail(deployment, ShowThumbnail(instance="shop", thumbnail=thumbnail))


def packs(bucket: Bucket) -> list[str]:
    keys = (info.key for info in bucket.list("index/"))
    return [key for key in keys if "-thumbs/" in key and "unused" not in key]


class Recorder:
    """Notes what is asked of a store."""

    def __init__(self, store: Bucket) -> None:
        self._store = store
        self.asked: list[tuple[str, str]] = []

    def __getattr__(self, verb: str) -> Any:
        def ask(key: Any, *given: Any, **more: Any) -> Any:
            self.asked.append((verb, key))
            return getattr(self._store, verb)(key, *given, **more)

        return ask


@pytest.fixture
def recorder(deployment: Deployment, bucket: Bucket) -> Recorder:
    """What another environment of the deployment asks of the store."""
    deployment.open("shop")
    return Recorder(bucket)


def instance_of(deployment: Deployment) -> Instance:
    return deployment.instances.get("shop")


def delete(deployment: Deployment, name: str) -> None:
    delete_picture(deployment, DeletePicture(instance="shop", product_id="p", pic_name=name))


def test_an_added_picture_names_a_thumbnail_that_can_be_shown(deployment: Deployment) -> None:
    first, second = add(deployment, "a", b"1"), add(deployment, "b", b"22")
    assert show(deployment, first) == b"\xff\xd8 small 1"
    assert show(deployment, second) == b"\xff\xd8 small 22"
    entry = deployment.open("shop").snapshot.find(PictureKey("p", "a"))
    assert entry
    assert entry.picture.thumbnail == first


@pytest.mark.parametrize(("thumbnails", "most"), [(True, 4), (False, 3)])
def test_an_add_costs_one_request_more(
    recorder: Recorder, make: Make, thumbnails: bool, most: int
) -> None:
    deployment = make(store=recorder, thumbnails=thumbnails)
    add(deployment, "a")
    recorder.asked.clear()
    add(deployment, "b")
    verbs = sorted(verb for verb, _ in recorder.asked)
    assert len(verbs) == most, verbs
    assert verbs.count("put") == thumbnails
    assert verbs.count("put_if_absent") == 1


def test_the_pack_is_stored_before_the_write_that_names_it(recorder: Recorder, make: Make) -> None:
    add(make(store=recorder), "a")
    written = [key for verb, key in recorder.asked if verb.startswith("put")]
    pack = next(place for place, key in enumerate(written) if "-thumbs/" in key)
    log = next(place for place, key in enumerate(written) if "/wal/" in key)
    assert pack < log


def test_a_crash_between_pack_and_log_leaves_only_garbage(
    deployment: Deployment, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_given: object) -> str:
        raise StorageUnavailable("gone")

    monkeypatch.setattr(bucket, "put_if_absent", crash)
    with pytest.raises(StorageUnavailable):
        add(deployment, "a")
    monkeypatch.undo()
    assert len(packs(bucket)) == 1
    assert deployment.open("shop").snapshot.pictures == 0
    instance = instance_of(deployment)
    assert collect_thumbnails(deployment, instance, now=0) == 0
    assert collect_thumbnails(deployment, instance, now=8 * DAY) == 1
    assert packs(bucket) == []


def test_an_add_fails_when_its_thumbnail_cannot_be_stored(
    deployment: Deployment, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_given: object, **_more: object) -> str:
        raise StorageUnavailable("gone")

    monkeypatch.setattr(bucket, "put", crash)
    with pytest.raises(StorageUnavailable):
        add(deployment, "a")
    assert deployment.open("shop").snapshot.pictures == 0


def test_a_pack_is_collected_a_while_after_its_last_picture_is_gone(deployment: Deployment) -> None:
    gone, kept = add(deployment, "a"), add(deployment, "b")
    delete(deployment, "a")
    instance = instance_of(deployment)
    assert collect_thumbnails(deployment, instance, now=1 * DAY) == 0
    assert collect_thumbnails(deployment, instance, now=7 * DAY) == 0
    assert show(deployment, gone)
    assert collect_thumbnails(deployment, instance, now=8 * DAY) == 1
    assert show(deployment, kept)
    with pytest.raises(UnknownPicture):
        show(deployment, gone)


def test_a_pack_that_is_used_again_begins_its_time_anew(deployment: Deployment) -> None:
    thumbnail = add(deployment, "a")
    instance = instance_of(deployment)
    index = deployment.index(instance)
    index.maintain()
    generation = index.snapshot().generation
    delete(deployment, "a")
    assert collect_thumbnails(deployment, instance, now=1 * DAY) == 0
    index.maintain()
    index.rollback(generation)
    assert collect_thumbnails(deployment, instance, now=9 * DAY) == 0
    delete(deployment, "a")
    assert collect_thumbnails(deployment, instance, now=10 * DAY) == 0
    assert show(deployment, thumbnail)


def test_compaction_collects(deployment: Deployment, bucket: Bucket) -> None:
    add(deployment, "a")
    kept = add(deployment, "b")
    delete(deployment, "a")
    collect_thumbnails(deployment, instance_of(deployment), now=0)
    assert compact_all(deployment).keys() == {"shop"}
    assert len(packs(bucket)) == 1
    assert show(deployment, kept)


def test_changing_attributes_keeps_the_thumbnail(deployment: Deployment) -> None:
    thumbnail = add(deployment, "a")
    change = UpdatePicture(instance="shop", product_id="p", pic_name="a", str_attr="new")
    assert update_picture(deployment, change).picture.thumbnail == thumbnail


def test_thumbnails_are_erased_with_the_instance(deployment: Deployment, bucket: Bucket) -> None:
    thumbnail = add(deployment, "a")
    delete_instance(deployment, DeleteInstance(instance="shop", confirm="shop"))
    assert packs(bucket) == []
    create_instance(deployment, CreateInstance(instance="shop", service=Service.PRODUCT))
    with pytest.raises(UnknownPicture):
        show(deployment, thumbnail)


@pytest.mark.parametrize(
    "thumbnail",
    [
        "",
        "unused.json",
        "../MANIFEST",
        f"{'0' * 32}-0-5",
        f"{'0' * 32}-0-9999999",
        f"{'0' * 31}g-0-5",
        f"{'0' * 32}--1-5",
        f"{'0' * 32}-٣-5",
    ],
)
def test_a_name_that_is_none_is_refused(deployment: Deployment, thumbnail: str) -> None:
    with pytest.raises(UnknownPicture):
        show(deployment, thumbnail)


def test_a_place_past_the_end_of_a_pack_is_refused(deployment: Deployment) -> None:
    place = Place.parse(add(deployment, "a"))
    assert place
    with pytest.raises(UnknownPicture):
        show(deployment, str(Place(place.pack, place.start, place.length + 1)))


def test_none_are_made_where_they_are_switched_off(make: Make, bucket: Bucket) -> None:
    deployment = make(thumbnails=False)
    create_instance(deployment, CreateInstance(instance="shop", service=Service.PRODUCT))
    assert add(deployment, "a") == ""
    assert packs(bucket) == []


def test_scrub_tells_of_a_pack_that_is_lost(deployment: Deployment, bucket: Bucket) -> None:
    add(deployment, "a")
    assert scrub_instance(deployment, "shop").problems == ()
    [pack] = packs(bucket)
    bucket.delete([pack])
    [problem] = scrub_instance(deployment, "shop").problems
    assert problem.key == pack


def test_a_pack_finds_each_of_its_thumbnails(deployment: Deployment) -> None:
    pack = Pack()
    names = [pack.add(bytes([number % 256]) * (number + 1)) for number in range(500)]
    pack.write(deployment.store, instance_of(deployment))
    assert len({place.pack for name in names if (place := Place.parse(name))}) == 1
    for number in (0, 7, 499):
        assert show(deployment, names[number]) == bytes([number % 256]) * (number + 1)
    assert all(len(name) <= 120 for name in names)

"""Erasing products: nothing of them is left in any object, the rest is as it was, with proof."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pytest
from imagesearch.catalogue import OTHER, Attributes, Picture, PictureKey, Region, Service
from imagesearch.catalogue.thumbnails import Pack, Place
from imagesearch.errors import Conflict, StorageUnavailable, UnknownInstance
from imagesearch.index import Entry, OfProduct, Query, encode, encode_meaning
from imagesearch.operations.deployment import Deployment
from imagesearch.operations.erasure import (
    Erasure,
    Receipt,
    erase_instance,
    find_leftovers,
    is_genuine,
)
from imagesearch.operations.instances import CreateInstance, create_instance
from imagesearch.settings import Settings
from imagesearch.storage.versions import purge_objects

from tests.operations.conftest import Reader
from tests.simulation.bucket import Bucket

PRODUCTS = [f"product-{n:02}" for n in range(12)]


class World:
    """An instance with pictures in segments, history and log, and environments that use it."""

    def __init__(self, folder: Path) -> None:
        self.store = Bucket()
        self.folder = folder
        self.deployment = self.environment()
        create_instance(self.deployment, CreateInstance(instance="shop", service=Service.GENERIC))
        for round_ in range(3):
            for half in (range(6), range(6, 12)):
                self.put({PRODUCTS[n]: 100 * round_ + n for n in half}, round_)
                self.deployment.open("shop").index.fold()
        self.put({"product-03": 97, "product-09": 98}, 9)

    def environment(self) -> Deployment:
        settings = Settings(bucket="b", cache=self.folder / "cache")
        return Deployment(settings, self.store, vision=Reader)  # type: ignore[arg-type]

    def put(self, looks: dict[str, int], name: int, environment: Deployment | None = None) -> int:
        used = environment or self.deployment
        catalogue = used.open("shop")
        pack, entries = Pack(), []
        for product, seed in looks.items():
            picture = Picture(
                PictureKey(product, f"{name}.jpg"),
                OTHER,
                Region(0, 9, 0, 9),
                Attributes(custom_content=f"words of {product}"),
                thumbnail=pack.add(thumbnail(product, name)),
                classes=(1, 2),
            )
            entries.append(
                Entry(picture, encode(vector(seed)), encode_meaning(vector(seed + 5000)))
            )
        pack.write(self.store, catalogue.instance)
        return catalogue.index.append(entries, after=catalogue.snapshot)

    def erasure(self, *products: str, pause: Callable[[], object] = lambda: None) -> Erasure:
        return Erasure(
            self.environment(),
            "shop",
            products,
            purge=purge_objects(self.store),
            sleep=lambda _: pause() and None,
        )

    def holding(self, what: bytes) -> list[str]:
        """Return the keys of the objects with these bytes in them, or in their names."""
        keys = self.store.keys_after("", "")
        return [k for k in keys if what in self.store.get(k).body or what in k.encode()]

    def state(self) -> dict[PictureKey, tuple[bytes, str, bytes, bytes]]:
        snapshot = self.environment().open("shop").snapshot
        instance = self.environment().instances.get("shop")
        found = {}
        for picture in snapshot.matching(None, limit=1000):
            entry = snapshot.find(picture.key)
            assert entry is not None
            assert entry.meaning is not None
            place = Place.parse(picture.thumbnail)
            assert place is not None
            small = self.store.get_range(place.key(instance), place.start, place.length)
            kept = (
                entry.features.row.tobytes(),
                repr((picture.attributes, picture.region, picture.classes)),
                entry.meaning.tobytes(),
                small,
            )
            found[picture.key] = kept
        return found


def vector(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(512).astype(np.float32)


def thumbnail(product: str, name: int) -> bytes:
    return f"JPEG of {product} {name}".encode() * 20


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_no_byte_of_the_product_is_left_and_the_rest_is_as_it_was(world: World) -> None:
    traces = [b"product-03", b"words of product-03", thumbnail("product-03", 1)]
    for seed in (3, 103, 203, 97):
        traces += [
            encode(vector(seed)).row.tobytes(),
            encode_meaning(vector(seed + 5000)).tobytes(),
        ]
    catalogue = world.deployment.open("shop")
    catalogue.index.append(deletions=[OfProduct("product-09")], after=catalogue.snapshot)
    assert all(world.holding(trace) for trace in traces)
    before = world.state()
    receipt = world.erasure("product-03", "product-09").carry_out()
    assert {trace[:20]: world.holding(trace) for trace in traces if world.holding(trace)} == {}
    wanted = {k: v for k, v in before.items() if k.product_id not in {"product-03", "product-09"}}
    assert world.state() == wanted
    assert (receipt.pictures, receipt.products) == (4, ["product-03", "product-09"])
    assert [*find_leftovers(world.environment(), receipt)] == []


def test_environments_go_on_and_what_they_write_meanwhile_is_kept(world: World) -> None:
    stale = world.environment()
    assert stale.open("shop").snapshot.find(PictureKey("product-03", "0.jpg"))
    erasure = world.erasure("product-03", pause=lambda: None)
    world.put({"early": 500}, 1, stale)
    erasure.carry_out(lambda: None)
    snapshot = stale.open("shop").snapshot
    assert snapshot.of_product("product-03") == []
    assert snapshot.of_product("early")
    sequence = world.put({"late": 501}, 1, stale)
    found = world.environment().open("shop", min_sequence=sequence).snapshot
    query = Query(features=encode(vector(501)), num=1)
    assert found.search(query).hits[0].picture.key.product_id == "late"


def test_a_write_while_it_pauses_waits_and_none_before_is_lost(world: World) -> None:
    other = world.environment()
    other.open("shop")

    def during() -> None:
        with pytest.raises(StorageUnavailable, match="pause"):
            world.put({"paused": 600}, 1, other)

    ticks = iter(range(1000))

    def progress() -> None:
        if next(ticks) == 5:
            world.put({"meanwhile": 601}, 1, world.environment())

    world.erasure("product-03", pause=during).carry_out(progress)
    assert world.environment().open("shop").snapshot.of_product("meanwhile")


def test_a_product_that_is_added_again_meanwhile_stops_it_and_is_not_lost(world: World) -> None:
    ticks = iter(range(1000))

    def progress() -> None:
        if next(ticks) == 5:
            world.put({"product-03": 700}, 1, world.environment())

    with pytest.raises(Conflict, match="again"):
        world.erasure("product-03").carry_out(progress)
    snapshot = world.environment().open("shop").snapshot
    assert snapshot.of_product("product-03") == [PictureKey("product-03", "1.jpg")]
    world.put({"usable": 701}, 1)
    receipt = world.erasure("product-03").carry_out()
    assert [*find_leftovers(world.environment(), receipt)] == []


def test_who_is_stopped_in_between_leaves_the_instance_as_it_was(world: World) -> None:
    def stop() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        world.erasure("product-03", pause=stop).carry_out()
    world.put({"usable": 701}, 1)
    snapshot = world.environment().open("shop").snapshot
    assert (len(snapshot.of_product("usable")), snapshot.of_product("product-03")) == (1, [])
    receipt = world.erasure("product-03").carry_out()
    assert world.holding(b"product-03") == []
    assert is_genuine(world.store, receipt)


def test_what_one_that_was_stopped_after_its_switch_left_goes_with_the_next(world: World) -> None:
    stopped = world.erasure("product-03")

    def stop(*_: object) -> list[tuple[str, str]]:
        raise KeyboardInterrupt

    stopped._purge = stop
    with pytest.raises(KeyboardInterrupt):
        stopped.carry_out()
    assert world.holding(b"product-03")
    assert world.environment().open("shop").snapshot.of_product("product-03") == []
    receipt = world.erasure("product-03").carry_out()
    assert world.holding(b"product-03") == []
    assert [*find_leftovers(world.environment(), receipt)] == []


def test_a_receipt_cannot_be_altered(world: World) -> None:
    receipt = world.erasure("product-03").carry_out()
    assert is_genuine(world.store, receipt)
    again = msgspec.json.decode(msgspec.json.encode(receipt), type=Receipt)
    assert is_genuine(world.store, again)
    for change in ({"pictures": 0}, {"products": ["other"]}, {"signature": "0" * 64}):
        assert not is_genuine(world.store, msgspec.structs.replace(receipt, **change))


def test_what_is_still_there_is_told(world: World) -> None:
    receipt = world.erasure("product-03").carry_out()
    world.store.put(f"{receipt.index_before}seg/1.i8", b"row")
    told = [*find_leftovers(world.environment(), receipt)]
    assert [leftover.key for leftover in told] == [f"{receipt.index_before}seg/1.i8"]
    lie = msgspec.structs.replace(receipt, products=["product-04"])
    assert len([*find_leftovers(world.environment(), lie)]) == 4
    world.put({"product-03": 3}, 1)
    assert len([*find_leftovers(world.environment(), receipt)]) == 1


def test_of_an_erased_instance_nothing_is_left_but_that_its_name_is_free(world: World) -> None:
    instance = world.deployment.instances.get("shop")
    owner = f"shop/{instance.incarnation}/"
    world.store.put(f"tasks/report/{owner}1.jsonl", b"product-03 was refused")
    world.store.put(f"dumps/{owner}1.jsonl", b"product-03")
    world.store.put("inbox/shop/product-03/a.png", b"picture")
    receipt = erase_instance(world.environment(), "shop", purge=purge_objects(world.store))
    assert world.holding(b"product-") == []
    assert world.holding(b"index/shop") == []
    assert (receipt.pictures, receipt.products) == (38, [])
    assert is_genuine(world.store, receipt)
    with pytest.raises(UnknownInstance):
        world.environment().open("shop")
    assert [*find_leftovers(world.environment(), receipt)] == []
    world.store.put(f"index/shop/{instance.incarnation}/seg/1.i8", b"row")
    assert len([*find_leftovers(world.environment(), receipt)]) == 1


def test_reports_dumps_and_inbox_go_with_a_product_and_others_stay(world: World) -> None:
    instance = world.deployment.instances.get("shop")
    world.store.put(f"tasks/report/shop/{instance.incarnation}/1.jsonl", b"product-03 was refused")
    world.store.put(f"dumps/shop/{instance.incarnation}/1.jsonl", b"product-03")
    world.store.put("inbox/shop/product-03/a.png", b"picture")
    world.store.put("inbox/shop/product-04/a.png", b"picture")
    world.erasure("product-03").carry_out()
    assert world.holding(b"product-03") == []
    assert world.holding(b"inbox/shop/") == ["inbox/shop/product-04/a.png"]


def test_an_open_task_keeps_from_erasing(world: World) -> None:
    instance = world.deployment.instances.get("shop")
    world.store.put(f"tasks/open/shop/{instance.incarnation}/1", b"")
    with pytest.raises(Conflict, match="task"):
        world.erasure("product-03")
    with pytest.raises(Conflict, match="task"):
        erase_instance(world.environment(), "shop", purge=purge_objects(world.store))

"""Handing an instance over to an engine and back: at every step the answers are right."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from imagesearch.catalogue import PictureKey, Service
from imagesearch.errors import Conflict, EngineUnavailable, InvalidField
from imagesearch.index import OfPicture, OfProduct
from imagesearch.operations.delete import DeletePicture, delete_picture
from imagesearch.operations.deployment import Deployment
from imagesearch.operations.engines import Engines, collection
from imagesearch.operations.erasure import Erasure
from imagesearch.operations.handover import Handover, Stage
from imagesearch.operations.instances import (
    CreateInstance,
    DeleteInstance,
    create_instance,
    delete_instance,
)
from imagesearch.operations.moves import Moves
from imagesearch.settings import Settings
from imagesearch.storage.versions import purge_objects

from benchmarks.handover.exact import ExactEngine
from tests.operations.handover.conftest import ENGINE, PICTURES, Room, add, first
from tests.simulation.bucket import Bucket

PREFIX = "index/shop/1/"


def test_it_goes_there_and_back_and_loses_nothing(
    shop: Deployment, engines: Room, open_: Callable[..., Deployment]
) -> None:
    work = Handover(shop, "shop")
    assert work.standing().stage is Stage.HERE
    assert work.begin("milvus:shop") == ENGINE
    assert work.standing().stage is Stage.FILLING
    told: list[tuple[int, int]] = []
    standing = work.fill(lambda held, rows: told.append((held, rows)))
    assert (standing.stage, standing.held) == (Stage.READY, standing.rows)
    assert told[0][0] == 0
    assert told[-1] == (standing.rows, standing.rows)
    assert len(engines(ENGINE)) == standing.rows
    found = work.compare(20, seed=1)
    assert (found.overlap, found.least, found.same_first) == (1.0, 1.0, 1.0)
    assert work.switch().stage is Stage.SERVING
    elsewhere = open_()
    assert all(first(elsewhere, n) == (f"p{n}", 1.0) for n in range(PICTURES + 5))
    engines(ENGINE).down = True
    with pytest.raises(EngineUnavailable):
        first(open_(), 1)
    assert Handover(open_(), "shop").back().stage is Stage.READY
    assert first(open_(), 1) == ("p1", 1.0)
    engines(ENGINE).down = False
    slept: list[float] = []
    assert work.drop(sleep=slept.append) == [ENGINE]
    assert slept
    assert work.standing().stage is Stage.HERE
    assert len(engines(ENGINE)) == 0
    assert work.drop(sleep=slept.append) == []


def test_new_pictures_are_held_before_they_are_folded_and_deleted_ones_are_gone(
    shop: Deployment, open_: Callable[..., Deployment]
) -> None:
    work = Handover(shop, "shop")
    work.begin()
    work.fill()
    work.switch()
    writer = open_()
    add(writer, 100)
    add(writer, 3, image=b"103")
    delete_picture(writer, DeletePicture(instance="shop", product_id="p4", pic_name="a"))
    for _ in range(2):
        elsewhere = open_()
        assert first(elsewhere, 100) == ("p100", 1.0)
        assert first(elsewhere, 103) == ("p3", 1.0)
        assert first(elsewhere, 3)[1] < 1
        assert first(elsewhere, 4)[0] != "p4"
        assert open_().index(work.instance).fold() in {True, False}
    assert work.standing().stage is Stage.SERVING
    assert work.standing().held == work.standing().rows


def test_whoever_is_cut_off_goes_on(
    shop: Deployment, engines: Room, open_: Callable[..., Deployment]
) -> None:
    work = Handover(shop, "shop")
    work.begin(ENGINE)
    engines(ENGINE).fills = 0
    with pytest.raises(KeyboardInterrupt):
        work.fill()
    assert work.standing().stage is Stage.FILLING
    with pytest.raises(Conflict, match="of 40 rows"):
        work.switch()
    engines(ENGINE).fills = -1
    again = Handover(open_(), "shop")
    assert again.begin() == ENGINE
    assert again.fill().stage is Stage.READY


def test_no_time_is_no_harm(shop: Deployment) -> None:
    work = Handover(shop, "shop")
    work.begin(ENGINE)
    assert work.compare(5, seed=1, has_time=lambda: False).overlap is None
    assert work.fill(has_time=lambda: False).stage in {Stage.FILLING, Stage.READY}


def test_an_interrupted_drop_is_finished_by_the_next(
    shop: Deployment, engines: Room, open_: Callable[..., Deployment]
) -> None:
    work = Handover(shop, "shop")
    work.begin(ENGINE)
    work.fill()

    def killed(_seconds: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work.drop(sleep=killed)
    assert len(engines(ENGINE)) > 0
    assert Handover(open_(), "shop").drop() == [ENGINE]
    assert len(engines(ENGINE)) == 0


def test_an_engine_that_is_gone_for_good_is_let_go(shop: Deployment, engines: Room) -> None:
    work = Handover(shop, "shop")
    work.begin(ENGINE)
    work.fill()
    work.switch()

    def refused() -> None:
        raise EngineUnavailable("the engine is gone.")

    engines(ENGINE).erase = refused  # type: ignore[method-assign]
    work.back()
    with pytest.raises(EngineUnavailable):
        work.drop(sleep=lambda _: None)
    assert work.drop(lost=True, sleep=lambda _: None) == [ENGINE]
    assert work.engines == []
    assert first(shop, 2) == ("p2", 1.0)
    delete_instance(shop, DeleteInstance(instance="shop", confirm="shop"))


@pytest.mark.parametrize("serving", [False, True])
def test_products_are_erased_from_the_engine_too(
    bucket: Bucket,
    shop: Deployment,
    engines: Room,
    open_: Callable[..., Deployment],
    serving: bool,
) -> None:
    work = Handover(shop, "shop")
    work.begin(ENGINE)
    work.fill()
    if serving:
        work.switch()
    erasure = Erasure(open_(), "shop", ["p1"], purge=purge_objects(bucket), sleep=lambda _: None)
    receipt = erasure.carry_out()
    assert receipt.pictures == 1
    assert len(engines(ENGINE)) == 0
    after = open_()
    standing = Handover(after, "shop").standing()
    assert standing.stage is (Stage.SERVING if serving else Stage.READY)
    assert standing.engine != ENGINE
    rows = [row for held in engines(standing.engine)._rows.values() for row in held.values()]
    assert len(rows) == standing.rows == PICTURES + 4
    assert "p1" not in {row.picture.key.product_id for row in rows}
    assert first(after, 2) == ("p2", 1.0)
    assert first(after, 1)[0] != "p1"
    assert Handover(after, "shop").engines == [standing.engine]


def test_an_erasure_that_the_engine_refuses_leaves_the_instance_open(
    bucket: Bucket, shop: Deployment, engines: Room, open_: Callable[..., Deployment]
) -> None:
    work = Handover(shop, "shop")
    work.begin(ENGINE)
    work.fill()
    used = open_()

    def down() -> None:
        for engine in engines.engines.values():
            engine.down = True

    erasure = Erasure(used, "shop", ["p1"], purge=purge_objects(bucket), sleep=lambda _: None)
    with pytest.raises(EngineUnavailable):
        erasure.carry_out(down)
    after = open_()
    assert not Moves(after.store, work.instance).under_way
    add(after, 200)
    assert first(after, 200) == ("p200", 1.0)
    for engine in engines.engines.values():
        engine.down = False
    again = Erasure(open_(), "shop", ["p1"], purge=purge_objects(bucket), sleep=lambda _: None)
    again.carry_out()
    held = [name for name, engine in engines.engines.items() if len(engine)]
    assert held == Handover(open_(), "shop").engines


def test_the_engine_of_an_earlier_index_is_left_alone(
    shop: Deployment, engines: Room, open_: Callable[..., Deployment]
) -> None:
    work = Handover(shop, "shop")
    work.begin(ENGINE)
    work.fill()
    moved = replace(work.instance, index=f"{work.instance.incarnation}-1")
    shop.index(moved).create()
    shop.instances.replace(work.instance, moved)
    after = Handover(open_(), "shop")
    assert after.standing().stage is Stage.HERE
    assert after.engines == []
    with pytest.raises(InvalidField, match="an earlier index"):
        after.begin(ENGINE)
    assert after.drop(sleep=lambda _: None) == []
    assert len(engines(ENGINE)) == PICTURES


def test_what_the_engine_refuses_is_given_to_it_again(
    shop: Deployment, engines: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("imagesearch.operations.handover._PAUSES", (0.0, 0.0))
    work = Handover(shop, "shop")
    work.begin(ENGINE)
    engine = engines(ENGINE)
    refusals = iter([True, True, False, True, True, True])

    def fill(rows: Any) -> None:
        if next(refusals):
            raise EngineUnavailable("not now.")
        ExactEngine.fill(engine, rows)

    monkeypatch.setattr(engine, "fill", fill)
    assert work.fill().stage is Stage.READY
    work.drop(sleep=lambda _: None)
    work.begin(ENGINE)
    with pytest.raises(EngineUnavailable):
        work.fill()


def test_erasing_the_instance_erases_what_engines_hold(shop: Deployment, engines: Room) -> None:
    work = Handover(shop, "shop")
    work.begin(ENGINE)
    work.fill()
    delete_instance(shop, DeleteInstance(instance="shop", confirm="shop"))
    assert len(engines(ENGINE)) == 0
    assert not [*shop.store.list("index/")]


def test_what_stands_in_the_way_is_told(shop: Deployment, engines: Room) -> None:
    work = Handover(shop, "shop")
    for step in (work.fill, work.switch, work.back, lambda: work.compare(1)):
        with pytest.raises(Conflict, match="not handed over"):
            step()
    engines("milvus:broken").down = True
    with pytest.raises(EngineUnavailable):
        work.begin("milvus:broken")
    assert work.standing().stage is Stage.HERE
    moves = Moves(shop.store, work.instance)
    moves.begin()
    with pytest.raises(Conflict, match="being moved"):
        work.begin(ENGINE)
    moves.end()
    work.begin(ENGINE)
    with pytest.raises(Conflict, match="handed over to milvus:shop"):
        work.begin("milvus:another")
    create_instance(shop, CreateInstance(instance="other", service=Service.PRODUCT))
    with pytest.raises(InvalidField, match="holds instance 'shop'"):
        Handover(shop, "other").begin(ENGINE)
    work.fill()
    work.switch()
    with pytest.raises(Conflict, match="searches of instance"):
        work.drop()


@pytest.mark.parametrize("noted", [False, True])
def test_of_two_who_begin_at_once_one_is_told_and_no_note_is_lost(
    bucket: Bucket, shop: Deployment, open_: Callable[..., Deployment], noted: bool
) -> None:
    moves = Moves(shop.store, shop.instances.get("shop"))
    left = {"milvus:left": "index/earlier/"} if noted else {}
    if noted:
        moves.change_engines(lambda _: left)
    others = iter(["milvus:second"])

    class Meanwhile(Bucket):
        """A bucket in which somebody else begins just before our note is written."""

        def __init__(self) -> None:
            self.__dict__.update(bucket.__dict__)

        def put(self, key: str, body: bytes, *, content_type: str = "") -> str:
            self._meet(key)
            return bucket.put(key, body, content_type=content_type)

        def put_if_absent(self, key: str, body: bytes) -> str:
            self._meet(key)
            return bucket.put_if_absent(key, body)

        def compare_and_swap(self, key: str, body: bytes, etag: str) -> str:
            self._meet(key)
            return bucket.compare_and_swap(key, body, etag)

        def _meet(self, key: str) -> None:
            if key.endswith("engines.json"):
                for name in others:
                    Handover(shop, "shop").begin(name)

    with pytest.raises(Conflict, match="somebody else is handing over") as told:
        Handover(open_(Meanwhile()), "shop").begin("milvus:first")
    assert "--status" in told.value.fix
    assert moves.engines == {**left, "milvus:second": moves.instance.prefix}
    assert Handover(open_(), "shop").standing().engine == "milvus:second"


@pytest.mark.parametrize(
    ("setting", "to", "name"),
    [
        ("milvus", "", "milvus:imagesearch_a_b_0123456789ab"),
        ("milvus", "milvus:mine", "milvus:mine"),
        ("", "milvus", "milvus:imagesearch_a_b_0123456789ab"),
        ("s3vectors:bucket", "", "s3vectors:bucket/a-b-0123456789ab"),
        ("s3vectors:bucket", "s3vectors", "s3vectors:bucket/a-b-0123456789ab"),
        ("milvus", "s3vectors:bucket", "s3vectors:bucket/a-b-0123456789ab"),
        ("milvus", "s3vectors:bucket/mine", "s3vectors:bucket/mine"),
    ],
)
def test_every_index_has_a_collection_of_its_own(
    shop: Deployment, setting: str, to: str, name: str
) -> None:
    index = shop.index(shop.instances.get("shop"))
    manifest = msgspec.structs.replace(index.place().manifest, index="0123456789abcdef")
    instance = replace(shop.instances.get("shop"), name="a-b")
    settings = Settings(bucket="b", engine=setting)
    assert collection(settings, instance, manifest, to) == name


@pytest.mark.parametrize(("setting", "to"), [("", ""), ("milvus", "s3vectors"), ("", "faiss:x")])
def test_what_names_no_engine_is_refused(shop: Deployment, setting: str, to: str) -> None:
    manifest = shop.index(shop.instances.get("shop")).place().manifest
    with pytest.raises(InvalidField, match="no engine"):
        collection(Settings(bucket="b", engine=setting), shop.instances.get("shop"), manifest, to)


def test_a_token_is_read_from_its_place_and_never_from_the_setting(tmp_path: Path) -> None:
    place = tmp_path / "token"
    for setting, word in (
        (f"file:{place}", "cannot be read"),
        ("root:Milvus", "says not where"),
    ):
        settings = Settings(bucket="b", engine_uri="http://127.0.0.1:1", engine_token=setting)
        with pytest.raises(EngineUnavailable, match=word):
            Engines(settings).of(PREFIX)(ENGINE)
    place.write_text("secret\n")
    settings = Settings(bucket="b", engine_uri="http://127.0.0.1:1", engine_token=f"file:{place}")
    assert Engines(settings).of(PREFIX)(ENGINE).name == ENGINE
    with pytest.raises(EngineUnavailable, match="does not know where"):
        Engines(Settings(bucket="b")).of(PREFIX)(ENGINE)
    with pytest.raises(InvalidField, match="names no engine"):
        Engines(settings).of(PREFIX)("milvus:no-such name")


def test_products_that_are_deleted_whole_stay_away(
    shop: Deployment, open_: Callable[..., Deployment]
) -> None:
    work = Handover(shop, "shop")
    work.begin(ENGINE)
    work.fill()
    work.switch()
    index = open_().index(work.instance)
    index.append(deletions=[OfProduct("p7"), OfPicture(PictureKey("p8", "a"))], after=index.place())
    for number in (7, 8):
        assert first(open_(), number)[0] != f"p{number}"

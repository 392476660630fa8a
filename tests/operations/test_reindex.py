"""Moving an instance to another model bundle: nothing acknowledged is lost, everybody notices."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from imagesearch.catalogue import Picture, PictureKey, Service
from imagesearch.errors import Conflict, InstanceMoving, ModelMismatch, UnknownInstance
from imagesearch.index import Entry, encode
from imagesearch.operations.add import AddPicture, add_picture
from imagesearch.operations.delete import DeletePicture, delete_picture
from imagesearch.operations.deployment import Deployment
from imagesearch.operations.instances import (
    CreateInstance,
    DeleteInstance,
    NamedInstance,
    create_instance,
    delete_instance,
    describe_instance,
)
from imagesearch.operations.looking import look_while_opening
from imagesearch.operations.reindex import Filled, Reindex, forget_earlier, settle
from imagesearch.operations.search import Search, search
from imagesearch.operations.update import UpdatePicture, update_picture
from imagesearch.settings import Settings
from imagesearch.vision import Vision
from imagesearch.vision.library import Library
from PIL import Image

from tests.engines.exact import ExactEngine
from tests.stores import MemoryStore
from tests.vision.conftest import description, network, write

KEYS = [PictureKey(f"p{number}", "a") for number in range(4)]


def picture(number: int) -> bytes:
    """Return a picture like no other's."""
    noise = np.random.default_rng(number).integers(0, 255, (6, 6, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).resize((96, 80), Image.Resampling.NEAREST).save(buffer, "PNG")
    return buffer.getvalue()


class World:
    """A bucket with two published bundles, and as many environments as a test wants."""

    def __init__(self, folder: Path) -> None:
        self.store = MemoryStore()
        self.folder = folder
        self.engine = ExactEngine("milvus:shop")
        self.supplied = {key: picture(number) for number, key in enumerate(KEYS)}
        for id_ in ("first", "second"):
            model = network()
            if id_ == "second":
                model.graph.initializer[2].CopyFrom(_negative(model.graph.initializer[2]))
            files = {"tiny.onnx": model.SerializeToString()}
            made = write(folder / id_, files, {**description(), "id": id_})
            Library(self.store, folder / "cache").publish(made)

    def environment(self, bundle: str = "first") -> Deployment:
        settings = Settings(bucket="b", bundle=bundle, cache=self.folder / "cache")
        return Deployment(settings, self.store, engines=lambda _name: self.engine)

    def reindex(
        self, bundle: str = "second", *, pause: Callable[[], None] = lambda: None, **options: Any
    ) -> Reindex:
        vision = Vision.load(self.folder / bundle)
        return Reindex(self.environment(), "shop", vision, sleep=lambda _: pause(), **options)

    def supply(self, key: PictureKey) -> bytes | None:
        return self.supplied.get(key)


def _negative(tensor: Any) -> Any:
    from onnx import numpy_helper

    return numpy_helper.from_array(-numpy_helper.to_array(tensor)[:, ::-1], tensor.name)


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    deployment = made.environment()
    create_instance(deployment, CreateInstance(instance="shop", service=Service.GENERIC))
    for key in KEYS:
        add(deployment, key, made.supplied[key])
    return made


def add(deployment: Deployment, key: PictureKey, image: bytes, **fields: Any) -> int:
    request = AddPicture(instance="shop", product_id=key[0], pic_name=key[1], image=image, **fields)
    return add_picture(deployment, request).sequence


def found(deployment: Deployment, image: bytes, **fields: Any) -> list[tuple[str, float]]:
    answer = search(deployment, Search(instance="shop", image=image, **fields)).answer
    return [(hit.picture.key.product_id, hit.likeness.score) for hit in answer.hits]


def model(deployment: Deployment) -> str:
    return describe_instance(deployment, NamedInstance(instance="shop")).instance.model


def move(world: World, **options: Any) -> Filled:
    reindex = world.reindex(**options)
    reindex.fill(world.supply)
    return reindex.switch(world.supply)


def test_every_environment_notices_and_sees_with_the_new_bundle(world: World) -> None:
    stale = world.environment()
    assert found(stale, picture(0))[0] == ("p0", 1.0)
    filled = move(world)
    assert (filled.pictures, filled.left, filled.coverage) == (4, 0, 1.0)
    for environment in (stale, world.environment(), world.environment("second")):
        assert model(environment) == "second"
        assert found(environment, picture(0))[0] == ("p0", 1.0)
        assert len(found(environment, picture(0))) == 4


def test_writes_before_during_and_after_the_filling_are_carried_over(world: World) -> None:
    writer = world.environment()
    reindex = world.reindex()
    assert reindex.fill(world.supply).looked == 4
    delete_picture(writer, DeletePicture(instance="shop", product_id="p0", pic_name="a"))
    update_picture(
        writer, UpdatePicture(instance="shop", product_id="p1", pic_name="a", int_attr=7)
    )
    world.supplied[KEYS[2]] = picture(20)
    add(writer, KEYS[2], picture(20))
    world.supplied[PictureKey("p9", "a")] = picture(9)
    newest = add(writer, PictureKey("p9", "a"), picture(9))
    filled = reindex.switch(world.supply)
    assert (filled.looked, filled.changed, filled.deleted, filled.left) == (2, 1, 1, 0)
    after = found(writer, picture(20), min_sequence=newest)
    assert after[0] == ("p2", 1.0)
    assert {name for name, _ in after} == {"p1", "p2", "p3", "p9"}
    selected = Search(instance="shop", image=picture(1), filter="int_attr=7")
    assert [hit.picture.key.product_id for hit in search(writer, selected).answer.hits] == ["p1"]


def test_a_write_that_overtakes_the_freeze_is_waited_for(world: World) -> None:
    writer = world.environment()
    early = writer.open("shop")

    def late() -> None:
        look = world.environment().vision.look(picture(9), Service.GENERIC)
        wanted = Picture(PictureKey("late", "a"), look.category_id, look.region)
        early.index.append([Entry(wanted, encode(look.vector))], after=early.snapshot)
        with pytest.raises(InstanceMoving, match="pause"):
            add(writer, PictureKey("p8", "a"), picture(8))
        assert len(found(writer, picture(0))) == 5

    world.supplied[PictureKey("late", "a")] = picture(9)
    reindex = world.reindex(pause=late)
    reindex.fill(world.supply)
    assert reindex.switch(world.supply).left == 0
    assert found(writer, picture(9))[0] == ("late", 1.0)
    add(writer, PictureKey("p8", "a"), picture(8))


def test_it_does_not_switch_while_a_picture_is_missing_or_another(world: World) -> None:
    del world.supplied[KEYS[0]]
    world.supplied[KEYS[1]] = picture(50)
    world.supplied[KEYS[2]] = b"nothing"
    reindex = world.reindex()
    filled = reindex.fill(world.supply)
    assert (filled.missing, filled.different) == ([KEYS[0]], [KEYS[1]])
    assert list(filled.refused) == [KEYS[2]]
    assert filled.coverage == 0.25
    assert reindex.switch(world.supply).left == 3
    writer = world.environment()
    assert model(writer) == "first"
    add(writer, PictureKey("p8", "a"), picture(8))
    world.supplied[PictureKey("p8", "a")] = picture(8)
    assert world.reindex().switch(world.supply, allow_missing=True).left == 3
    assert {name for name, _ in found(writer, picture(8))} == {"p3", "p8"}


def test_a_trusting_one_takes_what_it_is_given(world: World) -> None:
    world.supplied[KEYS[1]] = picture(50)
    assert move(world, trusting=True, anew=True).left == 0
    assert found(world.environment(), picture(50))[0] == ("p1", 1.0)


def test_going_back_needs_only_what_was_written_since(world: World) -> None:
    move(world)
    writer = world.environment()
    world.supplied.clear()
    delete_picture(writer, DeletePicture(instance="shop", product_id="p0", pic_name="a"))
    world.supplied[PictureKey("p9", "a")] = picture(9)
    add(writer, PictureKey("p9", "a"), picture(9))
    back = world.reindex("first")
    filled = back.switch(world.supply, back=True)
    assert (filled.looked, filled.deleted, filled.left) == (1, 1, 0)
    assert model(writer) == "first"
    assert found(writer, picture(9))[0] == ("p9", 1.0)
    assert {name for name, _ in found(writer, picture(9))} == {"p1", "p2", "p3", "p9"}


def test_a_picture_that_was_replaced_is_not_taken_for_the_earlier_one(world: World) -> None:
    move(world)
    writer = world.environment()
    add(writer, KEYS[0], picture(60))
    assert world.reindex("first").switch(world.supply).different == [KEYS[0]]
    world.supplied[KEYS[0]] = picture(60)
    assert world.reindex("first").switch(world.supply).left == 0
    assert found(writer, picture(60))[0] == ("p0", 1.0)


def test_a_given_region_is_kept_and_a_found_one_is_found_again(world: World) -> None:
    key, given = PictureKey("given", "a"), "10,60,20,70"
    world.supplied[key] = picture(30)
    add(world.environment(), key, picture(30), region=given)
    reindex = world.reindex()
    assert reindex.fill(world.supply).left == 0
    assert str(reindex._there.snapshot().find(key).picture.region) == given  # type: ignore[union-attr]


def test_overlap_is_told(world: World) -> None:
    reindex = world.reindex()
    reindex.fill(world.supply)
    assert reindex.overlap() == (1.0, 4)  # of four pictures each finds the other three


def test_an_engine_that_serves_is_not_asked_for_each_picture(world: World) -> None:
    deployment = world.environment()
    index = deployment.index(deployment.instances.get("shop"))
    index.fold()
    index.attach(world.engine.name)
    assert index.fill()
    assert index.switch(serving=True)
    assert found(deployment, picture(0))[0] == ("p0", 1.0)
    assert "nearest" in world.engine.calls
    world.engine.calls.clear()
    reindex = world.reindex()
    assert reindex.fill(world.supply).looked == 4
    reindex.switch(world.supply)
    assert world.engine.calls == []
    assert found(deployment, picture(0))[0] == ("p0", 1.0)


def test_an_interrupted_switch_is_settled(world: World) -> None:
    reindex = world.reindex()
    reindex.fill(world.supply)
    reindex._moves.begin()
    reindex._here.enter("frozen")
    writer = world.environment()
    with pytest.raises(InstanceMoving):
        add(writer, PictureKey("p8", "a"), picture(8))
    with pytest.raises(Conflict):
        world.reindex().switch(world.supply)
    settle(world.environment(), "shop")
    add(writer, PictureKey("p8", "a"), picture(8))


def test_one_that_fails_half_way_leaves_the_instance_in_use(world: World) -> None:
    def fails(_key: PictureKey) -> bytes | None:
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="disk"):
        world.reindex().switch(fails)
    writer = world.environment()
    assert model(writer) == "first"
    add(writer, PictureKey("p8", "a"), picture(8))


def test_a_look_with_the_bundle_of_before_never_meets_the_new_index(world: World) -> None:
    stale = world.environment()
    seen: list[str] = []

    def look(vision: Vision, _instance: Any) -> str:
        if not seen:
            move(world)
        seen.append(vision.model)
        return vision.model

    last, catalogue = look_while_opening(stale, "shop", _Later(stale), look)  # type: ignore[arg-type]
    assert seen == ["first", "second"]
    assert last == catalogue.instance.model == "second"


class _Later:
    """An opening that takes place when its result is asked for."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment

    def result(self) -> Any:
        return self._deployment.open("shop")


def test_earlier_indexes_are_erased_on_demand_and_with_the_instance(world: World) -> None:
    move(world)
    keys = lambda: [info.key for info in world.store.list("index/")]  # noqa: E731
    before = len(keys())
    assert forget_earlier(world.environment(), "shop") == ["first"]
    assert 0 < len(keys()) < before
    assert len(found(world.environment(), picture(0))) == 4
    move(world, bundle="first")
    delete_instance(world.environment(), DeleteInstance(instance="shop", confirm="shop"))
    assert keys() == []
    with pytest.raises(UnknownInstance):
        found(world.environment(), picture(0))


def test_a_bundle_that_is_not_published_is_refused(world: World) -> None:
    create = CreateInstance(instance="shop", service=Service.GENERIC)
    assert create_instance(world.environment("second"), create)[1] is False
    for info in list(world.store.list("models/first/")):
        world.store.delete([info.key])
    with pytest.raises(ModelMismatch, match=r"first.*second"):
        found(world.environment("second"), picture(0))

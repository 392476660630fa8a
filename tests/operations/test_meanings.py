"""Pictures that were added under a bundle without meanings are given theirs afterwards."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain, repeat
from pathlib import Path

import numpy as np
import pytest
from imagesearch.catalogue import PictureKey, Region
from imagesearch.operations.add import AddPicture, add_picture
from imagesearch.operations.compact import compact_all
from imagesearch.operations.deployment import Deployment
from imagesearch.operations.instances import CreateInstance, create_instance
from imagesearch.operations.meanings import Given, give_meanings
from imagesearch.settings import Settings
from imagesearch.vision import Vision
from imagesearch.vision.bundle import Bundle

from tests.simulation.bucket import Bucket

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "local/imagesearch_local/demo/catalog"
FILES = ["scopia_085__main.jpg", "scopia_022__main.jpg", "emo_running-shoe__main.jpg"]


def poor() -> Vision:
    """The shipped bundle as it was before it knew meanings."""
    bundle = Bundle(ROOT / "layers/models")
    bundle.manifest = replace(bundle.manifest, meaning=None)
    return Vision(bundle)


@pytest.fixture(scope="module")
def rich() -> Vision:
    return Vision.load(ROOT / "layers/models")


def deployment(
    bucket: Bucket, vision: Vision, cache: Path, *, thumbnails: bool = True
) -> Deployment:
    settings = Settings(bucket="b", cache=cache, thumbnails=thumbnails)
    return Deployment(settings, bucket, vision=lambda: vision)


def add(house: Deployment, file: str, name: str = "a", region: str | None = None) -> None:
    image = (DEMO / file).read_bytes()
    request = AddPicture(
        instance="shop", product_id=file, pic_name=name, image=image, region=region
    )
    add_picture(house, request)


@pytest.fixture
def bucket(tmp_path: Path) -> Bucket:
    made = Bucket()
    old = deployment(made, poor(), tmp_path / "old")
    create_instance(old, CreateInstance(instance="shop", service="product"))
    for file in FILES:
        add(old, file)
    return made


def always() -> bool:
    return True


def test_meanings_come_from_thumbnails(bucket: Bucket, rich: Vision, tmp_path: Path) -> None:
    house = deployment(bucket, rich, tmp_path)
    instance = house.instances.get("shop")
    before = house.open("shop").snapshot.matching(None)
    assert not any(picture.classes for picture in before)
    assert give_meanings(house, instance, has_time=always) == Given(3, 0)
    snapshot = house.open("shop").snapshot
    assert snapshot.without_meaning() == []
    for file in FILES:
        entry = snapshot.find(PictureKey(file, "a"))
        assert entry is not None
        assert entry.meaning is not None
        seen = rich.look((DEMO / file).read_bytes(), instance.service, meaning=True)
        assert seen.meaning is not None
        meaning = entry.meaning.astype(np.float32)
        assert float(seen.meaning @ meaning) / np.linalg.norm(meaning) > 0.8
    after = snapshot.matching(None)
    assert [replace(picture, classes=()) for picture in after] == before
    assert give_meanings(house, instance, has_time=always) == Given()


def test_a_picture_without_a_thumbnail_or_of_another_thing_is_passed_over(
    bucket: Bucket, rich: Vision, tmp_path: Path
) -> None:
    bare = deployment(bucket, poor(), tmp_path / "bare", thumbnails=False)
    add(bare, FILES[0], "bare")
    add(deployment(bucket, poor(), tmp_path / "corner"), FILES[1], "corner", "0,40,0,40")
    house = deployment(bucket, rich, tmp_path)
    given = give_meanings(house, house.instances.get("shop"), has_time=always)
    assert given == Given(3, 2)
    left = {one.picture.key.pic_name for one in house.open("shop").snapshot.without_meaning()}
    assert left == {"bare", "corner"}


def test_a_pack_that_is_gone_keeps_nobody_from_a_meaning(
    bucket: Bucket, rich: Vision, tmp_path: Path
) -> None:
    house = deployment(bucket, rich, tmp_path)
    instance = house.instances.get("shop")
    [first, *_] = [info.key for info in bucket.list(instance.thumbnails)]
    bucket.delete([first])
    assert give_meanings(house, instance, has_time=always) == Given(2, 1)


def test_it_stops_when_time_is_up_and_goes_on_later(
    bucket: Bucket, rich: Vision, tmp_path: Path
) -> None:
    house = deployment(bucket, rich, tmp_path)
    instance = house.instances.get("shop")
    left = chain([True, True], repeat(False))
    assert give_meanings(house, instance, has_time=lambda: next(left)) == Given(2, 0)
    assert give_meanings(house, instance, has_time=always) == Given(1, 0)


def test_a_bundle_without_meanings_gives_none(bucket: Bucket, tmp_path: Path) -> None:
    house = deployment(bucket, poor(), tmp_path)
    assert give_meanings(house, house.instances.get("shop"), has_time=always) == Given()


def test_upkeep_of_all_instances_gives_meanings(
    bucket: Bucket, rich: Vision, tmp_path: Path
) -> None:
    house = deployment(bucket, rich, tmp_path)
    compact_all(house)
    assert house.open("shop").snapshot.without_meaning() == []
    shown = house.open("shop").snapshot.find(PictureKey(FILES[2], "a"))
    assert shown is not None
    assert shown.picture.region == Region.parse(shown.picture.region.as_list())

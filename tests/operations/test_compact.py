"""Compaction: one instance or all; a damaged one does not keep the others from theirs."""

from __future__ import annotations

import pytest
from imagesearch.catalogue import Service
from imagesearch.errors import CorruptObject, UnknownInstance
from imagesearch.operations.add import AddPicture, add_picture
from imagesearch.operations.compact import compact, compact_all
from imagesearch.operations.deployment import Deployment
from imagesearch.operations.instances import (
    CreateInstance,
    DeleteInstance,
    NamedInstance,
    create_instance,
    delete_instance,
    describe_instance,
)

from tests.operations.conftest import Make
from tests.simulation.bucket import Bucket


def fill(deployment: Deployment, instance: str, pictures: int = 3) -> None:
    for n in range(pictures):
        request = AddPicture(instance=instance, product_id=f"p{n}", pic_name="a", image=b"1")
        add_picture(deployment, request)


def log_length(deployment: Deployment, instance: str) -> int:
    return describe_instance(deployment, NamedInstance(instance=instance)).log_length


def test_the_log_is_folded_and_the_pictures_stay(deployment: Deployment) -> None:
    fill(deployment, "shop")
    assert compact(deployment, "shop").folded == 3
    assert log_length(deployment, "shop") == 0
    assert describe_instance(deployment, NamedInstance(instance="shop")).pictures == 3
    assert compact(deployment, "shop").folded == 0


def test_an_instance_made_anew_is_the_one_that_is_compacted(
    make: Make, deployment: Deployment
) -> None:
    other = make()
    compact(other, "shop")
    delete_instance(deployment, DeleteInstance(instance="shop", confirm="shop"))
    with pytest.raises(UnknownInstance):
        compact(other, "shop")
    create_instance(deployment, CreateInstance(instance="shop", service=Service.FABRIC))
    fill(deployment, "shop", 2)
    assert compact(other, "shop").folded == 2


def test_a_damaged_instance_is_raised_after_the_others_had_theirs(
    deployment: Deployment, make: Make, bucket: Bucket
) -> None:
    create_instance(deployment, CreateInstance(instance="zoo", service=Service.GENERIC))
    fill(deployment, "shop")
    fill(deployment, "zoo")
    damaged = bucket.keys_after("index/shop/", "")
    bucket.put(next(key for key in damaged if "/wal/" in key), b"rot")
    with pytest.raises(CorruptObject, match="index/shop"):
        compact_all(make())
    assert log_length(deployment, "zoo") == 0


def shop_and_zoo(make: Make, bucket: Bucket) -> Deployment:
    deployment = make(store=bucket)
    for name in ("shop", "zoo"):
        create_instance(deployment, CreateInstance(instance=name, service=Service.GENERIC))
        fill(deployment, name)
    return deployment


def test_what_erased_instances_left_goes_though_an_instance_is_damaged(make: Make) -> None:
    now = [1_700_000_000_000_000]
    bucket = Bucket(lambda: now[0])
    shop_and_zoo(make, bucket)
    bucket.put("index/gone/1-moves/pairs", b"late")
    now[0] += 86_401_000_000
    damaged = bucket.keys_after("index/shop/", "")
    bucket.put(next(key for key in damaged if "/wal/" in key), b"rot")
    with pytest.raises(CorruptObject, match="index/shop"):
        compact_all(make(store=bucket))
    assert not bucket.keys_after("index/gone/", "")
    assert {*damaged} <= {*bucket.keys_after("index/shop/", "")}


def test_what_arrives_after_an_erasure_goes_a_day_later_and_nothing_else(make: Make) -> None:
    now = [1_700_000_000_000_000]
    bucket = Bucket(lambda: now[0])
    deployment = shop_and_zoo(make, bucket)
    old = [key for key in bucket.keys_after("index/shop/", "") if "/wal/" in key]
    delete_instance(deployment, DeleteInstance(instance="shop", confirm="shop"))
    bucket.put(old[0], b"late")
    bucket.put("index/gone/1-moves/pairs", b"late")
    create_instance(deployment, CreateInstance(instance="shop", service=Service.GENERIC))
    now[0] += 86_399_000_000
    compact_all(make(store=bucket))
    assert old[0] in bucket.keys_after("index/shop/", "")
    now[0] += 2_000_000
    bucket.put("index/new/2/MANIFEST", b"young")
    kept = {*bucket.keys_after("index/", "")} - {old[0], "index/gone/1-moves/pairs"}
    compact_all(make(store=bucket))
    assert {*bucket.keys_after("index/", "")} >= {k for k in kept if "/history/" not in k}
    assert not {old[0], "index/gone/1-moves/pairs"} & {*bucket.keys_after("index/", "")}
    for name, pictures in (("shop", 0), ("zoo", 3)):
        assert describe_instance(deployment, NamedInstance(instance=name)).pictures == pictures

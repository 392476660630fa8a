"""Limits of access keys, as the vendor's SDKs are told of them."""

from __future__ import annotations

import pytest
from imagesearch.errors import StorageUnavailable
from imagesearch.limits import Limits

from tests.contract.caller import World, picture, text

SHOP = {"InstanceName": "shop"}


def test_a_key_over_its_rate_is_throttled_and_told_for_how_long(world: World) -> None:
    key = world.add_key(name="slow", limits=Limits(searches=0.5))
    asked = {**SHOP, "PicContent": text(picture(1))}
    assert world.call("SearchImageByPic", asked, key=key).status == 200
    refused = world.call("SearchImageByPic", asked, key=key)
    assert (refused.status, refused.code) == (400, "Throttling.User")
    assert refused.headers["x-acs-retry-after"] == refused.headers["retry-after"] == "2"
    assert "0.5 searches a second" in refused.message
    assert world.call("SearchImageByPic", asked).status == 200  # another key
    world.now += 2
    assert world.call("SearchImageByPic", asked, key=key).status == 200


def test_a_throttled_call_costs_no_request_to_the_store(world: World) -> None:
    key = world.add_key(name="slow", limits=Limits(adds=1))
    asked = {**SHOP, "ProductId": "p", "PicName": "a", "PicContent": text(picture(1))}
    assert world.call("AddImage", asked, key=key).status == 200
    before = dict(world.bucket._objects)
    assert world.call("AddImage", asked, key=key).code == "Throttling.User"
    assert dict(world.bucket._objects) == before


def test_a_key_fills_an_instance_no_further_than_it_may(world: World) -> None:
    world.key = world.add_key(name="small", limits=Limits(pictures=1))
    assert world.add("p1", 1).status == 200
    assert world.add("p1", 2).status == 200  # replaces
    full = world.add("p2", 3)
    assert (full.status, full.code) == (400, "InstanceOverQuota")
    assert "up to 1" in full.message


def test_a_store_that_asks_for_less_is_503_with_a_time_to_wait(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: object, **__: object) -> None:
        raise StorageUnavailable("the object store did not answer: 503 SlowDown")

    monkeypatch.setattr(world.deployment, "open", busy)
    answer = world.call("SearchImageByName", {**SHOP, "ProductId": "p", "PicName": "a"})
    assert (answer.status, answer.code) == (503, "ServiceUnavailable")
    assert answer.headers["x-acs-retry-after"] == "1"
    assert "SlowDown" not in answer.body

"""Comparing what an engine answers: searches kept to compare by, and what differs is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from imagesearch.errors import EngineUnavailable, NoRoom
from imagesearch.operations.agreement import Agreement, Asked, Compared
from imagesearch.operations.compact import compact_all
from imagesearch.operations.deployment import Deployment
from imagesearch.operations.handover import Handover
from imagesearch.operations.live_queries import KEPT, LiveQuery, kept_live, live_queries
from imagesearch.operations.search import Search, search

from tests.operations.handover.conftest import ENGINE, PICTURES, Room, first
from tests.simulation.bucket import Bucket


def test_live_searches_are_kept_only_while_there_is_an_engine(shop: Deployment) -> None:
    instance = shop.instances.get("shop")
    first(shop, 1)
    assert kept_live(shop.store, instance) == 0
    work = Handover(shop, "shop")
    work.begin(ENGINE)
    search(shop, Search(instance="shop", image=b"1", category_id=3, filter="int_attr>5"))
    search(shop, Search(instance="shop", product_id="p2", pic_name="a"))
    kept = [*live_queries(shop.store, instance)]
    assert len(kept) == 2
    assert {(one.category_id, one.filter) for one in kept} == {(3, "int_attr>5"), (None, None)}
    assert [*shop.index(instance).scrub().problems] == []
    work.fill()
    found = work.compare(10, seed=1)
    assert (found.live, found.stored) == (2, 8)
    work.drop(sleep=lambda _: None)
    assert kept_live(shop.store, instance) == 0


def test_a_share_of_searches_is_kept_and_never_more_than_the_limit(
    shop: Deployment, open_: Callable[..., Deployment], monkeypatch: pytest.MonkeyPatch
) -> None:
    Handover(shop, "shop").begin(ENGINE)
    never = open_(query_share=0.0)
    first(never, 1)
    instance = shop.instances.get("shop")
    assert kept_live(shop.store, instance) == 0
    monkeypatch.setattr("imagesearch.operations.live_queries.KEPT", 3)
    for number in range(12):
        first(shop, number)
    assert 1 <= kept_live(shop.store, instance) <= 3
    assert KEPT == 1000


def test_a_search_that_cannot_be_kept_is_answered(
    bucket: Bucket, shop: Deployment, open_: Callable[..., Deployment]
) -> None:
    Handover(shop, "shop").begin(ENGINE)

    class ReadOnly(Bucket):
        def __init__(self) -> None:
            self.__dict__.update(bucket.__dict__)

        def put(self, key: str, body: bytes, *, content_type: str = "") -> str:
            if "/queries/" in key:
                raise EngineUnavailable("not now")
            return super().put(key, body, content_type=content_type)

    assert first(open_(ReadOnly(), query_share=1.0), 1) == ("p1", 1.0)
    assert kept_live(shop.store, shop.instances.get("shop")) == 0


def test_differences_are_told(shop: Deployment, engines: Room) -> None:
    """An engine that lost rows is found out by comparing."""
    work = Handover(shop, "shop")
    work.begin(ENGINE)
    work.fill()
    segment = next(iter(engines(ENGINE)._rows))
    keys = [row.picture.key for row in engines(ENGINE)._rows[segment].values()]
    engines(ENGINE).remove(segment, keys[::2])
    found = work.compare(30, seed=1)
    assert found.overlap is not None
    assert 0 < found.overlap < 1
    assert sum(found.distribution.values()) == 30
    worst = found.differences[0]
    assert worst.overlap == found.least
    assert {*worst.here} - {*worst.there}


def test_what_overlap_means() -> None:
    features = Asked(LiveQuery(features=None))  # type: ignore[arg-type]
    keys = [("p", str(number)) for number in range(12)]

    def compared(there: list[Any], here: list[Any]) -> Compared:
        return Compared(features, tuple(there), tuple(here))

    assert compared([], []).overlap == 1
    assert compared(keys[:10], keys[:10]).overlap == 1
    assert compared(keys[:10], keys[5:15]).overlap == pytest.approx(0.5)
    assert compared(keys[:2], keys[:1]).overlap == 0.5
    assert compared(keys[:2], keys[:1]).same_first
    assert not compared(keys[:1], keys[1:2]).same_first


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """What upkeep measures of any instance, by name."""
    found: dict[str, float] = {}
    monkeypatch.setattr(
        "imagesearch.operations.compact.measure", lambda _name, counts: found.update(counts)
    )
    return found


def test_upkeep_watches_how_far_both_agree(shop: Deployment, measured: dict[str, float]) -> None:
    Handover(shop, "shop").begin(ENGINE)
    Handover(shop, "shop").fill()
    compact_all(shop)
    assert measured["HandoverOverlap"] == 1.0
    assert measured["HandoverHeld"] == 1.0


def test_upkeep_goes_on_while_the_engine_is_silent(
    shop: Deployment, engines: Room, measured: dict[str, float]
) -> None:
    Handover(shop, "shop").begin(ENGINE)
    Handover(shop, "shop").fill()
    engines(ENGINE).down = True
    assert {*compact_all(shop)} == {"shop"}
    assert "HandoverHeld" in measured
    assert "HandoverOverlap" not in measured
    assert "MeaningsGiven" in measured  # which is given after the engine was asked


def test_upkeep_goes_on_without_room_to_compare(
    shop: Deployment, measured: dict[str, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_given: Any, **_more: Any) -> Agreement:
        raise NoRoom("the cache is full.")

    Handover(shop, "shop").begin(ENGINE)
    Handover(shop, "shop").fill()
    monkeypatch.setattr(Handover, "compare", full)
    assert {*compact_all(shop)} == {"shop"}
    assert "HandoverOverlap" not in measured
    assert "MeaningsGiven" in measured


def test_upkeep_compares_no_large_instance(
    shop: Deployment, measured: dict[str, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    Handover(shop, "shop").begin(ENGINE)
    Handover(shop, "shop").fill()
    monkeypatch.setattr("imagesearch.operations.compact._WATCHED_ROWS", PICTURES - 1)
    compact_all(shop)
    assert measured["HandoverHeld"] == 1.0
    assert "HandoverOverlap" not in measured

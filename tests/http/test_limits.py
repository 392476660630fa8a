"""Rates of keys: how many requests pass, what the others are told, and in which form."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from imagesearch.errors import StorageUnavailable, TooManyRequests
from imagesearch.http import Answer, Api, Request
from imagesearch.limits import UNLIMITED, Gauge, Limits


class Watch:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def refused(gauge: Gauge, limits: Limits, key: str = "k") -> int:
    """Return for how many seconds a request is refused; 0 if it is not."""
    try:
        gauge.take(key, "searches", limits)
    except TooManyRequests as error:
        return error.seconds
    return 0


@given(st.floats(0.1, 50), st.lists(st.floats(0, 3), max_size=60))
def test_no_more_passes_than_the_rate_allows(rate: float, pauses: list[float]) -> None:
    watch = Watch()
    gauge = Gauge(watch)
    passed = 0
    for pause in [0.0, *pauses]:
        watch.now += pause
        passed += not refused(gauge, Limits(searches=rate))
    assert 1 <= passed <= max(1.0, rate) + sum(pauses) * rate + 1e-6


@given(st.floats(0.05, 50))
def test_whoever_waits_as_long_as_told_is_let_in(rate: float) -> None:
    watch = Watch()
    gauge = Gauge(watch)
    for _ in range(200):
        if seconds := refused(gauge, Limits(searches=rate)):
            watch.now += seconds
            assert not refused(gauge, Limits(searches=rate))


def test_keys_and_kinds_have_tokens_of_their_own_and_the_clock_may_go_back() -> None:
    watch = Watch()
    gauge = Gauge(watch)
    slow = Limits(searches=1, adds=1)
    assert not refused(gauge, slow)
    assert refused(gauge, slow)
    assert not refused(gauge, slow, "another")
    gauge.take("k", "adds", slow)
    for _ in range(100):
        assert not refused(gauge, UNLIMITED)
    watch.now -= 3600
    assert refused(gauge, slow) == 1


def event(**context: str) -> dict[str, Any]:
    return {
        "routeKey": "POST /search",
        "rawPath": "/search",
        "headers": {},
        "requestContext": {"requestId": "r", "authorizer": {"lambda": context}},
    }


def test_a_key_over_its_rate_gets_429_with_retry_after() -> None:
    api = Api(Gauge(Watch()))
    api.route("POST /search", spends="searches")(lambda _request: Answer({}))
    asked = event(key="0123", searches="2")
    assert [api(asked, None)["statusCode"] for _ in range(3)] == [200, 200, 429]
    answer = api(asked, None)
    assert answer["headers"]["retry-after"] == "1"
    said = json.loads(answer["body"])
    assert (said["code"], said["status"]) == ("TooManyRequests", 429)
    assert "2 searches a second" in said["detail"]
    assert api(event(key="4567", searches="2"), None)["statusCode"] == 200
    assert api({**event(), "requestContext": {}}, None)["statusCode"] == 200


def test_a_store_that_asks_for_less_is_503_with_retry_after() -> None:
    api = Api()

    @api.route("POST /search")
    def busy(_request: Request) -> Answer:
        raise StorageUnavailable("the object store did not answer: 503 SlowDown")

    answer = api(event(), None)
    assert (answer["statusCode"], answer["headers"]["retry-after"]) == (503, "1")


def test_limits_are_read_from_an_authorizers_context() -> None:
    given = {"key": "x", "searches": "2.5", "adds": "3", "pictures": "1000"}
    assert Limits.of(given) == Limits(searches=2.5, adds=3, pictures=1000)
    assert Limits.of({"key": "x", "searches": ""}) == UNLIMITED

"""Keys that are limited to instances: what they may call, and what the others are told."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from imagesearch.errors import ForeignInstance
from imagesearch.http import Answer, Api, Request
from imagesearch.limits import Gauge
from imagesearch.reach import EVERYWHERE, Reach

names = st.text("abc-_019", min_size=1, max_size=20)


def event(route: str, instance: str | None, **context: str) -> dict[str, Any]:
    asked: dict[str, Any] = {
        "routeKey": route,
        "rawPath": "/",
        "headers": {},
        "requestContext": {"requestId": "r", "authorizer": {"lambda": context}},
    }
    return asked if instance is None else {**asked, "pathParameters": {"instance": instance}}


def api() -> Api:
    served = Api(Gauge())
    for route, shared in (("GET /of/{instance}", False), ("GET /all", False), ("GET /any", True)):
        served.route(route, spends="searches", shared=shared)(lambda _request: Answer({}))
    return served


def status(served: Api, *asked: Any, **context: str) -> int:
    return int(served(event(*asked, **context), None)["statusCode"])


@pytest.mark.parametrize("instance", ["shop", "lab-1", "lab-"])
def test_a_limited_key_calls_routes_of_its_instances_and_those_that_are_shared(
    instance: str,
) -> None:
    assert status(api(), "GET /of/{instance}", instance, instances="shop,lab-*") == 200
    assert status(api(), "GET /any", None, instances="shop,lab-*") == 200
    assert status(api(), "GET /all", None, instances="shop,lab-*") == 403
    assert status(api(), "GET /all", None, instances="shop,*") == 200


@pytest.mark.parametrize("instance", ["shop2", "sho", "Shop", "lab", "shop,lab-1", " shop", ""])
def test_an_instance_of_others_is_refused_by_name(instance: str) -> None:
    answer = api()(event("GET /of/{instance}", instance, instances="shop,lab-*"), None)
    said = json.loads(answer["body"])
    assert (answer["statusCode"], said["code"], said["field"]) == (403, "NoPermission", "instance")
    assert said["detail"] == f"the key may be used for shop, lab-*, not for instance {instance!r}."


def test_without_a_limit_every_instance_is_reached() -> None:
    assert status(api(), "GET /of/{instance}", "anything") == 200
    assert status(api(), "GET /of/{instance}", "anything", key="0123", searches="9") == 200
    assert status(api(), "GET /all", None, key="0123") == 200
    without = {"routeKey": "GET /all", "requestContext": {}}
    assert Request.from_event(without).reach is EVERYWHERE


def test_a_list_without_names_reaches_nothing() -> None:
    assert status(api(), "GET /of/{instance}", "shop", instances="") == 403
    assert status(api(), "GET /of/{instance}", "", instances="") == 403
    with pytest.raises(ForeignInstance, match="nothing"):
        Reach(()).check("shop")


def test_a_refused_request_costs_the_key_nothing() -> None:
    served = api()
    limited = {"key": "k", "searches": "1", "instances": "shop"}
    for _ in range(3):
        assert status(served, "GET /of/{instance}", "other", **limited) == 403
    assert status(served, "GET /of/{instance}", "shop", **limited) == 200
    assert status(served, "GET /of/{instance}", "shop", **limited) == 429


@given(st.lists(names, min_size=1, max_size=4), names)
def test_names_without_a_star_reach_exactly_themselves(listed: list[str], wanted: str) -> None:
    assert Reach.of({"instances": ",".join(listed)}).includes(wanted) is (wanted in listed)
    starred = Reach.of({"instances": ",".join(f"{name}*" for name in listed)})
    assert starred.includes(wanted) is any(wanted.startswith(name) for name in listed)

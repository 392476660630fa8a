"""The template's authorizer on one machine: who is asked, with what, and what comes of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from imagesearch_local.callers import Callers, TurnedAway
from imagesearch_local.emulator import FunctionPool
from imagesearch_local.payload import HttpRequest
from imagesearch_local.problems import FunctionFailed
from imagesearch_local.routes import Router
from imagesearch_local.template import Template, find_template

KEYS = {"Authorization": "keys", "ApiKeys": "read:" + "0" * 64}
ROUTE, PATH = "POST /v1/instances/{instance}/search", "/v1/instances/shop/search"
TEMPLATE = Template.read(find_template(), KEYS)


class Asked:
    """In the place of the authorizer's processes: gives one answer, and notes the questions."""

    def __init__(self, answer: object) -> None:
        self.answer, self.events = answer, list[dict[str, Any]]()

    async def invoke(self, event: bytes) -> bytes:
        self.events.append(json.loads(event))
        return json.dumps(self.answer).encode()


def ask(
    asked: Asked, *headers: tuple[str, str], method: str = "POST", path: str = PATH
) -> Mapping[str, Any] | None:
    assert TEMPLATE.authorizer
    pools = {TEMPLATE.authorizer.function: cast("FunctionPool", asked)}
    request = HttpRequest(
        id="r1",
        method=method,
        raw_path=path.encode(),
        raw_query=b"",
        headers=headers,
        body=b"a picture",
        client="127.0.0.1",
        server=("127.0.0.1", 3000),
        protocol="HTTP/1.1",
        received=datetime(2026, 11, 23, tzinfo=UTC),
    )
    match = Router(TEMPLATE.functions).match(method, path)
    return asyncio.run(Callers(TEMPLATE.authorizer, pools).check(request, match))


def test_the_function_is_told_what_the_authorizer_said_and_asked_as_on_aws() -> None:
    asked = Asked({"isAuthorized": True, "context": {"instances": "shop"}})
    assert ask(asked, ("X-Api-Key", "mine")) == {"instances": "shop"}
    [event] = asked.events
    assert (event["type"], event["version"]) == ("REQUEST", "2.0")
    assert event["identitySource"] == ["mine", ROUTE]
    assert (event["routeKey"], event["pathParameters"]) == (ROUTE, {"instance": "shop"})
    assert event["routeArn"].endswith(f":local/$default/POST{PATH}")
    assert "body" not in event


@pytest.mark.parametrize("answer", [{"isAuthorized": False}, {"isAuthorized": "true"}])
def test_who_may_not_is_told_in_api_gateways_words(answer: object) -> None:
    with pytest.raises(TurnedAway) as refused:
        ask(Asked(answer), ("x-api-key", "mine"))
    assert (refused.value.answer.status, refused.value.answer.body) == (
        403,
        b'{"message": "Forbidden"}',
    )


@pytest.mark.parametrize("headers", [(), (("x-api-key", ""),)])
def test_without_a_key_nobody_is_asked(headers: tuple[tuple[str, str], ...]) -> None:
    asked = Asked({"isAuthorized": True})
    with pytest.raises(TurnedAway) as refused:
        ask(asked, *headers)
    assert refused.value.answer.status == 401
    assert not asked.events


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/health/live"), ("GET", "/openapi.json"), ("POST", "/")]
)
def test_routes_that_are_open_to_all_ask_nobody(method: str, path: str) -> None:
    asked = Asked({"isAuthorized": False})
    assert ask(asked, method=method, path=path) is None
    assert not asked.events


def test_an_answer_that_is_none_lets_nobody_in() -> None:
    for answer in ({}, [], "yes", {"context": {}}):
        with pytest.raises(FunctionFailed):
            ask(Asked(answer), ("x-api-key", "mine"))


@pytest.mark.parametrize("way", ["iam", "none"])
def test_without_keys_there_is_no_authorizer(way: str) -> None:
    assert Template.read(find_template(), {"Authorization": way}).authorizer is None

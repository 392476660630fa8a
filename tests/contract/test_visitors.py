"""Who comes to ``/`` with a browser is no SDK, and gets what is there for browsers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from imagesearch.contract.service import Contract
from imagesearch.page import Page
from imagesearch.settings import Settings

from tests.contract.caller import World
from tests.contract.wire import event


@pytest.fixture
def contract(world: World) -> Contract:
    """The contract of ``world``, with a page beside it."""
    page = Page(Settings(bucket="b")).front()

    def otherwise(asked: Mapping[str, Any], context: object) -> dict[str, Any]:
        return page({**asked, "routeKey": "GET /"}, context)

    world.contract._otherwise = otherwise
    return world.contract


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("target", ["/", "/?utm_source=mail"])
def test_a_browser_gets_the_page(contract: Contract, method: str, target: str) -> None:
    answer = contract(event(method, target, {"accept": "text/html"}), None)
    assert answer["statusCode"] == 200
    assert answer["headers"]["content-type"].startswith("text/html")
    assert "content-security-policy" in answer["headers"]


@pytest.mark.parametrize(
    ("method", "target", "headers"),
    [
        ("GET", "/?Action=AuthorizeFileUpload&Version=2019-12-19", {}),
        ("GET", "/", {"x-acs-action": "Detail"}),
        ("POST", "/", {}),
        ("POST", "/v2/image/search", {}),
    ],
)
def test_an_sdk_gets_an_answer_in_its_terms(
    contract: Contract, method: str, target: str, headers: dict[str, str]
) -> None:
    answer = contract(event(method, target, headers), None)
    assert answer["statusCode"] >= 400
    assert answer["headers"]["content-type"].startswith("application/json")
    assert '"RequestId"' in answer["body"]


def test_without_a_page_a_browser_is_told_so(world: World) -> None:
    answer = world.contract(event("GET", "/", {}), None)
    assert answer["statusCode"] == 404
    assert "no page here" in answer["body"]

"""No operation reaches another instance than its own, and no key does more than it may."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contract.caller import World, picture, text
from tests.isolation.matrix import (
    ALL_INSTANCES,
    OPEN,
    PAGE,
    THEIRS,
    Tried,
    clean,
    events,
    page,
    routes,
    vendor,
)


@pytest.fixture(scope="module")
def tried() -> dict[str, Tried]:
    return clean()


def test_every_route_of_the_template_has_an_event_to_try_it_with() -> None:
    assert routes().keys() <= events().keys()


def test_no_route_reads_or_writes_an_object_of_another_instance(tried: dict[str, Tried]) -> None:
    for route, found in tried.items():
        assert route in ALL_INSTANCES or found.touched == (), route
        assert not found.told, route


def test_the_watch_notices_who_reaches_over(tried: dict[str, Tried]) -> None:
    assert any(f"/{THEIRS}/" in key for key in tried["GET /v1/instances"].touched)


def test_the_events_do_what_they_are_for(tried: dict[str, Tried]) -> None:
    """An event that is refused for its form would prove nothing."""
    for route, found in tried.items():
        assert not {400, 415, 500} & set(found.statuses), (route, found.statuses)


def test_without_a_key_nothing_and_with_a_read_key_nothing_is_changed(
    tried: dict[str, Tried],
) -> None:
    reading = {"POST /v1/instances/{instance}/search", "POST /v1/instances/{instance}/compare"}
    for route in tried.keys() - OPEN:
        allowed = tried[route].allowed
        assert not allowed["none"], route
        assert not allowed["unknown"], route
        assert allowed["write"], route
        reads = route.startswith("GET ") or route in reading | {"POST /v1/uploads"}
        assert allowed["read"] is reads, route


def test_no_operation_of_the_vendor_takes_a_key_that_may_not() -> None:
    for (generation, action), codes in vendor().items():
        told = f"{generation.version} {action}"
        bound = "may" if action == "AuthorizeFileUpload" else "NoPermission"
        assert codes["another instance's"].removeprefix("Console.") == bound, told
        changes = action.startswith(("Add", "Delete", "Update")) or action == "IncreaseInstance"
        readers = "NoPermission" if changes else "may"
        assert codes["read-only"].removeprefix("Console.") == readers, told
        assert codes["revoked"] == codes["expired"] == "InvalidAccessKeyId.Inactive", told


def test_what_one_key_uploaded_another_cannot_use(tmp_path: Path) -> None:
    world = World(tmp_path)
    form = world.call("AuthorizeFileUpload", query={"Product": "ImageSearch"}, version="2019-12-19")
    host, key = form.json["Endpoint"], form.json["ObjectKey"]
    url = f"http://{form.json['Bucket']}.{host}/{key}"
    other = world.add_key(name="other")
    answer = world.call("SearchImageByPic", {"InstanceName": "shop", "PicContent": url}, key=other)
    assert answer.code == "InvalidPicUrl"
    assert world.call("AddImage", {"InstanceName": "shop", "ProductId": "p", "PicName": "a",
                                   "PicContent": text(picture(1))}).status == 200  # fmt: skip


def test_the_page_shows_this() -> None:
    assert PAGE.read_text("utf-8") == page()

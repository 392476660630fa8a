"""No operation reaches another instance than its own, and no key does more than it may."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from imagesearch.catalogue import Instance
from imagesearch.catalogue.thumbnails import Pack
from imagesearch.ingest.tasks import Task, Tasks

from tests.contract.caller import World, picture, text
from tests.isolation.matrix import (
    ALL_INSTANCES,
    MINE,
    OPEN,
    PAGE,
    SHARED,
    THEIRS,
    Tried,
    clean,
    events,
    load,
    page,
    routes,
    two_instances,
    vendor,
)
from tests.stores import MemoryStore


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
    looking = {f"POST /v1/instances/{{instance}}/{verb}" for verb in ("search", "compare")}
    reading = {*looking, "POST /v1/instances/{instance}/explain"}
    for route in tried.keys() - OPEN:
        allowed = tried[route].allowed
        assert not allowed["none"], route
        assert not allowed["unknown"], route
        assert allowed["write"], route
        reads = route.startswith("GET ") or route in reading | {"POST /v1/uploads"}
        assert allowed["read"] is reads, route


def test_a_key_of_other_instances_calls_nothing_and_reads_nothing(tried: dict[str, Tried]) -> None:
    for route in tried.keys() - OPEN - SHARED:
        assert "{instance}" in route
        assert tried[route].bound["another's"] == "NoPermission", route
    for route in tried.keys() - OPEN:
        assert tried[route].reached == (), route


def test_a_key_of_the_instance_calls_everything_and_is_shown_its_own(
    tried: dict[str, Tried],
) -> None:
    for route in tried.keys() - OPEN - ALL_INSTANCES:
        assert tried[route].bound["its own"] == "may", route
    assert tried["POST /v1/uploads"].bound["another's"] == "may"
    [listing] = ALL_INSTANCES
    assert tried[listing].bound == {"its own": f"lists {MINE}", "another's": f"lists {THEIRS}"}


@pytest.mark.parametrize("instance", [THEIRS, "never-was", "EVENTS", "..", "events/x", ""])
def test_an_instance_that_is_there_is_refused_like_one_that_is_not(instance: str) -> None:
    route = "GET /v1/instances/{instance}"
    [event] = events()[route]
    asked = {**event["requestContext"], "authorizer": {"lambda": {"instances": MINE}}}
    with two_instances() as (store, _):
        handler = load(routes()[route]).handler
        before = len(store.requests)
        sent = {**event, "requestContext": asked, "pathParameters": {"instance": instance}}
        answer = handler(sent, None)
        assert len(store.requests) == before
    said = json.loads(answer["body"])
    assert (answer["statusCode"], said["code"], said["field"]) == (403, "NoPermission", "instance")
    assert said["detail"] == f"the key may be used for {MINE}, not for instance {instance!r}."


def test_names_from_another_instance_lead_nowhere() -> None:
    """What is called so there, a thumbnail or a task, is nothing here."""
    named = {
        "GET /v1/instances/{instance}/thumbnails/{thumbnail}": "thumbnail",
        "GET /v1/instances/{instance}/increments/{id}": "id",
    }
    with two_instances() as (store, deployment):
        theirs, pack = deployment.instances.get(THEIRS), Pack()
        known = {"thumbnail": pack.add(b"a small copy"), "id": str(queued(store, theirs))}
        pack.write(store, theirs)
        for route, name in named.items():
            handler = load(routes()[route]).handler
            for instance, status in ((MINE, 404), (THEIRS, 200)):
                given = {"instance": instance, name: known[name]}
                answer = handler({**events()[route][0], "pathParameters": given}, None)
                assert answer["statusCode"] == status, (route, instance, answer["body"])


def queued(store: MemoryStore, instance: Instance) -> int:
    """Enter a batch task; return its id."""
    task = Task(
        id=1_700_000_000_000_000,
        instance=instance.name,
        incarnation=instance.incarnation,
        bucket="goods",
        path="/a",
        meta_key="a/increment.meta",
        meta_size=1,
        meta_etag="e",
    )
    return Tasks.of(store, instance).add(task)[0].id


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

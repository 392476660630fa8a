"""A failure of ours tells the caller that it was ours, and nothing of how we work inside."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from imagesearch.contract.service import OPERATIONS
from imagesearch.errors import CorruptObject, StorageError, StorageUnavailable

from tests.contract.caller import World, picture, text
from tests.isolation.matrix import OPEN, events, load, routes, two_instances

INSIDE = "index/events/17/MANIFEST at /var/task/app.py by s3cret@10.0.0.7"
FAILURES: list[Callable[[], Exception]] = [
    lambda: KeyError(INSIDE),
    lambda: ZeroDivisionError(INSIDE),
    lambda: OSError(13, INSIDE, "/var/task/key.pem"),
    lambda: StorageError(INSIDE),
    lambda: CorruptObject(INSIDE),
    lambda: StorageUnavailable(INSIDE),
]
CLEAN = sorted(route for route in routes() if "{instance}" in route)


def check(status: int, headers: dict[str, str], body: str) -> None:
    assert status in {500, 503}, body
    for word in ("MANIFEST", "/var/task", "s3cret", "10.0.0.7", "Traceback", "KeyError", ".py"):
        assert word not in body + json.dumps(headers), word
    said = json.loads(body)
    assert said.get("fix") or said.get("Message")
    assert said.get("request_id") or said.get("RequestId")


@pytest.mark.parametrize("failure", FAILURES, ids=lambda make: type(make()).__name__)
@pytest.mark.parametrize("route", CLEAN)
def test_no_clean_route_tells_how_it_failed(route: str, failure: Callable[[], Exception]) -> None:
    folder = routes()[route]
    with two_instances() as (store, deployment):

        def fail(_verb: str, _key: str) -> None:
            raise failure()

        handler = load(folder).handler
        deployment.instances.doubt("events")
        store.before = fail
        answer = handler(events()[route][0], None)
    body = answer["body"]
    body = base64.b64decode(body).decode() if answer.get("isBase64Encoded") else body
    check(answer["statusCode"], answer["headers"], body)


@pytest.mark.parametrize("failure", FAILURES, ids=lambda make: type(make()).__name__)
def test_no_operation_of_the_vendor_tells_how_it_failed(
    tmp_path: Path, failure: Callable[[], Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(tmp_path)

    def fail(*_: Any, **__: Any) -> None:
        raise failure()

    for name in ("open", "open_soon"):
        monkeypatch.setattr(world.deployment, name, fail)
    form = {"InstanceName": "shop", "ProductId": "p", "PicName": "a", "Filter": "int_attr>1"}
    form |= {"PicContent": text(picture(1)), "IntAttr": "1"}
    for generation, actions in OPERATIONS.items():
        if generation.version != "2020-12-14":
            continue
        for action in actions.keys() - {"CompareSimilarByImage", "SearchImageByText"}:
            answer = world.call(action, form)
            if answer.status >= 500:
                check(answer.status, answer.headers, answer.body)
            else:
                assert INSIDE not in answer.body


def test_the_doors_that_are_open_to_all_tell_nothing_either() -> None:
    for route in OPEN - {"GET /page/{version}/{file}", "GET /openapi.json"}:
        with two_instances() as (store, _):

            def fail(_verb: str, _key: str) -> None:
                raise OSError(INSIDE)

            handler = load(routes()[route]).handler
            store.before = fail
            answer = handler(events()[route][0], None)
        assert "s3cret" not in answer["body"]

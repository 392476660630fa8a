"""A service that asks for API keys, two of them bound to instances: as a user would meet it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from imagesearch_client import Client, Forbidden, Part, refusals

from tests.pictures import as_bytes, drawn
from tests.running import Service

pytestmark = pytest.mark.system

KEYS = {"owner": "write", "shop": "write", "reader": "read"}
BOUND = {"owner": "", "shop": ":instance=shop", "reader": ":instance=lab-*"}


@pytest.fixture(scope="module")
def asking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service with three keys: the owner's, one of the shop, one that reads the labs."""
    entries = [
        f"{scope}:{hashlib.sha256(key.encode()).hexdigest()}{BOUND[key]}"
        for key, scope in KEYS.items()
    ]
    running = Service(tmp_path_factory.mktemp("asking"))
    given = {"Authorization": "keys", "ApiKeys": ",".join(entries)}
    running.start(*(word for n, v in given.items() for word in ("--parameter", f"{n}={v}")))
    with Client(running.url, api_key="owner") as owner:
        for number, instance in enumerate(("shop", "lab-1", "other")):
            owner.create_instance(instance)
            owner.add(instance, as_bytes(drawn(number)), "p", "a.jpg", int_attr=number)
    yield running
    running.stop()


def test_without_a_good_key_nobody_calls(asking: Service) -> None:
    with asking.client() as http:
        for key, status in ((None, 401), ("", 401), ("wrong", 403)):
            headers = {} if key is None else {"x-api-key": key}
            answer = http.get("/v1/instances", headers=headers)
            assert (answer.status_code, "instances" in answer.json()) == (status, False)
        for path in ("/health/live", "/openapi.json", "/"):
            assert http.get(path, headers={"accept": "text/html"}).status_code == 200


def test_each_key_is_shown_its_own_instances(asking: Service) -> None:
    shown = {}
    for key in KEYS:
        with Client(asking.url, api_key=key) as client:
            shown[key] = [one.name for one in client.instances()]
    assert shown == {"owner": ["lab-1", "other", "shop"], "shop": ["shop"], "reader": ["lab-1"]}


def test_a_key_of_the_shop_does_everything_there_and_nothing_elsewhere(asking: Service) -> None:
    image = as_bytes(drawn(7))
    with Client(asking.url, api_key="shop") as client:
        client.add("shop", image, "q", "b.jpg")
        assert client.search("shop", image).hits[0].product_id == "q"
        client.delete("shop", "q")
        for instance in ("lab-1", "other", "shop-2", "nowhere"):
            for call in (
                client.instance,
                lambda name: client.search(name, image),
                lambda name: client.search_combined(name, [Part(image=image)]),
                lambda name: client.add(name, image, "q", "b.jpg"),
                lambda name: client.picture(name, "p", "a.jpg"),
                lambda name: client.delete(name, "p"),
                client.create_instance,
                client.delete_instance,
                lambda name: client.submit_increment(name, "bucket", "/a"),
            ):
                with pytest.raises(refusals.NoPermission, match="may be used for shop, not for"):
                    call(instance)


def test_a_key_that_reads_the_labs_changes_none_of_them(asking: Service) -> None:
    image = as_bytes(drawn(1))
    with Client(asking.url, api_key="reader") as client:
        assert client.search("lab-1", image).hits[0].product_id == "p"
        assert client.picture("lab-1", "p", "a.jpg").int_attr == 1
        assert client.explain("lab-1", image, "p", "a.jpg").score == 1
        with pytest.raises(refusals.NoPermission):
            client.search("shop", image)
        for change in (
            lambda: client.add("lab-1", image, "q", "b.jpg"),
            lambda: client.delete("lab-1", "p"),
            lambda: client.delete_instance("lab-1"),
        ):
            with pytest.raises(Forbidden) as refused:
                change()
            assert not isinstance(refused.value, refusals.NoPermission)


@pytest.mark.parametrize(
    "path",
    ["/v1/instances/%6fther", "/v1/instances/shop%2F..%2Fother", "/v1/instances/shop/../other"],
)
def test_another_spelling_of_the_address_is_no_way_in(asking: Service, path: str) -> None:
    with asking.client() as http:
        sent = http.build_request("GET", "/", headers={"x-api-key": "shop"})
        sent.url = sent.url.copy_with(raw_path=path.encode())
        answer = http.send(sent)
    assert answer.status_code in {403, 404}
    assert "pictures" not in answer.json()


def test_an_upload_needs_no_instance_and_is_used_where_the_key_may(asking: Service) -> None:
    image = as_bytes(drawn(3))
    with asking.client() as http:
        http.headers["x-api-key"] = "shop"
        begun = http.post(
            "/v1/uploads", json={"content_type": "image/jpeg", "size": len(image)}
        ).json()
        httpx.put(begun["url"], headers=begun["headers"], content=image).raise_for_status()
        body = {"product_id": "u", "pic_name": "u", "upload_id": begun["upload_id"]}
        elsewhere = http.post("/v1/instances/other/pictures", json=body)
        assert said(elsewhere) == (403, "NoPermission")
        assert http.post("/v1/instances/shop/pictures", json=body).status_code == 201


def test_an_idempotency_key_of_another_instance_says_nothing(asking: Service) -> None:
    sent = {"product_id": "i", "pic_name": "i"}
    once = {"idempotency-key": "the same"}
    with asking.client() as http:
        answers = []
        for key, instance, seed in (("owner", "other", 4), ("shop", "shop", 5)):
            image = base64.b64encode(as_bytes(drawn(seed))).decode()
            answers.append(
                http.post(
                    f"/v1/instances/{instance}/pictures",
                    json={**sent, "image": image, "str_attr": key},
                    headers={**once, "x-api-key": key},
                ).json()["picture"]["str_attr"]
            )
    assert answers == ["owner", "shop"]


def said(answer: httpx.Response) -> tuple[int, Any]:
    return answer.status_code, answer.json().get("code")

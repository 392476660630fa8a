"""Faults on the way: what is tried again, what is raised, what is sent. Both clients alike."""

from __future__ import annotations

import asyncio
import inspect
import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest
from imagesearch_client import (
    AsyncClient,
    Client,
    Forbidden,
    Refused,
    Retries,
    TooManyRequests,
    Unauthorized,
    Unreachable,
    refusals,
    retries,
)
from imagesearch_client.wire import LARGEST_IN_LINE

from tests.local.fake_api import FakeApi, problem

JPEG = b"\xff\xd8 a picture"


class Awaited:
    """An :class:`AsyncClient` whose calls can be made from a plain test."""

    def __init__(self, *args: Any, **options: Any) -> None:
        self._args, self._options = args, options

    def __getattr__(self, name: str) -> Any:
        def call(*args: Any, **fields: Any) -> Any:
            return asyncio.run(self._call(name, args, fields))

        return call

    async def _call(self, name: str, args: Any, fields: Any) -> Any:
        async with AsyncClient(*self._args, **self._options) as client:
            found = getattr(client, name)(*args, **fields)
            if inspect.isasyncgen(found):
                return [one async for one in found]
            return await found


KINDS = {"blocking": Client, "awaited": Awaited}


@pytest.fixture
def api() -> FakeApi:
    return FakeApi()


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    slept: list[float] = []

    async def pause_async(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr("imagesearch_client._blocking_calls.pause", slept.append)
    monkeypatch.setattr("imagesearch_client._async_calls.pause_async", pause_async)
    return slept


@pytest.fixture(params=KINDS)
def client(request: pytest.FixtureRequest, api: FakeApi, pauses: list[float]) -> Iterator[Any]:
    assert not pauses
    options = {"transport": api.transport(), "retries": Retries(attempts=4)}
    made = KINDS[request.param]("http://fake/", **options)
    yield made
    if isinstance(made, Client):
        made.close()


PASSING = [
    httpx.Response(429),
    problem(502, "FunctionFailed", ""),
    problem(503, "ServiceUnavailable", ""),
    httpx.Response(504),
    httpx.Response(500, json={"message": "Internal Server Error"}),
    httpx.ConnectError("refused"),
    httpx.ReadTimeout("slow"),
    httpx.ReadError("reset by peer"),
    httpx.RemoteProtocolError("cut"),
]


@pytest.mark.parametrize("failure", PASSING, ids=repr)
def test_a_passing_failure_is_tried_again(
    client: Any, api: FakeApi, pauses: list[float], failure: httpx.Response | Exception
) -> None:
    api.failures = [failure, failure]
    assert client.create_instance("i").name == "i"
    assert (len(api.requests), len(pauses)) == (3, 2)


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "InvalidRegion", refusals.InvalidRegion),
        (400, "InvalidStrAttr", refusals.InvalidField),
        (400, "NoSpecifiedService", refusals.MissingField),
        (400, "NewCode", refusals.BadRequest),
        (404, "PictureNotFound", refusals.NotFound),
        (409, "NewCode", refusals.Conflict),
        (500, "CorruptObject", refusals.CorruptObject),
        (418, "NewCode", Refused),
    ],
)
def test_a_lasting_failure_is_raised_at_once_as_what_its_code_names(
    client: Any, api: FakeApi, status: int, code: str, kind: type[Refused]
) -> None:
    api.failures = [problem(status, code, "no.")]
    with pytest.raises(kind) as refused:
        client.create_instance("i")
    assert (refused.value.status, refused.value.code, refused.value.detail) == (status, code, "no.")
    assert refused.value.fix == "Do otherwise."
    assert len(api.requests) == 1


@pytest.mark.parametrize(
    ("status", "kind"), [(401, Unauthorized), (403, Forbidden), (429, TooManyRequests)]
)
def test_what_api_gateway_refuses_has_a_class_as_well(
    client: Any, api: FakeApi, status: int, kind: type[Refused]
) -> None:
    api.failures = [httpx.Response(status, json={"message": "No."})] * 4
    with pytest.raises(kind, match=r"No\."):
        client.instances()


def test_tries_are_limited(client: Any, api: FakeApi) -> None:
    api.failures = [problem(503, "ServiceUnavailable", "")] * 4
    with pytest.raises(refusals.ServiceUnavailable):
        client.instances()
    assert len(api.requests) == 4
    api.failures = [httpx.ConnectError("refused")] * 4
    with pytest.raises(Unreachable, match="http://fake"):
        client.instances()


def test_what_is_not_the_service_is_said_to_be_another(client: Any, api: FakeApi) -> None:
    api.failures = [httpx.Response(200, text="<html>It works!</html>")]
    with pytest.raises(Unreachable, match="right address"):
        client.instances()


def test_retry_after_is_the_least_pause(client: Any, api: FakeApi, pauses: list[float]) -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=20))
    api.failures = [
        problem(503, "ServiceUnavailable", "", **{"retry-after": wish})
        for wish in ("7", soon, "nonsense")
    ]
    client.instances()
    assert 7 <= pauses[0] <= 7.2
    assert 18 <= pauses[1] <= 20.4
    assert pauses[2] <= 0.8


def test_pauses_grow_to_a_limit_and_are_drawn_at_random() -> None:
    policy = Retries(first_pause=1, longest_pause=4)
    for failures, widest in [(1, 1), (2, 2), (3, 4), (9, 4)]:
        drawn = [policy.seconds(failures, None) for _ in range(200)]
        assert 0 <= min(drawn) < max(drawn) <= widest
        assert max(drawn) > widest / 2
    tomorrow = httpx.Response(503, headers={"retry-after": "86400"})
    assert policy.seconds(1, tomorrow) <= 61


def test_every_try_of_an_add_is_the_same_write(client: Any, api: FakeApi) -> None:
    client.create_instance("i")
    api.failures = [httpx.ReadTimeout("slow")]
    client.add("i", JPEG, "p", "n")
    client.add("i", JPEG, "p", "n")
    client.add("i", JPEG, "p", "n", idempotency_key="mine")
    keys = [request.headers["idempotency-key"] for request in api.requests[1:]]
    assert keys[0] == keys[1] != keys[2]
    assert keys[3] == "mine"


@pytest.mark.parametrize("failure", [httpx.ReadTimeout("slow"), problem(503, "Busy", "")], ids=repr)
def test_what_would_do_harm_twice_is_sent_once(
    client: Any, api: FakeApi, failure: httpx.Response | Exception
) -> None:
    client.create_instance("i")
    for call in (
        lambda: client.update("i", "p", "n", int_attr=1),
        lambda: client.add("i", JPEG, "p", "n", if_exists="fail"),
    ):
        api.requests.clear()
        api.failures = [failure]
        with pytest.raises((Refused, Unreachable)):
            call()
        assert len(api.requests) == 1


@pytest.mark.parametrize("failure", [httpx.Response(429), httpx.ConnectTimeout("")], ids=repr)
def test_what_was_certainly_not_done_is_sent_again(
    client: Any, api: FakeApi, failure: httpx.Response | Exception
) -> None:
    client.create_instance("i")
    api.failures = [failure]
    assert client.add("i", JPEG, "p", "n", if_exists="fail").picture.product_id == "p"


def test_an_erasure_whose_answer_was_lost_is_done(client: Any, api: FakeApi) -> None:
    api.failures = [httpx.ReadTimeout("slow"), problem(404, "InvalidInstance", "none.")]
    client.delete_instance("i")
    api.failures = [problem(404, "InvalidInstance", "none.")]
    with pytest.raises(refusals.InvalidInstance):
        client.delete_instance("i")


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"\xff\xd8\xff", "image/jpeg"),
        (b"\x89PNG", "image/png"),
        (b"RIFF....WEBP", "image/webp"),
        (b"II*\0", "image/tiff"),
        (b"P6 ", "image/x-portable-pixmap"),
    ],
)
def test_a_large_picture_is_uploaded_first(
    client: Any, api: FakeApi, head: bytes, kind: str
) -> None:
    client.create_instance("i")
    image = head + b"x" * LARGEST_IN_LINE
    client.add("i", io.BytesIO(image), "p", "n")
    assert list(api.images.values()) == [image]
    assert list(api.uploads.values()) == [image]
    assert api.requests[-2].headers["content-type"] == kind


def test_a_failed_upload_is_a_refusal(api: FakeApi) -> None:
    def fail(request: httpx.Request) -> httpx.Response:
        if request.url.path.startswith("/bucket"):
            return httpx.Response(403, text="expired")
        return api.answer(request)

    with (
        Client("http://fake", transport=httpx.MockTransport(fail)) as failing,
        pytest.raises(Forbidden, match="expired"),
    ):
        failing.search("i", b"x" * (LARGEST_IN_LINE + 1))


def test_names_are_escaped_in_paths(client: Any, api: FakeApi) -> None:
    client.delete("i", "a b%2F", "ü.jpg")
    assert api.requests[-1].url.raw_path == b"/v1/instances/i/pictures/a%20b%252F/%C3%BC.jpg"


@pytest.mark.parametrize("name", ["a/b", "what?", "#1", ".", ".."])
def test_names_that_a_path_cannot_carry_travel_in_the_query(
    client: Any, api: FakeApi, name: str
) -> None:
    client.create_instance("i")
    client.add("i", JPEG, name, "n")
    assert client.picture("i", name, "n").product_id == name
    client.delete("i", name, "n")
    last = api.requests[-1].url
    assert last.path == "/v1/instances/i/pictures"
    assert dict(last.params) == {"product_id": name, "pic_name": "n"}
    with pytest.raises(refusals.PictureNotFound):
        client.picture("i", name, "m")
    with pytest.raises(ValueError, match="add the picture again"):
        client.update("i", name, "n", int_attr=1)


def test_all_pages_are_read(client: Any) -> None:
    client.create_instance("i")
    for number in range(5):
        client.add("i", JPEG, f"p{number}", "n")
    assert [p.product_id for p in client.pictures("i")] == [f"p{n}" for n in range(5)]


def test_the_api_key_goes_to_the_server_and_not_to_the_bucket(api: FakeApi) -> None:
    with Client("http://fake", api_key="secret", transport=api.transport()) as client:
        client.create_instance("i")
        client.add("i", b"x" * (LARGEST_IN_LINE + 1), "p", "n")
    keys = {r.url.path.split("/")[1]: r.headers.get("x-api-key") for r in api.requests}
    assert keys == {"v1": "secret", "bucket": None}


@pytest.mark.usefixtures("pauses")
@pytest.mark.parametrize("url", ["nonsense", "http://", "http://127.0.0.1:1", "http://a b"])
def test_something_that_is_not_an_address_is_unreachable(url: str) -> None:
    with Client(url, retries=Retries(attempts=2)) as client, pytest.raises(Unreachable):
        client.instances()


def test_waiting_really_waits() -> None:
    retries.pause(0)
    asyncio.run(retries.pause_async(0))

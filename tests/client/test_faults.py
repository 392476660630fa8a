"""The client: what it retries, what it raises, how it sends pictures."""

import httpx
import pytest
from imagesearch_local import client as client_module
from imagesearch_local.client import LARGEST_IN_LINE, Client, Refused, Retries, Unreachable

from tests.local.fake_api import FakeApi, problem


@pytest.fixture
def api() -> FakeApi:
    return FakeApi()


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    slept: list[float] = []
    monkeypatch.setattr(client_module.time, "sleep", slept.append)
    return slept


@pytest.fixture
def client(api: FakeApi, pauses: list[float]) -> Client:
    assert not pauses
    return Client("http://fake/", transport=api.transport(), retries=Retries(attempts=4))


@pytest.mark.parametrize(
    "failure",
    [
        httpx.Response(429),
        problem(502, "FunctionFailed", ""),
        problem(503, "ServiceUnavailable", ""),
        httpx.Response(504),
        httpx.Response(500, json={"message": "Internal Server Error"}),
        httpx.ConnectError("refused"),
        httpx.ReadTimeout("slow"),
        httpx.RemoteProtocolError("cut"),
    ],
)
def test_a_passing_failure_is_tried_again(
    client: Client, api: FakeApi, pauses: list[float], failure: httpx.Response | Exception
) -> None:
    api.failures = [failure, failure]
    assert client.create_instance("i", "product")["name"] == "i"
    assert (len(api.requests), len(pauses)) == (3, 2)


@pytest.mark.parametrize(("status", "code"), [(400, "InvalidField"), (500, "CorruptObject")])
def test_a_lasting_failure_is_raised_at_once(
    client: Client, api: FakeApi, status: int, code: str
) -> None:
    api.failures = [problem(status, code, "no.")]
    with pytest.raises(Refused) as refused:
        client.create_instance("i", "product")
    assert (refused.value.status, refused.value.code, refused.value.detail) == (status, code, "no.")
    assert refused.value.fix == "Do otherwise."
    assert len(api.requests) == 1


def test_tries_are_limited(client: Client, api: FakeApi) -> None:
    api.failures = [problem(503, "ServiceUnavailable", "")] * 4
    with pytest.raises(Refused, match="ServiceUnavailable"):
        client.instances()
    assert len(api.requests) == 4
    api.failures = [httpx.ConnectError("refused")] * 4
    with pytest.raises(Unreachable, match="http://fake"):
        client.instances()


def test_retry_after_is_the_least_pause(client: Client, api: FakeApi, pauses: list[float]) -> None:
    api.failures = [problem(503, "ServiceUnavailable", "", **{"retry-after": "7"})]
    client.instances()
    assert 7 <= pauses[0] <= 7.2


def test_pauses_grow_to_a_limit_and_are_drawn_at_random() -> None:
    retries = Retries(first_pause=1, longest_pause=4)
    for failures, widest in [(1, 1), (2, 2), (3, 4), (9, 4)]:
        drawn = [retries.pause(failures, None) for _ in range(200)]
        assert 0 <= min(drawn) < max(drawn) <= widest
        assert max(drawn) > widest / 2
    assert retries.pause(1, "86400") <= 61
    assert retries.pause(1, "Wed, 21 Oct 2026 07:28:00 GMT") <= 1


def test_every_try_of_an_add_is_the_same_write(client: Client, api: FakeApi) -> None:
    client.create_instance("i", "product")
    api.failures = [httpx.ReadTimeout("slow")]
    client.add("i", b"x", {"product_id": "p", "pic_name": "n"})
    client.add("i", b"x", {"product_id": "p", "pic_name": "n"})
    keys = [request.headers["idempotency-key"] for request in api.requests[1:]]
    assert keys[0] == keys[1] != keys[2]


def test_a_large_picture_is_uploaded_first(client: Client, api: FakeApi) -> None:
    client.create_instance("i", "product")
    image = b"x" * (LARGEST_IN_LINE + 1)
    assert client.add("i", image, {"product_id": "p", "pic_name": "n"})["picture"]["size"] == len(
        image
    )
    assert list(api.uploads.values()) == [image]
    assert "x-api-key" not in api.requests[-2].headers


def test_a_failed_upload_is_a_refusal(api: FakeApi) -> None:
    def fail(request: httpx.Request) -> httpx.Response:
        if request.url.path.startswith("/bucket"):
            return httpx.Response(403, text="expired")
        return api.answer(request)

    with (
        Client("http://fake", transport=httpx.MockTransport(fail)) as failing,
        pytest.raises(Refused, match="expired"),
    ):
        failing.search("i", b"x" * (LARGEST_IN_LINE + 1), {})


def test_names_are_escaped_in_paths(client: Client, api: FakeApi) -> None:
    client.delete("i", "a b/c?", "ü.jpg")
    assert api.requests[-1].url.raw_path == b"/v1/instances/i/pictures/a%20b%2Fc%3F/%C3%BC.jpg"


def test_all_pages_are_read(client: Client) -> None:
    client.create_instance("i", "product")
    for number in range(5):
        client.add("i", b"x", {"product_id": f"p{number}", "pic_name": "n"})
    assert [p["product_id"] for p in client.pictures("i")] == [f"p{n}" for n in range(5)]


def test_the_api_key_goes_to_the_server_and_not_to_the_bucket(api: FakeApi) -> None:
    with Client("http://fake", api_key="secret", transport=api.transport()) as client:
        client.create_instance("i", "product")
        client.add("i", b"x" * (LARGEST_IN_LINE + 1), {"product_id": "p", "pic_name": "n"})
    keys = {r.url.path.split("/")[1]: r.headers.get("x-api-key") for r in api.requests}
    assert keys == {"v1": "secret", "bucket": None}


@pytest.mark.usefixtures("pauses")
def test_something_that_is_not_an_address_is_unreachable() -> None:
    for url in ("nonsense", "http://", "http://127.0.0.1:1"):
        with Client(url, retries=Retries(attempts=2)) as client, pytest.raises(Unreachable):
            client.instances()

"""What a function gets and what its caller gets, through the running service."""

import base64
import json
import socket
from collections.abc import Iterator

import pytest

from tests.local.toy_service import Serve, problem

pytestmark = pytest.mark.system

LIMIT = 8 * 1024 * 1024


def test_the_event_is_payload_format_2(serve: Serve) -> None:
    answer = serve.http.get(
        "/echo/a%20b", params=[("x", "1"), ("x", "2"), ("y", "é")], headers={"Cookie": "c=1; d=2"}
    )
    event = answer.json()["event"]
    assert event["version"] == "2.0"
    assert event["routeKey"] == "ANY /echo/{name}"
    assert event["rawPath"] == "/echo/a b"
    assert event["rawQueryString"] == "x=1&x=2&y=%C3%A9"
    assert event["queryStringParameters"] == {"x": "1,2", "y": "é"}
    assert event["pathParameters"] == {"name": "a b"}
    assert event["cookies"] == ["c=1", "d=2"]
    assert "cookie" not in event["headers"]
    assert event["requestContext"]["http"]["method"] == "GET"
    assert event["requestContext"]["requestId"] == answer.headers["x-request-id"]
    assert event["isBase64Encoded"] is False
    assert "body" not in event


def test_repeated_headers_are_joined_and_lower_case(serve: Serve) -> None:
    answer = serve.http.get("/echo/x", headers=[("X-Two", "1"), ("X-Two", "2")])
    assert answer.json()["event"]["headers"]["x-two"] in {"1,2", "1, 2"}


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_any_takes_every_method(serve: Serve, method: str) -> None:
    event = serve.http.request(method, "/echo/x").json()["event"]
    assert event["requestContext"]["http"]["method"] == method


def test_json_arrives_as_text(serve: Serve) -> None:
    text = '{"name": "ü"}'
    headers = {"content-type": "application/json"}
    event = serve.http.post("/echo/x", content=text.encode(), headers=headers).json()["event"]
    assert (event["body"], event["isBase64Encoded"]) == (text, False)


@pytest.mark.parametrize("kind", ["image/jpeg", "application/x-www-form-urlencoded"])
def test_other_bodies_arrive_in_base64(serve: Serve, kind: str) -> None:
    body = bytes(range(256)) * 10
    event = serve.http.post("/echo/x", content=body, headers={"content-type": kind}).json()["event"]
    assert event["isBase64Encoded"] is True
    assert base64.b64decode(event["body"]) == body


def test_four_megabytes_of_picture_pass(serve: Serve) -> None:
    body = b"\xff\x00" * 2_000_000
    answer = serve.http.post("/files-are-not-here", content=body)
    assert answer.status_code == 404
    answer = serve.http.post("/act", content=json.dumps({"pad": "x" * 4_000_000}).encode())
    assert answer.status_code in {200, 502}  # not JSON by type, so Base64: the toy cannot read it
    answer = serve.http.post("/act", json={"pad": "x" * 4_000_000})
    assert answer.status_code == 200


def test_a_body_over_the_limit_is_413(serve: Serve) -> None:
    answer = serve.http.post("/echo/x", content=b"x" * (LIMIT + 1))
    assert answer.status_code == 413
    found = problem(answer)
    assert found["code"] == "RequestBodyTooLarge"
    assert "/v1/uploads" in str(found["fix"])


def test_a_body_over_the_limit_of_unknown_length_is_413(serve: Serve) -> None:
    def parts() -> Iterator[bytes]:
        for _ in range(20):
            yield b"x" * 1_000_000

    assert problem(serve.http.post("/echo/x", content=parts()))["code"] == "RequestBodyTooLarge"


def test_a_body_that_was_only_announced_is_refused_before_it_is_sent(serve: Serve) -> None:
    host, port = serve.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as wire:
        wire.sendall(
            b"POST /echo/x HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n"
            b"Expect: 100-continue\r\n\r\n"
        )
        assert wire.recv(100).startswith(b"HTTP/1.1 413")


def test_an_event_over_the_limit_of_lambda_is_413(serve: Serve) -> None:
    found = problem(
        serve.http.post("/echo/x", content=b"\xff" * 5_000_000, headers={"content-type": "image/x"})
    )
    assert found["code"] == "RequestBodyTooLarge"
    assert "6,291,556" in str(found["detail"])


def test_an_answer_over_the_limit_of_lambda_is_502(serve: Serve) -> None:
    assert problem(serve.act(big=6_300_000))["code"] == "FunctionFailed"


def test_unknown_address_is_404_and_unknown_method_is_405(serve: Serve) -> None:
    assert problem(serve.http.get("/nothing/here"))["code"] == "NoSuchRoute"
    answer = serve.http.get("/act")
    assert problem(answer)["code"] == "UnsupportedHTTPMethod"
    assert answer.headers["allow"] == "POST"


def test_head_has_the_headers_of_get_and_no_body(serve: Serve) -> None:
    answer = serve.http.head("/files/a/b")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-type"] == "application/json"


def test_options_lists_the_methods(serve: Serve) -> None:
    answer = serve.http.options("/act")
    assert (answer.status_code, answer.headers["allow"]) == (204, "POST, OPTIONS")


def test_a_plain_answer_becomes_json_with_status_200(serve: Serve) -> None:
    answer = serve.http.post("/answer", json={"a": [1, "ü"]})
    assert (answer.status_code, answer.json()) == (200, {"a": [1, "ü"]})
    assert answer.headers["content-type"] == "application/json"


def test_a_full_answer_keeps_status_headers_cookies_and_bytes(serve: Serve) -> None:
    answer = serve.http.post(
        "/answer",
        json={
            "statusCode": 207,
            "headers": {"Content-Type": "image/png", "X-Request-Id": "mine", "Content-Length": 9},
            "cookies": ["a=1", "b=2; Secure"],
            "isBase64Encoded": True,
            "body": base64.b64encode(b"\x89\x00").decode(),
        },
    )
    assert (answer.status_code, answer.content) == (207, b"\x89\x00")
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers.get_list("set-cookie") == ["a=1", "b=2; Secure"]
    assert answer.headers.get_list("x-request-id") == ["mine"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"statusCode": "many"},
        {"statusCode": 99},
        {"statusCode": 200, "body": {"not": "text"}},
        {"statusCode": 200, "body": "?", "isBase64Encoded": True},
        {"statusCode": 200, "headers": ["no"]},
    ],
)
def test_a_malformed_answer_is_502(serve: Serve, wrong: object) -> None:
    assert problem(serve.http.post("/answer", json=wrong))["status"] == 502


def test_every_answer_has_a_request_id_and_timing(serve: Serve) -> None:
    ids = set()
    for answer in (serve.http.get("/nothing"), serve.http.get("/echo/x"), serve.act(kill=1)):
        ids.add(answer.headers["x-request-id"])
        assert "total;dur=" in answer.headers["server-timing"]
    assert len(ids) == 3


def test_a_function_keeps_objects_in_the_bucket(serve: Serve) -> None:
    text = {"content-type": "text/plain"}
    assert serve.http.put("/objects/k", content=b"hello", headers=text).status_code == 201
    assert serve.http.get("/objects/k").content == b"hello"

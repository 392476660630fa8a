"""Payload format 2.0, both ways, without a service."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from imagesearch_local.payload import HttpRequest, read_answer
from imagesearch_local.problems import FunctionFailed
from imagesearch_local.template import Route

ROUTE = Route("POST", "/a/{b}")


def event(
    body: bytes = b"",
    path: bytes = b"/a/b",
    query: bytes = b"",
    headers: tuple[tuple[str, str], ...] = (),
) -> dict[str, Any]:
    request = HttpRequest(
        id="r1",
        method="POST",
        raw_path=path,
        raw_query=query,
        headers=headers,
        body=body,
        client="127.0.0.1",
        server=("127.0.0.1", 3000),
        protocol="HTTP/1.1",
        received=datetime(2026, 11, 23, 7, 5, 9, 250_000, UTC),
    )
    return dict(json.loads(request.event(ROUTE, {"b": "b"})))


def test_time_and_place() -> None:
    context = event(headers=(("host", "localhost:3000"), ("user-agent", "x")))["requestContext"]
    assert context["time"] == "23/Nov/2026:07:05:09 +0000"
    assert context["timeEpoch"] == 1795417509250
    assert context["domainName"] == "localhost:3000"
    assert context["http"]["userAgent"] == "x"
    assert (context["stage"], context["routeKey"]) == ("$default", "POST /a/{b}")


def test_the_path_is_decoded_and_the_query_is_not() -> None:
    found = event(path=b"/a/%C3%BC%2Fb", query=b"q=%20&q=+&e=")
    assert found["rawPath"] == "/a/ü/b"
    assert found["rawQueryString"] == "q=%20&q=+&e="
    assert found["queryStringParameters"] == {"q": " , ", "e": ""}


@pytest.mark.parametrize(
    "kind",
    ["application/json", "text/plain; charset=utf-8", "application/problem+json", "image/svg+xml"],
)
def test_text_types_arrive_as_text(kind: str) -> None:
    found = event("ü".encode(), headers=(("content-type", kind),))
    assert (found["body"], found["isBase64Encoded"]) == ("ü", False)


@pytest.mark.parametrize(
    "headers",
    [
        (),
        (("content-type", "image/jpeg"),),
        (("content-type", "application/json"), ("content-encoding", "gzip")),
    ],
)
def test_everything_else_arrives_in_base64(headers: tuple[tuple[str, str], ...]) -> None:
    found = event(b"abc", headers=headers)
    assert (found["body"], found["isBase64Encoded"]) == ("YWJj", True)


@given(st.binary(min_size=1), st.sampled_from(["image/png", "text/plain", "application/json"]))
def test_no_body_is_changed_on_the_way(body: bytes, kind: str) -> None:
    found = event(body, headers=(("content-type", kind),))
    text = found["body"]
    assert (base64.b64decode(text) if found["isBase64Encoded"] else text.encode()) == body


@settings(max_examples=40)
@given(st.recursive(st.none() | st.booleans() | st.text(), st.lists, max_leaves=8))
def test_a_value_without_status_is_a_json_body(value: object) -> None:
    answer = read_answer(json.dumps(value).encode())
    assert answer.status == 200
    assert dict(answer.headers) == {"content-type": "application/json"}
    text = answer.body.decode()
    assert (text if isinstance(value, str) else json.loads(text)) == value


def test_text_is_the_type_of_an_answer_that_names_none() -> None:
    answer = read_answer(b'{"statusCode": "201", "body": "x"}')
    assert (answer.status, answer.body) == (201, b"x")
    assert dict(answer.headers)["content-type"].startswith("text/plain")


def test_hop_headers_of_a_function_are_dropped() -> None:
    headers = {"Connection": "close", "Transfer-Encoding": "chunked", "X-A": 5}
    answer = read_answer(json.dumps({"statusCode": 200, "headers": headers}).encode())
    assert {name for name, _ in answer.headers} == {"content-type", "x-a"}


@pytest.mark.parametrize("payload", [b"", b"{", b'{"statusCode": null}', b'{"statusCode": 700}'])
def test_an_answer_that_is_none_is_a_failure_of_the_function(payload: bytes) -> None:
    with pytest.raises(FunctionFailed):
        read_answer(payload)

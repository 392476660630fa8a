"""The door of the functions: what events mean and what answers look like."""

import base64
import json
from typing import Any

import msgspec
import pytest
from imagesearch.errors import (
    InvalidField,
    InvalidJson,
    StorageUnavailable,
    UnknownOperation,
    UnsupportedContentType,
)
from imagesearch.http import MAX_BODY, Answer, Api, Request, problem
from imagesearch.ingest.problems import Flaws


def event(**overrides: Any) -> dict[str, Any]:
    return {
        "version": "2.0",
        "routeKey": "POST /things/{thing}",
        "rawPath": "/things/one",
        "rawQueryString": "",
        "headers": {"Content-Type": "application/json"},
        "pathParameters": {"thing": "one"},
        "requestContext": {"requestId": "r-1"},
        "isBase64Encoded": False,
        **overrides,
    }


def served(route: Any, **overrides: Any) -> tuple[dict[str, Any], Any]:
    api = Api()
    api.route("POST /things/{thing}")(route)
    answer = api(event(**overrides), None)
    return answer, json.loads(answer["body"])


def test_fields_come_from_path_query_and_body() -> None:
    request = Request.from_event(
        event(rawQueryString="num=3&word=%E5%8C%85", body='{"deep": {"a": 1}}')
    )
    assert request.fields() == {"num": "3", "word": "包", "deep": {"a": 1}, "thing": "one"}


@pytest.mark.parametrize("kind", ["image/jpeg", "IMAGE/PNG", "image/webp; q=1"])
def test_a_raw_picture_is_the_image_field(kind: str) -> None:
    sent = event(
        headers={"content-type": kind},
        body=base64.b64encode(b"\xff\xd8\x00").decode(),
        isBase64Encoded=True,
    )
    assert Request.from_event(sent).fields() == {"image": b"\xff\xd8\x00", "thing": "one"}


@pytest.mark.parametrize(
    ("overrides", "error"),
    [
        ({"body": "{"}, InvalidJson),
        ({"body": "[1]"}, InvalidJson),
        ({"body": base64.b64encode(b"\xff\xfe").decode(), "isBase64Encoded": True}, InvalidJson),
        (
            {"body": "a=1", "headers": {"content-type": "application/x-www-form-urlencoded"}},
            UnsupportedContentType,
        ),
        ({"body": "x", "headers": {}}, UnsupportedContentType),
        ({"rawQueryString": "a=1&a=2"}, InvalidField),
        ({"rawQueryString": "thing=two"}, InvalidField),
        ({"body": '{"thing": "two"}'}, InvalidField),
    ],
)
def test_what_cannot_be_read_is_refused(overrides: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        Request.from_event(event(**overrides)).fields()


def test_an_answer_carries_request_id_and_stages() -> None:
    answer, body = served(lambda _: Answer({"ok": True}, status=201, stages={"embed": 12.34}))
    assert answer["statusCode"] == 201
    assert body == {"ok": True}
    assert answer["headers"]["x-request-id"] == "r-1"
    assert answer["headers"]["server-timing"].startswith("embed;dur=12.3, total;dur=")


def test_a_failure_is_a_problem_that_names_itself() -> None:
    def refuse(_: Request) -> Answer:
        raise InvalidField("num", "num is 0; the least is 1.")

    answer, body = served(refuse)
    assert answer["statusCode"] == 400
    assert answer["headers"]["content-type"] == "application/problem+json"
    assert body == {
        "type": "urn:imagesearch:problem:InvalidNumParameter",
        "title": "A field's value is outside what is allowed.",
        "status": 400,
        "detail": "num is 0; the least is 1.",
        "instance": "/things/one",
        "code": "InvalidNumParameter",
        "request_id": "r-1",
        "fix": "Correct the request; docs/http-api.md lists every field.",
        "field": "num",
    }


def test_an_unforeseen_failure_tells_nothing_of_the_inside() -> None:
    def fail(_: Request) -> Answer:
        raise RuntimeError("secret-table-name")

    answer, body = served(fail)
    assert answer["statusCode"] == 500
    assert body["code"] == "InternalError"
    assert "secret" not in answer["body"]


def test_a_store_that_is_away_asks_to_retry() -> None:
    def fail(_: Request) -> Answer:
        raise StorageUnavailable("silent")

    answer, _ = served(fail)
    assert (answer["statusCode"], answer["headers"]["retry-after"]) == (503, "1")


def test_a_body_over_the_limit_is_refused_and_one_at_the_limit_is_not() -> None:
    def take(request: Request) -> Answer:
        return Answer({"bytes": len(request.body)})

    _, body = served(take, body="x" * MAX_BODY)
    assert body == {"bytes": MAX_BODY}
    answer, body = served(take, body="x" * (MAX_BODY + 1))
    assert (answer["statusCode"], body["code"]) == (413, "RequestBodyTooLarge")
    assert "8,388,609" in body["detail"]
    assert "/v1/uploads" in body["fix"]


def test_a_route_that_is_not_served_is_not_found() -> None:
    answer, body = served(lambda _: Answer({}), routeKey="GET /nowhere")
    assert (answer["statusCode"], body["code"]) == (404, "NoSuchRoute")


def test_a_refused_task_names_its_lines_in_both_languages() -> None:
    flaws = Flaws()
    flaws.add(UnknownOperation("it is PUT.", "是 PUT。"), 3)
    answer = problem(flaws.refusal(10), request_id="r", path="/p")
    said = msgspec.json.decode(msgspec.json.encode(answer.body))
    assert (said["code"], said["problems_total"]) == ("MetaLinesInvalid", 1)
    assert "10" in said["detail_zh"]
    [line] = said["problems"]
    assert (line["line"], line["code"], line["message_zh"]) == (3, "UnknownOperation", "是 PUT。")


def test_bytes_are_answered_as_they_are() -> None:
    api = Api()
    api.route("POST /things/{thing}")(
        lambda _request: Answer(b"\xff\xd8", headers={"content-type": "image/jpeg"})
    )
    answer = api(event(), None)
    assert answer["isBase64Encoded"]
    assert base64.b64decode(answer["body"]) == b"\xff\xd8"
    assert answer["headers"]["content-type"] == "image/jpeg"
    assert answer["headers"]["x-content-type-options"] == "nosniff"

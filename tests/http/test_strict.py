"""Requests that two programs would read differently are refused, and said why."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from imagesearch.errors import InvalidJson
from imagesearch.http import Answer, Api, Request
from imagesearch.operations import fields
from imagesearch.operations.search import Search
from imagesearch.strictjson import decode_object

from tests.contract.caller import World

api = Api()


@api.route("POST /{instance}")
def echo(request: Request) -> Answer:
    """Read a search; tell how many pictures are asked for."""
    return Answer({"num": fields.read(Search, request.fields()).num})


def asked(body: bytes = b"", query: str = "", kind: str = "application/json") -> tuple[int, Any]:
    event = {
        "routeKey": "POST /{instance}",
        "rawPath": "/a",
        "rawQueryString": query,
        "pathParameters": {"instance": "a"},
        "headers": {"content-type": kind},
        "body": base64.b64encode(body).decode(),
        "isBase64Encoded": True,
        "requestContext": {},
    }
    answer = api(event, None)
    return answer["statusCode"], json.loads(answer["body"])


BODIES = {
    b'{"num": 1, "num": 2}': "'num' is given twice",
    b'{"num": 1, "n\\u0075m": 2}': "'num' is given twice",
    b'{"num": NaN}': "not JSON",
    b'{"num": Infinity}': "not JSON",
    b'{"num": -Infinity}': "not JSON",
    b'{"score_threshold": 1e999}': "out of range",
    b'{"num": ' + b"9" * 5000 + b"}": "out of range",
    b'{"num": 1} x': "trailing",
    b'{"num": 1}\0': "trailing",
    b"[" * 100_000: "nested too deep",
    b'{"filter":' + b"[" * 3000 + b"]" * 3000 + b"}": "nested too deep",
    b'{"a":' * 3000 + b"1" + b"}" * 3000: "nested too deep",
    b'\xef\xbb\xbf{"num": 1}': "not JSON",
    '{"num": 1}'.encode("utf-16"): "not JSON",
    b'{"filter": "\xff"}': "utf-8",
    b'{"filter": "\xed\xa0\x80"}': "utf-8",
    b'{"filter": "\\ud800"}': "not JSON",
    b"null": "must be a JSON object",
    b"[]": "must be a JSON object",
    b'"x"': "must be a JSON object",
}


@pytest.mark.parametrize(("body", "why"), BODIES.items(), ids=range(len(BODIES)))
def test_json_that_is_not_plain_is_400(body: bytes, why: str) -> None:
    status, said = asked(body)
    assert (status, said["code"]) == (400, "InvalidJson")
    assert why in said["detail"]
    assert len(said["detail"]) < 200


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("num=1&num=2", "InvalidNumParameter"),
        ("num=1&n%75m=1", "InvalidNumParameter"),
        ("instance=b", "InvalidInstanceName"),
        ("num=%ff", "BadRequest"),
        ("%ff=1", "BadRequest"),
        ("num=%ed%a0%80", "BadRequest"),
        ("num=%00", "InvalidNumParameter"),
        ("num=1;start=2", "InvalidNumParameter"),
        ("num=+1", "InvalidNumParameter"),
        ("num=１", "InvalidNumParameter"),
        ("num=1_0", "InvalidNumParameter"),
        ("num=0x1", "InvalidNumParameter"),
        ("num=", "InvalidNumParameter"),
        ("&".join(f"a{n}=1" for n in range(300)), "BadRequest"),
        ("NUM=1", "UnknownField"),
    ],
)
def test_a_query_that_is_not_plain_is_400(query: str, code: str) -> None:
    status, said = asked(query=query)
    assert (status, said["code"]) == (400, code)


@pytest.mark.parametrize(
    "kind",
    ["", "text/plain", "application/x-www-form-urlencoded", "application/json, text/plain",
     "multipart/form-data", "application/xml", "json"],
)  # fmt: skip
def test_a_body_of_another_kind_is_415(kind: str) -> None:
    assert asked(b'{"num": 1}', kind=kind)[0] == 415


def test_what_is_plain_is_taken() -> None:
    assert asked(b' {"num": 7, "filter": "a\\"b:\\\\ : x"} ') == (200, {"num": 7})
    assert asked(query="n%75m=7") == (200, {"num": 7})


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(), _VALUES, max_size=5), st.booleans(), st.sampled_from([None, 2]))
def test_every_object_without_repetition_is_read_as_it_is(
    found: dict[str, Any], plain: bool, indent: int | None
) -> None:
    text = json.dumps(found, ensure_ascii=plain, indent=indent)
    try:
        body = text.encode()
    except UnicodeEncodeError:
        return
    assert decode_object(body) == found


@given(st.dictionaries(st.text(st.characters(codec="utf-8")), _VALUES, min_size=1, max_size=5))
def test_a_repetition_is_found_wherever_it_is(found: dict[str, Any]) -> None:
    name = json.dumps(next(iter(found)))
    inner = json.dumps(found)[:-1] + f", {name}: null}}"
    for body in (inner, f'{{"outer": [1, {inner}]}}'):
        with pytest.raises(InvalidJson, match="twice"):
            decode_object(body.encode())


VENDOR = [
    ("2019-03-25", "/v2/image/search", "SearchImage"),
    ("2020-12-14", "/", "SearchImageByName"),
]


@pytest.mark.parametrize(("version", "path", "action"), VENDOR)
@pytest.mark.parametrize("body", [b for b in BODIES if b"a" not in b[:4]], ids=repr)
def test_the_vendors_routes_are_as_strict(
    tmp_path: Path, version: str, path: str, action: str, body: bytes
) -> None:
    world = World(tmp_path)
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return
    answer = world.call(action, text, version=version, path=path, kind="application/json")
    assert 400 <= answer.status < 500, answer
    assert {"Code", "RequestId"} <= answer.json.keys()


@pytest.mark.parametrize(
    "form",
    [
        "InstanceName=shop&InstanceName=shop", "InstanceName=%ff", "InstanceName=shop&Num=1e999",
        "InstanceName=shop&Num=NaN", "InstanceName=shop&ScoreThreshold=nan",
        "InstanceName=shop&ScoreThreshold=inf", "InstanceName=shop&Num=" + "9" * 5000,
        "&".join(f"a{n}=1" for n in range(300)),
    ],
    ids=range(8),
)  # fmt: skip
def test_the_vendors_forms_are_read_strictly(tmp_path: Path, form: str) -> None:
    answer = World(tmp_path).call("SearchImageByName", form + "&ProductId=p&PicName=a")
    assert 400 <= answer.status < 500, answer
    assert answer.code not in {"PicNotExist", "InternalError"}

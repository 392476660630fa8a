"""What reaches us through API Gateway is what the SDK sent."""

import pytest
from imagesearch.contract.request import Request
from imagesearch.errors import BadRequest, BodyTooLarge, InvalidJson
from imagesearch.http import MAX_BODY

from tests.contract.wire import VECTORS, event


def form(body: bytes, kind: str = "application/x-www-form-urlencoded") -> Request:
    return Request.from_event(event("POST", "/", {"Content-Type": kind}, body))


def test_a_real_request() -> None:
    request = VECTORS["py20201214-4.4.0.SearchImageByPic"].request()
    assert (request.method, request.path) == ("POST", "/")
    assert request.query == (("ScoreThreshold", "0.50"),)
    fields = dict(request.form)
    assert fields["Filter"] == 'int_attr=1 AND str_attr="v"'
    assert fields["PicContent"] == "/9j/4EZBS0VKUEVHKy89JiNeYnl0ZXM="


def test_text_and_base64_events_are_the_same_request() -> None:
    encoded = event("POST", "/", {}, b"a=%E5%8C%85")
    plain = {**encoded, "body": "a=%E5%8C%85", "isBase64Encoded": False}
    assert Request.from_event(encoded) == Request.from_event(plain)


def test_names_may_stand_twice_until_somebody_reads_them() -> None:
    assert form(b"a=1&a=2&b=").form == (("a", "1"), ("a", "2"), ("b", ""))


@pytest.mark.parametrize("body", [b"a=%ff", b"a=\xff", b"&".join(b"a%d=1" % n for n in range(201))])
def test_a_form_that_cannot_be_read_is_refused(body: bytes) -> None:
    with pytest.raises(BadRequest):
        assert form(body).form


def test_a_json_body_has_the_text_that_a_form_would_have() -> None:
    request = form(b'{"Num": 3, "Crop": false, "Name": "x", "Start": null}', "application/json")
    assert request.json == (("Num", "3"), ("Crop", "False"), ("Name", "x"))
    assert request.form == ()


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff"])
def test_a_body_that_is_no_json_object_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidJson):
        assert form(body, "application/json; charset=utf-8").json


def test_a_nested_value_is_refused() -> None:
    with pytest.raises(BadRequest, match="must be text or a number, not list"):
        assert form(b'{"a": [1]}', "application/json").json


def test_eight_megabytes_are_taken_and_one_byte_more_is_not() -> None:
    assert len(form(b"x" * MAX_BODY).body) == MAX_BODY
    with pytest.raises(BodyTooLarge, match="8,388,609 bytes; the limit is 8,388,608"):
        form(b"x" * (MAX_BODY + 1))

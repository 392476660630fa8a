"""The upload leg: ask for a form, post one picture with it, pass its address to one call."""

from __future__ import annotations

import base64
import json
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from imagesearch.contract.keys import AccessKey
from imagesearch.contract.uploads import LIFETIME, MAX_PICTURE

from tests.contract.caller import HOST, Answered, World, picture, signed_v3
from tests.contract.wire import event

SHOP = {"InstanceName": "shop"}


def asked(world: World, key: AccessKey | None = None, host: str = HOST) -> dict[str, Any]:
    answer = world.send(
        signed_v3(
            key or world.key,
            "AuthorizeFileUpload",
            "2019-12-19",
            world.now,
            b"",
            query="Product=ImageSearch&RegionId=cn-shanghai",
            method="GET",
            host=host,
        )
    )
    assert answer.status == 200, answer.body
    body = answer.json
    assert isinstance(body, dict)
    return body


def posted(
    world: World, form: dict[str, Any], file: bytes, host: str = HOST, **changes: str
) -> Answered:
    """Post the form as the current SDK does: fields in its order, an empty type for the file."""
    fields = {
        "OSSAccessKeyId": form["AccessKeyId"],
        "Signature": form["Signature"],
        "host": form["Endpoint"],
        "key": form["ObjectKey"],
        "policy": form["EncodedPolicy"],
        "success_action_status": "201",
        **changes,
    }
    head = "".join(
        f'--14digits\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    )
    head += (
        f'--14digits\r\nContent-Disposition: form-data; name="file"; '
        f'filename="{form["ObjectKey"]}"\r\nContent-Type: \r\n\r\n'
    )
    body = head.encode() + file + b"\r\n--14digits--\r\n"
    headers = {"host": host, "content-type": "multipart/form-data; boundary=14digits"}
    return world.send(event("POST", "/", headers, body))


def address(form: dict[str, Any]) -> str:
    return f"http://{form['Bucket']}.{form['Endpoint']}/{form['ObjectKey']}"


def added(world: World, url: str, **more: Any) -> Answered:
    form = {**SHOP, "ProductId": "p", "PicName": "a", "PicContent": url}
    return world.call("AddImage", form, **more)


def test_a_picture_goes_in_by_form_and_is_used_by_its_address(world: World) -> None:
    form = asked(world)
    assert set(form) == {
        "RequestId",
        "AccessKeyId",
        "Bucket",
        "EncodedPolicy",
        "Endpoint",
        "ObjectKey",
        "Signature",
        "UseAccelerate",
    }
    assert form["UseAccelerate"] is False
    assert f"{form['Bucket']}.{form['Endpoint']}" == HOST
    answer = posted(world, form, picture(1))
    assert answer.status == 201
    assert answer.headers["content-type"] == "application/xml"
    document = ET.fromstring(answer.body)
    assert document.tag == "PostResponse"
    assert document.findtext("Key") == form["ObjectKey"]
    assert document.findtext("Location") == address(form)
    assert added(world, address(form)).status == 200
    found = world.call("SearchImageByName", {**SHOP, "ProductId": "p", "PicName": "a"})
    assert found.json["Auctions"][0]["SortExprValues"] == "7.33136443711219e+24;0"


def test_an_upload_serves_for_one_call(world: World) -> None:
    form = asked(world)
    posted(world, form, picture(1))
    assert added(world, address(form)).status == 200
    again = added(world, address(form))
    assert (again.status, again.code) == (400, "InvalidPicUrl")
    assert not list(world.bucket.list("uploads/"))


def test_a_call_that_failed_may_be_made_again_with_the_upload(world: World) -> None:
    form = asked(world)
    posted(world, form, picture(1))
    refused = world.call(
        "AddImage",
        {**SHOP, "ProductId": "p", "PicName": "a", "PicContent": address(form), "IntAttr": "x"},
    )
    assert refused.code == "InvalidIntAttr"
    assert added(world, address(form)).status == 200


def test_compare_takes_two_uploads(world: World) -> None:
    forms = [asked(world), asked(world)]
    for form in forms:
        assert posted(world, form, picture(1)).status == 201
    answer = world.call(
        "CompareSimilarByImage",
        {
            **SHOP,
            "PrimaryPicContent": address(forms[0]),
            "SecondaryPicContent": address(forms[1]),
        },
    )
    assert answer.json["Score"] == 1.0


def test_a_form_takes_one_file(world: World) -> None:
    form = asked(world)
    assert posted(world, form, picture(1)).status == 201
    assert posted(world, form, picture(1)).status == 201  # an answer may have been lost
    answer = posted(world, form, picture(2))
    assert error(answer) == (409, "FileAlreadyExists")


def error(answer: Answered) -> tuple[int, str | None]:
    document = ET.fromstring(answer.body)
    assert document.tag == "Error"
    assert document.findtext("Message")
    assert document.findtext("RequestId") == "R-1"
    return answer.status, document.findtext("Code")


def test_a_form_expires(world: World) -> None:
    form = asked(world)
    world.now += LIFETIME - 1
    assert posted(world, form, picture(1)).status == 201
    world.now += 2
    assert error(posted(world, form, picture(1))) == (403, "AccessDenied")


def test_the_policy_bounds_the_size(world: World) -> None:
    assert posted(world, asked(world), b"x" * MAX_PICTURE).status == 201
    assert error(posted(world, asked(world), b"x" * (MAX_PICTURE + 1))) == (400, "EntityTooLarge")
    assert error(posted(world, asked(world), b"")) == (400, "EntityTooSmall")


def forged(form: dict[str, Any], **changes: Any) -> str:
    policy = json.loads(base64.b64decode(form["EncodedPolicy"]))
    return base64.b64encode(json.dumps({**policy, **changes}).encode()).decode()


def test_nothing_of_a_form_can_be_changed(world: World) -> None:
    form, other = asked(world), asked(world)
    wrong = {
        "policy": forged(form, expiration="2099-01-01T00:00:00.000Z"),
        "Signature": other["Signature"],
        "OSSAccessKeyId": world.add_key().id,
    }
    for name, value in wrong.items():
        answer = posted(world, form, picture(1), **{name: value})
        assert error(answer) == (403, "SignatureDoesNotMatch"), name
    assert error(posted(world, form, picture(1), key=other["ObjectKey"])) == (403, "AccessDenied")
    answer = posted(world, form, picture(1), OSSAccessKeyId="nobody")
    assert error(answer) == (403, "InvalidAccessKeyId")
    assert not list(world.bucket.list("uploads/"))


def test_a_form_that_is_none(world: World) -> None:
    headers = {"host": HOST, "content-type": "multipart/form-data; boundary=x"}
    answer = world.send(event("POST", "/", headers, b"<script>"))
    assert error(answer) == (400, "MalformedPOSTRequest")
    assert "<script>" not in answer.body


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data/",
        "https://example.com/cat.jpg",
        f"http://{HOST}/",
        f"http://{HOST}/contract/{'0' * 32}-{'0' * 32}",
        f"https://{HOST}/uploads/{'0' * 32}",
        "http://[::1",
        "HTTP://EXAMPLE.COM/x",
    ],
)
def test_pictures_elsewhere_are_never_fetched(world: World, url: str) -> None:
    answer = added(world, url)
    assert (answer.status, answer.code) == (400, "InvalidPicUrl")


def test_an_address_is_good_for_its_host_and_its_key_only(world: World) -> None:
    form = asked(world)
    posted(world, form, picture(1))
    url = address(form)
    assert added(world, url.replace(HOST, "evil.example.com")).code == "InvalidPicUrl"
    assert added(world, url + "?x").code == "InvalidPicUrl"
    assert added(world, url, key=world.add_key()).code == "InvalidPicUrl"
    assert added(world, url.replace("http://", "https://")).status == 200


def test_an_address_without_its_picture(world: World) -> None:
    answer = added(world, address(asked(world)))
    assert (answer.status, answer.code) == (400, "InvalidPicUrl")
    assert "Upload the picture again" in answer.message


@pytest.mark.parametrize(
    ("host", "bucket", "endpoint"),
    [
        ("search.example.com", "search", "example.com"),
        ("127.0.0.1:3000", "127", "0.0.1:3000"),
        ("localhost:3000", "127", "0.0.1:3000"),
    ],
)
def test_the_host_is_cut_at_its_first_dot(
    world: World, host: str, bucket: str, endpoint: str
) -> None:
    form = asked(world, host=host)
    assert (form["Bucket"], form["Endpoint"]) == (bucket, endpoint)
    posted(world, form, picture(1), host=host)
    assert added(world, address(form)).status == 200


def test_a_host_without_a_dot_is_refused(world: World) -> None:
    answer = world.send(
        signed_v3(world.key, "AuthorizeFileUpload", "2019-12-19", world.now, b"", host="search")
    )
    assert (answer.status, answer.code) == (400, "BadRequest")
    assert "no dot" in answer.message


def test_a_key_that_only_reads_may_upload_to_search(world: World) -> None:
    world.add("p", 1)
    key = world.add_key(read_only=True)
    form = asked(world, key)
    assert posted(world, form, picture(1)).status == 201
    found = world.call("SearchImageByPic", {**SHOP, "PicContent": address(form)}, key=key)
    assert found.json["Auctions"][0]["ProductId"] == "p"

"""What goes wrong, and what the caller is told: code, status and a message that helps."""

from __future__ import annotations

import base64
import io
import time
from typing import Any
from urllib.parse import quote

import msgspec
import pytest
from imagesearch.catalogue import Service
from imagesearch.contract.faults import fault_of
from imagesearch.contract.generation import V2018, V2019, V2020_12
from imagesearch.contract.request import Request
from imagesearch.contract.signature import rpc
from imagesearch.errors import (
    CorruptObject,
    ImageSearchError,
    LostRace,
    ModelMismatch,
    StorageUnavailable,
)
from imagesearch.http import MAX_BODY
from imagesearch.operations.dump import Dump
from PIL import Image

from tests.contract.caller import World, picture, signed_rpc, text
from tests.contract.wire import event

SHOP = {"InstanceName": "shop"}
KEY = {**SHOP, "ProductId": "p", "PicName": "a"}
ADD = {**KEY, "PicContent": text(picture(1))}
SEARCH = {**SHOP, "PicContent": text(picture(1))}
COMPARE = {**SHOP, "PrimaryPicContent": text(picture(1)), "SecondaryPicContent": text(picture(2))}


def leaving(form: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in form.items() if name not in names}


@pytest.mark.parametrize(
    ("action", "form", "code", "words"),
    [
        ("AddImage", leaving(ADD, "InstanceName"), "InvalidInstanceName", ["InstanceName"]),
        ("AddImage", leaving(ADD, "ProductId"), "NoSpecifiedProductId", ["Send ProductId"]),
        ("AddImage", {**ADD, "PicName": ""}, "NoSpecifiedPicName", ["Send PicName"]),
        ("AddImage", leaving(ADD, "PicContent"), "NoSpecifiedPicContent", ["Send PicContent"]),
        ("AddImage", {**ADD, "InstanceName": "none"}, "InvalidInstance", ["'none'"]),
        ("AddImage", {**ADD, "InstanceName": "<b>"}, "InvalidInstance", ["<b>"]),
        ("AddImage", {**ADD, "ProductId": "x" * 257}, "InvalidProductId", ["256", "257"]),
        ("AddImage", {**ADD, "PicName": "x" * 257}, "InvalidPicName", ["256", "257"]),
        ("AddImage", {**ADD, "CustomContent": "x" * 4097}, "InvalidCustomContent", ["4096"]),
        ("AddImage", {**ADD, "StrAttr": "x" * 129}, "InvalidStrAttr", ["128", "129"]),
        ("AddImage", {**ADD, "StrAttr4": "x" * 129}, "InvalidStrAttr4", ["StrAttr4", "129"]),
        ("AddImage", {**ADD, "IntAttr": "many"}, "InvalidIntAttr", ["IntAttr", "'many'"]),
        ("AddImage", {**ADD, "IntAttr3": 2**31}, "InvalidIntAttr3", ["2147483647"]),
        ("AddImage", {**ADD, "CategoryId": 10}, "InvalidCategory", ["CategoryId 10"]),
        ("AddImage", {**ADD, "CategoryId": "bag"}, "BadRequest", ["CategoryId", "'bag'"]),
        ("AddImage", {**ADD, "Crop": "maybe"}, "BadRequest", ["Crop", "'maybe'"]),
        ("AddImage", {**ADD, "Region": "1,2,3"}, "InvalidRegion", ["x1,x2,y1,y2"]),
        ("AddImage", {**ADD, "Region": "0,999,0,9"}, "InvalidRegion", ["160 × 120"]),
        ("AddImage", {**ADD, "Region": "9,9,0,9"}, "InvalidRegion", ["no area"]),
        ("AddImage", {**ADD, "PicContent": "%%%"}, "InvalidPicContent", ["Base64"]),
        ("AddImage", {**ADD, "PicContent": text(b"text")}, "UnsupportedPicFormat", ["JPEG"]),
        ("SearchImageByPic", leaving(SEARCH, "PicContent"), "NoSpecifiedPicContent", []),
        ("SearchImageByPic", {**SEARCH, "Num": 0}, "InvalidNumParameter", ["Num", ">= 1"]),
        ("SearchImageByPic", {**SEARCH, "Num": "x"}, "InvalidNumParameter", ["'x'"]),
        ("SearchImageByPic", {**SEARCH, "Num": 101}, "OverflowMaxReturnNum", ["101", "100"]),
        ("SearchImageByPic", {**SEARCH, "Start": -1}, "InvalidStartParameter", ["-1"]),
        ("SearchImageByPic", {**SEARCH, "Start": 495}, "OverflowMaxResultNum", ["500"]),
        ("SearchImageByPic", {**SEARCH, "Filter": "int_attr >"}, "InvalidFilterClause", []),
        ("SearchImageByPic", {**SEARCH, "ScoreThreshold": "nan"}, "BadRequest", ["'nan'"]),
        ("SearchImageByPic", {**SEARCH, "ScoreThreshold": "1.01"}, "BadRequest", ["1.00"]),
        ("SearchImageByPic", {**SEARCH, "ScoreThreshold": "0.123"}, "BadRequest", ["decimals"]),
        ("SearchImageByName", KEY, "PicNotExist", ["'a'", "'p'"]),
        ("SearchImageByName", leaving(KEY, "PicName"), "NoSpecifiedPicName", []),
        ("SearchImageByName", leaving(KEY, "ProductId"), "NoSpecifiedProductId", []),
        ("SearchImageByText", SHOP, "InvalidText", ["Send Text"]),
        ("SearchImageByText", {**SHOP, "Text": "x" * 513}, "InvalidTextLength", ["512"]),
        ("SearchImageByText", {**SHOP, "Text": "?!"}, "InvalidText", ["no word"]),
        ("SearchImageByFilter", SHOP, "InvalidFilterClause", ["Send Filter"]),
        ("SearchImageByFilter", {**SHOP, "Filter": "x=1"}, "InvalidFilterClause", []),
        ("CheckImageExists", SHOP, "NoSpecifiedProductId", []),
        ("UpdateImage", {**KEY, "IntAttr": 1}, "PicNotExist", ["'a'"]),
        ("UpdateImage", leaving(KEY, "PicName"), "NoSpecifiedPicName", []),
        ("DeleteImage", SHOP, "NoSpecifiedProductId", []),
        ("DeleteImage", {**SHOP, "IsDeleteByFilter": "true"}, "InvalidFilterClause", []),
        ("DeleteImage", {**SHOP, "IsDeleteByFilter": "yes"}, "BadRequest", ["'yes'"]),
        (
            "CompareSimilarByImage",
            leaving(COMPARE, "PrimaryPicContent"),
            "InvalidPrimaryPicContent",
            ["Send PrimaryPicContent"],
        ),
        (
            "CompareSimilarByImage",
            {**COMPARE, "SecondaryPicContent": "%"},
            "InvalidSecondaryPicContent",
            ["SecondaryPicContent"],
        ),
        (
            "CompareSimilarByImage",
            {**COMPARE, "SecondaryPicContent": text(b"text")},
            "UnsupportedPicFormat",
            [],
        ),
    ],
)
def test_each_fault_has_its_code_and_says_what_is_wrong(
    world: World, action: str, form: dict[str, Any], code: str, words: list[str]
) -> None:
    answer = world.call(action, form)
    assert (answer.status, answer.code) == (400, code), answer.body
    assert set(answer.json) == {"RequestId", "HostId", "Code", "Message"}
    assert all(word in answer.message for word in words), answer.message
    assert "pic_name" not in answer.message
    assert "/v1/" not in answer.message
    assert answer.headers["content-type"].startswith("application/json")
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("action", ["Detail", "DumpMeta", "DumpMetaList"])
def test_console_operations_have_codes_of_their_own(world: World, action: str) -> None:
    gone = world.call(action, None, {"InstanceName": "none"})
    assert (gone.status, gone.code) == (400, "Console.InstanceNotFound")
    limited = world.add_key(instances=("other",))
    denied = world.call(action, None, SHOP, key=limited)
    assert (denied.status, denied.code) == (403, "Console.NoPermission")
    assert world.call(action).code == "InvalidInstanceName"


@pytest.mark.parametrize("text", ["0", "many", "501", "-1", "１"])
def test_a_page_that_cannot_be_is_refused(world: World, text: str) -> None:
    answer = world.call("DumpMetaList", None, {**SHOP, "PageSize": text})
    assert (answer.status, answer.code) == (400, "Console.BadRequest")
    assert "from 1 to 500" in answer.message


def test_a_second_dump_is_refused_while_one_runs(world: World) -> None:
    instance = world.deployment.instances.get("shop")
    now = time.time_ns() // 1000
    running = msgspec.json.encode(Dump(id=now, changed=now))
    world.bucket.put(f"dumps/shop/{instance.incarnation}/running", running)
    answer = world.call("DumpMeta", None, SHOP)
    assert (answer.status, answer.code) == (409, "Console.TaskAlreadyExist")


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"pic_list": "YQ==", "YQ==": text(picture(1))}, "NoSpecifiedItemId"),
        ({"item_id": "1"}, "NoPicList"),
        ({"item_id": "1", "pic_list": "%"}, "InvalidPicList"),
        ({"item_id": "1", "pic_list": "YQ=="}, "NoSpecifiedPic"),
        ({"item_id": "1", "pic_list": "YQ==", "YQ==": "%"}, "InvalidPicContent"),
        ({"item_id": "1", "cat_id": "10", "pic_list": "YQ==", "YQ==": text(picture(1))},
         "InvalidCategory"),
    ],
)  # fmt: skip
def test_faults_of_a_2018_add(world: World, values: dict[str, str], code: str) -> None:
    answer = world.call_item("add", values)
    assert (answer.status, answer.code) == (400, code)


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"n": "1"}, "NoSpecifiedSearchPic"),
        ({"pic_list": "YQ==,Yg==", "YQ==": "x", "Yg==": "y"}, "InvalidPicList"),
        ({"n": "0", "pic_list": "YQ==", "YQ==": text(picture(1))}, "InvalidNumParameter"),
    ],
)
def test_faults_of_a_2018_search(world: World, values: dict[str, str], code: str) -> None:
    answer = world.call_item("search", values)
    assert (answer.status, answer.code) == (400, code)


def test_nothing_is_added_when_one_picture_of_an_item_is_bad(world: World) -> None:
    values = {"item_id": "1", "pic_list": "YQ==,Yg==", "YQ==": text(picture(1)), "Yg==": "%"}
    assert world.call_item("add", values).code == "InvalidPicContent"
    assert world.call("Detail", None, SHOP).json["Instance"]["TotalCount"] == 0


def test_a_2018_body_without_caret(world: World) -> None:
    answer = world.call(
        "DeleteItem", "item_id,0,1", {"instanceName": "shop"},
        version="2018-01-20", path="/item/delete", kind="application/octet-stream",
    )  # fmt: skip
    assert (answer.status, answer.code) == (400, "NoCaretSeperator")


def test_2019_type(world: World) -> None:
    answer = world.call(
        "SearchImage", {**SEARCH, "Type": "ByMood"}, version="2019-03-25", path="/v2/image/search"
    )
    assert (answer.status, answer.code) == (400, "InvalidType")
    assert "SearchByPic or SearchByName" in answer.message


@pytest.mark.parametrize(
    ("service", "size", "right"),
    [
        (Service.PRODUCT, (99, 100), False),
        (Service.PRODUCT, (100, 100), True),
        (Service.PRODUCT, (4096, 100), True),
        (Service.PRODUCT, (4097, 100), False),
        (Service.GENERIC, (100, 99), False),
        (Service.FABRIC, (448, 447), False),
        (Service.FABRIC, (448, 448), True),
        (Service.TRADEMARK, (199, 200), False),
        (Service.TRADEMARK, (200, 4096), False),
        (Service.TRADEMARK, (200, 4095), True),
    ],
)
def test_sides_that_the_vendor_takes(
    world: World, service: Service, size: tuple[int, int], right: bool
) -> None:
    world.create("other", service)
    image = text(picture(1, size=size))
    answer = world.call("AddImage", {**ADD, "InstanceName": "other", "PicContent": image})
    if right:
        assert answer.status == 200
    else:
        assert (answer.status, answer.code) == (400, "UnsupportedPicPixels")
        assert f"{size[0]} × {size[1]}" in answer.message


def test_four_megabytes_are_taken_and_one_byte_more_is_not(world: World) -> None:
    four = 4 * 1024 * 1024
    bare = picture(1, kind="BMP")
    padded = bare + b"\0" * (four - len(bare))
    assert world.call("AddImage", {**ADD, "PicContent": text(padded)}).status == 200
    answer = world.call("AddImage", {**ADD, "PicContent": text(padded + b"\0")})
    assert (answer.status, answer.code) == (400, "InvalidPicContent")
    assert "4,194,305 bytes; the limit is 4,194,304" in answer.message


def test_a_body_of_eight_megabytes_and_one_byte(world: World) -> None:
    answer = world.send(event("POST", "/", {}, b"x" * (MAX_BODY + 1)))
    assert (answer.status, answer.code) == (413, "RequestBodyTooLarge")
    assert "Advance" in answer.message


@pytest.mark.parametrize(
    "mangle",
    [
        lambda s: s.replace("+", "-").replace("/", "_"),
        lambda s: s.rstrip("="),
        lambda s: "\n".join(s[n : n + 76] for n in range(0, len(s), 76)),
        lambda s: f"data:image/jpeg;base64,{s}",
        lambda s: s.replace("+", " "),
    ],
)
def test_base64_is_taken_in_every_common_form(world: World, mangle: Any) -> None:
    buffer = io.BytesIO()
    Image.effect_noise((120, 120), 80).save(buffer, "PNG")
    sent = text(buffer.getvalue())
    assert "+" in sent
    assert "/" in sent
    assert world.call("AddImage", {**ADD, "PicContent": mangle(sent)}).status == 200


@pytest.mark.parametrize("second", ["form", "query"])
def test_a_parameter_given_twice_is_refused(world: World, second: str) -> None:
    if second == "form":
        answer = world.call("Detail", "InstanceName=shop&InstanceName=other")
    else:
        answer = world.call("Detail", SHOP, SHOP)
    assert (answer.status, answer.code) == (400, "BadRequest")
    assert "InstanceName is given twice" in answer.message


def test_an_action_named_twice_is_refused_though_it_is_signed(world: World) -> None:
    plain = signed_rpc(world.key, "CheckImageExists", "2020-12-14", world.now, KEY)
    query = f"{plain['rawQueryString'].rpartition('&Signature=')[0]}&Action=DeleteImage"
    signature = rpc.sign(Request.from_event({**plain, "rawQueryString": query}), world.key.secret)
    twice = {**plain, "rawQueryString": f"{query}&Signature={quote(signature, safe='')}"}
    answer = world.send(twice)
    assert (answer.status, answer.code) == (400, "BadRequest")
    assert "Action is given twice" in answer.message


def test_unknown_parameters_are_let_pass(world: World) -> None:
    assert world.call("Detail", None, {**SHOP, "Shoesize": "44"}).status == 200


@pytest.mark.parametrize(
    ("action", "version"),
    [
        ("GetProductInfoByIds", "2020-12-14"),
        ("<script>", "2020-12-14"),
        ("UpdateImage", "2020-02-12"),
        ("SearchByPic", "2021-05-01"),
    ],
)
def test_unknown_operations(world: World, action: str, version: str) -> None:
    answer = world.call(action, SHOP, version=version)
    assert (answer.status, answer.code) == (404, "InvalidApi.NotFound")
    assert action in answer.message


def test_a_request_without_an_action(world: World) -> None:
    answer = world.call("", SHOP)
    assert (answer.status, answer.code) == (400, "BadRequest")


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_paths_take_post_only(world: World, method: str) -> None:
    answer = world.call("AddImage", path="/v2/image/add", version="2019-03-25", method=method)
    assert (answer.status, answer.code) == (405, "UnsupportedHTTPMethod")


def test_a_browser_is_told_that_there_is_no_page(world: World) -> None:
    answer = world.send(event("GET", "/?utm_source=mail", {"accept": "text/html"}))
    assert (answer.status, answer.code) == (404, "NoSuchRoute")
    assert world.call("Detail", None, SHOP, method="GET").status == 200


def test_an_unknown_path(world: World) -> None:
    assert world.call("AddImage", ADD, path="/v3/image/add").status == 404


def test_names_are_told_back_as_data_not_as_html(world: World) -> None:
    name = '<script>alert("1")</script>'
    answer = world.call("SearchImageByName", {**KEY, "ProductId": name})
    assert answer.code == "PicNotExist"
    assert answer.headers["content-type"] == "application/json;charset=utf-8"
    assert world.add(name, 1).status == 200
    listed = world.call("SearchImageByPic", SEARCH).json["Auctions"]
    assert listed[0]["ProductId"] == name


@pytest.mark.parametrize(
    ("error", "generation", "action", "status", "code"),
    [
        (ModelMismatch("m"), V2020_12, "AddImage", 400, "InstanceStatusError"),
        (ModelMismatch("m"), V2019, "AddImage", 409, "InstanceStatusError"),
        (ModelMismatch("m"), V2018, "AddItem", 409, "InstanceStatusError"),
        (ModelMismatch("m"), V2020_12, "Detail", 409, "Console.InstanceStatusError"),
        (StorageUnavailable("s"), V2020_12, "AddImage", 503, "ServiceUnavailable"),
        (LostRace("l"), V2020_12, "AddImage", 503, "ServiceUnavailable"),
        (CorruptObject("index/shop/x"), V2020_12, "AddImage", 500, "InternalError"),
        (CorruptObject("index/shop/x"), V2020_12, "Detail", 500, "Console.InternalError"),
        (ImageSearchError(), None, "", 500, "InternalError"),
    ],
)
def test_status_by_version(
    error: ImageSearchError, generation: Any, action: str, status: int, code: str
) -> None:
    fault = fault_of(error, generation, action)
    assert (fault.status, fault.code) == (status, code)
    assert "index/" not in fault.message


def test_an_unavailable_store_says_when_to_come_back(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*_: object) -> None:
        raise StorageUnavailable("connection refused by 10.0.0.1")

    monkeypatch.setattr(world.bucket, "put_if_absent", down)
    answer = world.call("Detail", None, SHOP)
    assert (answer.status, answer.code) == (503, "ServiceUnavailable")
    assert answer.headers["x-acs-retry-after"] == "1"
    assert "10.0.0.1" not in answer.body


def test_the_unexpected_is_an_internal_error(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr(world.bucket, "put_if_absent", broken)
    answer = world.call("AddImage", ADD)
    assert (answer.status, answer.code) == (500, "InternalError")
    assert "secret" not in answer.body


@pytest.mark.parametrize("body", [base64.b64encode(b"\xff").decode(), "not base64 !"])
def test_any_event_is_answered_with_json(world: World, body: str) -> None:
    answer = world.send({**event("POST", "/", {}), "body": body})
    assert answer.status in {400, 500}
    assert answer.json["Code"]

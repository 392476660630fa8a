"""The older Python SDKs: 2019-03-25 in two generations, 2020-02-12, 2018-03-19."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from imagesearch.contract.keys import AccessKey

from tests.contract.caller import World, picture, text
from tests.contract.sdk.sdks import CORES, OPENPLATFORM, Sdk, SdkError, Target, python_sdk

IDENTICAL = "7.33136443711219e+24;0"
SHOP = {"instance_name": "shop"}
BROKEN = {"pic_content": "%"}
NONE = {"product_id": "no", "pic_name": "no"}
SENT = {"pic_content": text(picture(1))}


@pytest.fixture(scope="module")
def sdk2019(target: Target) -> Iterator[Sdk]:
    with python_sdk("2019-03-25 current", "alibabacloud_imagesearch20190325", target) as sdk:
        yield sdk


@pytest.mark.parametrize("algorithm", [None, "v2"])
def test_2019_03_25_adds_searches_and_deletes(sdk2019: Sdk, algorithm: str | None) -> None:
    named = {**SHOP, "product_id": "t1", "pic_name": f"{algorithm}.jpg"}
    sent = {"pic_content": text(picture(41))}
    with sdk2019.configured(signature_algorithm=algorithm) as sdk:
        added = sdk.call("add_image", "AddImageRequest", **named, **sent, crop=True, int_attr=4)
        assert added["PicInfo"]["CategoryId"] == 3
        found = sdk.call("search_image", "SearchImageRequest", **SHOP, **sent, crop=True)
        hit = found["Auctions"][0]
        assert (hit["ProductId"], hit["IntAttr"], hit["Score"]) == ("t1", 4, 1.0)
        assert hit["SortExprValues"] == IDENTICAL
        by_name = sdk.call("search_image", "SearchImageRequest", **named, type="SearchByName")
        assert by_name["Auctions"][0]["PicName"] == f"{algorithm}.jpg"
        assert sdk.call("delete_image", "DeleteImageRequest", **named)["Success"] is True


@pytest.mark.parametrize("algorithm", [None, "v2"])
def test_2019_03_25_with_a_temporary_key(
    sdk2019: Sdk, served: World, algorithm: str | None
) -> None:
    expires = int(time.time()) + 600
    key, token = AccessKey.new(name="t", now=0, expires=expires, temporary=True)
    served.keys.save(key)
    with sdk2019.configured(
        access_key_id=key.id,
        access_key_secret=key.secret,
        security_token=token,
        type="sts",
        signature_algorithm=algorithm,
    ) as sdk:
        deleted = sdk.call("delete_image", "DeleteImageRequest", **SHOP, **NONE)
    assert deleted["Success"] is True


@pytest.mark.parametrize(
    ("method", "fields", "code"),
    [
        ("search_image", {**SENT, "instance_name": "none"}, "InvalidInstance"),
        ("search_image", SHOP, "NoSpecifiedPicContent"),
        ("search_image", {**SHOP, "type": "ByMood"}, "InvalidType"),
        ("search_image", {**SHOP, "type": "SearchByName", **NONE}, "PicNotExist"),
        ("add_image", {**SHOP, **NONE}, "NoSpecifiedPicContent"),
        ("add_image", {**SHOP, **NONE, **SENT, "int_attr": 2**31}, "InvalidIntAttr"),
        ("delete_image", SHOP, "NoSpecifiedProductId"),
    ],
)
def test_2019_03_25_errors(sdk2019: Sdk, method: str, fields: dict[str, Any], code: str) -> None:
    request = "".join(map(str.capitalize, method.split("_"))) + "Request"
    with pytest.raises(SdkError) as raised:
        sdk2019.call(method, request, **fields)
    assert (raised.value.type, raised.value.code) == ("ClientException", code)
    assert raised.value.status == 400


@pytest.fixture(scope="module")
def legacy(target: Target) -> Iterator[Sdk]:
    package = "aliyunsdkimagesearch.request.v20190325"
    with python_sdk("2019-03-25 legacy", package, target, core=None) as sdk:
        yield sdk


def test_the_legacy_sdk_adds_searches_and_deletes(legacy: Sdk) -> None:
    named = {"InstanceName": "shop", "ProductId": "l1", "PicName": "a.jpg"}
    sent = {"PicContent": text(picture(51))}
    for _ in range(2):  # it signs without a nonce: the same second makes the same signature
        added = legacy.call("", "AddImageRequest", **named, **sent, Crop=True, StrAttr="s")
        assert added["Message"] == "success"
    search = {"InstanceName": "shop", **sent, "Crop": True, "Num": 5, "Filter": 'str_attr="s"'}
    found = legacy.call("", "SearchImageRequest", **search, Type="SearchByPic")
    assert found["Auctions"][0]["SortExprValues"] == IDENTICAL
    assert legacy.call("", "DeleteImageRequest", **named)["Success"] is True


@pytest.mark.parametrize(
    ("request_class", "fields", "code"),
    [
        ("AddImageRequest", {"InstanceName": "shop"}, "NoSpecifiedProductId"),
        ("SearchImageRequest", {"InstanceName": "shop", "Num": 0}, "NoSpecifiedPicContent"),
    ],
)
def test_the_legacy_sdks_other_errors(
    legacy: Sdk, request_class: str, fields: dict[str, Any], code: str
) -> None:
    with pytest.raises(SdkError) as raised:
        legacy.call("", request_class, **fields)
    assert raised.value.code == code


def test_the_legacy_sdk_raises_our_codes(legacy: Sdk) -> None:
    with pytest.raises(SdkError) as raised:
        legacy.call("", "DeleteImageRequest", InstanceName="none", ProductId="p")
    assert raised.value.type == "ServerException"
    assert (raised.value.code, raised.value.status) == ("InvalidInstance", 400)
    assert "'none'" in raised.value.message


@pytest.fixture(scope="module")
def sdk2020(target: Target) -> Iterator[Sdk]:
    package = "alibabacloud_imagesearch20200212"
    with python_sdk(
        "2020-02-12",
        package,
        target,
        core=CORES[1],
        style="runtime",
        redirect=[OPENPLATFORM, target.http],
    ) as sdk:
        yield sdk


def test_2020_02_12_adds_searches_and_deletes(sdk2020: Sdk) -> None:
    named = {**SHOP, "product_id": "f1", "pic_name": "a.jpg"}
    sent = {"pic_content": text(picture(61))}
    assert sdk2020.call("add_image", "AddImageRequest", **named, **sent)["Success"] is True
    by_pic = sdk2020.call("search_image_by_pic", "SearchImageByPicRequest", **SHOP, **sent)
    by_name = sdk2020.call("search_image_by_name", "SearchImageByNameRequest", **named)
    for found in (by_pic, by_name):
        assert found["Auctions"][0]["SortExprValues"] == IDENTICAL
        assert found["Auctions"][0]["StrAttr"] == ""
        assert len(found["PicInfo"]["AllCategories"]) == 14
    assert sdk2020.call("delete_image", "DeleteImageRequest", **named)["Success"] is True


def test_2020_02_12_uploads_when_its_fixed_host_leads_here(sdk2020: Sdk) -> None:
    file = {"pic_content_object": picture(62)}
    added = sdk2020.call(
        "add_image_advance",
        "AddImageAdvanceRequest",
        files=file,
        **SHOP,
        product_id="f2",
        pic_name="a",
    )
    assert added["Success"] is True
    found = sdk2020.call(
        "search_image_by_pic_advance", "SearchImageByPicAdvanceRequest", files=file, **SHOP
    )
    assert found["Auctions"][0]["ProductId"] == "f2"


@pytest.mark.parametrize(
    ("method", "request_class", "fields", "code"),
    [
        ("add_image", "AddImageRequest", {**NONE, **BROKEN}, "InvalidPicContent"),
        ("search_image_by_pic", "SearchImageByPicRequest", BROKEN, "InvalidPicContent"),
        ("search_image_by_name", "SearchImageByNameRequest", NONE, "PicNotExist"),
    ],
)  # fmt: skip
def test_2020_02_12_other_errors(
    sdk2020: Sdk, method: str, request_class: str, fields: dict[str, Any], code: str
) -> None:
    with pytest.raises(SdkError) as raised:
        sdk2020.call(method, request_class, **SHOP, **fields)
    assert raised.value.code == code


def test_2020_02_12_errors(sdk2020: Sdk) -> None:
    with pytest.raises(SdkError) as raised:
        sdk2020.call("delete_image", "DeleteImageRequest", instance_name="none", product_id="p")
    assert raised.value.code == "InvalidInstance"
    assert "code: 400" in raised.value.message


def test_2018_03_19_reaches_its_operation_and_has_no_body_to_send(target: Target) -> None:
    package = "alibabacloud_imagesearch20180319"
    with (
        python_sdk("2018-03-19", package, target, core=CORES[2]) as sdk,
        pytest.raises(SdkError) as raised,
    ):
        sdk.raw(
            method="delete_item",
            request="DeleteItemRequest",
            fields={},
            query={"instance_name": "shop"},
        )
    assert raised.value.code == "NoCaretSeperatorError"

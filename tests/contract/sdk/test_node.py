"""The Node SDKs: @alicloud/imagesearch20201214, and those on pop-core of 2019 and 2018."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from tests.contract.caller import picture, text
from tests.contract.sdk.sdks import Sdk, SdkError, Target, node_sdk

IDENTICAL = "7.33136443711219e+24;0"


@pytest.fixture(scope="module")
def sdk(target: Target) -> Iterator[Sdk]:
    with node_sdk(target, secure=True) as sdk:
        yield sdk


def current(sdk: Sdk, method: str, request: str, files: Any = None, **fields: Any) -> Any:
    encoded = {n: base64.b64encode(b).decode() for n, b in (files or {}).items()}
    fields = {"instanceName": "shop", **fields}
    return sdk.raw(sdk="current", method=method, request=request, fields=fields, files=encoded)


def test_the_current_sdk_adds_searches_and_describes(sdk: Sdk) -> None:
    added = current(
        sdk,
        "addImage",
        "AddImageRequest",
        productId="n1!'()*",
        picName="a b.jpg",
        picContent=text(picture(71)),
        crop=True,
        intAttr=3,
        strAttr4="四",
    )
    assert added["picInfo"]["categoryId"] == 3
    found = current(
        sdk,
        "searchImageByPic",
        "SearchImageByPicRequest",
        picContent=text(picture(71)),
        crop=True,
        num=2,
        filter="int_attr=3",
        scoreThreshold="0.90",
        distinctProductId=False,
    )
    (hit,) = found["auctions"]
    assert (hit["productId"], hit["picName"]) == ("n1!'()*", "a b.jpg")
    assert (hit["sortExprValues"], hit["score"], hit["strAttr4"]) == (IDENTICAL, 1, "四")
    detail = current(sdk, "detail", "DetailRequest")
    assert detail["instance"]["name"] == "shop"


def test_the_current_sdk_uploads_over_https(sdk: Sdk) -> None:
    file = {"picContentObject": picture(72)}
    added = current(
        sdk, "addImageAdvance", "AddImageAdvanceRequest", files=file, productId="n2", picName="a"
    )
    assert added["success"] is True
    found = current(sdk, "searchImageByPicAdvance", "SearchImageByPicAdvanceRequest", files=file)
    assert found["auctions"][0]["productId"] == "n2"


def test_the_current_sdk_deletes_by_name_and_filter(sdk: Sdk) -> None:
    for name in ("a", "b"):
        sent = {"productId": "n5", "picName": name, "picContent": text(picture(75)), "intAttr": 95}
        current(sdk, "addImage", "AddImageRequest", **sent)
    deleted = current(sdk, "deleteImage", "DeleteImageRequest", productId="n5", picName="a")
    assert deleted["data"]["picNames"] == ["a"]
    by_filter = {"isDeleteByFilter": True, "filter": "int_attr=95"}
    deleted = current(sdk, "deleteImage", "DeleteImageRequest", **by_filter)
    assert deleted["data"]["picNames"] == ["b"]


def test_the_current_sdk_raises_our_codes(sdk: Sdk) -> None:
    with pytest.raises(SdkError) as raised:
        current(sdk, "deleteImage", "DeleteImageRequest")
    assert raised.value.code == "NoSpecifiedProductId"
    with pytest.raises(SdkError) as raised:
        current(sdk, "detail", "DetailRequest", instanceName="none")
    assert raised.value.code == "Console.InstanceNotFound"
    assert "code: 400" in raised.value.message


FORM = {"content-type": "application/x-www-form-urlencoded"}


def by_path(sdk: Sdk, method: str, body: str, headers: Any = None) -> Any:
    return sdk.raw(sdk="imagesearch-2019-03-25", method=method, body=body, headers=headers or FORM)


def test_2019_03_25_on_pop_core(sdk: Sdk) -> None:
    named = {"InstanceName": "shop", "ProductId": "n3", "PicName": "a.jpg"}
    sent = {"PicContent": text(picture(73))}
    added = by_path(sdk, "addImage", urlencode({**named, **sent, "Crop": "true"}))
    assert added["Success"] is True
    search = {"InstanceName": "shop", **sent}
    found = by_path(sdk, "searchImage", urlencode(search, quote_via=quote))
    assert found["Auctions"][0]["SortExprValues"] == IDENTICAL
    as_json = by_path(sdk, "searchImage", json.dumps(search), {"content-type": "application/json"})
    assert as_json["Auctions"] == found["Auctions"]
    assert by_path(sdk, "deleteImage", urlencode(named))["Success"] is True
    with pytest.raises(SdkError) as raised:
        by_path(sdk, "deleteImage", "InstanceName=none&ProductId=p")
    assert (raised.value.type, raised.value.code) == ("InvalidInstanceError", "InvalidInstance")


def test_2018_01_20_on_pop_core(sdk: Sdk) -> None:
    key, value = base64.b64encode("图.jpg".encode()).decode(), text(picture(74))

    def item(method: str, values: dict[str, str]) -> Any:
        entries, content = [], ""
        for name, part in values.items():
            entries.append(f"{name},{len(content)},{len(content + part)}")
            content += part
        return sdk.raw(
            sdk="imagesearch-2018-01-20",
            method=method,
            query={"instanceName": "shop"},
            body=f"{'#'.join(entries)}^{content}",
            headers={"content-type": "application/octet-stream"},
        )

    add = {"item_id": "n4", "cat_id": "3", "cust_content": "商品", "pic_list": key, key: value}
    assert item("addItem", add)["Success"] is True
    found = item("searchItem", {"cat_id": "3", "pic_list": key, key: value})
    hit = found["Auctions"]["Auction"][0]
    assert (hit["ItemId"], hit["PicName"], hit["CustContent"]) == ("n4", "图.jpg", "商品")
    assert item("deleteItem", {"item_id": "n4"})["Success"] is True

"""alibabacloud-imagesearch20201214 4.4.0 and 3.1.1: every operation, plain and Advance."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
from imagesearch.contract.keys import AccessKey
from imagesearch.limits import Limits

from tests.contract.caller import World, picture, text
from tests.contract.sdk.sdks import OPENPLATFORM, Sdk, SdkError, Target, python_sdk

PACKAGE = "alibabacloud_imagesearch20201214"
CURRENT, EARLIER = "2020-12-14 current", "2020-12-14 of 2023"
SHOP: dict[str, Any] = {"instance_name": "shop"}
KEY = {**SHOP, "product_id": "no", "pic_name": "no"}
CLASSES = {
    "add_image": "AddImageRequest",
    "delete_image": "DeleteImageRequest",
    "search_image_by_name": "SearchImageByNameRequest",
}
JPEG = text(picture(1))
IDENTICAL = "7.33136443711219e+24;0"


@pytest.fixture(scope="module")
def sdk(target: Target) -> Iterator[Sdk]:
    attributes = {"_open_platform_endpoint": f"127.0.0.1:{target.https}"}
    with python_sdk(CURRENT, PACKAGE, target, secure=True, attributes=attributes) as sdk:
        yield sdk


@pytest.fixture(scope="module")
def earlier(target: Target) -> Iterator[Sdk]:
    with python_sdk(EARLIER, PACKAGE, target, redirect=[OPENPLATFORM, target.http]) as sdk:
        yield sdk


def add(sdk: Sdk, product: str, seed: int, **more: Any) -> Any:
    return sdk.call(
        "add_image",
        "AddImageRequest",
        **SHOP,
        product_id=product,
        pic_name="a.jpg",
        pic_content=text(picture(seed)),
        **more,
    )


def _raised(sdk: Sdk, method: str, request: str, **fields: Any) -> SdkError:
    with pytest.raises(SdkError) as raised:
        sdk.call(method, request, **fields)
    return raised.value


def test_pictures_are_added_searched_changed_and_deleted(sdk: Sdk) -> None:
    added = add(
        sdk, "商品 1", 11, crop=True, int_attr=5, str_attr_4="四", custom_content="k1:v1,k2=v&2~*"
    )
    assert added["PicInfo"]["CategoryId"] == 3
    assert len(added["PicInfo"]["AllCategories"]) == 14
    assert added["PicInfo"]["MultiRegion"][0] == {"Region": added["PicInfo"]["Region"]}
    named = {**SHOP, "product_id": "商品 1", "pic_name": "a.jpg"}
    found = sdk.call(
        "search_image_by_pic",
        "SearchImageByPicRequest",
        **SHOP,
        pic_content=text(picture(11)),
        num=3,
        filter='int_attr=5 AND str_attr4="四"',
        score_threshold="0.50",
        distinct_product_id=True,
    )
    hit = found["Auctions"][0]
    assert (hit["ProductId"], hit["SortExprValues"], hit["Score"]) == ("商品 1", IDENTICAL, 1.0)
    assert (hit["IntAttr"], hit["StrAttr4"]) == (5, "四")
    assert hit["CustomContent"] == "k1:v1,k2=v&2~*"
    by_name = sdk.call("search_image_by_name", "SearchImageByNameRequest", **named)
    assert by_name["Auctions"][0]["SortExprValues"] == IDENTICAL
    updated = sdk.call(
        "update_image", "UpdateImageRequest", **named, int_attr=6, int_attr_3=7, str_attr="ladder"
    )
    assert updated["Success"] is True
    by_filter = sdk.call(
        "search_image_by_filter", "SearchImageByFilterRequest", **SHOP, filter="int_attr3=7"
    )
    assert [a["IntAttr"] for a in by_filter["Auctions"]] == [6]
    by_text = sdk.call("search_image_by_text", "SearchImageByTextRequest", **SHOP, text="ladder")
    assert by_text["Auctions"][0]["ProductId"] == "商品 1"
    there = sdk.call("check_image_exists", "CheckImageExistsRequest", **named)
    assert (there["Exists"], there["Auctions"]["StrAttr"]) == (True, "ladder")
    deleted = sdk.call("delete_image", "DeleteImageRequest", **named)
    assert deleted["Data"]["PicNames"] == ["a.jpg"]
    assert sdk.call("check_image_exists", "CheckImageExistsRequest", **named)["Exists"] is False


def test_pictures_are_deleted_by_filter(sdk: Sdk) -> None:
    add(sdk, "f1", 12, int_attr_2=77)
    add(sdk, "f2", 13, int_attr_2=78)
    deleted = sdk.call(
        "delete_image",
        "DeleteImageRequest",
        **SHOP,
        is_delete_by_filter=True,
        filter="int_attr2 >= 77",
    )
    assert len(deleted["Data"]["PicNames"]) == 2


def test_two_pictures_are_compared(sdk: Sdk) -> None:
    compared = sdk.call(
        "compare_similar_by_image",
        "CompareSimilarByImageRequest",
        **SHOP,
        primary_pic_content=text(picture(1)),
        secondary_pic_content=text(picture(1)),
    )
    assert compared["Score"] == 1.0


def test_an_instance_is_described_and_exported(sdk: Sdk) -> None:
    detail = sdk.call("detail", "DetailRequest", **SHOP)["Instance"]
    assert (detail["Name"], detail["ServiceType"]) == ("shop", 0)
    assert isinstance(detail["UtcCreate"], str)
    dump = sdk.call("dump_meta", "DumpMetaRequest", **SHOP)["Data"]
    assert dump["DumpMetaStatus"] == "SUCCESS"
    listed = sdk.call("dump_meta_list", "DumpMetaListRequest", **SHOP, id=int(dump["Id"]))["Data"]
    assert listed["DumpMetaList"][0]["Id"] == int(dump["Id"])
    assert listed["DumpMetaList"][0]["MetaUrl"]


def test_a_batch_task_is_submitted_and_listed(sdk: Sdk, served: World) -> None:
    line = b'{"OperationType": "ADD", "ProductId": "p", "PicName": "a.jpg"}'
    served.source.objects.update({"goods/increment.meta": line, "goods/a.jpg": picture(1)})
    asked = {**SHOP, "bucket_name": "theirs", "path": "/goods"}
    begun = sdk.call("increase_instance", "IncreaseInstanceRequest", **asked)["Data"]
    assert begun["IncrementStatus"] == "PROCESSING"
    listed = sdk.call("increase_list", "IncreaseListRequest", **asked, id=int(begun["Id"]))["Data"]
    (task,) = listed["Increments"]["Instance"]
    assert (task["Id"], task["BucketName"], task["Path"]) == (int(begun["Id"]), "theirs", "/goods")


def test_advance_methods_upload_over_https(sdk: Sdk, served: World) -> None:
    file = {"pic_content_object": picture(21)}
    added = sdk.call(
        "add_image_advance",
        "AddImageAdvanceRequest",
        files=file,
        **SHOP,
        product_id="adv",
        pic_name="a",
    )
    assert added["Success"] is True
    found = sdk.call(
        "search_image_by_pic_advance", "SearchImageByPicAdvanceRequest", files=file, **SHOP
    )
    assert found["Auctions"][0]["ProductId"] == "adv"
    compared = sdk.call(
        "compare_similar_by_image_advance",
        "CompareSimilarByImageAdvanceRequest",
        files={
            "primary_pic_content_object": picture(21),
            "secondary_pic_content_object": picture(21),
        },
        **SHOP,
    )
    assert compared["Score"] == 1.0
    assert not list(served.bucket.list("uploads/"))


def test_too_large_an_upload_is_refused_by_its_form(sdk: Sdk) -> None:
    with pytest.raises(SdkError) as raised:
        sdk.call(
            "add_image_advance",
            "AddImageAdvanceRequest",
            files={"pic_content_object": b"x" * (4 * 1024 * 1024 + 1)},
            **SHOP,
            product_id="adv",
            pic_name="a",
        )
    assert "EntityTooLarge" in f"{raised.value.code} {raised.value.message}"


def test_the_asynchronous_client(sdk: Sdk, target: Target) -> None:
    with sdk.configured(endpoint=f"127.0.0.1:{target.http}", protocol="http"):
        detail = sdk.call("detail_async", "DetailRequest", **SHOP)
    assert detail["Instance"]["Name"] == "shop"


@pytest.mark.parametrize("algorithm", ["v2", "ACS3-HMAC-SM3"])
def test_other_signatures_of_the_current_sdk(sdk: Sdk, algorithm: str) -> None:
    if algorithm.endswith("SM3") and "sm3" not in hashlib.algorithms_available:
        pytest.skip("this OpenSSL has no SM3")
    with sdk.configured(signature_algorithm=algorithm):
        assert sdk.call("detail", "DetailRequest", **SHOP)["Instance"]["Name"] == "shop"
        assert add(sdk, "signed", 14, str_attr="a b&c=d")["Success"] is True


@pytest.mark.parametrize("algorithm", [None, "v2"])
def test_temporary_keys(sdk: Sdk, served: World, algorithm: str | None) -> None:
    expires = int(time.time()) + 600
    key, token = AccessKey.new(name="t", now=0, expires=expires, temporary=True)
    served.keys.save(key)
    config = {
        "access_key_id": key.id,
        "access_key_secret": key.secret,
        "type": "sts",
        "signature_algorithm": algorithm,
    }
    with sdk.configured(**config, security_token=token):
        assert sdk.call("detail", "DetailRequest", **SHOP)["Instance"]["Name"] == "shop"
    with sdk.configured(**config, security_token="another"):
        raised = _raised(sdk, "detail", "DetailRequest", **SHOP)
    assert raised.code == "InvalidSecurityToken.MismatchWithAccessKey"


@pytest.mark.parametrize("generation", ["sdk", "earlier"])
@pytest.mark.parametrize(
    ("method", "fields", "code"),
    [
        ("delete_image", {"instance_name": "none", "product_id": "p"}, "InvalidInstance"),
        ("delete_image", {}, "InvalidInstanceName"),
        ("add_image", {**SHOP, "pic_name": "a", "pic_content": "x"}, "NoSpecifiedProductId"),
        ("add_image", KEY, "NoSpecifiedPicContent"),
        ("add_image", {**KEY, "pic_content": "%"}, "InvalidPicContent"),
        ("add_image", {**KEY, "pic_content": "http://169.254.169.254/x"}, "InvalidPicUrl"),
        ("search_image_by_name", KEY, "PicNotExist"),
        ("search_image_by_name", {**KEY, "num": 101}, "OverflowMaxReturnNum"),
        ("search_image_by_name", {**KEY, "filter": "x"}, "InvalidFilterClause"),
    ],
)
def test_errors_are_the_sdks_own(
    request: pytest.FixtureRequest,
    generation: str,
    method: str,
    fields: dict[str, Any],
    code: str,
) -> None:
    client: Sdk = request.getfixturevalue(generation)
    with pytest.raises(SdkError) as raised:
        client.call(method, CLASSES[method], **fields)
    assert raised.value.code == code
    assert raised.value.status == 400
    assert raised.value.message.startswith("code: 400, ")
    assert "request id: " in raised.value.message
    if generation == "sdk":
        assert raised.value.type == "ClientException"


@pytest.mark.parametrize(
    ("operation", "fields", "code"),
    [
        ("SearchImageByPic", {}, "InvalidInstanceName"),
        ("SearchImageByPic", {**SHOP, "pic_content": "%"}, "InvalidPicContent"),
        ("SearchImageByPic", {**SHOP, "pic_content": JPEG, "num": 101}, "OverflowMaxReturnNum"),
        ("SearchImageByPic", {**SHOP, "pic_content": JPEG, "region": "1,2"}, "InvalidRegion"),
        ("SearchImageByPic", {**SHOP, "pic_content": JPEG, "category_id": 77}, "InvalidCategory"),
        ("UpdateImage", {**KEY, "int_attr": 1}, "PicNotExist"),
        ("UpdateImage", {**KEY, "str_attr": "x" * 129}, "InvalidStrAttr"),
        ("SearchImageByText", {**SHOP, "text": "x" * 513}, "InvalidTextLength"),
        ("SearchImageByText", {**SHOP, "text": "!"}, "InvalidText"),
        ("SearchImageByFilter", {**SHOP, "filter": "int_attr !"}, "InvalidFilterClause"),
        ("CheckImageExists", SHOP, "NoSpecifiedProductId"),
        ("CompareSimilarByImage", SHOP, "InvalidPrimaryPicContent"),
        ("Detail", {"instance_name": "none"}, "Console.InstanceNotFound"),
        ("DumpMeta", {"instance_name": "none"}, "Console.InstanceNotFound"),
        ("DumpMetaList", {**SHOP, "page_size": 501}, "Console.BadRequest"),
        ("IncreaseInstance", {**SHOP, "bucket_name": "b-b", "path": "x"}, "PathNotAbsolute"),
        ("IncreaseInstance", SHOP, "Console.BadRequest"),
        ("IncreaseList", {"instance_name": "none"}, "Console.InstanceNotFound"),
    ],
)
def test_every_operation_has_its_errors(
    sdk: Sdk, operation: str, fields: dict[str, Any], code: str
) -> None:
    method = re.sub(r"(?<!^)([A-Z])", r"_\1", operation).lower()
    raised = _raised(sdk, method, f"{operation}Request", **fields)
    assert (raised.type, raised.status, raised.code) == ("ClientException", 400, code)


@pytest.mark.parametrize("generation", ["sdk", "earlier"])
def test_a_wrong_secret(request: pytest.FixtureRequest, generation: str) -> None:
    client: Sdk = request.getfixturevalue(generation)
    with client.configured(access_key_secret="guess"):
        raised = _raised(client, "delete_image", "DeleteImageRequest", **SHOP, product_id="p")
    assert (raised.code, raised.status) == ("SignatureDoesNotMatch", 400)


def test_a_key_without_permission(sdk: Sdk, served: World) -> None:
    key = served.add_key(read_only=True)
    with sdk.configured(access_key_id=key.id, access_key_secret=key.secret):
        raised = _raised(sdk, "delete_image", "DeleteImageRequest", **SHOP, product_id="p")
    assert (raised.code, raised.status) == ("NoPermission", 403)
    assert raised.denied["AuthAction"] == "imagesearch:DeleteImage"


def test_an_unavailable_store_tells_the_current_sdk_when_to_come_back(
    sdk: Sdk, served: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from imagesearch.errors import StorageUnavailable

    def down(*_: object) -> None:
        raise StorageUnavailable

    monkeypatch.setattr(served.bucket, "put_if_absent", down)
    with pytest.raises(SdkError) as raised:
        sdk.call("detail", "DetailRequest", **SHOP)
    assert (raised.value.type, raised.value.retry_after) == ("ThrottlingException", 1)
    assert raised.value.code == "ServiceUnavailable"


def test_the_earlier_sdk_adds_searches_and_deletes(earlier: Sdk) -> None:
    added = add(earlier, "e1", 31, crop=True, int_attr=1, str_attr="s1", region="10,90,20,80")
    assert added["PicInfo"]["Region"] == "10,90,20,80"
    found = earlier.call(
        "search_image_by_pic",
        "SearchImageByPicRequest",
        **SHOP,
        pic_content=text(picture(31)),
        region="10,90,20,80",
        type="SearchByPic",
    )
    assert found["Auctions"][0]["SortExprValues"] == IDENTICAL
    named = {**SHOP, "product_id": "e1", "pic_name": "a.jpg"}
    assert earlier.call("search_image_by_name", "SearchImageByNameRequest", **named)["Auctions"]
    assert earlier.call("delete_image", "DeleteImageRequest", **named)["Success"] is True


def test_the_earlier_sdk_uploads_when_its_fixed_host_leads_here(earlier: Sdk) -> None:
    file = {"pic_content_object": picture(32)}
    added = earlier.call(
        "add_image_advance",
        "AddImageAdvanceRequest",
        files=file,
        **SHOP,
        product_id="e2",
        pic_name="a",
    )
    assert added["Success"] is True
    found = earlier.call(
        "search_image_by_pic_advance", "SearchImageByPicAdvanceRequest", files=file, **SHOP
    )
    assert found["Auctions"][0]["ProductId"] == "e2"


def test_a_key_over_its_rate_sees_the_sdks_own_exception(sdk: Sdk, served: World) -> None:
    slow = served.add_key(name="slow", limits=Limits(searches=0.1))
    with sdk.configured(access_key_id=slow.id, access_key_secret=slow.secret):
        fields = {**SHOP, "pic_content": JPEG}
        sdk.call("search_image_by_pic", "SearchImageByPicRequest", **fields)
        error = _raised(sdk, "search_image_by_pic", "SearchImageByPicRequest", **fields)
    assert (error.type, error.code) == ("ThrottlingException", "Throttling.User")
    assert 8 <= int(error.retry_after) <= 10

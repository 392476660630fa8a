"""The SDKs against the whole service: HTTP front, Lambda emulator, real models, SeaweedFS."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from imagesearch.storage.s3 import S3ObjectStore, connect
from imagesearch_local.direct import _of_local_run
from imagesearch_local.folder import DataFolder
from imagesearch_local.keys import default_key
from imagesearch_local.template import Template, find_template

from tests.contract.caller import picture, text
from tests.contract.sdk.sdks import Sdk, SdkError, Target, node_sdk, python_sdk
from tests.contract.sdk.serving import forwarding, make_certificate, serving
from tests.running import Service

pytestmark = pytest.mark.system

CATALOG = Path(__file__).parents[3] / "local/imagesearch_local/demo/catalog"
IDENTICAL = "7.33136443711219e+24;0"
SHOP: dict[str, Any] = {"instance_name": "sdk"}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    running = Service(tmp_path_factory.mktemp("service"))
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def target(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """The service by HTTP, and by HTTPS through a proxy that changes nothing."""
    certificate = make_certificate(tmp_path_factory.mktemp("tls"))
    with service.client() as client:
        client.put("/v1/instances/sdk", json={"service": "product"}).raise_for_status()
    key, _ = default_key(DataFolder(service.data))
    with serving(forwarding(service.port), certificate) as https:
        yield Target(key, service.port, https, certificate)


@pytest.fixture(scope="module")
def sdk(target: Target) -> Iterator[Sdk]:
    package = "alibabacloud_imagesearch20201214"
    attributes = {"_open_platform_endpoint": f"127.0.0.1:{target.https}"}
    with python_sdk(
        "2020-12-14 current", package, target, secure=True, attributes=attributes
    ) as sdk:
        yield sdk


def test_the_current_sdk_adds_finds_exports_and_deletes(sdk: Sdk, target: Target) -> None:
    named = {**SHOP, "product_id": "商品 1", "pic_name": "a.jpg"}
    sent = {"pic_content": text(picture(1))}
    added = sdk.call("add_image", "AddImageRequest", **named, **sent, str_attr="ladder")
    assert added["PicInfo"]["MultiRegion"]
    with sdk.configured(endpoint=f"127.0.0.1:{target.http}", protocol="http"):
        found = sdk.call("search_image_by_pic", "SearchImageByPicRequest", **SHOP, **sent)
    assert found["Auctions"][0]["SortExprValues"] == IDENTICAL
    assert found["PicInfo"]["Region"] == added["PicInfo"]["Region"]
    by_text = sdk.call("search_image_by_text", "SearchImageByTextRequest", **SHOP, text="ladder")
    assert by_text["Head"]["DocsReturn"] == 1
    dump = sdk.call("dump_meta", "DumpMetaRequest", **SHOP)["Data"]
    assert dump["DumpMetaStatus"] == "SUCCESS"
    deleted = sdk.call("delete_image", "DeleteImageRequest", **SHOP, product_id="商品 1")
    assert deleted["Data"]["PicNames"] == ["a.jpg"]


def test_the_current_sdk_finds_by_what_pictures_show_in_both_languages(sdk: Sdk) -> None:
    """Nothing but the picture is given: no attribute, no content, no category."""
    for product in ("scopia_085", "scopia_288", "scopia_022"):
        image = (CATALOG / f"{product}__main.jpg").read_bytes()
        named = {**SHOP, "product_id": product, "pic_name": "main.jpg"}
        sdk.call("add_image", "AddImageRequest", **named, pic_content=text(image))
    wanted = {"chair": 85, "椅子": 85, "sofa": 288, "沙发": 288, "wine bottle": 22, "酒瓶": 22}
    for words, number in wanted.items():
        found = sdk.call("search_image_by_text", "SearchImageByTextRequest", **SHOP, text=words)
        assert found["Auctions"][0]["ProductId"] == f"scopia_{number:03}", words
        assert 0 < found["Auctions"][0]["Score"] <= 1


def test_the_current_sdk_uploads(sdk: Sdk) -> None:
    file = {"pic_content_object": picture(2)}
    named = {**SHOP, "product_id": "up", "pic_name": "a.jpg"}
    sdk.call("add_image_advance", "AddImageAdvanceRequest", files=file, **named)
    request = "SearchImageByPicAdvanceRequest"
    found = sdk.call("search_image_by_pic_advance", request, files=file, **SHOP)
    assert found["Auctions"][0]["ProductId"] == "up"


def test_a_batch_task_runs_to_its_end(
    sdk: Sdk, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = _of_local_run(DataFolder(service.data), Template.read(find_template()))
    for name, value in known.items():
        monkeypatch.setenv(name, value)
    bucket = known["IMAGESEARCH_BUCKET"]
    store = S3ObjectStore(connect(endpoint=known["AWS_ENDPOINT_URL_S3"]), bucket)
    lines = [
        b'{"OperationType": "ADD", "ProductId": "batch", "PicName": "a.jpg", "IntAttr": 7}',
        b'{"OperationType": "ADD", "ProductId": "batch", "PicName": "gone.jpg"}',
    ]
    store.put("imports/goods/a.jpg", picture(5))
    store.put("imports/goods/increment.meta", b"\n".join(lines))
    asked = {**SHOP, "bucket_name": bucket, "path": "/imports/goods"}
    begun = sdk.call("increase_instance", "IncreaseInstanceRequest", **asked)["Data"]
    wanted = {**SHOP, "id": int(begun["Id"])}
    ends = time.monotonic() + 90
    task: dict[str, Any] = {}
    while task.get("Status") in {None, "PROCESSING"} and time.monotonic() < ends:
        time.sleep(0.5)
        data = sdk.call("increase_list", "IncreaseListRequest", **wanted)["Data"]
        (task,) = data["Increments"]["Instance"]
    assert (task["Status"], task["Code"]) == ("SUCCESS", "0"), task
    assert task["Msg"] == "done: 2 of 2 done, 1 of them failed"
    assert b"gone.jpg" in httpx.get(task["ErrorUrl"]).content
    by_filter = sdk.call(
        "search_image_by_filter", "SearchImageByFilterRequest", **SHOP, filter="int_attr=7"
    )
    assert [hit["ProductId"] for hit in by_filter["Auctions"]] == ["batch"]


def test_errors_pass_the_whole_way(sdk: Sdk) -> None:
    with pytest.raises(SdkError) as raised:
        sdk.call("detail", "DetailRequest", instance_name="none")
    assert raised.value.code == "Console.InstanceNotFound"
    with sdk.configured(access_key_secret="guess"), pytest.raises(SdkError) as raised:
        sdk.call("detail", "DetailRequest", **SHOP)
    assert raised.value.code == "SignatureDoesNotMatch"


def test_the_legacy_sdk(target: Target) -> None:
    package = "aliyunsdkimagesearch.request.v20190325"
    named = {"InstanceName": "sdk", "ProductId": "old", "PicName": "a.jpg"}
    sent = {"PicContent": text(picture(3))}
    with python_sdk("2019-03-25 legacy", package, target, core=None) as legacy:
        legacy.call("", "AddImageRequest", **named, **sent)
        found = legacy.call("", "SearchImageRequest", InstanceName="sdk", **sent)
        assert found["Auctions"][0]["SortExprValues"] == IDENTICAL
        assert legacy.call("", "DeleteImageRequest", **named)["Success"] is True


def test_the_node_sdk(target: Target) -> None:
    with node_sdk(target) as sdk:
        fields = {"instanceName": "sdk", "productId": "n", "picName": "a.jpg"}
        call = {"sdk": "current", "files": {}}
        content = {"picContent": text(picture(4))}
        sdk.raw(**call, method="addImage", request="AddImageRequest", fields={**fields, **content})
        found = sdk.raw(
            **call,
            method="searchImageByPic",
            request="SearchImageByPicRequest",
            fields={"instanceName": "sdk", **content},
        )
    assert found["auctions"][0]["sortExprValues"] == IDENTICAL

"""The versions of 2020-02-12, 2019-03-25 and 2018, each in its own terms."""

import base64
from typing import Any

import pytest
from imagesearch.catalogue import CATEGORIES

from tests.contract.caller import World, picture, text, without

TABLE = [{"Id": c.id, "Name": c.name} for c in CATEGORIES.values()]
SHOP = {"InstanceName": "shop"}


def test_version_2020_02_12_has_every_field_and_no_score(world: World) -> None:
    form = {**SHOP, "ProductId": "p1", "PicName": "a.jpg", "PicContent": text(picture(1))}
    added = world.call_rpc("AddImage", "2020-02-12", form).json
    assert added["PicInfo"] == {"CategoryId": 3, "Region": "10,150,10,110"}
    for action in ("SearchImageByPic", "SearchImageByName"):
        body = world.call_rpc(action, "2020-02-12", form).json
        assert set(body) == {
            "RequestId",
            "Success",
            "Code",
            "Msg",
            "Head",
            "PicInfo",
            "Auctions",
        }
        assert set(body["PicInfo"]) == {"CategoryId", "Region", "AllCategories"}
        assert body["Auctions"] == [
            {
                "ProductId": "p1",
                "PicName": "a.jpg",
                "CategoryId": 3,
                "CustomContent": "",
                "IntAttr": 0,
                "StrAttr": "",
                "SortExprValues": "7.33136443711219e+24;0",
            }
        ]
    deleted = world.call_rpc("DeleteImage", "2020-02-12", form).json
    assert without(deleted, "RequestId") == {"Success": True, "Code": 0, "Message": "success"}


def by_path(world: World, action: str, form: dict[str, Any], kind: str = "search") -> Any:
    answer = world.call(action, form, version="2019-03-25", path=f"/v2/image/{kind}")
    assert answer.status == 200, answer.body
    return answer.json


def test_version_2019_03_25(world: World) -> None:
    form = {
        **SHOP,
        "ProductId": "p1",
        "PicName": "a.jpg",
        "PicContent": text(picture(1)),
        "IntAttr": 7,
        "IntAttr2": 8,
    }
    added = by_path(world, "AddImage", form, "add")
    assert added["PicInfo"] == {"CategoryId": 3, "Region": "10,150,10,110"}
    assert added["Message"] == "success"
    for kind in ({}, {"Type": "SearchByPic"}, {"Type": "SearchByName"}):
        body = by_path(world, "SearchImage", {**form, **kind})
        assert body["Msg"] == "success"
        assert set(body["PicInfo"]) == {"CategoryId", "Region", "MultiRegion", "AllCategories"}
        assert body["Auctions"] == [
            {
                "ProductId": "p1",
                "PicName": "a.jpg",
                "CategoryId": 3,
                "IntAttr": 7,
                "SortExprValues": "7.33136443711219e+24;0",
                "Score": 1.0,
            }
        ]
    deleted = by_path(world, "DeleteImage", form, "delete")
    assert without(deleted, "RequestId") == {"Success": True, "Code": 0, "Message": "success"}


def test_a_json_body_is_taken_where_the_signature_covers_it(world: World) -> None:
    world.add("p1", 1)
    body = f'{{"InstanceName": "shop", "PicContent": "{text(picture(1))}", "Num": 1}}'
    answer = world.call(
        "SearchImage", body, version="2019-03-25", path="/v2/image/search", kind="application/json"
    )
    assert answer.json["Auctions"][0]["ProductId"] == "p1"


def key_of(name: str) -> str:
    return base64.b64encode(name.encode()).decode()


def test_version_2018_adds_several_pictures_of_an_item(world: World) -> None:
    names = ["一.jpg", "two.jpg"]
    add = {
        "item_id": "商品1",
        "cat_id": "3",
        "cust_content": '{"键":"值"}',
        **{key_of(name): text(picture(n)) for n, name in enumerate(names)},
        "pic_list": ",".join(map(key_of, names)),
        "int_attr": "5",
    }
    assert without(world.call_item("add", add).json, "RequestId") == {
        "Success": True,
        "Code": 0,
        "Message": "success",
    }
    search = {
        "s": "0",
        "n": "1",
        "cat_id": "3",
        "pic_list": key_of("searchPic"),
        key_of("searchPic"): text(picture(0)),
        "filter": "int_attr=5",
    }
    body = world.call_item("search", search).json
    assert isinstance(body["Head"].pop("SearchTime"), int)
    assert without(body, "RequestId") == {
        "Success": True,
        "Code": 0,
        "Message": "success",
        "Head": {"DocsFound": 2, "DocsReturn": 1},
        "PicInfo": {
            "Category": "3",
            "Region": "10,150,10,110",
            "AllCategory": {"Category": [{"Name": c["Name"], "Id": str(c["Id"])} for c in TABLE]},
        },
        "Auctions": {
            "Auction": [
                {
                    "CustContent": '{"键":"值"}',
                    "PicName": "一.jpg",
                    "CatId": "3",
                    "SortExprValues": "7.33136443711219e+24;0",
                    "ItemId": "商品1",
                    "ProductId": "商品1",
                }
            ]
        },
    }


def test_version_2018_deletes_listed_pictures_or_all_of_the_item(world: World) -> None:
    for n in range(3):
        world.add("i", n, PicName=f"{n}.jpg", IntAttr=1)

    def left() -> list[str]:
        found = world.call("SearchImageByFilter", {**SHOP, "Filter": "int_attr=1"})
        return [a["PicName"] for a in found.json["Auctions"]]

    world.call_item("delete", {"item_id": "i", "pic_list": key_of("1.jpg")})
    assert left() == ["0.jpg", "2.jpg"]
    world.call_item("delete", {"item_id": "i", "pic_list": ""})
    assert left() == []


@pytest.mark.parametrize("version", ["2018-01-20", "2018-03-19"])
def test_both_versions_of_2018_are_one(world: World, version: str) -> None:
    sent = world.call(
        "DeleteItem",
        "item_id,0,1^i",
        {"instanceName": "shop"},
        version=version,
        path="/item/delete",
        kind="application/octet-stream",
    )
    assert sent.status == 200, sent.body

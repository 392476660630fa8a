"""Every operation of every version: the exact names, types and nesting of its answer."""

from typing import Any

import pytest
from imagesearch.catalogue import CATEGORIES, Service

from tests.contract.caller import World, picture, text, without

TABLE = [{"Id": c.id, "Name": c.name} for c in CATEGORIES.values()]
SHOP = {"InstanceName": "shop"}


def test_add_image(world: World) -> None:
    answer = world.add("p1", 1)
    assert answer.status == 200
    assert answer.json == {
        "RequestId": "R-1",
        "Success": True,
        "Code": 0,
        "Message": "success",
        "PicInfo": {
            "CategoryId": 3,
            "Region": "10,150,10,110",
            "MultiRegion": [{"Region": "10,150,10,110"}, {"Region": "0,20,0,20"}],
            "AllCategories": TABLE,
        },
    }


def test_given_category_and_region_are_told_back(world: World) -> None:
    info = world.add("p1", 1, CategoryId=0, Region="5,105,6,106").json["PicInfo"]
    assert (info["CategoryId"], info["Region"]) == (0, "5,105,6,106")


@pytest.mark.parametrize("false", ["False", "false", "FALSE", "0"])
def test_without_crop_the_whole_picture_counts_and_the_region_does_not(
    world: World, false: str
) -> None:
    info = world.add("p1", 1, Crop=false, Region="5,105,6,106").json["PicInfo"]
    assert info["Region"] == "0,160,0,120"
    assert world.add("p1", 1, Crop="TRUE").json["PicInfo"]["Region"] == "10,150,10,110"


def test_search_image_by_pic(world: World) -> None:
    attributes = {
        **{f"IntAttr{n}": i for i, n in enumerate(("", "2", "3", "4"))},
        **{f"StrAttr{n}": f"s{n}" for n in ("", "2", "3", "4")},
    }
    world.add("p1", 1, CustomContent="k:v 商品", **attributes)
    world.add("p2", 2)
    answer = world.call(
        "SearchImageByPic",
        {**SHOP, "PicContent": text(picture(1)), "Num": 10, "Start": 0},
        {"ScoreThreshold": "0.00"},
    )
    body = answer.json
    assert isinstance(body["Head"].pop("SearchTime"), int)
    assert body["Head"] == {"DocsFound": 2, "DocsReturn": 2}
    assert body["PicInfo"]["MultiRegion"] == [
        {"Region": "10,150,10,110"},
        {"Region": "0,20,0,20"},
    ]
    assert body["PicInfo"]["AllCategories"] == TABLE
    assert (body["Msg"], body["Code"], body["Success"]) == ("success", 0, True)
    assert "Message" not in body
    first, second = body["Auctions"]
    assert first == {
        "ProductId": "p1",
        "PicName": "a.jpg",
        "CategoryId": 3,
        "CustomContent": "k:v 商品",
        "Score": 1.0,
        "SortExprValues": "7.33136443711219e+24;0",
        **attributes,
    }
    assert set(second) == {"ProductId", "PicName", "CategoryId", "Score", "SortExprValues"}


def test_the_counters_mean_the_reverse_of_their_names_since_2019(world: World) -> None:
    for n in range(3):
        world.add(f"p{n}", n)
    form = {**SHOP, "PicContent": text(picture(1)), "Num": 2}
    head = world.call("SearchImageByPic", form).json["Head"]
    assert (head["DocsFound"], head["DocsReturn"]) == (2, 3)
    found = world.call_item(
        "search", {"n": "2", "pic_list": "c2VhcmNoUGlj", "c2VhcmNoUGlj": text(picture(1))}
    ).json["Head"]
    assert (found["DocsFound"], found["DocsReturn"]) == (3, 2)


def test_search_image_by_name_filter_and_product(world: World) -> None:
    for n in range(4):
        world.add(f"p{n // 2}", n, PicName=f"{n}.jpg", IntAttr=n)
    named = {**SHOP, "ProductId": "p0", "PicName": "0.jpg"}
    body = world.call("SearchImageByName", named).json
    assert body["Auctions"][0]["PicName"] == "0.jpg"
    assert body["PicInfo"]["MultiRegion"] == [{"Region": "10,150,10,110"}]
    filtered = world.call("SearchImageByName", {**named, "Filter": "intAttr >= 2"}).json
    assert {a["IntAttr"] for a in filtered["Auctions"]} == {2, 3}
    distinct = world.call("SearchImageByName", {**named, "DistinctProductId": "True"}).json
    assert [a["ProductId"] for a in distinct["Auctions"]] == ["p0", "p1"]


def test_search_image_by_text(world: World) -> None:
    world.add("p1", 1, StrAttr="green ladder")
    body = world.call("SearchImageByText", {**SHOP, "Text": "ladder"}).json
    assert isinstance(body["Head"].pop("SearchTime"), int)
    assert without(body, "RequestId") == {
        "Success": True,
        "Code": 0,
        "Msg": "success",
        "Head": {"DocsFound": 1, "DocsReturn": 1},
        "PicInfo": {"AllCategories": TABLE},
        "Auctions": [
            {
                "ProductId": "p1",
                "PicName": "a.jpg",
                "CategoryId": 3,
                "StrAttr": "green ladder",
                "Score": 1.0,
            }
        ],
    }


def test_search_image_by_filter_and_check_image_exists(world: World) -> None:
    world.add("p1", 1, IntAttr=5)
    record = {"ProductId": "p1", "PicName": "a.jpg", "CategoryId": 3, "IntAttr": 5}
    common = {"RequestId": "R-1", "Success": True, "Code": 0, "Msg": "success"}
    found = world.call("SearchImageByFilter", {**SHOP, "Filter": "int_attr=5"})
    assert found.json == {**common, "Auctions": [record]}
    there = world.call("CheckImageExists", {**SHOP, "ProductId": "p1", "PicName": "a.jpg"})
    assert there.json == {**common, "Exists": True, "Auctions": record}
    gone = world.call("CheckImageExists", {**SHOP, "ProductId": "p1", "PicName": "b.jpg"})
    assert gone.json == {**common, "Exists": False}


def test_update_image_takes_parameters_from_both_places(world: World) -> None:
    world.add("p1", 1, IntAttr=1, StrAttr="s", CustomContent="c")
    form = {**SHOP, "ProductId": "p1", "PicName": "a.jpg", "IntAttr": 9, "CustomContent": ""}
    answer = world.call("UpdateImage", form, {"IntAttr3": 3, "StrAttr4": "四"})
    assert answer.json == {"RequestId": "R-1", "Success": True, "Code": 0, "Message": "success"}
    record = world.call("CheckImageExists", form).json["Auctions"]
    assert without(record, "ProductId", "PicName", "CategoryId") == {
        "IntAttr": 9,
        "IntAttr3": 3,
        "StrAttr": "s",
        "StrAttr4": "四",
        "CustomContent": "",
    }


def test_delete_image_by_name_product_and_filter(world: World) -> None:
    for n in range(6):
        world.add(f"p{n // 2}", n, PicName=f"{n}.jpg", IntAttr=n)

    def deleted(**form: Any) -> Any:
        answer = world.call("DeleteImage", {**SHOP, **form})
        assert answer.json["Message"] == "success"
        return answer.json["Data"]

    assert deleted(ProductId="p0", PicName="0.jpg") == {"PicNames": ["0.jpg"]}
    assert deleted(ProductId="p0", PicName="0.jpg") == {"PicNames": []}
    assert deleted(ProductId="p1") == {"PicNames": ["2.jpg", "3.jpg"]}
    assert deleted(IsDeleteByFilter="True", Filter="int_attr>4") == {"PicNames": ["5.jpg"]}
    left = world.call("SearchImageByFilter", {**SHOP, "Filter": "int_attr>=0"}).json["Auctions"]
    assert [a["PicName"] for a in left] == ["1.jpg", "4.jpg"]


def test_compare_similar_by_image(world: World) -> None:
    same = {"PrimaryPicContent": text(picture(1)), "SecondaryPicContent": text(picture(1))}
    assert world.call("CompareSimilarByImage", {**SHOP, **same}).json == {
        "RequestId": "R-1",
        "Success": True,
        "Code": 0,
        "Msg": "success",
        "Score": 1.0,
    }
    other = {**same, "SecondaryPicContent": text(picture(2))}
    assert 0 <= world.call("CompareSimilarByImage", {**SHOP, **other}).json["Score"] < 1


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_detail(world: World, method: str) -> None:
    world.add("p1", 1)
    body = world.call("Detail", None, SHOP, method=method).json
    created = body["Instance"].pop("UtcCreate")
    assert created.isdigit()
    assert len(created) == 13
    assert body == {
        "RequestId": "R-1",
        "Success": True,
        "Instance": {
            "Name": "shop",
            "Capacity": 500,
            "Qps": 100,
            "Region": "eu-west-1",
            "ServiceType": 0,
            "TotalCount": 1,
            "UtcExpireTime": "4102444800000",
        },
    }


@pytest.mark.parametrize(
    ("service", "number"), [(Service.GENERIC, 1), (Service.FABRIC, 2), (Service.TRADEMARK, 3)]
)
def test_service_types(world: World, service: Service, number: int) -> None:
    world.create("other", service)
    detail = world.call("Detail", None, {"InstanceName": "other"}).json
    assert detail["Instance"]["ServiceType"] == number


def test_dump_meta_and_its_list(world: World) -> None:
    world.add("p1", 1)
    begun = world.call("DumpMeta", None, SHOP).json
    dump_id = begun["Data"]["Id"]
    assert isinstance(dump_id, str)
    assert begun == {
        "RequestId": "R-1",
        "Success": True,
        "Data": {"Id": dump_id, "DumpMetaStatus": "SUCCESS"},
    }
    world.call("DumpMeta", None, SHOP)
    listed = world.call("DumpMetaList", None, {**SHOP, "Id": dump_id}).json
    (dump,) = listed["Data"].pop("DumpMetaList")
    assert listed == {
        "RequestId": "R-1",
        "Data": {"TotalCount": 1, "PageNumber": 1, "PageSize": 10},
    }
    assert dump["Id"] == int(dump_id)
    assert (dump["Code"], dump["Msg"], dump["Status"]) == ("0", "success", "SUCCESS")
    assert isinstance(dump["UtcCreate"], str)
    assert isinstance(dump["UtcModified"], int)
    assert dump["MetaUrl"].startswith("http")
    paged = world.call("DumpMetaList", None, {**SHOP, "PageNumber": 2, "PageSize": 1}).json
    assert paged["Data"]["TotalCount"] == 2
    assert [d["Id"] for d in paged["Data"]["DumpMetaList"]] == [int(dump_id)]


def test_instance_names_may_be_written_in_capitals(world: World) -> None:
    assert world.call("Detail", None, {"InstanceName": "Shop"}).json["Instance"]["Name"] == "shop"

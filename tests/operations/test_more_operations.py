"""Updating, searching by words, selecting by filter, exporting, and uploads through us."""

from __future__ import annotations

import time
from typing import Any

import msgspec
import numpy as np
import pytest
from imagesearch.catalogue import PictureKey
from imagesearch.errors import (
    Conflict,
    InvalidField,
    PictureExists,
    StorageUnavailable,
    TooDeepResults,
    TooManyResults,
    UnknownInstance,
    UnknownPicture,
    UnknownUpload,
)
from imagesearch.index import encode
from imagesearch.operations.add import AddPicture, add_picture
from imagesearch.operations.deployment import Deployment
from imagesearch.operations.dump import Dump, dump_instance, dump_url, list_dumps
from imagesearch.operations.instances import NamedInstance
from imagesearch.operations.pictures import ShowPicture, show_picture
from imagesearch.operations.receive_upload import discard_upload, receive_upload
from imagesearch.operations.search_text import FoundByText, SearchText, search_text
from imagesearch.operations.select_pictures import SelectPictures, select_pictures
from imagesearch.operations.source import picture_bytes
from imagesearch.operations.update import UpdatePicture, update_picture

from tests.simulation.bucket import Bucket

SHOP = NamedInstance(instance="shop")


def add(deployment: Deployment, product: str, image: str = "1:4", **fields: Any) -> None:
    add_picture(
        deployment,
        AddPicture(
            instance="shop",
            product_id=product,
            pic_name=fields.pop("pic_name", "a"),
            image=image.encode(),
            **fields,
        ),
    )


def by_words(deployment: Deployment, text: str, **fields: Any) -> FoundByText:
    return search_text(deployment, SearchText(instance="shop", text=text, **fields))


def products(found: FoundByText) -> list[str]:
    return [hit.picture.key.product_id for hit in found.hits]


def test_an_update_changes_what_is_given_and_nothing_else(deployment: Deployment) -> None:
    add(deployment, "p", int_attr=1, str_attr="old", custom_content="kept")
    named = {"instance": "shop", "product_id": "p", "pic_name": "a"}
    before = deployment.open("shop").snapshot.find(PictureKey("p", "a"))
    updated = update_picture(deployment, UpdatePicture(**named, str_attr="", int_attr2=7))
    shown = show_picture(deployment, ShowPicture(**named))
    assert shown == updated.picture
    assert shown.attributes.given() == {
        "int_attr": 1,
        "int_attr2": 7,
        "str_attr": "",
        "custom_content": "kept",
    }
    after = deployment.open("shop").snapshot.find(PictureKey("p", "a"))
    assert before
    assert after
    assert (before.features.row == after.features.row).all()
    with pytest.raises(UnknownPicture):
        update_picture(deployment, UpdatePicture(**{**named, "pic_name": "b"}))


@pytest.mark.parametrize("first", ["update", "add"])
def test_an_update_keeps_the_look_of_a_picture_that_is_added_anew_meanwhile(
    deployment: Deployment, bucket: Bucket, monkeypatch: pytest.MonkeyPatch, first: str
) -> None:
    """``first`` is the one that took its sequence first and arrived last."""
    add(deployment, "p", "1:4", int_attr=1, str_attr="old")
    put = bucket.put_if_absent
    named = {"instance": "shop", "product_id": "p", "pic_name": "a"}
    both = {
        "add": lambda: add(deployment, "p", "2:4", int_attr=2, str_attr="new"),
        "update": lambda: update_picture(deployment, UpdatePicture(**named, str_attr="changed")),
    }

    def overtaken(name: str, body: bytes) -> str:
        monkeypatch.setattr(bucket, "put_if_absent", put)
        both["add" if first == "update" else "update"]()
        return put(name, body)

    monkeypatch.setattr(bucket, "put_if_absent", overtaken)
    both[first]()
    found = deployment.open("shop").snapshot.find(PictureKey("p", "a"))
    assert found
    assert found.features == encode(np.random.default_rng(2).standard_normal(512))
    expected = "new" if first == "update" else "changed"
    assert found.picture.attributes.given() == {"int_attr": 2, "str_attr": expected}


def test_words_come_from_content_attributes_and_category(deployment: Deployment) -> None:
    add(deployment, "content", custom_content="A red leather thing")
    add(deployment, "attribute", str_attr3="Red; small")
    add(deployment, "category", image="2:0")
    add(deployment, "nothing", image="3:5")
    assert products(by_words(deployment, "RED leather")) == ["content", "attribute"]
    assert products(by_words(deployment, "tops")) == ["category"]
    assert products(by_words(deployment, "上衣")) == ["category"]
    assert products(by_words(deployment, "鞋子")) == ["attribute", "content"]
    assert by_words(deployment, "violin").total == 0
    assert by_words(deployment, "red leather thing").hits[0].score == 1.0


def test_words_obey_filter_paging_threshold_and_products(deployment: Deployment) -> None:
    for n in range(6):
        add(deployment, f"p{n // 2}", pic_name=f"{n}", custom_content="blue", int_attr=n)
    add(deployment, "q", custom_content="blue cup", int_attr=9)
    assert products(by_words(deployment, "blue", filter="int_attr>3")) == ["p2", "p2", "q"]
    assert products(by_words(deployment, "blue", start=4, num=2)) == ["p2", "p2"]
    assert products(by_words(deployment, "blue cup", score_threshold=0.9)) == ["q"]
    distinct = by_words(deployment, "blue", distinct_product=True)
    assert (products(distinct), distinct.total) == (["p0", "p1", "p2", "q"], 4)


@pytest.mark.parametrize("text", ["!!!", "  ", "🙂"])
def test_a_text_without_a_word_is_refused(deployment: Deployment, text: str) -> None:
    with pytest.raises(InvalidField, match="no word"):
        by_words(deployment, text)


def test_too_many_or_too_deep_is_refused(deployment: Deployment) -> None:
    with pytest.raises(TooManyResults):
        by_words(deployment, "a", num=101)
    with pytest.raises(TooDeepResults):
        by_words(deployment, "a", start=499, num=2)
    with pytest.raises(TooManyResults):
        select_pictures(deployment, SelectPictures(instance="shop", filter="int_attr=1", num=101))
    with pytest.raises(TooDeepResults):
        select_pictures(deployment, SelectPictures(instance="shop", filter="int_attr=1", start=491))


def test_a_filter_selects_in_the_order_of_keys(deployment: Deployment) -> None:
    for n in (3, 1, 2, 0):
        add(deployment, f"p{n}", int_attr=n)

    def selected(**fields: Any) -> list[str]:
        request = SelectPictures(instance="shop", filter="int_attr>0", **fields)
        return [picture.key.product_id for picture in select_pictures(deployment, request)]

    assert selected() == ["p1", "p2", "p3"]
    assert selected(start=1, num=1) == ["p2"]
    assert selected(start=3) == []


def test_a_dump_has_a_line_for_every_picture(deployment: Deployment, bucket: Bucket) -> None:
    add(deployment, "商品", custom_content="c", int_attr2=2, str_attr="s")
    add(deployment, "q", region="1,50,2,40")
    dump = dump_instance(deployment, SHOP)
    assert (dump.state, dump.pictures) == ("SUCCESS", 2)
    assert list_dumps(deployment, SHOP) == [dump]
    (meta,) = (info.key for info in bucket.list("dumps/") if info.key.endswith(".meta"))
    lines = [msgspec.json.decode(line) for line in bucket.get(meta).body.splitlines()]
    assert lines == [
        {
            "OperationType": "ADD",
            "ProductId": "q",
            "PicName": "a",
            "CategoryId": 4,
            "Region": "1,50,2,40",
        },
        {
            "OperationType": "ADD",
            "ProductId": "商品",
            "PicName": "a",
            "CategoryId": 4,
            "Region": "0,100,0,80",
            "CustomContent": "c",
            "IntAttr2": 2,
            "StrAttr": "s",
        },
    ]
    assert meta in dump_url(deployment, SHOP, dump)


def test_dumps_are_listed_newest_first(deployment: Deployment) -> None:
    dumps = [dump_instance(deployment, SHOP) for _ in range(3)]
    assert list_dumps(deployment, SHOP) == dumps[::-1]


def _running(deployment: Deployment, ago: int) -> Dump:
    instance = deployment.instances.get("shop")
    began = time.time_ns() // 1000 - ago * 1_000_000
    dump = Dump(id=began, changed=began)
    key = f"dumps/shop/{instance.incarnation}/running"
    deployment.store.put(key, msgspec.json.encode(dump))
    return dump


def test_one_dump_runs_at_a_time(deployment: Deployment) -> None:
    running = _running(deployment, ago=60)
    with pytest.raises(Conflict, match="runs since"):
        dump_instance(deployment, SHOP)
    assert list_dumps(deployment, SHOP) == [running]
    assert dump_url(deployment, SHOP, running) == ""


def test_a_dump_that_died_is_over_after_a_quarter_of_an_hour(deployment: Deployment) -> None:
    _running(deployment, ago=901)
    (died,) = list_dumps(deployment, SHOP)
    assert died.state == "FAIL"
    assert dump_instance(deployment, SHOP).state == "SUCCESS"
    assert len(list_dumps(deployment, SHOP)) == 1


def test_a_dump_that_fails_is_kept_as_failed(deployment: Deployment) -> None:
    class Full(Bucket):
        def put(self, key: str, body: bytes, *, content_type: str = "") -> str:
            if key.endswith(".meta"):
                raise StorageUnavailable("full")
            return super().put(key, body, content_type=content_type)

    deployment.store.__class__ = Full
    with pytest.raises(StorageUnavailable):
        dump_instance(deployment, SHOP)
    (failed,) = list_dumps(deployment, SHOP)
    assert failed.state == "FAIL"
    assert dump_url(deployment, SHOP, failed) == ""


def test_what_is_not_there_cannot_be_dumped(deployment: Deployment) -> None:
    with pytest.raises(UnknownInstance):
        dump_instance(deployment, NamedInstance(instance="none"))


def test_an_upload_takes_one_picture_and_can_be_forgotten(deployment: Deployment) -> None:
    upload = "0" * 32
    receive_upload(deployment, upload, b"picture")
    receive_upload(deployment, upload, b"picture")
    with pytest.raises(PictureExists):
        receive_upload(deployment, upload, b"another")
    assert picture_bytes(deployment, None, upload) == b"picture"
    discard_upload(deployment, upload)
    discard_upload(deployment, upload)
    with pytest.raises(UnknownUpload):
        picture_bytes(deployment, None, upload)

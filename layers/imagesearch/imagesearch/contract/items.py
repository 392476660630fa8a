"""Pictures of version 2018-01-20, where one item has several of them."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from imagesearch.contract import answers
from imagesearch.contract.call import Caller
from imagesearch.contract.pictures import Sent, decode
from imagesearch.contract.refusals import UnreadableItemBody
from imagesearch.errors import MissingField
from imagesearch.operations import fields
from imagesearch.operations.add import AddPicture, add_picture
from imagesearch.operations.delete import (
    DeletePicture,
    DeleteProduct,
    delete_picture,
    delete_product,
)
from imagesearch.operations.search import Found, Search, search

__all__ = ["add", "delete", "search_item"]

Json = dict[str, Any]

_OURS = {
    "item_id": "product_id",
    "cat_id": "category_id",
    "cust_content": "custom_content",
    "crop": "crop",
    "region": "region",
    "int_attr": "int_attr",
    "str_attr": "str_attr",
    "s": "start",
    "n": "num",
    "filter": "filter",
}


def add(caller: Caller) -> Json:
    """AddItem: every picture of the list, under one item."""
    given = _given(
        caller,
        ("item_id", "cat_id", "cust_content", "crop", "region", "int_attr", "str_attr"),
    )
    names = _names(caller)
    if not names:
        raise UnreadableItemBody("the body has no pic_list.", code="NoPicList")
    # All are checked before the first is written.
    requests = [
        fields.read(AddPicture, {**given, "pic_name": name, "image": _picture(caller, encoded)})
        for encoded, name in names
    ]
    for request in requests:
        add_picture(caller.deployment, request, most=caller.key.limits.pictures)
    return answers.wrote()


def delete(caller: Caller) -> Json:
    """DeleteItem: the pictures of the list, or without one every picture of the item."""
    given = _given(caller, ("item_id",))
    names = _names(caller)
    if not names:
        delete_product(caller.deployment, fields.read(DeleteProduct, given))
    for _, name in names:
        delete_picture(caller.deployment, fields.read(DeletePicture, {**given, "pic_name": name}))
    return answers.wrote()


def search_item(caller: Caller) -> Json:
    """SearchItem: by the one picture of the list."""
    given = _given(caller, ("cat_id", "crop", "region", "s", "n", "filter"))
    names = _names(caller)
    if not names:
        raise MissingField("image")
    if len(names) > 1:
        raise UnreadableItemBody(
            f"pic_list has {len(names)} pictures; a search takes one.", code="InvalidPicList"
        )
    image = _picture(caller, names[0][0])
    found = search(caller.deployment, fields.read(Search, {**given, "image": image}))
    return {
        "Success": True,
        "Code": 0,
        "Message": "success",
        "Head": {
            "SearchTime": round(found.took_ms["total"]),
            "DocsFound": found.answer.total,
            "DocsReturn": len(found.answer.hits),
        },
        "PicInfo": _pic_info(found),
        "Auctions": {"Auction": [_auction(hit) for hit in answers.hits(found, caller.generation)]},
    }


def _pic_info(found: Found) -> Json:
    return {
        "Category": str(found.category_id),
        "Region": str(found.region),
        "AllCategory": {
            "Category": [
                {"Name": each["Name"], "Id": str(each["Id"])} for each in answers.categories()
            ]
        },
    }


def _auction(hit: Json) -> Json:
    """Describe a hit; the product goes by two names, because the SDKs read one or the other."""
    return {
        "CustContent": hit.get("CustomContent", ""),
        "PicName": hit["PicName"],
        "CatId": str(hit["CategoryId"]),
        "SortExprValues": hit["SortExprValues"],
        "ItemId": hit["ProductId"],
        "ProductId": hit["ProductId"],
    }


def _given(caller: Caller, names: tuple[str, ...]) -> Json:
    values = caller.call.items
    found = {_OURS[name]: values[name] for name in names if values.get(name)}
    return {"instance": caller.fields.instance, **found}


def _names(caller: Caller) -> list[tuple[str, str]]:
    """Return the listed pictures: their key in the body, which is Base64, and their name."""
    listed = caller.call.items.get("pic_list", "")
    try:
        return [
            (encoded, base64.b64decode(encoded, validate=True).decode())
            for encoded in listed.split(",")
            if encoded
        ]
    except (binascii.Error, ValueError):
        raise UnreadableItemBody(
            "pic_list is not a list of names in Base64, separated by commas.",
            code="InvalidPicList",
        ) from None


def _picture(caller: Caller, encoded: str) -> bytes:
    text = caller.call.items.get(encoded)
    if not text:
        raise UnreadableItemBody(
            f"pic_list names {encoded[:80]!r}, but the body has no such picture.",
            code="NoSpecifiedPic",
        )
    return caller.checked(Sent(decode(text, "image")))

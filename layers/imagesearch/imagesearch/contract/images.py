"""Pictures of the versions since 2019: add, update, delete, search, compare, look up."""

from __future__ import annotations

import re
from typing import Any

from imagesearch.contract import answers
from imagesearch.contract.call import Caller
from imagesearch.contract.fields import ATTRIBUTES
from imagesearch.errors import InvalidField, UnknownPicture
from imagesearch.operations.add import AddPicture, add_picture
from imagesearch.operations.compare import Compare, compare
from imagesearch.operations.delete import (
    Deleted,
    DeletePicture,
    DeleteProduct,
    DeleteSelected,
    delete_picture,
    delete_product,
    delete_selected,
)
from imagesearch.operations.pictures import ShowPicture, show_picture
from imagesearch.operations.search import Search, search
from imagesearch.operations.select_pictures import SelectPictures, select_pictures
from imagesearch.operations.update import UpdatePicture, update_picture

__all__ = [
    "add",
    "compare_similar",
    "delete",
    "exists",
    "search_by_filter",
    "search_by_name",
    "search_by_pic",
    "search_by_text",
    "search_by_type",
    "update",
]

Json = dict[str, Any]

_KEY = ("ProductId", "PicName")
_SUBJECT = ("CategoryId", "Crop", "Region")
_PAGE = ("Num", "Start")
_NARROWED = (*_PAGE, "Filter", "ScoreThreshold", "DistinctProductId")
_SCORE = re.compile(r"(0(\.\d{1,2})?|1(\.0{1,2})?)", re.ASCII)


def add(caller: Caller) -> Json:
    """AddImage."""
    caller.fields.need("InstanceName", *_KEY)
    request = caller.fields.read(
        AddPicture,
        (*_KEY, *_SUBJECT, "CustomContent", *ATTRIBUTES),
        image=caller.picture(),
    )
    added = add_picture(caller.deployment, request, most=caller.key.limits.pictures)
    whole = caller.generation.tells_subjects_of_adds
    info = answers.pic_info(
        added.picture.category_id, added.picture.region, added.regions, several=whole
    )
    if not whole:
        del info["AllCategories"]
    return answers.wrote(PicInfo=info)


def update(caller: Caller) -> Json:
    """UpdateImage: change the words and numbers that were stored with a picture."""
    request = caller.fields.read(UpdatePicture, (*_KEY, "CustomContent", *ATTRIBUTES))
    update_picture(caller.deployment, request)
    return answers.wrote()


def delete(caller: Caller) -> Json:
    """DeleteImage: one picture, all of a product, or all that a filter selects."""
    deleted = _delete(caller)
    if not caller.generation.tells_deleted:
        return answers.wrote()
    return answers.wrote(Data={"PicNames": [key.pic_name for key in deleted.keys]})


def _delete(caller: Caller) -> Deleted:
    fields, deployment = caller.fields, caller.deployment
    if caller.generation.tells_deleted and fields.flag("IsDeleteByFilter"):
        return delete_selected(deployment, fields.read(DeleteSelected, ("Filter",)))
    if fields.get("PicName") is None:
        return delete_product(deployment, fields.read(DeleteProduct, ("ProductId",)))
    return delete_picture(deployment, fields.read(DeletePicture, _KEY))


def search_by_type(caller: Caller) -> Json:
    """SearchImage of 2019, whose Type says by what."""
    kind = caller.fields.get("Type") or "SearchByPic"
    if kind == "SearchByPic":
        return search_by_pic(caller)
    if kind == "SearchByName":
        return search_by_name(caller)
    raise InvalidField("Type", f"Type must be SearchByPic or SearchByName, not {kind[:40]!r}.")


def search_by_pic(caller: Caller) -> Json:
    """SearchImageByPic."""
    return _search(caller, _SUBJECT, image=caller.picture())


def search_by_name(caller: Caller) -> Json:
    """SearchImageByName: by a picture that is stored."""
    caller.fields.need(*_KEY)
    return _search(caller, (*_KEY, "CategoryId"))


def _search(caller: Caller, names: tuple[str, ...], **more: object) -> Json:
    _check_threshold(caller)
    request = caller.fields.read(Search, (*names, *_NARROWED), **more)
    found = search(caller.deployment, request)
    hits = answers.hits(found, caller.generation)
    return answers.searched(
        Head=answers.head(len(hits), found.answer.total, found.took_ms["total"]),
        PicInfo=answers.pic_info(
            found.category_id,
            found.region,
            found.regions,
            several=caller.generation.several_regions,
        ),
        Auctions=hits,
    )


def search_by_text(caller: Caller) -> Json:
    """SearchImageByText."""
    from imagesearch.operations.search_text import SearchText, search_text

    _check_threshold(caller)
    request = caller.fields.read(SearchText, ("Text", *_NARROWED))
    found = search_text(caller.deployment, request)
    hits = [
        {**answers.auction(hit.picture, caller.generation), "Score": round(hit.score, 6)}
        for hit in found.hits
    ]
    return answers.searched(
        Head=answers.head(len(hits), found.total, found.took_ms["total"]),
        PicInfo={"AllCategories": answers.categories()},
        Auctions=hits,
    )


def search_by_filter(caller: Caller) -> Json:
    """SearchImageByFilter: what the filter selects, in the order of keys."""
    request = caller.fields.read(SelectPictures, ("Filter", *_PAGE))
    pictures = select_pictures(caller.deployment, request)
    return answers.searched(
        Auctions=[answers.auction(picture, caller.generation) for picture in pictures]
    )


def exists(caller: Caller) -> Json:
    """CheckImageExists; its Auctions is one object."""
    try:
        picture = show_picture(caller.deployment, caller.fields.read(ShowPicture, _KEY))
    except UnknownPicture:
        return answers.searched(Exists=False)
    return answers.searched(Exists=True, Auctions=answers.auction(picture, caller.generation))


def compare_similar(caller: Caller) -> Json:
    """CompareSimilarByImage."""
    first = caller.picture("PrimaryPicContent", name="PrimaryPicContent")
    second = caller.picture("SecondaryPicContent", name="SecondaryPicContent")
    request = caller.fields.read(Compare, (), image=first, other_image=second)
    return answers.searched(Score=compare(caller.deployment, request).score)


def _check_threshold(caller: Caller) -> None:
    text = caller.fields.get("ScoreThreshold")
    if text is not None and not _SCORE.fullmatch(text):
        raise InvalidField(
            "score_threshold",
            f"score_threshold must be 0.00 to 1.00 with at most two decimals, not {text[:40]!r}.",
        )

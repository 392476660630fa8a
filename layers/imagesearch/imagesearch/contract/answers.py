"""Answers with the vendor's names, types and nesting."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from imagesearch.catalogue import CATEGORIES, Picture, Region
from imagesearch.contract.generation import Generation
from imagesearch.operations.search import Found

__all__ = ["auction", "categories", "head", "hits", "pic_info", "searched", "wrote"]

Json = dict[str, Any]


def wrote(**more: object) -> Json:
    """Answer a write: its sentence is called ``Message``."""
    return {"Success": True, "Code": 0, "Message": "success", **more}


def searched(**more: object) -> Json:
    """Answer a search: its sentence is called ``Msg``."""
    return {"Success": True, "Code": 0, "Msg": "success", **more}


def head(returned: int, total: int, milliseconds: float) -> Json:
    """Return the counters, which since 2019 mean the reverse of their names.

    The vendor's reference has DocsFound as the number of results returned, and DocsReturn as the
    number of hits in the instance.
    """
    return {"DocsFound": returned, "DocsReturn": total, "SearchTime": round(milliseconds)}


def categories() -> list[Json]:
    """Return the table of all categories."""
    return [{"Id": category.id, "Name": category.name} for category in CATEGORIES.values()]


def pic_info(category_id: int, region: Region, regions: Iterable[Region], *, several: bool) -> Json:
    """Describe what was understood of a picture; ``several`` adds every subject found."""
    found = {"MultiRegion": [{"Region": str(each)} for each in regions]} if several else {}
    return {
        "CategoryId": category_id,
        "Region": str(region),
        **found,
        "AllCategories": categories(),
    }


def auction(picture: Picture, generation: Generation) -> Json:
    """Describe a stored picture."""
    given = picture.attributes
    described: Json = {
        "ProductId": picture.key.product_id,
        "PicName": picture.key.pic_name,
        "CategoryId": picture.category_id,
        "CustomContent": given.custom_content,
    }
    for n in ("", "2", "3", "4")[: generation.attributes]:
        described[f"IntAttr{n}"] = getattr(given, f"int_attr{n}")
        described[f"StrAttr{n}"] = getattr(given, f"str_attr{n}")
    if generation.complete:
        blank = {"CustomContent": "", "StrAttr": "", "IntAttr": 0}
        return {n: blank.get(n, v) if v is None else v for n, v in described.items()}
    return {name: value for name, value in described.items() if value is not None}


def hits(found: Found, generation: Generation) -> list[Json]:
    """Describe the hits of a search, best first."""
    return [
        {
            **auction(hit.picture, generation),
            "SortExprValues": hit.likeness.sort_expr_values,
            **({"Score": hit.likeness.score} if generation.scores else {}),
        }
        for hit in found.answer.hits
    ]

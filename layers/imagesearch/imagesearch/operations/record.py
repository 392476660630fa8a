"""How a catalogued picture is written in an answer."""

from __future__ import annotations

from typing import Any

from imagesearch.catalogue import Picture

__all__ = ["record"]


def record(picture: Picture) -> dict[str, Any]:
    """Return the picture as a JSON object; attributes that were not given are left out."""
    return {
        "product_id": picture.key.product_id,
        "pic_name": picture.key.pic_name,
        "category_id": picture.category_id,
        "region": picture.region.as_list(),
        **picture.attributes.given(),
    }

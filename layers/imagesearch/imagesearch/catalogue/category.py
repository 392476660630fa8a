"""The fourteen product categories of the vendor's public reference."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

__all__ = ["CATEGORIES", "OTHER", "Category"]


@dataclass(frozen=True, slots=True)
class Category:
    """One row of the category table."""

    id: int
    name: str
    chinese: str


OTHER = 88888888
"""Id of the category of everything else, and of every picture of the other three services."""

# https://help.aliyun.com/document_detail/179184.html, in the order the service lists them.
CATEGORIES = MappingProxyType(
    {
        id_: Category(id_, name, chinese)
        for id_, name, chinese in (
            (0, "Tops", "上衣"),
            (1, "Dress", "裙装"),
            (2, "Bottoms", "下装"),
            (3, "Bag", "包"),
            (4, "Shoes", "鞋"),
            (5, "Accessories", "配饰"),
            (6, "Snack", "零食"),
            (7, "Makeup", "美妆"),
            (8, "Bottle", "瓶饮"),
            (9, "Furniture", "家具"),
            (20, "Toy", "玩具"),
            (21, "Underwear", "内衣"),
            (22, "Digital device", "数码硬件"),
            (OTHER, "Other", "其他"),
        )
    }
)
"""All categories by id."""

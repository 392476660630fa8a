"""The optional fields of requests.

Written by ``python tools/write_client.py``; do not edit by hand.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypedDict

__all__ = [
    "AddFields",
    "AttributeFields",
    "CombinedFields",
    "CompareFields",
    "ExplainFields",
    "IncrementFields",
    "SearchFields",
    "SubjectFields",
    "TextFields",
]


class AddFields(TypedDict, total=False):
    """Fields of ``addPicture``, see docs/http-api.md; ``None`` is not sent."""

    int_attr: int | None
    int_attr2: int | None
    int_attr3: int | None
    int_attr4: int | None
    str_attr: str | None
    str_attr2: str | None
    str_attr3: str | None
    str_attr4: str | None
    custom_content: str | None
    category_id: int | None
    crop: bool | None
    region: str | Sequence[int] | None
    if_exists: Literal["fail", "keep", "replace"] | None
    if_duplicate: Literal["fail", "keep", "report"] | None


class AttributeFields(TypedDict, total=False):
    """Fields of ``updatePicture``, see docs/http-api.md; ``None`` is not sent."""

    int_attr: int | None
    int_attr2: int | None
    int_attr3: int | None
    int_attr4: int | None
    str_attr: str | None
    str_attr2: str | None
    str_attr3: str | None
    str_attr4: str | None
    custom_content: str | None


class SearchFields(TypedDict, total=False):
    """Fields of ``searchPictures``, see docs/http-api.md; ``None`` is not sent."""

    num: int | None
    filter: str | None
    score_threshold: float | None
    distinct_product: bool | None
    min_sequence: int | None
    start: int | None
    category_id: int | None
    distinct_by: Literal["product_id", "str_attr", "str_attr2", "str_attr3", "str_attr4"] | None
    crop: bool | None
    region: str | Sequence[int] | None


class CombinedFields(TypedDict, total=False):
    """Fields of ``searchPictures``, see docs/http-api.md; ``None`` is not sent."""

    num: int | None
    filter: str | None
    score_threshold: float | None
    distinct_product: bool | None
    min_sequence: int | None
    start: int | None
    category_id: int | None
    distinct_by: Literal["product_id", "str_attr", "str_attr2", "str_attr3", "str_attr4"] | None


class TextFields(TypedDict, total=False):
    """Fields of ``searchPictures``, see docs/http-api.md; ``None`` is not sent."""

    num: int | None
    filter: str | None
    score_threshold: float | None
    distinct_product: bool | None
    min_sequence: int | None
    start: int | None
    category_id: int | None
    distinct_by: Literal["product_id", "str_attr", "str_attr2", "str_attr3", "str_attr4"] | None


class SubjectFields(TypedDict, total=False):
    """Fields of ``searchPictures``, see docs/http-api.md; ``None`` is not sent."""

    num: int | None
    filter: str | None
    score_threshold: float | None
    distinct_product: bool | None
    min_sequence: int | None


class ExplainFields(TypedDict, total=False):
    """Fields of ``explainHit``, see docs/http-api.md; ``None`` is not sent."""

    crop: bool | None
    region: str | Sequence[int] | None
    cells: int | None


class CompareFields(TypedDict, total=False):
    """Fields of ``comparePictures``, see docs/http-api.md; ``None`` is not sent."""

    region: str | Sequence[int] | None
    other_region: str | Sequence[int] | None
    crop: bool | None


class IncrementFields(TypedDict, total=False):
    """Fields of ``submitIncrement``, see docs/http-api.md; ``None`` is not sent."""

    role_arn: str | None
    bucket_owner: str | None
    callback_url: str | None

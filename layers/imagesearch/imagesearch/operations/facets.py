"""Count an instance's pictures by category and attributes."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from imagesearch.catalogue.filter import Filter
from imagesearch.errors import InvalidField
from imagesearch.index.facets import COUNTABLE, Facet
from imagesearch.operations.deployment import Deployment
from imagesearch.operations.fields import (
    CategoryId,
    FilterText,
    OperationFields,
    check_category,
)

__all__ = ["CountPictures", "count_pictures", "read_fields"]


class CountPictures(OperationFields, frozen=True, kw_only=True):
    """Asks how many pictures have each value of some fields."""

    by: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=200,
            description="Fields, separated by commas: category_id, int_attr…, str_attr….",
        ),
    ] = "category_id"
    category_id: CategoryId | None = None
    filter: FilterText | None = None
    limit: Annotated[int, Meta(ge=1, le=1000, description="Values shown of a field.")] = 20


def count_pictures(deployment: Deployment, request: CountPictures) -> dict[str, Facet]:
    """Return the counts by field, exact, of the pictures that category and filter select."""
    fields = read_fields(request.by)
    check_category(request.category_id)
    selected = Filter.parse(request.filter) if request.filter is not None else None
    catalogue = deployment.open(request.instance)
    within = request.category_id if catalogue.instance.service.has_categories else None
    return catalogue.snapshot.facets(
        fields, category_id=within, filter=selected, limit=request.limit
    )


def read_fields(text: str, *, field: str = "by") -> tuple[str, ...]:
    """Return the fields that a text names, each once."""
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",")))
    for name in names:
        if name not in COUNTABLE:
            raise InvalidField(
                field,
                f"{field} names {name[:40]!r}, by which pictures cannot be counted.",
                fix=f"Use {', '.join(COUNTABLE)}.",
            )
    return names

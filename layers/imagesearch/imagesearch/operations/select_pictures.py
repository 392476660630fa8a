"""Select pictures by a filter alone, in the order of their keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from msgspec import Meta

from imagesearch.catalogue import Picture
from imagesearch.catalogue.filter import Filter
from imagesearch.operations.deployment import Deployment
from imagesearch.operations.fields import FilterText, OperationFields, check_page

__all__ = ["SelectPictures", "select_pictures"]


class SelectPictures(OperationFields, frozen=True, kw_only=True):
    """A filter, and which of the pictures that pass it are wanted."""

    filter: FilterText
    num: Annotated[int, Meta(ge=1, description="At most 100.")] = 10
    start: Annotated[int, Meta(ge=0, description="At most 499.")] = 0


def select_pictures(deployment: Deployment, request: SelectPictures) -> Sequence[Picture]:
    """Return the pictures that pass the filter; to go past the 500th, list them by cursor."""
    check_page(request.num, request.start)
    selected = Filter.parse(request.filter)
    return deployment.open(request.instance).snapshot.matching(
        selected, limit=request.start + request.num
    )[request.start :]

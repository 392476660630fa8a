"""Select pictures by a filter alone, in the order of their keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from msgspec import Meta

from imagesearch.catalogue import Picture
from imagesearch.catalogue.filter import Filter
from imagesearch.errors import TooDeepResults, TooManyResults
from imagesearch.operations.deployment import Deployment
from imagesearch.operations.fields import FilterText, OperationFields
from imagesearch.operations.search import MAX_DEPTH, MAX_NUM

__all__ = ["SelectPictures", "select_pictures"]


class SelectPictures(OperationFields, frozen=True, kw_only=True):
    """A filter, and which of the pictures that pass it are wanted."""

    filter: FilterText
    num: Annotated[int, Meta(ge=1, description="At most 100.")] = 10
    start: Annotated[int, Meta(ge=0, description="At most 499.")] = 0


def select_pictures(deployment: Deployment, request: SelectPictures) -> Sequence[Picture]:
    """Return the pictures that pass the filter; to go past the 500th, list them by cursor."""
    if request.num > MAX_NUM:
        raise TooManyResults(f"num is {request.num}; the limit is {MAX_NUM}.", field="num")
    last = request.start + request.num
    if last > MAX_DEPTH:
        raise TooDeepResults(
            f"start {request.start} + num {request.num} reaches past result {MAX_DEPTH}.",
            field="start",
        )
    selected = Filter.parse(request.filter)
    return deployment.open(request.instance).snapshot.matching(selected, limit=last)[
        request.start :
    ]

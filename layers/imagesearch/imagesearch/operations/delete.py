"""Delete pictures: one, all of a product, or all that a filter selects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from imagesearch.catalogue import Picture, PictureKey
from imagesearch.catalogue.filter import Filter
from imagesearch.errors import InvalidField, MissingField
from imagesearch.index import Deletion, OfPicture, OfProduct
from imagesearch.operations.deployment import Catalogue, Deployment
from imagesearch.operations.fields import FilterText, OperationFields, PicName, ProductId

__all__ = [
    "DeletePicture",
    "DeleteProduct",
    "DeleteSelected",
    "Deleted",
    "delete_picture",
    "delete_product",
    "delete_selected",
]

_BATCH = 500


class DeletePicture(OperationFields, frozen=True, kw_only=True):
    """Names one picture."""

    product_id: ProductId
    pic_name: PicName


class DeleteProduct(OperationFields, frozen=True, kw_only=True):
    """Names all pictures of a product."""

    product_id: ProductId


class DeleteSelected(OperationFields, frozen=True, kw_only=True):
    """Selects pictures by their attributes, or by names that a path cannot carry."""

    filter: FilterText | None = None
    product_id: ProductId | None = None
    pic_name: PicName | None = None


@dataclass(frozen=True, slots=True)
class Deleted:
    """The pictures that were deleted; none when there was nothing to delete."""

    keys: Sequence[PictureKey]
    sequence: int


def delete_picture(deployment: Deployment, request: DeletePicture) -> Deleted:
    """Delete one picture; one that is not there is not an error."""
    catalogue = deployment.open(request.instance)
    key = PictureKey(request.product_id, request.pic_name)
    found = [key] if catalogue.snapshot.find(key, meaning=False) else []
    return _deleted(deployment, catalogue, found, [OfPicture(key)])


def delete_product(deployment: Deployment, request: DeleteProduct) -> Deleted:
    """Delete every picture of a product."""
    catalogue = deployment.open(request.instance)
    found = catalogue.snapshot.of_product(request.product_id)
    return _deleted(deployment, catalogue, found, [OfProduct(request.product_id)])


def delete_selected(deployment: Deployment, request: DeleteSelected) -> Deleted:
    """Delete every picture that the filter selects in one consistent view of the instance.

    With ``product_id``, alone or with ``pic_name``, delete what these name; never both ways at
    once, and never everything.
    """
    if request.product_id is not None or request.pic_name is not None:
        return _delete_named(deployment, request)
    if request.filter is None:
        raise MissingField("filter", fix="Send filter, or product_id with or without pic_name.")
    selected = Filter.parse(request.filter)
    catalogue = deployment.open(request.instance)
    found = [picture.key for picture in _all(catalogue, selected)]
    return _deleted(deployment, catalogue, found, [OfPicture(key) for key in found])


def _delete_named(deployment: Deployment, request: DeleteSelected) -> Deleted:
    instance, product_id, pic_name = request.instance, request.product_id, request.pic_name
    if request.filter is not None:
        raise InvalidField("filter", "filter and product_id are both given; send one of them.")
    if product_id is None:
        raise MissingField("product_id")
    if pic_name is None:
        return delete_product(deployment, DeleteProduct(instance=instance, product_id=product_id))
    named = DeletePicture(instance=instance, product_id=product_id, pic_name=pic_name)
    return delete_picture(deployment, named)


def _all(catalogue: Catalogue, selected: Filter) -> list[Picture]:
    found: list[Picture] = []
    while page := catalogue.snapshot.matching(
        selected, after=found[-1].key if found else None, limit=_BATCH
    ):
        found += page
    return found


def _deleted(
    deployment: Deployment,
    catalogue: Catalogue,
    keys: Sequence[PictureKey],
    deletions: Sequence[Deletion],
) -> Deleted:
    """Write the deletions, unless there is nothing they would hide."""
    sequence = catalogue.snapshot.sequence
    if keys:
        for first in range(0, len(deletions), _BATCH):
            sequence = catalogue.index.append(
                deletions=deletions[first : first + _BATCH], after=catalogue.snapshot
            )
        deployment.wrote(catalogue)
    return Deleted(keys, sequence)

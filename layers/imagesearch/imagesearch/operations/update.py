"""Change what the owner attached to a picture; the picture itself stays."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from imagesearch.catalogue import Picture, PictureKey
from imagesearch.errors import UnknownPicture
from imagesearch.index import Change
from imagesearch.operations.deployment import Deployment
from imagesearch.operations.fields import AttributeFields, PicName, ProductId

__all__ = ["UpdatePicture", "Updated", "update_picture"]


class UpdatePicture(AttributeFields, frozen=True, kw_only=True):
    """Names a picture, and the attributes to change; those not given stay as they are."""

    product_id: ProductId
    pic_name: PicName


@dataclass(frozen=True, slots=True)
class Updated:
    """The picture as it was found, with what was changed."""

    picture: Picture
    sequence: int


def update_picture(deployment: Deployment, request: UpdatePicture) -> Updated:
    """Replace the given attributes of one picture; :class:`UnknownPicture` if there is none.

    Only the attributes are written. If the picture is added anew at the same moment, the new look
    stays; its attributes are changed if the add has the lower sequence, else they are the add's.
    """
    catalogue = deployment.open(request.instance)
    key = PictureKey(request.product_id, request.pic_name)
    entry = catalogue.snapshot.find(key, meaning=False)
    if entry is None:
        raise UnknownPicture(
            f"there is no picture {request.pic_name!r} of product {request.product_id!r} "
            f"in instance {request.instance!r}."
        )
    given: dict[str, Any] = request.attributes().given()
    attributes = replace(entry.picture.attributes, **given)
    sequence = catalogue.index.append(changes=[Change(key, given)], after=catalogue.snapshot)
    deployment.wrote(catalogue)
    return Updated(replace(entry.picture, attributes=attributes), sequence)

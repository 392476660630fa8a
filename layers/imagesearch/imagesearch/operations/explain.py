"""Tell why a picture was found: which parts of it and of the query make them alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

from imagesearch.catalogue import Picture, PictureKey, Region
from imagesearch.catalogue.thumbnails import read_thumbnail
from imagesearch.errors import UnknownPicture
from imagesearch.index import direction, encode, likeness
from imagesearch.operations.deployment import Deployment
from imagesearch.operations.fields import OperationFields, PicName, ProductId
from imagesearch.operations.source import picture_bytes

if TYPE_CHECKING:
    from imagesearch.vision import Reasons

__all__ = ["Explain", "Explained", "explain"]


class Explain(OperationFields, frozen=True, kw_only=True):
    """A query picture, and the indexed picture that was found."""

    product_id: ProductId
    pic_name: PicName
    image: bytes | None = None
    upload_id: str | None = None
    crop: bool = True
    region: str | list[int] | None = None
    cells: Annotated[int, Meta(ge=2, le=12, description="Cells a side.")] = 7


@dataclass(frozen=True, slots=True)
class Explained:
    """The reasons in the query and, where it has a thumbnail, in the picture that was found.

    The second ones are of the subject as it is found in the thumbnail, in its pixels.
    """

    picture: Picture
    score: float
    query: Reasons
    result: Reasons | None


def explain(deployment: Deployment, request: Explain) -> Explained:
    """Cover one part after the other of both pictures, and see what is lost.

    Raises :class:`UnknownPicture` if there is none of that name. Takes about half a second.
    """
    image = picture_bytes(deployment, request.image, request.upload_id)
    region = None if request.region is None else Region.parse(request.region)
    catalogue = deployment.open(request.instance)
    key = PictureKey(request.product_id, request.pic_name)
    entry = catalogue.snapshot.find(key, meaning=False)
    if entry is None:
        raise UnknownPicture(
            f"there is no picture {request.pic_name!r} of product {request.product_id!r} "
            f"in instance {request.instance!r}."
        )
    vision, service = deployment.vision_of(catalogue.instance), catalogue.instance.service
    view = vision.look(image, service, region=region, crop=request.crop)
    reasons = vision.reasons(
        image,
        service,
        direction(entry.features.row),
        region=region,
        crop=request.crop,
        cells=request.cells,
    )
    small = read_thumbnail(deployment.store, catalogue.instance, entry.picture)
    result = None
    if small:
        result = vision.reasons(small, service, view.vector, cells=request.cells)
    score = likeness(encode(view.vector), entry.features).score
    return Explained(entry.picture, score, reasons, result)

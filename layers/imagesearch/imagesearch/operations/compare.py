"""Compare two pictures without an index."""

from __future__ import annotations

from imagesearch.catalogue import Region
from imagesearch.errors import MissingField
from imagesearch.index import Likeness, encode, likeness
from imagesearch.operations.deployment import Deployment
from imagesearch.operations.fields import OperationFields

__all__ = ["Compare", "compare"]


class Compare(OperationFields, frozen=True, kw_only=True):
    """Two pictures; each may have its subject given."""

    image: bytes
    other_image: bytes
    region: str | list[int] | None = None
    other_region: str | list[int] | None = None
    crop: bool = True


def compare(deployment: Deployment, request: Compare) -> Likeness:
    """Tell how much two pictures look alike, as the instance's service sees them."""
    instance = deployment.instances.get(request.instance)
    vision = deployment.vision_of(instance)
    pairs = (
        ("image", request.image, request.region),
        ("other_image", request.other_image, request.other_region),
    )
    features = []
    for name, image, region in pairs:
        if not image:
            raise MissingField(name)
        view = vision.look(
            image,
            instance.service,
            region=None if region is None else Region.parse(region),
            crop=request.crop,
        )
        features.append(encode(view.vector))
    return likeness(*features)

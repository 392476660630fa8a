"""The picture of a call: Base64, or the address of an upload; and the vendor's limits on it."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Final

from imagesearch.catalogue import Service
from imagesearch.contract.keys import AccessKey
from imagesearch.contract.uploads import MAX_PICTURE, upload_id_of
from imagesearch.errors import InvalidBase64, MissingField, PictureTooBig, UnsupportedSides
from imagesearch.operations.deployment import Deployment
from imagesearch.operations.sides import sides
from imagesearch.operations.source import picture_bytes

__all__ = ["SIDES", "Sent", "check", "decode", "receive"]

SIDES: Final = {
    Service.PRODUCT: (100, 4096),
    Service.GENERIC: (100, 4096),
    Service.FABRIC: (448, 4096),
    Service.TRADEMARK: (200, 4095),
}
"""Shortest and longest side in pixels that the vendor documents, by service."""

_STANDARD = str.maketrans("-_ ", "+/+", "\r\n\t=")


@dataclass(frozen=True, slots=True)
class Sent:
    """A picture that came with a call; ``upload_id`` is empty unless it was uploaded before."""

    image: bytes
    upload_id: str = ""


def receive(deployment: Deployment, key: AccessKey, text: str | None, *, name: str) -> Sent:
    """Return the picture that parameter ``name`` gives."""
    if not text:
        raise MissingField(name)
    if text[:8].lower().startswith(("http://", "https://")):
        upload_id = upload_id_of(text, key)
        return Sent(_limited(picture_bytes(deployment, None, upload_id), name), upload_id)
    return Sent(_limited(decode(text, name), name))


def decode(text: str, name: str) -> bytes:
    """Decode either alphabet of Base64, with or without padding and line ends."""
    if text.startswith("data:"):
        text = text.partition(",")[2]
    plain = text.translate(_STANDARD)
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise InvalidBase64(
            f"{name} is neither Base64 nor the address of an upload.", field=name
        ) from None


def check(image: bytes, service: Service, name: str) -> None:
    """Raise :class:`UnsupportedSides` for a picture that the vendor would not take."""
    least, most = SIDES[service]
    width, height = sides(image)
    if not (least <= width <= most and least <= height <= most):
        raise UnsupportedSides(
            f"the picture is {width} × {height} pixels; each side must be {least} to {most} "
            f"in a {service.value} instance.",
            field=name,
        )


def _limited(image: bytes, name: str) -> bytes:
    if not image:
        raise MissingField(name)
    if len(image) > MAX_PICTURE:
        raise PictureTooBig(
            f"the picture has {len(image):,} bytes; the limit is {MAX_PICTURE:,}.",
            fix="Compress the picture or scale it down.",
            field=name,
        )
    return image

"""Where a request's picture comes from: its own bytes, or an upload made before."""

from __future__ import annotations

import re

from imagesearch.errors import (
    InvalidField,
    MissingField,
    NoSuchObject,
    PictureTooBig,
    UnknownUpload,
)
from imagesearch.operations.deployment import Deployment

__all__ = ["MAX_PICTURE", "UPLOADS", "picture_bytes"]

MAX_PICTURE = 20 * 1024 * 1024
"""Longest picture file in bytes, by upload; in a request the body's own limit is lower."""

UPLOADS = "uploads/"
_UPLOAD_ID = re.compile(r"[0-9a-f]{32}", re.ASCII)


def picture_bytes(deployment: Deployment, image: bytes | None, upload_id: str | None) -> bytes:
    """Return the picture that ``image`` or ``upload_id`` gives; exactly one must be given."""
    if image is not None and upload_id is not None:
        raise InvalidField("image", "image and upload_id are both given; send one of them.")
    if upload_id is not None:
        return _uploaded(deployment, upload_id)
    if not image:
        raise MissingField("image", fix="Send image (Base64 or the body itself) or upload_id.")
    return image


def _uploaded(deployment: Deployment, upload_id: str) -> bytes:
    if not _UPLOAD_ID.fullmatch(upload_id):
        raise UnknownUpload(f"there is no upload {upload_id[:40]!r}.", field="upload_id")
    try:
        size = deployment.store.head(UPLOADS + upload_id).size
        if size > MAX_PICTURE:
            raise PictureTooBig(
                f"the uploaded picture has {size:,} bytes; the limit is {MAX_PICTURE:,}.",
                field="upload_id",
            )
        return deployment.store.get(UPLOADS + upload_id).body
    except NoSuchObject:
        raise UnknownUpload(
            f"upload {upload_id} has no picture yet, or has expired.", field="upload_id"
        ) from None

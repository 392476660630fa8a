"""Uploads: the way for pictures that are too large for one request."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from imagesearch.operations.deployment import Deployment
from imagesearch.operations.source import MAX_PICTURE, UPLOADS

__all__ = ["BeginUpload", "Upload", "begin_upload"]

_SECONDS = 900


class BeginUpload(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Announces a picture: its media type and exact size in bytes."""

    content_type: Literal[
        "image/jpeg",
        "image/png",
        "image/bmp",
        "image/gif",
        "image/webp",
        "image/tiff",
        "image/x-portable-pixmap",
    ]
    size: Annotated[int, Meta(ge=1, le=MAX_PICTURE)]


@dataclass(frozen=True, slots=True)
class Upload:
    """Where to PUT the picture, with which headers, and for how many seconds that works."""

    upload_id: str
    url: str
    headers: dict[str, str]
    expires_in: int


def begin_upload(deployment: Deployment, request: BeginUpload) -> Upload:
    """Give an address for one picture; its ``upload_id`` then stands in for ``image``."""
    upload_id = secrets.token_hex(16)
    url = deployment.store.presign_put(
        UPLOADS + upload_id,
        content_type=request.content_type,
        size=request.size,
        seconds=_SECONDS,
    )
    headers = {"content-type": request.content_type, "content-length": str(request.size)}
    return Upload(upload_id, url, headers, _SECONDS)

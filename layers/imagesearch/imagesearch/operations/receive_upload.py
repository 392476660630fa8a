"""Uploads whose bytes pass through us rather than straight into the bucket."""

from __future__ import annotations

from imagesearch.errors import LostRace, PictureExists
from imagesearch.operations.deployment import Deployment
from imagesearch.operations.source import UPLOADS

__all__ = ["discard_upload", "receive_upload"]


def receive_upload(deployment: Deployment, upload_id: str, image: bytes) -> None:
    """Keep the picture of an upload, once.

    The same bytes may come again, as they do when an answer was lost; others raise
    :class:`PictureExists`.
    """
    try:
        deployment.store.put_if_absent(UPLOADS + upload_id, image)
    except LostRace:
        raise PictureExists(
            "another picture was sent to this upload before.", field="upload_id"
        ) from None


def discard_upload(deployment: Deployment, upload_id: str) -> None:
    """Forget the picture of an upload; one that is not there is not an error."""
    deployment.store.delete([UPLOADS + upload_id])

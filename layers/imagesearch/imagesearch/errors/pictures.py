"""The picture cannot be used."""

from __future__ import annotations

from imagesearch.errors.requests import BadRequest

__all__ = [
    "DamagedPicture",
    "NotAPicture",
    "PictureBomb",
    "PictureError",
    "PictureNotInSource",
    "PictureStopsWorker",
    "PictureTooBig",
    "UnsupportedSides",
]


class PictureError(BadRequest):
    """The picture cannot be used."""

    code = "InvalidPicContent"


class PictureNotInSource(PictureError):
    """The picture that the line names is not in the bucket."""

    code = "PictureNotInBucket"
    default_fix = "Upload it; PicName is looked up below the path, then from the bucket's root."


class PictureStopsWorker(PictureError):
    """Work on the picture has ended its process more than once."""

    code = "PictureStopsWorker"
    default_fix = "Save the picture anew with another program, or leave it out."


class NotAPicture(PictureError):
    """The bytes are not a picture of a known format."""

    code = "UnsupportedPicFormat"
    default_fix = "Send PNG, JPEG, BMP, GIF, WEBP, TIFF or PPM."


class DamagedPicture(PictureError):
    """The picture is truncated or damaged."""

    code = "DamagedPicContent"
    default_fix = "Send the whole file; check it opens in a picture viewer."


class PictureTooBig(PictureError):
    """The picture file has too many bytes."""

    code = "InvalidPicContent"


class PictureBomb(PictureError):
    """The picture would unpack to more pixels than is safe."""

    code = "PicPixelsOverflow"
    default_fix = "Scale the picture down before sending it."


class UnsupportedSides(PictureError):
    """A side of the picture is too short or too long."""

    code = "UnsupportedPicPixels"
    default_fix = "Scale the picture so that both sides are within the limits."

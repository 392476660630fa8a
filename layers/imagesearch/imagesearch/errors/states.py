"""What is asked for is not there, or contradicts what is."""

from __future__ import annotations

from imagesearch.errors.base import ImageSearchError

__all__ = [
    "Conflict",
    "IncrementEnded",
    "InstanceExists",
    "InstanceFull",
    "ModelMismatch",
    "NoSuchRoute",
    "NotFound",
    "PictureDuplicated",
    "PictureExists",
    "UnknownGeneration",
    "UnknownIncrement",
    "UnknownInstance",
    "UnknownPicture",
    "UnknownUpload",
]


class NotFound(ImageSearchError):
    """There is no such thing."""

    status = 404
    code = "NotFound"
    default_fix = "Check the address."


class NoSuchRoute(NotFound):
    """No operation lives at this address."""

    code = "NoSuchRoute"
    default_fix = "docs/http-api.md lists every route."


class UnknownInstance(NotFound):
    """There is no instance of this name."""

    code = "InvalidInstance"
    default_fix = "Create it with PUT /v1/instances/{instance}."


class UnknownPicture(NotFound):
    """There is no such picture in the instance."""

    code = "PictureNotFound"
    default_fix = "Check product_id and pic_name; both are case-sensitive."


class UnknownGeneration(NotFound):
    """There is no such generation to go back to."""

    code = "GenerationNotFound"
    default_fix = "Choose one that imagesearch generations lists; older ones are not kept."


class UnknownIncrement(NotFound):
    """There is no such task."""

    code = "IncrementNotFound"
    default_fix = "GET /v1/instances/{instance}/increments lists those of the last 30 days."


class UnknownUpload(NotFound):
    """There is no such upload, or it has expired or was used."""

    code = "UploadNotFound"
    default_fix = "Start again with POST /v1/uploads and send the picture to the address it gives."


class Conflict(ImageSearchError):
    """The request contradicts what is stored."""

    status = 409
    code = "Conflict"
    default_fix = "Read the current state and decide again."


class IncrementEnded(Conflict):
    """The task is not in a state from which this can be done."""

    code = "IncrementEnded"
    default_fix = "Submit it again as a new task."


class InstanceExists(Conflict):
    """An instance of this name exists for another service."""

    code = "InstanceExists"
    default_fix = "Choose another name; an instance's service cannot be changed."


class PictureExists(Conflict):
    """The picture is already indexed and if_exists is fail."""

    code = "PictureExists"
    default_fix = "Use if_exists=replace to overwrite it or if_exists=keep to leave it."


class PictureDuplicated(Conflict):
    """Another picture looks the same and if_duplicate is fail."""

    code = "PictureDuplicated"
    default_fix = "Use if_duplicate=report to add it and be told, or leave it out."


class InstanceFull(Conflict):
    """The instance holds as many pictures as the key may fill it up to."""

    code = "InstanceOverQuota"
    default_fix = "Delete pictures, or have the key's limit raised."


class ModelMismatch(Conflict):
    """The instance was built with another model bundle."""

    code = "ModelMismatch"

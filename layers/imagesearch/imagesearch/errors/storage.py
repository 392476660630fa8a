"""The store or the models fail."""

from __future__ import annotations

from imagesearch.errors.base import ImageSearchError

__all__ = [
    "CorruptObject",
    "EngineUnavailable",
    "FanOutUnavailable",
    "InstanceMoving",
    "LostRace",
    "ModelError",
    "NoRoom",
    "NoSuchObject",
    "NotYetVisible",
    "StorageError",
    "StorageUnavailable",
]


class NotYetVisible(ImageSearchError):
    """The asked sequence is not visible yet."""

    status = 503
    code = "SequenceNotVisible"
    default_fix = "Try again shortly."


class StorageError(ImageSearchError):
    """The object store failed."""

    code = "InternalStorageError"


class NoSuchObject(StorageError):
    """The object is not in the store."""


class LostRace(StorageError):
    """Somebody else changed the object first."""

    status = 409
    code = "ConcurrentChange"
    default_fix = "Try again."


class StorageUnavailable(StorageError):
    """The object store does not answer."""

    status = 503
    code = "ServiceUnavailable"
    default_fix = "Try again shortly."


class InstanceMoving(StorageUnavailable):
    """Writes pause while the instance moves to another model bundle."""

    code = "InstanceMoving"
    default_fix = "Try again in a minute."


class EngineUnavailable(StorageUnavailable):
    """The vector engine elsewhere that an instance was handed over to does not answer."""

    code = "EngineUnavailable"
    default_fix = "Try again shortly; imagesearch handover --back searches without the engine."


class NoRoom(StorageUnavailable):
    """The function's temporary storage cannot take the files of a search."""


class FanOutUnavailable(StorageUnavailable):
    """A function that searches a share of the segments does not answer."""

    code = "FanOutUnavailable"
    default_fix = "Try again shortly; docs/operations.md#errors says what to look for."


class CorruptObject(StorageError):
    """A stored object fails its checksum or cannot be read."""

    code = "CorruptObject"
    default_fix = "Run imagesearch scrub and restore the object it names."


class ModelError(ImageSearchError):
    """A model file is missing or is not the one its card describes."""

    code = "ModelUnusable"
    default_fix = "Restore the models layer; its cards carry the SHA-256 of each file."

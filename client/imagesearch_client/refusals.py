"""One exception for each code the service refuses with.

Written by ``python tools/write_client.py``; do not edit by hand.
"""

from __future__ import annotations

from imagesearch_client.errors import Forbidden, Refused

__all__ = [
    "BY_CODE",
    "BadRequest",
    "BucketInOtherRegion",
    "BucketNotFound",
    "BucketOwnerMismatch",
    "CallbackNotAllowed",
    "ConcurrentChange",
    "Conflict",
    "CorruptObject",
    "DamagedPicContent",
    "EngineUnavailable",
    "FanOutUnavailable",
    "GenerationNotFound",
    "IncrementEnded",
    "IncrementNotFound",
    "IncrementRefused",
    "InstanceExists",
    "InstanceMoving",
    "InstanceOverQuota",
    "InternalError",
    "InternalStorageError",
    "InvalidBase64",
    "InvalidBucketName",
    "InvalidCategory",
    "InvalidField",
    "InvalidFilterClause",
    "InvalidInstance",
    "InvalidJson",
    "InvalidPicContent",
    "InvalidRegion",
    "InvalidRoleArn",
    "LineFieldInvalid",
    "LineFieldMissing",
    "LineNotJson",
    "LineTooLong",
    "ListNotAllowed",
    "MetaChanged",
    "MetaDamaged",
    "MetaEmpty",
    "MetaLinesInvalid",
    "MetaNotFound",
    "MetaNotUtf8",
    "MissingField",
    "ModelMismatch",
    "ModelUnusable",
    "NoPermission",
    "NoSuchRoute",
    "NotFound",
    "OverflowMaxResultNum",
    "OverflowMaxReturnNum",
    "PathEndsWithSlash",
    "PathNotAbsolute",
    "PathNotFound",
    "PathReserved",
    "PicNotExist",
    "PicPixelsOverflow",
    "PictureDuplicated",
    "PictureExists",
    "PictureNotFound",
    "PictureNotInBucket",
    "PictureStopsWorker",
    "ReadNotAllowed",
    "RequestBodyTooLarge",
    "RoleNotAssumable",
    "RoleNotFound",
    "RoleNotRegistered",
    "SequenceNotVisible",
    "ServiceUnavailable",
    "TooManyRequests",
    "UnknownField",
    "UnknownOperation",
    "UnsupportedContentType",
    "UnsupportedHTTPMethod",
    "UnsupportedPicFormat",
    "UnsupportedPicPixels",
    "UploadNotFound",
]


class InternalError(Refused):
    """Something went wrong inside the service."""


class BadRequest(Refused):
    """The request cannot be understood."""


class MissingField(BadRequest):
    """A required field is missing."""


class InvalidField(BadRequest):
    """A field's value is outside what is allowed."""


class UnknownField(BadRequest):
    """The request has a field that this route does not know."""


class InvalidJson(BadRequest):
    """The body is not a JSON object."""


class InvalidBase64(BadRequest):
    """The picture field is not Base64."""


class InvalidCategory(BadRequest):
    """The category is not in the table."""


class InvalidRegion(BadRequest):
    """The region is not a rectangle inside the picture."""


class InvalidFilterClause(BadRequest):
    """The filter expression cannot be parsed."""


class OverflowMaxReturnNum(BadRequest):
    """More results than one answer may carry were asked for."""


class OverflowMaxResultNum(BadRequest):
    """Paging reaches past the last result a search may return."""


class PicNotExist(BadRequest):
    """The picture to search by is not in this instance."""


class IncrementRefused(BadRequest):
    """The batch task cannot be run."""


class InvalidBucketName(IncrementRefused):
    """The bucket's name is not one that S3 allows."""


class BucketNotFound(IncrementRefused):
    """There is no such bucket."""


class BucketInOtherRegion(IncrementRefused):
    """The bucket is in another region than the instance."""


class BucketOwnerMismatch(IncrementRefused):
    """The bucket belongs to another account than expected."""


class InvalidRoleArn(IncrementRefused):
    """The role is not given as the ARN of an IAM role."""


class RoleNotRegistered(IncrementRefused):
    """The role is not registered for this instance."""


class RoleNotFound(IncrementRefused):
    """There is no such role."""


class RoleNotAssumable(IncrementRefused):
    """The role may not be assumed by this service."""


class ListNotAllowed(IncrementRefused):
    """The path may not be listed."""


class ReadNotAllowed(IncrementRefused):
    """The objects under the path may not be read."""


class PathNotAbsolute(IncrementRefused):
    """The path does not begin with a slash."""


class PathEndsWithSlash(IncrementRefused):
    """The path ends with a slash."""


class PathReserved(IncrementRefused):
    """The path is one that the service keeps for itself."""


class PathNotFound(IncrementRefused):
    """There is nothing at the path."""


class MetaNotFound(IncrementRefused):
    """There is no increment.meta at the path."""


class MetaEmpty(IncrementRefused):
    """increment.meta has no lines."""


class MetaNotUtf8(IncrementRefused):
    """increment.meta is not UTF-8 text."""


class MetaDamaged(IncrementRefused):
    """increment.meta is compressed and does not unpack."""


class MetaChanged(IncrementRefused):
    """increment.meta was changed after the task was submitted."""


class CallbackNotAllowed(IncrementRefused):
    """The callback address may not be called."""


class MetaLinesInvalid(IncrementRefused):
    """increment.meta has lines that cannot be carried out."""


class LineNotJson(MetaLinesInvalid):
    """The line is not one JSON object."""


class LineTooLong(MetaLinesInvalid):
    """The line is too long."""


class UnknownOperation(MetaLinesInvalid):
    """The line's operation is neither ADD nor DELETE."""


class LineFieldMissing(MetaLinesInvalid):
    """The line lacks a field that its operation needs."""


class LineFieldInvalid(MetaLinesInvalid):
    """A field of the line has a value outside what is allowed."""


class InvalidPicContent(BadRequest):
    """The picture cannot be used."""


class PictureNotInBucket(InvalidPicContent):
    """The picture that the line names is not in the bucket."""


class PictureStopsWorker(InvalidPicContent):
    """Work on the picture has ended its process more than once."""


class UnsupportedPicFormat(InvalidPicContent):
    """The bytes are not a picture of a known format."""


class DamagedPicContent(InvalidPicContent):
    """The picture is truncated or damaged."""


class PicPixelsOverflow(InvalidPicContent):
    """The picture would unpack to more pixels than is safe."""


class UnsupportedPicPixels(InvalidPicContent):
    """A side of the picture is too short or too long."""


class NoPermission(Forbidden):
    """The key may not be used for this instance."""


class UnsupportedHTTPMethod(Refused):
    """The address does not take that HTTP method."""


class RequestBodyTooLarge(Refused):
    """The request body is too large."""


class TooManyRequests(Refused):
    """The key asks for more than it may."""


class UnsupportedContentType(Refused):
    """The body has a content type that this route does not take."""


class NotFound(Refused):
    """There is no such thing."""


class NoSuchRoute(NotFound):
    """No operation lives at this address."""


class InvalidInstance(NotFound):
    """There is no instance of this name."""


class PictureNotFound(NotFound):
    """There is no such picture in the instance."""


class GenerationNotFound(NotFound):
    """There is no such generation to go back to."""


class IncrementNotFound(NotFound):
    """There is no such task."""


class UploadNotFound(NotFound):
    """There is no such upload, or it has expired or was used."""


class Conflict(Refused):
    """The request contradicts what is stored."""


class IncrementEnded(Conflict):
    """The task is not in a state from which this can be done."""


class InstanceExists(Conflict):
    """An instance of this name exists for another service."""


class PictureExists(Conflict):
    """The picture is already indexed and if_exists is fail."""


class PictureDuplicated(Conflict):
    """Another picture looks the same and if_duplicate is fail."""


class InstanceOverQuota(Conflict):
    """The instance holds as many pictures as the key may fill it up to."""


class ModelMismatch(Conflict):
    """The instance was built with another model bundle."""


class SequenceNotVisible(Refused):
    """The asked sequence is not visible yet."""


class InternalStorageError(Refused):
    """The object store failed."""


class ConcurrentChange(InternalStorageError):
    """Somebody else changed the object first."""


class ServiceUnavailable(InternalStorageError):
    """The object store does not answer."""


class InstanceMoving(ServiceUnavailable):
    """Writes pause while the instance moves to another model bundle."""


class EngineUnavailable(ServiceUnavailable):
    """The vector engine elsewhere that an instance was handed over to does not answer."""


class FanOutUnavailable(ServiceUnavailable):
    """A function that searches a share of the segments does not answer."""


class CorruptObject(InternalStorageError):
    """A stored object fails its checksum or cannot be read."""


class ModelUnusable(Refused):
    """A model file is missing or is not the one its card describes."""


BY_CODE: dict[str, type[Refused]] = {
    "InternalError": InternalError,
    "BadRequest": BadRequest,
    "MissingField": MissingField,
    "InvalidField": InvalidField,
    "UnknownField": UnknownField,
    "InvalidJson": InvalidJson,
    "InvalidBase64": InvalidBase64,
    "InvalidCategory": InvalidCategory,
    "InvalidRegion": InvalidRegion,
    "InvalidFilterClause": InvalidFilterClause,
    "OverflowMaxReturnNum": OverflowMaxReturnNum,
    "OverflowMaxResultNum": OverflowMaxResultNum,
    "PicNotExist": PicNotExist,
    "IncrementRefused": IncrementRefused,
    "InvalidBucketName": InvalidBucketName,
    "BucketNotFound": BucketNotFound,
    "BucketInOtherRegion": BucketInOtherRegion,
    "BucketOwnerMismatch": BucketOwnerMismatch,
    "InvalidRoleArn": InvalidRoleArn,
    "RoleNotRegistered": RoleNotRegistered,
    "RoleNotFound": RoleNotFound,
    "RoleNotAssumable": RoleNotAssumable,
    "ListNotAllowed": ListNotAllowed,
    "ReadNotAllowed": ReadNotAllowed,
    "PathNotAbsolute": PathNotAbsolute,
    "PathEndsWithSlash": PathEndsWithSlash,
    "PathReserved": PathReserved,
    "PathNotFound": PathNotFound,
    "MetaNotFound": MetaNotFound,
    "MetaEmpty": MetaEmpty,
    "MetaNotUtf8": MetaNotUtf8,
    "MetaDamaged": MetaDamaged,
    "MetaChanged": MetaChanged,
    "CallbackNotAllowed": CallbackNotAllowed,
    "MetaLinesInvalid": MetaLinesInvalid,
    "LineNotJson": LineNotJson,
    "LineTooLong": LineTooLong,
    "UnknownOperation": UnknownOperation,
    "LineFieldMissing": LineFieldMissing,
    "LineFieldInvalid": LineFieldInvalid,
    "InvalidPicContent": InvalidPicContent,
    "PictureNotInBucket": PictureNotInBucket,
    "PictureStopsWorker": PictureStopsWorker,
    "UnsupportedPicFormat": UnsupportedPicFormat,
    "DamagedPicContent": DamagedPicContent,
    "PicPixelsOverflow": PicPixelsOverflow,
    "UnsupportedPicPixels": UnsupportedPicPixels,
    "NoPermission": NoPermission,
    "UnsupportedHTTPMethod": UnsupportedHTTPMethod,
    "RequestBodyTooLarge": RequestBodyTooLarge,
    "TooManyRequests": TooManyRequests,
    "UnsupportedContentType": UnsupportedContentType,
    "NotFound": NotFound,
    "NoSuchRoute": NoSuchRoute,
    "InvalidInstance": InvalidInstance,
    "PictureNotFound": PictureNotFound,
    "GenerationNotFound": GenerationNotFound,
    "IncrementNotFound": IncrementNotFound,
    "UploadNotFound": UploadNotFound,
    "Conflict": Conflict,
    "IncrementEnded": IncrementEnded,
    "InstanceExists": InstanceExists,
    "PictureExists": PictureExists,
    "PictureDuplicated": PictureDuplicated,
    "InstanceOverQuota": InstanceOverQuota,
    "ModelMismatch": ModelMismatch,
    "SequenceNotVisible": SequenceNotVisible,
    "InternalStorageError": InternalStorageError,
    "ConcurrentChange": ConcurrentChange,
    "ServiceUnavailable": ServiceUnavailable,
    "InstanceMoving": InstanceMoving,
    "EngineUnavailable": EngineUnavailable,
    "FanOutUnavailable": FanOutUnavailable,
    "CorruptObject": CorruptObject,
    "ModelUnusable": ModelUnusable,
}

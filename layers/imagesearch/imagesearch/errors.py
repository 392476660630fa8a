"""Every way a request can fail, as one tree.

``status`` is the HTTP status, ``code`` the name a caller's program may rely on: the vendor's
where the vendor has one (Alibaba Cloud Image Search error table), ours otherwise.

::

    ImageSearchError                 500  InternalError
    ├── BadRequest                   400  BadRequest
    │   ├── MissingField             400  NoSpecified<Field>, else MissingField
    │   ├── InvalidField             400  Invalid<Field>, else InvalidField
    │   ├── UnknownField             400  UnknownField
    │   ├── InvalidJson              400  InvalidJson
    │   ├── InvalidBase64            400  InvalidBase64
    │   ├── InvalidCategory          400  InvalidCategory
    │   ├── InvalidRegion            400  InvalidRegion
    │   ├── InvalidFilter            400  InvalidFilterClause
    │   ├── TooManyResults           400  OverflowMaxReturnNum
    │   ├── TooDeepResults           400  OverflowMaxResultNum
    │   ├── PictureNotIndexed        400  PicNotExist
    │   └── PictureError             400  InvalidPicContent
    │       ├── NotAPicture          400  UnsupportedPicFormat
    │       ├── DamagedPicture       400  DamagedPicContent
    │       ├── PictureTooBig        400  InvalidPicContent
    │       ├── PictureBomb          400  PicPixelsOverflow
    │       └── UnsupportedSides     400  UnsupportedPicPixels
    ├── NotFound                     404  NotFound
    │   ├── NoSuchRoute              404  NoSuchRoute
    │   ├── UnknownInstance          404  InvalidInstance
    │   ├── UnknownPicture           404  PictureNotFound
    │   ├── UnknownGeneration        404  GenerationNotFound
    │   └── UnknownUpload            404  UploadNotFound
    ├── MethodNotAllowed             405  UnsupportedHTTPMethod
    ├── Conflict                     409  Conflict
    │   ├── InstanceExists           409  InstanceExists
    │   ├── PictureExists            409  PictureExists
    │   └── ModelMismatch            409  ModelMismatch
    ├── BodyTooLarge                 413  RequestBodyTooLarge
    ├── UnsupportedContentType       415  UnsupportedContentType
    ├── NotYetVisible                503  SequenceNotVisible
    ├── StorageError                 500  InternalStorageError
    │   ├── NoSuchObject             500  InternalStorageError
    │   ├── LostRace                 409  ConcurrentChange
    │   ├── StorageUnavailable       503  ServiceUnavailable
    │   └── CorruptObject            500  CorruptObject
    └── ModelError                   500  ModelUnusable

A leaf's message names the field, the limit and the value seen; ``fix`` says what to do instead.
``NoSuchObject`` and ``LostRace`` are signals between rooms; the operations turn them into an
answer of their own, so a caller sees them only if a room forgot to.
"""

from __future__ import annotations

from typing import ClassVar

__all__ = [
    "BadRequest",
    "BodyTooLarge",
    "Conflict",
    "CorruptObject",
    "DamagedPicture",
    "ImageSearchError",
    "InstanceExists",
    "InvalidBase64",
    "InvalidCategory",
    "InvalidField",
    "InvalidFilter",
    "InvalidJson",
    "InvalidRegion",
    "LostRace",
    "MethodNotAllowed",
    "MissingField",
    "ModelError",
    "ModelMismatch",
    "NoSuchObject",
    "NoSuchRoute",
    "NotAPicture",
    "NotFound",
    "NotYetVisible",
    "PictureBomb",
    "PictureError",
    "PictureExists",
    "PictureNotIndexed",
    "PictureTooBig",
    "StorageError",
    "StorageUnavailable",
    "TooDeepResults",
    "TooManyResults",
    "UnknownField",
    "UnknownGeneration",
    "UnknownInstance",
    "UnknownPicture",
    "UnknownUpload",
    "UnsupportedContentType",
    "UnsupportedSides",
]


class ImageSearchError(Exception):
    """Something went wrong inside the service."""

    status: ClassVar[int] = 500
    code: str = "InternalError"
    default_fix: ClassVar[str] = "Try again; if it stays, tell the operator the request id."

    def __init__(self, detail: str = "", *, fix: str = "", field: str | None = None) -> None:
        """Describe one failure.

        ``detail`` is a sentence with the limit and the value seen, ``fix`` one that says what to
        do, ``field`` the request field it is about.
        """
        self.detail = detail or self.title()
        self.fix = fix or self.default_fix
        self.field = field
        super().__init__(self.detail)

    @classmethod
    def title(cls) -> str:
        """Return the sentence that is the same for every failure of this kind."""
        return (cls.__doc__ or cls.__name__).strip().splitlines()[0]


class BadRequest(ImageSearchError):
    """The request cannot be understood."""

    status = 400
    code = "BadRequest"
    default_fix = "Correct the request; docs/http-api.md lists every field."


class MissingField(BadRequest):
    """A required field is missing."""

    code = "MissingField"
    _codes: ClassVar[dict[str, str]] = {
        "product_id": "NoSpecifiedProductId",
        "pic_name": "NoSpecifiedPicName",
        "image": "NoSpecifiedPicContent",
    }

    def __init__(self, field: str, *, fix: str = "") -> None:
        super().__init__(
            f"{field} is required and was not given.", fix=fix or f"Send {field}.", field=field
        )
        self.code = self._codes.get(field, type(self).code)


class InvalidField(BadRequest):
    """A field's value is outside what is allowed."""

    code = "InvalidField"
    _codes: ClassVar[dict[str, str]] = {
        "product_id": "InvalidProductId",
        "pic_name": "InvalidPicName",
        "custom_content": "InvalidCustomContent",
        "num": "InvalidNumParameter",
        "start": "InvalidStartParameter",
        "instance": "InvalidInstanceName",
        "text": "InvalidText",
        **{f"int_attr{n}": f"InvalidIntAttr{n}" for n in ("", "2", "3", "4")},
        **{f"str_attr{n}": f"InvalidStrAttr{n}" for n in ("", "2", "3", "4")},
    }

    def __init__(self, field: str, detail: str, *, fix: str = "") -> None:
        super().__init__(detail, fix=fix, field=field)
        self.code = self._codes.get(field, type(self).code)


class UnknownField(BadRequest):
    """The request has a field that this route does not know."""

    code = "UnknownField"


class InvalidJson(BadRequest):
    """The body is not a JSON object."""

    code = "InvalidJson"


class InvalidBase64(BadRequest):
    """The picture field is not Base64."""

    code = "InvalidBase64"
    default_fix = "Encode the picture's bytes with standard Base64 (RFC 4648 section 4)."


class InvalidCategory(BadRequest):
    """The category is not in the table."""

    code = "InvalidCategory"


class InvalidRegion(BadRequest):
    """The region is not a rectangle inside the picture."""

    code = "InvalidRegion"
    default_fix = "Give x1,x2,y1,y2 in pixels of the sent picture: first both x, then both y."


class InvalidFilter(BadRequest):
    """The filter expression cannot be parsed."""

    code = "InvalidFilterClause"


class TooManyResults(BadRequest):
    """More results than one answer may carry were asked for."""

    code = "OverflowMaxReturnNum"
    default_fix = "Ask for at most 100 results and page with start."


class TooDeepResults(BadRequest):
    """Paging reaches past the last result a search may return."""

    code = "OverflowMaxResultNum"
    default_fix = "Keep start + num within 500; narrow the search with a filter or category."


class PictureNotIndexed(BadRequest):
    """The picture to search by is not in this instance."""

    code = "PicNotExist"
    default_fix = "Add the picture first, or search with its bytes in image."


class PictureError(BadRequest):
    """The picture cannot be used."""

    code = "InvalidPicContent"


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


class UnknownUpload(NotFound):
    """There is no such upload, or it has expired or was used."""

    code = "UploadNotFound"
    default_fix = "Start again with POST /v1/uploads and send the picture to the address it gives."


class MethodNotAllowed(ImageSearchError):
    """The address does not take that HTTP method."""

    status = 405
    code = "UnsupportedHTTPMethod"
    default_fix = "docs/http-api.md lists the methods of every route."


class Conflict(ImageSearchError):
    """The request contradicts what is stored."""

    status = 409
    code = "Conflict"
    default_fix = "Read the current state and decide again."


class InstanceExists(Conflict):
    """An instance of this name exists for another service."""

    code = "InstanceExists"
    default_fix = "Choose another name; an instance's service cannot be changed."


class PictureExists(Conflict):
    """The picture is already indexed and if_exists is fail."""

    code = "PictureExists"
    default_fix = "Use if_exists=replace to overwrite it or if_exists=keep to leave it."


class ModelMismatch(Conflict):
    """The instance was built with another model bundle."""

    code = "ModelMismatch"


class BodyTooLarge(ImageSearchError):
    """The request body is too large."""

    status = 413
    code = "RequestBodyTooLarge"
    default_fix = (
        "Get an address from POST /v1/uploads, PUT the picture there, then send upload_id "
        "in place of image."
    )


class UnsupportedContentType(ImageSearchError):
    """The body has a content type that this route does not take."""

    status = 415
    code = "UnsupportedContentType"
    default_fix = "Send application/json, or one picture as image/jpeg, image/png, …."


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


class CorruptObject(StorageError):
    """A stored object fails its checksum or cannot be read."""

    code = "CorruptObject"
    default_fix = "Run imagesearch scrub and restore the object it names."


class ModelError(ImageSearchError):
    """A model file is missing or is not the one its card describes."""

    code = "ModelUnusable"
    default_fix = "Restore the models layer; its cards carry the SHA-256 of each file."

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
    │   ├── IncrementRefused         400  IncrementRefused
    │   │   ├── InvalidBucketName    400  InvalidBucketName
    │   │   ├── UnknownBucket        400  BucketNotFound
    │   │   ├── BucketElsewhere      400  BucketInOtherRegion
    │   │   ├── ForeignBucket        400  BucketOwnerMismatch
    │   │   ├── InvalidRoleArn       400  InvalidRoleArn
    │   │   ├── RoleNotRegistered    400  RoleNotRegistered
    │   │   ├── UnknownRole          400  RoleNotFound
    │   │   ├── RoleNotAssumable     400  RoleNotAssumable
    │   │   ├── ListNotAllowed       400  ListNotAllowed
    │   │   ├── ReadNotAllowed       400  ReadNotAllowed
    │   │   ├── PathNotAbsolute      400  PathNotAbsolute
    │   │   ├── PathEndsWithSlash    400  PathEndsWithSlash
    │   │   ├── PathReserved         400  PathReserved
    │   │   ├── UnknownPath          400  PathNotFound
    │   │   ├── NoMetaFile           400  MetaNotFound
    │   │   ├── EmptyMeta            400  MetaEmpty
    │   │   ├── MetaNotText          400  MetaNotUtf8
    │   │   ├── DamagedMeta          400  MetaDamaged
    │   │   ├── MetaChanged          400  MetaChanged
    │   │   ├── InvalidCallback      400  CallbackNotAllowed
    │   │   └── InvalidLines         400  MetaLinesInvalid
    │   │       ├── LineNotJson      400  LineNotJson
    │   │       ├── LineTooLong      400  LineTooLong
    │   │       ├── UnknownOperation 400  UnknownOperation
    │   │       ├── LineFieldMissing 400  LineFieldMissing
    │   │       └── LineFieldInvalid 400  LineFieldInvalid
    │   └── PictureError             400  InvalidPicContent
    │       ├── PictureNotInSource   400  PictureNotInBucket
    │       ├── PictureStopsWorker   400  PictureStopsWorker
    │       ├── NotAPicture          400  UnsupportedPicFormat
    │       ├── DamagedPicture       400  DamagedPicContent
    │       ├── PictureTooBig        400  InvalidPicContent
    │       ├── PictureBomb          400  PicPixelsOverflow
    │       └── UnsupportedSides     400  UnsupportedPicPixels
    ├── ForeignInstance              403  NoPermission
    ├── NotFound                     404  NotFound
    │   ├── NoSuchRoute              404  NoSuchRoute
    │   ├── UnknownInstance          404  InvalidInstance
    │   ├── UnknownPicture           404  PictureNotFound
    │   ├── UnknownGeneration        404  GenerationNotFound
    │   ├── UnknownIncrement         404  IncrementNotFound
    │   └── UnknownUpload            404  UploadNotFound
    ├── MethodNotAllowed             405  UnsupportedHTTPMethod
    ├── Conflict                     409  Conflict
    │   ├── IncrementEnded           409  IncrementEnded
    │   ├── InstanceExists           409  InstanceExists
    │   ├── InstanceFull             409  InstanceOverQuota
    │   ├── PictureDuplicated        409  PictureDuplicated
    │   ├── PictureExists            409  PictureExists
    │   └── ModelMismatch            409  ModelMismatch
    ├── BodyTooLarge                 413  RequestBodyTooLarge
    ├── UnsupportedContentType       415  UnsupportedContentType
    ├── TooManyRequests              429  TooManyRequests
    ├── NotYetVisible                503  SequenceNotVisible
    ├── StorageError                 500  InternalStorageError
    │   ├── NoSuchObject             500  InternalStorageError
    │   ├── LostRace                 409  ConcurrentChange
    │   ├── StorageUnavailable       503  ServiceUnavailable
    │   │   ├── EngineUnavailable    503  EngineUnavailable
    │   │   ├── FanOutUnavailable    503  FanOutUnavailable
    │   │   ├── InstanceMoving       503  InstanceMoving
    │   │   └── NoRoom               503  ServiceUnavailable
    │   └── CorruptObject            500  CorruptObject
    └── ModelError                   500  ModelUnusable

A leaf's message names the field, the limit and the value seen; ``fix`` says what to do instead.
``NoSuchObject`` and ``LostRace`` are signals between rooms; the operations turn them into an
answer of their own, so a caller sees them only if a room forgot to.
"""

from imagesearch.errors.base import (
    ImageSearchError,
)
from imagesearch.errors.increments import (
    BucketElsewhere,
    DamagedMeta,
    EmptyMeta,
    ForeignBucket,
    IncrementRefused,
    InvalidBucketName,
    InvalidCallback,
    InvalidLines,
    InvalidRoleArn,
    LineFieldInvalid,
    LineFieldMissing,
    LineNotJson,
    LineTooLong,
    ListNotAllowed,
    MetaChanged,
    MetaNotText,
    NoMetaFile,
    PathEndsWithSlash,
    PathNotAbsolute,
    PathReserved,
    ReadNotAllowed,
    RoleNotAssumable,
    RoleNotRegistered,
    UnknownBucket,
    UnknownOperation,
    UnknownPath,
    UnknownRole,
)
from imagesearch.errors.pictures import (
    DamagedPicture,
    NotAPicture,
    PictureBomb,
    PictureError,
    PictureNotInSource,
    PictureStopsWorker,
    PictureTooBig,
    UnsupportedSides,
)
from imagesearch.errors.requests import (
    BadRequest,
    BodyTooLarge,
    ForeignInstance,
    InvalidBase64,
    InvalidCategory,
    InvalidField,
    InvalidFilter,
    InvalidJson,
    InvalidRegion,
    MethodNotAllowed,
    MissingField,
    PictureNotIndexed,
    TooDeepResults,
    TooManyRequests,
    TooManyResults,
    UnknownField,
    UnsupportedContentType,
)
from imagesearch.errors.states import (
    Conflict,
    IncrementEnded,
    InstanceExists,
    InstanceFull,
    ModelMismatch,
    NoSuchRoute,
    NotFound,
    PictureDuplicated,
    PictureExists,
    UnknownGeneration,
    UnknownIncrement,
    UnknownInstance,
    UnknownPicture,
    UnknownUpload,
)
from imagesearch.errors.storage import (
    CorruptObject,
    EngineUnavailable,
    FanOutUnavailable,
    InstanceMoving,
    LostRace,
    ModelError,
    NoRoom,
    NoSuchObject,
    NotYetVisible,
    StorageError,
    StorageUnavailable,
)

__all__ = [
    "BadRequest",
    "BodyTooLarge",
    "BucketElsewhere",
    "Conflict",
    "CorruptObject",
    "DamagedMeta",
    "DamagedPicture",
    "EmptyMeta",
    "EngineUnavailable",
    "FanOutUnavailable",
    "ForeignBucket",
    "ForeignInstance",
    "ImageSearchError",
    "IncrementEnded",
    "IncrementRefused",
    "InstanceExists",
    "InstanceFull",
    "InstanceMoving",
    "InvalidBase64",
    "InvalidBucketName",
    "InvalidCallback",
    "InvalidCategory",
    "InvalidField",
    "InvalidFilter",
    "InvalidJson",
    "InvalidLines",
    "InvalidRegion",
    "InvalidRoleArn",
    "LineFieldInvalid",
    "LineFieldMissing",
    "LineNotJson",
    "LineTooLong",
    "ListNotAllowed",
    "LostRace",
    "MetaChanged",
    "MetaNotText",
    "MethodNotAllowed",
    "MissingField",
    "ModelError",
    "ModelMismatch",
    "NoMetaFile",
    "NoRoom",
    "NoSuchObject",
    "NoSuchRoute",
    "NotAPicture",
    "NotFound",
    "NotYetVisible",
    "PathEndsWithSlash",
    "PathNotAbsolute",
    "PathReserved",
    "PictureBomb",
    "PictureDuplicated",
    "PictureError",
    "PictureExists",
    "PictureNotInSource",
    "PictureNotIndexed",
    "PictureStopsWorker",
    "PictureTooBig",
    "ReadNotAllowed",
    "RoleNotAssumable",
    "RoleNotRegistered",
    "StorageError",
    "StorageUnavailable",
    "TooDeepResults",
    "TooManyRequests",
    "TooManyResults",
    "UnknownBucket",
    "UnknownField",
    "UnknownGeneration",
    "UnknownIncrement",
    "UnknownInstance",
    "UnknownOperation",
    "UnknownPath",
    "UnknownPicture",
    "UnknownRole",
    "UnknownUpload",
    "UnsupportedContentType",
    "UnsupportedSides",
]

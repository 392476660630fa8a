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

from typing import Any, ClassVar

__all__ = [
    "BadRequest",
    "BodyTooLarge",
    "BucketElsewhere",
    "Conflict",
    "CorruptObject",
    "DamagedMeta",
    "DamagedPicture",
    "EmptyMeta",
    "ForeignBucket",
    "ImageSearchError",
    "IncrementEnded",
    "IncrementRefused",
    "InstanceExists",
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
    "NoSuchObject",
    "NoSuchRoute",
    "NotAPicture",
    "NotFound",
    "NotYetVisible",
    "PathEndsWithSlash",
    "PathNotAbsolute",
    "PathReserved",
    "PictureBomb",
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

    def particulars(self) -> dict[str, Any]:
        """Return members of their own that an answer of this failure has."""
        return {}

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


class IncrementRefused(BadRequest):
    """The batch task cannot be run."""

    code = "IncrementRefused"
    default_fix = "docs/increments.md lists every cause."
    default_fix_zh: ClassVar[str] = "docs/increments.zh-CN.md 列出了每种原因。"

    def __init__(self, detail: str, zh: str, *, fix: str = "", fix_zh: str = "") -> None:
        """Describe a cause in English and Chinese."""
        super().__init__(detail, fix=fix)
        self.detail_zh = zh
        self.fix_zh = fix_zh or self.default_fix_zh

    def particulars(self) -> dict[str, Any]:
        """Return the failure in Chinese."""
        return {"detail_zh": self.detail_zh, "fix_zh": self.fix_zh}


class InvalidBucketName(IncrementRefused):
    """The bucket's name is not one that S3 allows."""

    code = "InvalidBucketName"
    default_fix = "Give the bucket's name alone: no s3://, no address, no path."
    default_fix_zh = "只填写存储桶名称，不要带 s3://、网址或路径。"


class UnknownBucket(IncrementRefused):
    """There is no such bucket."""

    code = "BucketNotFound"
    default_fix = "Check the bucket's name."
    default_fix_zh = "请检查存储桶名称。"


class BucketElsewhere(IncrementRefused):
    """The bucket is in another region than the instance."""

    code = "BucketInOtherRegion"
    default_fix = "Copy the pictures to a bucket in the instance's region."
    default_fix_zh = "请把图片复制到与实例同一地域的存储桶。"


class ForeignBucket(IncrementRefused):
    """The bucket belongs to another account than expected."""

    code = "BucketOwnerMismatch"
    default_fix = "Check the bucket's name, and bucket_owner if it was given."
    default_fix_zh = "请检查存储桶名称；如填写了 bucket_owner，也请检查它。"


class InvalidRoleArn(IncrementRefused):
    """The role is not given as the ARN of an IAM role."""

    code = "InvalidRoleArn"
    default_fix = "Give arn:aws:iam::ACCOUNT:role/NAME, as the IAM console shows it."
    default_fix_zh = "请填写 IAM 控制台显示的 arn:aws:iam::账号:role/名称。"


class RoleNotRegistered(IncrementRefused):
    """The role is not registered for this instance."""

    code = "RoleNotRegistered"
    default_fix = "Let the operator run: imagesearch increment trust INSTANCE --role ARN."
    default_fix_zh = "请让管理员执行：imagesearch increment trust 实例 --role ARN。"


class UnknownRole(IncrementRefused):
    """There is no such role."""

    code = "RoleNotFound"
    default_fix = "Create the role, or correct its ARN; both account and name must match."
    default_fix_zh = "请创建该角色，或更正 ARN（账号和名称都要一致）。"


class RoleNotAssumable(IncrementRefused):
    """The role may not be assumed by this service."""

    code = "RoleNotAssumable"
    default_fix = (
        "Let the role's trust policy name this service's ingest role and external id: "
        "imagesearch increment trust INSTANCE prints it."
    )
    default_fix_zh = (
        "请在角色的信任策略中写入本服务的 ingest 角色和外部 ID；"
        "命令 imagesearch increment trust 实例 会打印出来。"
    )


class ListNotAllowed(IncrementRefused):
    """The path may not be listed."""

    code = "ListNotAllowed"
    default_fix = "Allow s3:ListBucket on the bucket for the path."
    default_fix_zh = "请允许在该存储桶的此路径上执行 s3:ListBucket。"


class ReadNotAllowed(IncrementRefused):
    """The objects under the path may not be read."""

    code = "ReadNotAllowed"
    default_fix = "Allow s3:GetObject on the path's objects (and kms:Decrypt on their key)."
    default_fix_zh = "请允许对该路径下的对象执行 s3:GetObject（若加密，还需 kms:Decrypt）。"


class PathNotAbsolute(IncrementRefused):
    """The path does not begin with a slash."""

    code = "PathNotAbsolute"
    default_fix = "Begin the path with /; the bucket's root is / alone."
    default_fix_zh = "路径须以 / 开头；存储桶根目录为单独的 /。"


class PathEndsWithSlash(IncrementRefused):
    """The path ends with a slash."""

    code = "PathEndsWithSlash"
    default_fix = "Leave out the last /."
    default_fix_zh = "请去掉末尾的 /。"


class PathReserved(IncrementRefused):
    """The path is one that the service keeps for itself."""

    code = "PathReserved"
    default_fix = "In this deployment's own bucket put pictures and increment.meta below /imports."
    default_fix_zh = "在本服务自己的存储桶中，请把图片和 increment.meta 放在 /imports 之下。"


class UnknownPath(IncrementRefused):
    """There is nothing at the path."""

    code = "PathNotFound"
    default_fix = "Check the path; S3 keys are case-sensitive."
    default_fix_zh = "请检查路径；S3 的键区分大小写。"


class NoMetaFile(IncrementRefused):
    """There is no increment.meta at the path."""

    code = "MetaNotFound"
    default_fix = (
        "Upload increment.meta into the folder that path names; the name must be exactly that."
    )
    default_fix_zh = "请把 increment.meta 上传到 path 指定的文件夹，文件名必须完全一致。"


class EmptyMeta(IncrementRefused):
    """increment.meta has no lines."""

    code = "MetaEmpty"
    default_fix = "Write one JSON object per picture, each on a line of its own."
    default_fix_zh = "每张图片写一个 JSON 对象，每个对象占一行。"


class MetaNotText(IncrementRefused):
    """increment.meta is not UTF-8 text."""

    code = "MetaNotUtf8"
    default_fix = "Save the file as UTF-8 (gzip is welcome, other encodings are not)."
    default_fix_zh = "请把文件保存为 UTF-8 编码（可用 gzip 压缩，不支持其他编码）。"


class DamagedMeta(IncrementRefused):
    """increment.meta is compressed and does not unpack."""

    code = "MetaDamaged"
    default_fix = "Compress the file again with gzip and upload it whole."
    default_fix_zh = "请重新用 gzip 压缩并完整上传。"


class MetaChanged(IncrementRefused):
    """increment.meta was changed after the task was submitted."""

    code = "MetaChanged"
    default_fix = "Submit the task again, and leave the file alone until it is planned."
    default_fix_zh = "请重新提交任务，并在任务规划完成之前不要改动该文件。"


class InvalidCallback(IncrementRefused):
    """The callback address may not be called."""

    code = "CallbackNotAllowed"
    default_fix = "Give an https address of a host on the public Internet."
    default_fix_zh = "请填写公网主机的 https 地址。"


class InvalidLines(IncrementRefused):
    """increment.meta has lines that cannot be carried out."""

    code = "MetaLinesInvalid"
    default_fix = "Correct the lines that are named; nothing was started."
    default_fix_zh = "请更正列出的各行；任务尚未开始。"


class LineNotJson(InvalidLines):
    """The line is not one JSON object."""

    code = "LineNotJson"
    default_fix = "Write exactly one JSON object per line, without line breaks inside."
    default_fix_zh = "每行只写一个 JSON 对象，对象内不要换行。"


class LineTooLong(InvalidLines):
    """The line is too long."""

    code = "LineTooLong"
    default_fix = "Keep each line below 65,536 bytes."
    default_fix_zh = "每行须小于 65,536 字节。"


class UnknownOperation(InvalidLines):
    """The line's operation is neither ADD nor DELETE."""

    code = "UnknownOperation"
    default_fix = "Set OperationType to ADD or DELETE."
    default_fix_zh = "OperationType 只能是 ADD 或 DELETE。"


class LineFieldMissing(InvalidLines):
    """The line lacks a field that its operation needs."""

    code = "LineFieldMissing"
    default_fix = "Give ProductId always, and PicName with ADD."
    default_fix_zh = "必须填写 ProductId；ADD 还必须填写 PicName。"


class LineFieldInvalid(InvalidLines):
    """A field of the line has a value outside what is allowed."""

    code = "LineFieldInvalid"
    default_fix = "docs/increments.md lists the fields and their limits."
    default_fix_zh = "docs/increments.zh-CN.md 列出了各字段及其限制。"


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

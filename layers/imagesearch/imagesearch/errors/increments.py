"""An increment task is refused: one leaf for each cause, in English and Chinese."""

from __future__ import annotations

from typing import Any, ClassVar

from imagesearch.errors.requests import BadRequest

__all__ = [
    "BucketElsewhere",
    "DamagedMeta",
    "EmptyMeta",
    "ForeignBucket",
    "IncrementRefused",
    "InvalidBucketName",
    "InvalidCallback",
    "InvalidLines",
    "InvalidRoleArn",
    "LineFieldInvalid",
    "LineFieldMissing",
    "LineNotJson",
    "LineTooLong",
    "ListNotAllowed",
    "MetaChanged",
    "MetaNotText",
    "NoMetaFile",
    "PathEndsWithSlash",
    "PathNotAbsolute",
    "PathReserved",
    "ReadNotAllowed",
    "RoleNotAssumable",
    "RoleNotRegistered",
    "UnknownBucket",
    "UnknownOperation",
    "UnknownPath",
    "UnknownRole",
]


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

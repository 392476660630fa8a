"""Failures that only this contract knows: a branch of the one error tree.

Codes are those of the vendor's gateway (https://help.aliyun.com/en/document_detail/434846)
and of its upload service.

::

    ImageSearchError
    ├── AccessRefused                400  IncompleteSignature
    │   ├── UnknownAccessKey         404  InvalidAccessKeyId.NotFound
    │   ├── InactiveAccessKey        400  InvalidAccessKeyId.Inactive
    │   ├── WrongSignature           400  SignatureDoesNotMatch
    │   ├── UnknownSignatureMethod   400  InvalidSignatureMethod
    │   ├── UnreadableTime           400  InvalidTimeStamp.Format
    │   ├── StaleRequest             400  InvalidTimeStamp.Expired
    │   ├── RepeatedRequest          400  SignatureNonceUsed
    │   ├── WrongDigest              400  ContentMD5NotMatched
    │   ├── WrongToken               400  InvalidSecurityToken.*
    │   └── NotPermitted             403  NoPermission
    ├── UnknownAction                404  InvalidApi.NotFound
    ├── ForeignPicture               400  InvalidPicUrl
    ├── UnreadableItemBody           400  NoCaretSeperator, EmptyMeta, InvalidMetaItem, …
    ├── MalformedForm                400  MalformedPOSTRequest
    ├── UploadRefused                403  AccessDenied, SignatureDoesNotMatch, …
    ├── UploadSize                   400  EntityTooLarge, EntityTooSmall
    └── UploadTaken                  409  FileAlreadyExists
"""

from __future__ import annotations

from typing import ClassVar

from imagesearch.errors import (
    BadRequest,
    Conflict,
    ImageSearchError,
    NotFound,
    PictureError,
)

__all__ = [
    "AccessRefused",
    "ForeignPicture",
    "InactiveAccessKey",
    "MalformedForm",
    "NotPermitted",
    "RepeatedRequest",
    "StaleRequest",
    "UnknownAccessKey",
    "UnknownAction",
    "UnknownSignatureMethod",
    "UnreadableItemBody",
    "UnreadableTime",
    "UploadRefused",
    "UploadSize",
    "UploadTaken",
    "WrongDigest",
    "WrongSignature",
    "WrongToken",
]


class _Coded(ImageSearchError):
    """A failure whose code is told where it is raised."""

    def __init__(
        self, detail: str, *, code: str = "", fix: str = "", field: str | None = None
    ) -> None:
        super().__init__(detail, fix=fix, field=field)
        self.code = code or type(self).code


class AccessRefused(ImageSearchError):
    """The request is not signed as it must be."""

    status: ClassVar[int] = 400
    code = "IncompleteSignature"
    default_fix = "Sign the request with an access key of this service; the vendor's SDKs do."


class UnknownAccessKey(AccessRefused):
    """There is no such access key."""

    status = 404
    code = "InvalidAccessKeyId.NotFound"
    default_fix = "List the keys with imagesearch keys list, or create one with keys create."


class InactiveAccessKey(AccessRefused):
    """The access key has expired or was revoked."""

    code = "InvalidAccessKeyId.Inactive"
    default_fix = "Use the key that replaced it, or create one with imagesearch keys create."


class WrongSignature(AccessRefused):
    """The signature is not the one that this key makes for this request."""

    code = "SignatureDoesNotMatch"
    default_fix = (
        "Check the secret, and that no proxy rewrites the request's headers, address or body."
    )


class UnknownSignatureMethod(AccessRefused):
    """The request is signed in a way that is not supported."""

    code = "InvalidSignatureMethod"
    default_fix = "Use ACS3-HMAC-SHA256, ACS3-HMAC-SM3 or HMAC-SHA1 with an access key pair."


class UnreadableTime(AccessRefused):
    """The request's time cannot be read."""

    code = "InvalidTimeStamp.Format"


class StaleRequest(AccessRefused):
    """The request was signed too long ago, or in the future."""

    code = "InvalidTimeStamp.Expired"
    default_fix = "Set the caller's clock."


class RepeatedRequest(AccessRefused):
    """The request was answered before."""

    code = "SignatureNonceUsed"
    default_fix = "Sign every request anew, with a new nonce."


class WrongDigest(AccessRefused):
    """The body is not the one that its digest was made of."""

    code = "ContentMD5NotMatched"
    default_fix = "Send the body unchanged, with the Base64 of its MD5 in Content-MD5."


class WrongToken(_Coded, AccessRefused):
    """The security token does not go with the access key."""

    code = "InvalidSecurityToken.MismatchWithAccessKey"
    default_fix = "Send the token that was issued with this access key."


class NotPermitted(AccessRefused):
    """The access key may not do this."""

    status = 403
    code = "NoPermission"
    default_fix = "Ask the operator to allow it: imagesearch keys create --instance NAME."


class UnknownAction(NotFound):
    """The API has no operation of this name and version."""

    code = "InvalidApi.NotFound"
    default_fix = "docs/alibaba.md lists the operations of every API version."


class ForeignPicture(PictureError):
    """The picture's address is not one that this service gave out."""

    code = "InvalidPicUrl"
    default_fix = (
        "Send the picture as Base64, or upload it with the SDK's Advance method; "
        "pictures elsewhere on the network are never fetched."
    )


class UnreadableItemBody(_Coded, BadRequest):
    """The body is not meta^content."""

    code = "InvalidMetaItem"
    default_fix = "Let the SDK build the body (buildPostContent)."


class MalformedForm(BadRequest):
    """The upload is not a readable multipart form."""

    code = "MalformedPOSTRequest"
    default_fix = "Send multipart/form-data with the fields that AuthorizeFileUpload gave."


class UploadRefused(_Coded, ImageSearchError):
    """The upload form does not carry a valid permission."""

    status = 403
    code = "AccessDenied"
    default_fix = "Ask AuthorizeFileUpload for a new form."


class UploadSize(_Coded, PictureError):
    """The uploaded file has too many bytes, or none."""

    code = "EntityTooLarge"


class UploadTaken(Conflict):
    """Another file was uploaded with this form before."""

    code = "FileAlreadyExists"
    default_fix = "Ask AuthorizeFileUpload for a new form; each takes one file."

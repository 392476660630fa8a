"""The request cannot be understood, or is not taken as it came."""

from __future__ import annotations

from typing import ClassVar

from imagesearch.errors.base import ImageSearchError

__all__ = [
    "BadRequest",
    "BodyTooLarge",
    "ForeignInstance",
    "InvalidBase64",
    "InvalidCategory",
    "InvalidField",
    "InvalidFilter",
    "InvalidJson",
    "InvalidRegion",
    "MethodNotAllowed",
    "MissingField",
    "PictureNotIndexed",
    "TooDeepResults",
    "TooManyRequests",
    "TooManyResults",
    "UnknownField",
    "UnsupportedContentType",
]


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


class ForeignInstance(ImageSearchError):
    """The key may not be used for this instance."""

    status = 403
    code = "NoPermission"
    default_fix = "GET /v1/instances lists the key's own instances; ask the owner for another key."


class MethodNotAllowed(ImageSearchError):
    """The address does not take that HTTP method."""

    status = 405
    code = "UnsupportedHTTPMethod"
    default_fix = "docs/http-api.md lists the methods of every route."


class BodyTooLarge(ImageSearchError):
    """The request body is too large."""

    status = 413
    code = "RequestBodyTooLarge"
    default_fix = (
        "Get an address from POST /v1/uploads, PUT the picture there, then send upload_id "
        "in place of image."
    )


class TooManyRequests(ImageSearchError):
    """The key asks for more than it may."""

    status = 429
    code = "TooManyRequests"
    default_fix = "Wait as long as Retry-After says, then go on more slowly."

    def __init__(self, detail: str, *, seconds: int = 1) -> None:
        """Say how many seconds to wait."""
        super().__init__(detail)
        self.seconds = seconds


class UnsupportedContentType(ImageSearchError):
    """The body has a content type that this route does not take."""

    status = 415
    code = "UnsupportedContentType"
    default_fix = "Send application/json, or one picture as image/jpeg, image/png, …."

"""How requests and answers travel: addresses, pictures, structs, and refusals by code."""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from typing import Any, BinaryIO, TypeVar, Union
from urllib.parse import quote

import httpx
import msgspec

from imagesearch_client import refusals
from imagesearch_client.errors import (
    Forbidden,
    Refused,
    Unauthorized,
    Unreachable,
)

__all__ = [
    "LARGEST_IN_LINE",
    "Image",
    "decoded",
    "given",
    "in_line",
    "in_path",
    "instance_path",
    "media_type",
    "picture_path",
    "read_image",
    "refusal",
]

Image = Union[bytes, "os.PathLike[str]", BinaryIO]
"""A picture: its bytes, the path of its file, or the open file."""

LARGEST_IN_LINE = 4_500_000
"""Longest picture in bytes that fits into one request; a larger one is uploaded first."""

_BY_STATUS: dict[int, type[Refused]] = {
    400: refusals.BadRequest,
    401: Unauthorized,
    403: Forbidden,
    404: refusals.NotFound,
    409: refusals.Conflict,
    413: refusals.RequestBodyTooLarge,
    429: refusals.TooManyRequests,
    500: refusals.InternalError,
    503: refusals.ServiceUnavailable,
}
_FAMILIES = {"Invalid": refusals.InvalidField, "NoSpecified": refusals.MissingField}
_MAGIC = {
    b"\xff\xd8": "image/jpeg",
    b"\x89PNG": "image/png",
    b"GIF8": "image/gif",
    b"BM": "image/bmp",
    b"RIFF": "image/webp",
    b"II": "image/tiff",
    b"MM": "image/tiff",
    b"P": "image/x-portable-pixmap",
}

Answer = TypeVar("Answer")


def read_image(image: Image) -> bytes:
    """Return a picture's bytes."""
    if isinstance(image, bytes):
        return image
    if isinstance(image, os.PathLike):
        with open(image, "rb") as file:  # noqa: PTH123  a str subclass may be a path as well
            return file.read()
    return image.read()


def in_line(image: bytes) -> str:
    """Return a picture as the text that a request carries."""
    return base64.b64encode(image).decode()


def media_type(image: bytes) -> str:
    """Return the media type of a picture by its first bytes; a JPEG if it is unknown."""
    return next((kind for magic, kind in _MAGIC.items() if image.startswith(magic)), "image/jpeg")


def in_path(*names: str) -> bool:
    """Tell whether names can travel in a path: API Gateway decodes it before it matches routes."""
    return not any({"/", "?", "#"} & set(name) or name in {".", ".."} for name in names)


def instance_path(instance: str, below: str = "") -> str:
    """Return the address of an instance, or of something below it."""
    return f"/v1/instances/{quote(instance, safe='')}{below}"


def picture_path(instance: str, *names: str) -> str:
    """Return the address of pictures: of all, of a product, or of one."""
    parts = "".join("/" + quote(name, safe="") for name in names)
    return instance_path(instance, "/pictures" + parts)


def decoded(answer: httpx.Response, kind: type[Answer]) -> Answer:
    """Read a good answer; raise :class:`Refused` for a problem."""
    if not answer.is_success:
        raise refusal(answer)
    if kind is bytes:
        return answer.content  # type: ignore[return-value]  # it is the kind that was asked for
    try:
        return msgspec.json.decode(answer.content, type=kind)
    except msgspec.MsgspecError as error:
        raise Unreachable(
            f"{answer.request.url} answers, but not as this service does: {error}. "
            "Is it the right address, and the client as new as the service?"
        ) from None


def refusal(answer: httpx.Response) -> Refused:
    """Return the exception for an answer that is a problem."""
    problem = _problem(answer)
    code, status = str(problem.get("code", "")), answer.status_code
    kind = refusals.BY_CODE.get(code) or _family(code, status) or _BY_STATUS.get(status, Refused)
    return kind(status, problem)


def _family(code: str, status: int) -> type[Refused] | None:
    """Return the class of a code that gets its last part from a field."""
    if status != 400:
        return None
    return next((kind for head, kind in _FAMILIES.items() if code.startswith(head)), None)


def _problem(answer: httpx.Response) -> Mapping[str, Any]:
    try:
        body = msgspec.json.decode(answer.content)
    except msgspec.MsgspecError:
        body = None
    return body if isinstance(body, dict) else {"detail": answer.text[:300]}


def given(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that have a value."""
    return {name: value for name, value in fields.items() if value is not None}

"""Failures as the vendor's SDKs know them: HTTP status, ``Code`` and ``Message``."""

from __future__ import annotations

import re
from dataclasses import dataclass

from imagesearch.contract.fields import theirs
from imagesearch.contract.generation import V2018, Generation
from imagesearch.contract.refusals import AccessRefused, NotPermitted
from imagesearch.errors import (
    BadRequest,
    DamagedPicture,
    ImageSearchError,
    InstanceFull,
    InvalidBase64,
    InvalidField,
    InvalidFilter,
    InvalidJson,
    LostRace,
    MissingField,
    ModelMismatch,
    PictureBomb,
    PictureError,
    TooManyRequests,
    UnknownField,
    UnknownInstance,
    UnknownPicture,
    UnknownUpload,
)

__all__ = ["CONSOLE", "Fault", "fault_of"]

CONSOLE = frozenset({"Detail", "DumpMeta", "DumpMetaList", "IncreaseInstance", "IncreaseList"})
"""Operations whose codes begin with ``Console.``."""

_MISSING = {
    "instance": "InvalidInstanceName",
    "product_id": "NoSpecifiedProductId",
    "pic_name": "NoSpecifiedPicName",
    "image": "NoSpecifiedPicContent",
    "text": "InvalidText",
    "filter": "InvalidFilterClause",
}
_MISSING_IN_2018 = {
    "product_id": {"": "NoSpecifiedItemId"},
    "image": {"AddItem": "NoSpecifiedAddPic", "": "NoSpecifiedSearchPic"},
}
_INVALID = {"Type": "InvalidType", "instance": "InvalidInstance"}
_COMPARED = {"PrimaryPicContent", "SecondaryPicContent"}
# The leaves whose own code the vendor does not have.
_RENAMED: dict[type[ImageSearchError], str] = {
    UnknownInstance: "InvalidInstance",
    ModelMismatch: "InstanceStatusError",
    InvalidBase64: "InvalidPicContent",
    DamagedPicture: "UnsupportedPicFormat",
    PictureBomb: "UnsupportedPicPixels",
    UnknownPicture: "PicNotExist",
    UnknownUpload: "InvalidPicUrl",
    UnknownField: "BadRequest",
    InvalidJson: "BadRequest",
    LostRace: "ServiceUnavailable",
    TooManyRequests: "Throttling.User",
}
_IN_CONSOLE = {
    "BadRequest": "Console.BadRequest",
    "InvalidField": "Console.BadRequest",
    "InvalidInstance": "Console.InstanceNotFound",
    "InstanceStatusError": "Console.InstanceStatusError",
    "NoPermission": "Console.NoPermission",
    "Conflict": "Console.TaskAlreadyExist",
    "InternalError": "Console.InternalError",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """What the caller is told."""

    status: int
    code: str
    message: str


def fault_of(error: ImageSearchError, generation: Generation | None, action: str) -> Fault:
    """Translate a failure. ``generation`` is ``None`` before the call was understood."""
    code = _code(error, generation, action)
    status = _status(error, generation, action)
    if status >= 500:
        code = "ServiceUnavailable" if status == 503 else "InternalError"
    if action in CONSOLE:
        code = _IN_CONSOLE.get(code, code)
    return Fault(status, code, _message(error, status))


def _code(error: ImageSearchError, generation: Generation | None, action: str) -> str:
    field = error.field or ""
    if isinstance(error, MissingField):
        if generation is V2018 and field in _MISSING_IN_2018:
            by_action = _MISSING_IN_2018[field]
            return by_action.get(action, by_action[""])
        return f"Invalid{field}" if field in _COMPARED else _MISSING.get(field, "BadRequest")
    if isinstance(error, InvalidField):
        if field == "text" and "length" in error.detail:
            return "InvalidTextLength"
        code = _INVALID.get(field, error.code)
        return "BadRequest" if code == "InvalidField" else code
    code = _RENAMED.get(type(error), error.code)
    if code == "InvalidPicContent" and field in _COMPARED:
        return f"Invalid{field}"
    return code


def _status(error: ImageSearchError, generation: Generation | None, action: str) -> int:
    if isinstance(error, UnknownInstance | UnknownPicture | UnknownUpload):
        return 400
    if isinstance(error, LostRace):
        return 503
    if isinstance(error, TooManyRequests | InstanceFull):
        return 400  # as the vendor's pages have it
    if isinstance(error, ModelMismatch):
        return 409 if action in CONSOLE or generation is None else generation.status_error
    return error.status


_NAMES = re.compile(
    r"\b(product_id|pic_name|category_id|custom_content|score_threshold|distinct_product|"
    r"(?:int|str)_attr[234]?)\b|^(image|instance|num|start|filter|text|region|crop)(?=:| is | \d)"
)


def _message(error: ImageSearchError, status: int) -> str:
    if status >= 500:
        return f"{error.title()} {error.fix}"
    if isinstance(error, InvalidFilter | AccessRefused | NotPermitted):
        return f"{error.detail} {error.fix}"
    text = f"{error.detail} {_fix(error)}".strip()
    return _NAMES.sub(lambda found: theirs(found[0]), text)


def _fix(error: ImageSearchError) -> str:
    """Return the advice, unless it is about our own routes."""
    if isinstance(error, UnknownInstance):
        return "Create it first: imagesearch instance create NAME."
    if isinstance(error, MissingField):
        return f"Send {theirs(error.field or '')}."
    if isinstance(error, UnknownUpload):
        return "Upload the picture again; an upload serves for one call."
    if type(error) is BadRequest or isinstance(error, InvalidField | PictureError):
        return "" if error.fix == BadRequest.default_fix else error.fix
    return error.fix

"""What can go wrong on one machine: failures of the run, and answers of the HTTP front."""

from __future__ import annotations

from typing import ClassVar

from imagesearch.errors import ImageSearchError

__all__ = [
    "FunctionBusy",
    "FunctionFailed",
    "FunctionTimedOut",
    "LocalFailure",
    "TemplateFailure",
]


class LocalFailure(Exception):
    """The local run cannot go on; the message says what to do."""


class TemplateFailure(LocalFailure):
    """The template has something that cannot be run on one machine."""


class FunctionFailed(ImageSearchError):
    """The function ended without an answer."""

    status: ClassVar[int] = 502
    code = "FunctionFailed"
    default_fix = "Try again; DATA/logs/functions.log says what happened."


class FunctionTimedOut(ImageSearchError):
    """The function did not answer in time."""

    status: ClassVar[int] = 504
    code = "FunctionTimedOut"
    default_fix = "Try again; with a smaller picture or a smaller batch if it stays."


class FunctionBusy(ImageSearchError):
    """All environments of the function are busy and too many requests wait already."""

    status: ClassVar[int] = 503
    code = "ServiceUnavailable"
    default_fix = "Try again after the seconds that Retry-After names."

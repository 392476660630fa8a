"""Every way a call can fail, as one tree.

::

    ImageSearchError
    ├── Unreachable          the server does not answer, or what answers is no such service
    └── Refused              it answered with a problem: .code, .status, .detail, .fix, …
        ├── Unauthorized     401  a signature or key is missing or wrong
        ├── Forbidden        403  the caller may not do this
        └── …                     one for each code of docs/errors.md, see refusals.py

A code that this client does not know yet is raised as the class of its HTTP status.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["Forbidden", "ImageSearchError", "Refused", "Unauthorized", "Unreachable"]


class ImageSearchError(Exception):
    """A call has failed."""


class Unreachable(ImageSearchError):
    """The server does not answer, or what answers is not the service."""


class Refused(ImageSearchError):
    """The server answered with a problem (RFC 9457).

    ``code`` is the name to program against, ``detail`` says what was wrong with which value,
    ``fix`` what to do, ``field`` which field it is about, ``request_id`` what the logs know the
    request by. ``problem`` has every member of the answer.
    """

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        """Keep the problem's members."""
        self.status = status
        self.problem = {"status": status, **problem}
        self.code = str(problem.get("code") or status)
        self.detail = str(
            problem.get("detail")
            or problem.get("message")
            or problem.get("title")
            or "no reason was given"
        )
        self.fix = str(problem.get("fix") or "")
        self.field = str(problem.get("field") or "")
        self.request_id = str(problem.get("request_id") or "")
        super().__init__(f"{self.code}: {self.detail}")


class Unauthorized(Refused):
    """A signature or key is missing or wrong."""


class Forbidden(Refused):
    """The caller may not do this."""

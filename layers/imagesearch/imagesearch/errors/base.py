"""What every failure is."""

from __future__ import annotations

from typing import Any, ClassVar

__all__ = [
    "ImageSearchError",
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

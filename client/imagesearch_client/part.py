"""The parts of a combined query: what is wanted, and what is not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from imagesearch_client.wire import Image

__all__ = ["Part"]


@dataclass(frozen=True)
class Part:
    """One of ``image``, ``by`` (product_id, pic_name of an indexed picture) and ``text``.

    A negative ``weight`` says what is not wanted. ``region`` and ``crop`` are for an image.
    """

    image: Image | None = None
    by: tuple[str, str] | None = None
    text: str | None = None
    weight: float = 1.0
    region: str | Sequence[int] | None = None
    crop: bool | None = None

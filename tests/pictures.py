"""Pictures drawn for tests: different from each other, the same for the same number."""

from __future__ import annotations

import io
import random

from PIL import Image, ImageDraw

__all__ = ["as_bytes", "drawn"]


def drawn(seed: int, *, size: tuple[int, int] = (160, 120)) -> Image.Image:
    """Draw a scene of a few shapes in colours of their own."""
    chance = random.Random(seed)
    picture = Image.new("RGB", size, _colour(chance))
    draw = ImageDraw.Draw(picture)
    for _ in range(6):
        x, y = chance.randrange(size[0]), chance.randrange(size[1])
        box = (x, y, x + chance.randrange(20, 90), y + chance.randrange(20, 90))
        shape = chance.choice([draw.ellipse, draw.rectangle])
        shape(box, fill=_colour(chance), outline=_colour(chance), width=3)
    return picture


def as_bytes(picture: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    """Encode a picture."""
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def _colour(chance: random.Random) -> tuple[int, int, int]:
    return chance.randrange(256), chance.randrange(256), chance.randrange(256)

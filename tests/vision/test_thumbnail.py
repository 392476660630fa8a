"""Small copies: of the whole upright picture, made from its pixels, with nothing else in them."""

from __future__ import annotations

import io

import numpy as np
import pytest
from imagesearch.vision.picture import Original
from imagesearch.vision.thumbnail import SIDE
from PIL import Image

from tests.pictures import as_bytes, drawn
from tests.vision import corpus

VALID = dict(corpus.valid())


def small(image: bytes) -> tuple[bytes, Image.Image]:
    made = Original.open(image).thumbnail()
    return made, Image.open(io.BytesIO(made))


@pytest.mark.parametrize("name", VALID)
def test_every_form_of_a_picture_has_a_thumbnail(name: str) -> None:
    _, shown = small(VALID[name])
    assert (shown.format, shown.mode, shown.size) == ("JPEG", "RGB", (96, 64))


@pytest.mark.parametrize("size", [(3000, 2000), (2000, 3000), (8192, 40), (256, 256), (33, 900)])
def test_it_fits_and_keeps_its_proportions(size: tuple[int, int]) -> None:
    made, shown = small(as_bytes(drawn(1, size=size)))
    assert max(shown.size) == min(SIDE, max(size))
    assert shown.width / shown.height == pytest.approx(size[0] / size[1], rel=0.25)
    assert len(made) < 40_000


def test_it_shows_the_picture() -> None:
    picture = drawn(3, size=(1200, 800))
    _, shown = small(as_bytes(picture, quality=95))
    wanted = np.asarray(picture.resize(shown.size, Image.Resampling.BICUBIC), float)
    assert np.abs(np.asarray(shown, float) - wanted).mean() < 6


def test_it_is_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    _, shown = small(as_bytes(drawn(1, size=(400, 200)), exif=exif))
    assert shown.size == (128, 256)


def test_nothing_of_the_file_is_in_it() -> None:
    exif = Image.Exif()
    exif[0x010E] = "where I live"
    sent = as_bytes(drawn(1), exif=exif, comment=b"a secret") + b"<script>behind the end</script>"
    made, shown = small(sent)
    for part in (b"where I live", b"a secret", b"script", b"Exif"):
        assert part not in made
    assert not shown.getexif()
    assert "comment" not in shown.info


def test_a_look_hands_it_over_before_the_vector_is_made() -> None:
    original = Original.open(as_bytes(drawn(1, size=(1200, 800))))
    original.decode(original.whole)
    first = original.thumbnail()
    assert first == original.thumbnail()
    assert original.crop(original.whole, 32).shape == (32, 32, 3)

"""Pictures in every form come out as the same upright sRGB pixels, or as a picture error."""

from __future__ import annotations

import tracemalloc
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from imagesearch.catalogue import Region
from imagesearch.errors import (
    DamagedPicture,
    NotAPicture,
    PictureBomb,
    PictureError,
    PictureTooBig,
    UnsupportedSides,
)
from imagesearch.vision.picture import Original
from PIL import Image, ImageCms

from tests.pictures import as_bytes
from tests.vision import corpus

VALID = dict(corpus.valid())
HOSTILE = dict(corpus.hostile())
STARTS = (
    *(b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"BM", b"II*\0", b"MM\0+"),
    *(b"P5 ", b"P3 40 40 255 ", b"RIFF\0\0\0\0WEBPVP8 ", b"RIFF\0\0\0\0WEBPVP8L"),
)


def pixels(image: bytes, side: int = 48) -> np.ndarray:
    original = Original.open(image)
    return original.crop(original.whole, side).astype(int)


def reference(picture: Image.Image, side: int = 48) -> np.ndarray:
    square = picture.convert("RGB").resize((side, side), Image.Resampling.BICUBIC)
    return np.asarray(square).astype(int)


def apart(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.abs(a - b).mean())


@pytest.mark.parametrize("name", VALID)
def test_every_form_of_a_picture_shows_what_it_shows(name: str) -> None:
    original = Original.open(VALID[name])
    assert (original.width, original.height) == (96, 64)
    seen = pixels(VALID[name])
    if name in ("YCCK JPEG", "PNG 1", "TIFF 1", "palette with alpha", "16-bit RGBA PNG"):
        return  # other colours by intention: the tests below know which
    grey = any(mode in name.split() for mode in ("L", "LA", "I;16", "I", "F"))
    wanted = reference(corpus.scene().convert("L") if grey else corpus.scene())
    assert apart(seen, wanted) < (9 if name.rsplit(maxsplit=1)[-1] in ("GIF", "P") else 4)


def test_16_bit_colour_is_the_8_bit_colour() -> None:
    assert (pixels(corpus.png_of_16_bits(corpus.scene())) == reference(corpus.scene())).all()


def test_16_bit_grey_is_the_8_bit_grey() -> None:
    grey = corpus.scene().convert("L")
    assert apart(pixels(VALID["PNG I;16"]), reference(grey)) < 1
    assert apart(pixels(VALID["TIFF I;16"]), reference(grey)) < 1


@pytest.mark.parametrize("image", [VALID["16-bit RGBA PNG"], None])
def test_transparency_lies_on_white(image: bytes | None) -> None:
    half = corpus.scene()
    half.putalpha(128)
    seen = pixels(image or as_bytes(half, "PNG"))
    on_white = (np.asarray(corpus.scene()).astype(float) * 128 + 255 * 127) / 255
    wanted = reference(Image.fromarray(on_white.round().astype(np.uint8)))
    assert apart(seen, wanted) < 1.5


def test_a_colour_under_full_transparency_is_not_seen() -> None:
    ghost = corpus.scene()
    ghost.putalpha(0)
    assert (pixels(as_bytes(ghost, "PNG")) == 255).all()
    assert (pixels(as_bytes(ghost, "WEBP", lossless=True)) == 255).all()


def test_a_palette_with_alpha_lies_on_white() -> None:
    palette = Image.new("RGB", (96, 64), "green")
    palette.paste("navy", (0, 0, 48, 64))
    palette = palette.quantize(2)
    clear = palette.getpixel((0, 0))
    seen = pixels(as_bytes(palette, "PNG", transparency=clear))
    assert (seen[1, 1] == 255).all()
    assert not (seen[-2, -2] == 255).all()


def test_cmyk_and_ycck_show_the_colours() -> None:
    assert apart(pixels(VALID["JPEG CMYK"]), reference(corpus.scene())) < 4
    assert VALID["YCCK JPEG"] != VALID["JPEG CMYK"]
    assert pixels(VALID["YCCK JPEG"]).std() > 20


def test_a_profile_is_brought_to_srgb() -> None:
    """A profile that swaps nothing but gamma: linear light looks lighter in sRGB."""
    linear = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    for tag in (b"rTRC", b"gTRC", b"bTRC"):
        at = int.from_bytes(linear[linear.index(tag) + 4 :][:4], "big")
        linear[at : at + 14] = b"curv" + bytes(4) + (1).to_bytes(4, "big") + b"\x01\x00"
    profile = bytes(linear).replace(b"s\0R\0G\0B", b"l\0i\0n\0e").replace(b"sRGB", b"line")
    grey = Image.new("RGB", (64, 64), (55, 55, 55))
    seen = pixels(as_bytes(grey, "PNG", icc_profile=profile))
    assert abs(seen.mean() - 128) < 4  # 0.2158 of light is 128 in sRGB (IEC 61966-2-1)
    assert abs(pixels(as_bytes(grey, "PNG")).mean() - 55) < 1


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_exif_orientation_is_undone(kind: str, orientation: int) -> None:
    turned = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }.get(orientation)
    stored = corpus.scene() if turned is None else corpus.scene().transpose(turned)
    options = {"lossless": True} if kind == "WEBP" else {"quality": 95} if kind == "JPEG" else {}
    if kind == "TIFF":
        image = as_bytes(stored, kind, tiffinfo={274: orientation})
    else:
        image = as_bytes(stored, kind, exif=corpus.exif(orientation), **options)
    original = Original.open(image)
    assert (original.width, original.height) == (96, 64)
    assert apart(pixels(image), reference(corpus.scene())) < 2


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF"])
def test_of_several_frames_the_first_is_seen(kind: str) -> None:
    other = Image.new("RGB", (96, 64), "red")
    options = {"lossless": True} if kind == "WEBP" else {}
    image = as_bytes(corpus.scene(), kind, save_all=True, append_images=[other] * 3, **options)
    assert apart(pixels(image), reference(corpus.scene())) < 9


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_region_means_the_same_at_every_resolution(kind: str) -> None:
    """Large pictures are decoded smaller; regions stay in the coordinates of the full one."""
    picture = Image.new("RGB", (4200, 3000), "white")
    picture.paste((200, 30, 30), (1000, 500, 1900, 1100))
    picture.paste((30, 30, 200), (3000, 2000, 3100, 2080))
    original = Original.open(as_bytes(picture, kind))
    assert (original.width, original.height) == (4200, 3000)
    for region, colour in (
        (Region(1000, 1900, 500, 1100), (200, 30, 30)),
        (Region(3000, 3100, 2000, 2080), (30, 30, 200)),
        (Region(10, 900, 10, 400), (255, 255, 255)),
    ):
        inner = original.crop(region, 32)[2:-2, 2:-2].reshape(-1, 3)
        assert np.abs(inner.astype(int) - colour).max() < 12


def test_a_crop_depends_on_the_region_only() -> None:
    """Whatever was decoded before, the same region gives the same pixels."""
    image = as_bytes(corpus.scene(4000, 3000), "JPEG")
    small = Region(100, 260, 100, 220)
    alone, after = Original.open(image), Original.open(image)
    after.crop(after.whole, 64)
    assert (alone.crop(small, 64) == after.crop(small, 64)).all()
    assert (alone.crop(alone.whole, 64) == after.crop(after.whole, 64)).all()


def test_the_margin_stops_at_the_edge() -> None:
    picture = Image.new("RGB", (100, 100), "white")
    picture.paste("black", (0, 0, 50, 100))
    original = Original.open(as_bytes(picture, "PNG"))
    half = Region(0, 50, 0, 100)
    assert original.crop(half, 50).max() < 60
    assert original.crop(half, 50, margin=0.2)[:, -3:].min() > 200


def outcome(image: bytes) -> PictureError | None:
    """Look at the bytes; return how they were refused. Anything else that is raised gets out."""
    try:
        assert pixels(image).shape == (48, 48, 3)
    except PictureError as refusal:
        return refusal
    return None


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_seen_or_refused(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        refusal = outcome(HOSTILE[name])
    if refusal is not None:
        assert type(refusal) is not PictureError
        assert refusal.field == "image"
        assert refusal.detail
        assert refusal.fix


@pytest.mark.parametrize(
    ("name", "leaf"),
    [
        ("nothing", NotAPicture),
        ("zeros", NotAPicture),
        ("random", NotAPicture),
        ("SVG", NotAPicture),
        ("HEIC", NotAPicture),
        ("ZIP then JPEG", NotAPicture),
        ("RIFF without WEBP", NotAPicture),
        ("PNG that says 50000", PictureBomb),
        ("PNG that says 2147483647", PictureBomb),
        ("JPEG that says 65535", PictureBomb),
        ("BMP that says 50000", PictureBomb),
        ("PPM that says 50000", PictureBomb),
        ("GIF that says 65535", PictureBomb),
        ("JPEG of 2000 scans", PictureBomb),
        ("TIFF with heavy strips", PictureBomb),
        ("PNG that says 1", UnsupportedSides),
        ("PNG that says 31", UnsupportedSides),
        ("PNG that says 40 × 60000", UnsupportedSides),
        ("JPEG cut 7", DamagedPicture),
        ("PNG cut 7", DamagedPicture),
        ("GIF cut 7", DamagedPicture),
        ("WEBP cut 7", DamagedPicture),
        ("TIFF cut 7", DamagedPicture),
        ("PNG that says 8192", DamagedPicture),
        ("PPM without end", DamagedPicture),
        ("PNG with too little data", DamagedPicture),
        ("a WEBP of junk", DamagedPicture),
    ],
)
def test_each_refusal_has_its_leaf(name: str, leaf: type[PictureError]) -> None:
    with pytest.raises(leaf) as refused:
        pixels(HOSTILE[name])
    assert type(refused.value) is leaf


@pytest.mark.parametrize(
    "name",
    [
        "JPEG with a heavy Exif table",
        "PNG with a heavy Exif table",
        "WEBP with a heavy Exif table",
        "TIFF with heavy tags",
        "PNG with a text bomb",
        "GIF with a long comment",
        "GIF of 500 frames",
        "JPEG with a random profile",
        "PNG with a damaged profile",
        "PNG then ZIP",
    ],
)
def test_metadata_neither_stops_a_picture_nor_costs_memory(name: str) -> None:
    tracemalloc.start()
    try:
        assert pixels(HOSTILE[name]).shape == (48, 48, 3)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 5 * len(HOSTILE[name]) + 4_000_000


def test_sides_are_named_with_their_limits() -> None:
    with pytest.raises(UnsupportedSides, match=r"31 × 40 .* 32 to 8192"):
        Original.open(as_bytes(Image.new("RGB", (31, 40)), "PNG"))
    Original.open(as_bytes(Image.new("RGB", (32, 32)), "PNG"))
    with pytest.raises(UnsupportedSides, match=r"8193 × 32"):
        Original.open(as_bytes(Image.new("1", (8193, 32)), "PNG"))
    Original.open(as_bytes(Image.new("1", (8192, 32)), "PNG"))


def test_the_largest_picture_is_read() -> None:
    assert (pixels(as_bytes(Image.new("1", (8192, 8192)), "PNG")) == 0).all()


@pytest.mark.parametrize("between", [b" ", b"\n# made by hand\n", b"\t#\r"])
def test_comments_in_a_ppm_header_are_skipped(between: bytes) -> None:
    image = between.join([b"P6", b"96", b"64", b"255"]) + b"\n" + corpus.scene().tobytes()
    assert apart(pixels(image), reference(corpus.scene())) == 0


def test_too_many_bytes_are_refused_with_the_limit() -> None:
    image = as_bytes(corpus.scene(), "PNG")
    with pytest.raises(PictureTooBig, match=f"{len(image)} bytes; at most 100"):
        Original.open(image, max_bytes=100)


@pytest.mark.parametrize(
    ("start", "named"),
    [
        (b"\0\0\0\x1cftypavif", "AVIF"),
        (b"\0\0\0\x18ftypmif1", "HEIC"),
        (b"%PDF-1.7", "PDF"),
        (b"\xef\xbb\xbf<?xml version='1.0'?>\n<svg ", "SVG"),
        (b"<!DOCTYPE html>", "web page"),
        (b"data:image/png;base64,iVBOR", "Base64"),
        (b"\xff\xd8\x00", "ff d8 00"),
    ],
)
def test_what_is_no_picture_is_named(start: bytes, named: str) -> None:
    with pytest.raises(NotAPicture, match=named):
        Original.open(start + bytes(50))


@settings(max_examples=150, deadline=None)
@given(
    name=st.sampled_from(sorted(VALID)),
    edits=st.lists(st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=6)), max_size=6),
    cut=st.floats(0.2, 1),
)
def test_damage_anywhere_is_seen_or_refused(
    name: str, edits: list[tuple[float, bytes]], cut: float
) -> None:
    image = bytearray(VALID[name])
    for place, patch in edits:
        at = int(place * (len(image) - 1))
        image[at : at + len(patch)] = patch
    outcome(bytes(image[: int(cut * len(image))]))


@settings(max_examples=100, deadline=None)
@given(
    start=st.sampled_from(STARTS),
    rest=st.binary(max_size=400),
)
def test_random_bytes_are_seen_or_refused(start: bytes, rest: bytes) -> None:
    outcome(start + rest)

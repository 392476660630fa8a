"""Looking at a picture: region, category, vector, for each service."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from imagesearch.catalogue import CATEGORIES, OTHER, Region, Service
from imagesearch.errors import InvalidRegion, PictureError
from imagesearch.vision import Vision
from imagesearch.vision.manifest import Manifest
from imagesearch.vision.picture import Original
from imagesearch.vision.views import squares
from numpy.typing import NDArray
from PIL import Image

from tests.pictures import as_bytes, drawn
from tests.vision import corpus
from tests.vision.conftest import description

HOSTILE = dict(corpus.hostile())
WHOLE = Region(0, 200, 0, 100)
INK = Region(50, 100, 25, 75)


@pytest.fixture(scope="module")
def vision(tiny: Path) -> Vision:
    return Vision.load(tiny)


def ink(colour: str = "black") -> bytes:
    """Return a picture of 200 × 100 with one dark square on white."""
    picture = Image.new("RGB", (200, 100), "white")
    picture.paste(colour, (50, 25, 100, 75))
    picture.paste("grey", (60, 30, 90, 50))
    return as_bytes(picture, "PNG")


def test_the_subject_is_found_and_used(vision: Vision) -> None:
    view = vision.look(ink(), Service.PRODUCT)
    assert (view.width, view.height) == (200, 100)
    assert view.region == view.regions[0] == INK
    assert view.vector.shape == (512,)
    assert view.vector.dtype == np.float32
    assert abs(float(np.linalg.norm(view.vector)) - 1) < 1e-6
    assert set(view.took_ms) == {"decode", "subject", "embed"}


def test_a_given_region_is_the_subject(vision: Vision) -> None:
    found = vision.look(ink(), Service.PRODUCT)
    given = vision.look(ink(), Service.PRODUCT, region=INK)
    other = vision.look(ink(), Service.PRODUCT, region=Region(0, 60, 0, 60))
    assert (given.vector == found.vector).all()
    assert given.regions == (INK,)
    assert not np.allclose(other.vector, found.vector, atol=1e-3)


@pytest.mark.parametrize("region", [None, INK, Region(900, 901, 0, 1)])
def test_without_crop_the_whole_picture_is_used(vision: Vision, region: Region | None) -> None:
    view = vision.look(ink(), Service.GENERIC, region=region, crop=False)
    assert view.region == WHOLE
    assert view.regions == (WHOLE,)


def test_cloth_is_taken_whole_whatever_is_said(vision: Vision) -> None:
    plain = vision.look(ink(), Service.FABRIC)
    said = vision.look(ink(), Service.FABRIC, region=INK, crop=True)
    assert plain.region == said.region == WHOLE
    assert (plain.vector == said.vector).all()


@pytest.mark.parametrize(
    "region", [Region(0, 201, 0, 50), Region(50, 50, 0, 9), Region(-1, 9, 0, 9)]
)
def test_a_region_outside_the_picture_is_refused(vision: Vision, region: Region) -> None:
    with pytest.raises(InvalidRegion):
        vision.look(ink(), Service.PRODUCT, region=region)


def test_a_region_is_one_of_the_upright_picture(vision: Vision) -> None:
    upright = Image.new("RGB", (100, 200), "white")
    upright.paste("black", (25, 100, 75, 150))
    stored = upright.transpose(Image.Transpose.ROTATE_90)
    view = vision.look(as_bytes(stored, "PNG", exif=corpus.exif(6)), Service.PRODUCT)
    assert (view.width, view.height) == (100, 200)
    assert view.region == Region(25, 75, 100, 150)


def test_a_category_is_predicted_for_products_only(vision: Vision) -> None:
    view = vision.look(ink(), Service.PRODUCT)
    assert view.category_id in CATEGORIES
    assert view.confidence is not None
    assert 1 / len(CATEGORIES) <= view.confidence <= 1
    for service in (Service.GENERIC, Service.FABRIC, Service.TRADEMARK):
        view = vision.look(ink(), service)
        assert (view.category_id, view.confidence) == (OTHER, None)


def test_a_given_category_is_kept(vision: Vision) -> None:
    view = vision.look(ink(), Service.PRODUCT, category_id=4)
    assert (view.category_id, view.confidence) == (4, None)


def test_an_unsure_category_is_other(bundle: Callable[..., Path]) -> None:
    unsure = {**description()["categories"], "unsure": 1.0}
    view = Vision.load(bundle(categories=unsure)).look(ink(), Service.PRODUCT)
    assert view.category_id == OTHER
    assert view.confidence is not None


def test_a_bundle_may_do_without_subject_and_categories(bundle: Callable[..., Path]) -> None:
    view = Vision.load(bundle(categories=None, subject=None)).look(ink(), Service.PRODUCT)
    assert view.region == WHOLE
    assert view.category_id == OTHER


def test_a_mirrored_view_makes_the_vector_blind_to_mirroring(bundle: Callable[..., Path]) -> None:
    recipe = {**description()["services"]["product"], "views": ["plain", "mirror"]}
    both = Vision.load(
        bundle(services=dict.fromkeys(("product", "generic", "fabric", "trademark"), recipe))
    )
    picture = drawn(3)
    mirrored = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    plain, turned = (
        both.look(as_bytes(p, "PNG"), Service.FABRIC).vector for p in (picture, mirrored)
    )
    np.testing.assert_allclose(plain, turned, atol=1e-5)


@pytest.mark.parametrize("name", ["mirror", "turn", "ink", "centre", "quarters"])
@pytest.mark.parametrize("region", [Region(0, 1, 0, 1), Region(3, 40, 7, 30), None])
def test_every_view_adds_to_the_vector(
    vision: Vision, bundle: Callable[..., Path], name: str, region: Region | None
) -> None:
    recipe = {**description()["services"]["product"], "views": ["plain", name]}
    services = dict.fromkeys(("product", "generic", "fabric", "trademark"), recipe)
    image = as_bytes(drawn(3), "PNG")
    more = Vision.load(bundle(services=services)).look(image, Service.PRODUCT, region=region)
    plain = vision.look(image, Service.PRODUCT, region=region)
    assert abs(float(np.linalg.norm(more.vector)) - 1) < 1e-6
    assert (more.region, more.category_id, more.confidence) == (
        plain.region,
        plain.category_id,
        plain.confidence,
    )
    assert region == Region(0, 1, 0, 1) or not np.allclose(more.vector, plain.vector, atol=1e-3)


def test_the_whole_picture_is_added_to_a_found_subject_only(
    bundle: Callable[..., Path], vision: Vision
) -> None:
    recipe = {**description()["services"]["product"], "whole": 0.5}
    services = dict.fromkeys(("product", "generic", "fabric", "trademark"), recipe)
    mixed = Vision.load(bundle(services=services))
    alone, whole = (vision.look(ink(), Service.GENERIC, crop=crop).vector for crop in (True, False))
    wanted = alone + np.float32(0.5) * whole
    found = mixed.look(ink(), Service.GENERIC).vector
    assert np.allclose(found, wanted / np.linalg.norm(wanted), atol=1e-6)
    assert (mixed.look(ink(), Service.GENERIC, region=INK).vector == alone).all()
    assert (mixed.look(ink(), Service.GENERIC, crop=False).vector == whole).all()


def test_the_quarters_are_those_of_the_region(tiny: Path) -> None:
    """A picture of four flat quarters shows each of them flat."""
    colours = [(200, 30, 30), (30, 200, 30), (30, 30, 200), (90, 90, 90)]
    picture = Image.new("RGB", (200, 200), "white")
    for n, colour in enumerate(colours):
        picture.paste(colour, (50 + 50 * (n // 2), 40 + 60 * (n % 2), 100 + 50 * (n // 2), 160))
    original = Original.open(as_bytes(picture, "PNG"))
    spec = Manifest.read(tiny / "bundle.json").embedder
    shown = squares(original, Region(50, 150, 40, 160), ["plain", "quarters"], spec)
    assert shown.shape == (5, 64, 64, 3)
    inner = shown[1:, 4:-4, 4:-4].reshape(4, -1, 3).astype(int)
    assert np.abs(inner - np.array(colours)[:, np.newaxis]).max() < 3


@pytest.mark.parametrize(
    ("mark", "ground"), [("white", "black"), ("red", "lime"), ("#333", "#444")]
)
def test_ink_is_the_same_in_whatever_colours(tiny: Path, mark: str, ground: str) -> None:
    spec = Manifest.read(tiny / "bundle.json").embedder

    def shown(mark: str, ground: str) -> NDArray[np.int_]:
        picture = Image.new("RGB", (64, 64), ground)
        picture.paste(mark, (20, 16, 44, 36))
        original = Original.open(as_bytes(picture, "PNG"))
        return squares(original, Region(0, 64, 0, 64), ["plain", "ink"], spec)[1].astype(int)

    dark = shown("black", "white")
    assert dark[0, 0].tolist() == [255, 255, 255]
    assert dark[25, 30].tolist() == [0, 0, 0]
    assert np.abs(shown(mark, ground) - dark).max() < 3


def test_ink_of_a_flat_picture_is_white(tiny: Path) -> None:
    original = Original.open(as_bytes(Image.new("RGB", (64, 48), (90, 20, 200)), "PNG"))
    spec = Manifest.read(tiny / "bundle.json").embedder
    shown = squares(original, original.whole, ["plain", "ink"], spec)
    assert (shown[1] == 255).all()


def test_the_same_picture_gives_the_same_bits(vision: Vision, tiny: Path) -> None:
    images = [as_bytes(drawn(seed), "JPEG") for seed in range(8)]
    wanted = [vision.look(image, Service.PRODUCT).vector for image in images]
    fresh = Vision.load(tiny)
    with ThreadPoolExecutor(8) as pool:
        again = list(pool.map(lambda i: fresh.look(i, Service.PRODUCT).vector, images * 6))
    assert all((vector == wanted[n % 8]).all() for n, vector in enumerate(again))


@pytest.mark.parametrize("colour", ["black", "white", "grey"])
def test_a_flat_picture_has_a_vector_too(vision: Vision, colour: str) -> None:
    image = as_bytes(Image.new("RGB", (64, 48), colour), "PNG")
    for service in Service:
        assert abs(float(np.linalg.norm(vision.look(image, service).vector)) - 1) < 1e-6


def test_a_probability_follows_the_curve(vision: Vision) -> None:
    chances = [vision.probability(Service.PRODUCT, c) for c in (-1, 0.2, 0.4, 0.6, 0.75, 0.9, 1)]
    assert chances == pytest.approx([0, 0, 0.25, 0.5, 0.75, 1, 1])
    assert vision.probability(Service.FABRIC, 0.5) is None


@pytest.mark.parametrize("name", [n for n in HOSTILE if "cut" not in n])
def test_a_hostile_file_never_escapes(vision: Vision, name: str) -> None:
    try:
        view = vision.look(HOSTILE[name], Service.PRODUCT)
    except PictureError:
        return
    assert np.isfinite(view.vector).all()


def test_importing_the_room_is_light() -> None:
    code = (
        "import sys, imagesearch.vision\n"
        "print([m for m in ('PIL', 'onnxruntime', 'onnx', 'boto3') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_shipped_bundle_looks(shipped: Path) -> None:
    vision = Vision.load(shipped)
    vision.warm()
    for service in Service:
        first, second = (vision.look(as_bytes(drawn(1), "JPEG"), service) for _ in range(2))
        assert (first.vector == second.vector).all()
        assert float(first.vector @ second.vector) == pytest.approx(1)


@pytest.mark.parametrize("colour", ["black", "white"])
@pytest.mark.parametrize("size", [(32, 32), (8192, 32), (40, 700)])
def test_the_shipped_bundle_looks_at_flat_and_thin_pictures(
    shipped: Path, colour: str, size: tuple[int, int]
) -> None:
    vision = Vision.load(shipped)
    view = vision.look(as_bytes(Image.new("RGB", size, colour), "PNG"), Service.PRODUCT)
    assert view.region.within(*size)
    assert abs(float(np.linalg.norm(view.vector)) - 1) < 1e-5

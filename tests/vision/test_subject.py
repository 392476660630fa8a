"""A mask becomes the main region and all further ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from imagesearch.catalogue import Region
from imagesearch.vision.manifest import Pixels, Subject
from imagesearch.vision.subject import regions_of

RULES = Subject(
    file="mask.onnx",
    pixels=Pixels("image", "uint8", "nhwc"),
    side=64,
    output="mask",
    threshold=0.5,
    keep=0.3,
    further=0.3,
    smallest=0.02,
    largest=0.95,
    unsure=0.2,
)
WHOLE = (Region(0, 400, 0, 200),)


def mask(*boxes: tuple[slice, slice, float], size: int = 20) -> np.ndarray:
    values = np.zeros((size, size), np.float32)
    for rows, columns, value in boxes:
        values[rows, columns] = value
    return values


def found(values: np.ndarray, **changes: float) -> tuple[Region, ...]:
    return regions_of(values, 400, 200, replace(RULES, **changes))


def test_one_subject_is_boxed_in_pixels_of_the_picture() -> None:
    assert found(mask((slice(5, 10), slice(2, 8), 0.9))) == (Region(40, 160, 50, 100),)


def test_what_is_below_the_threshold_is_left_out() -> None:
    halo = mask((slice(4, 11), slice(1, 9), 0.4), (slice(5, 10), slice(2, 8), 0.9))
    assert found(halo) == (Region(40, 160, 50, 100),)


@pytest.mark.parametrize(
    "values",
    [
        mask(),
        mask((slice(5, 10), slice(2, 8), 0.1)),
        mask((slice(5, 6), slice(2, 5), 0.9)),
        mask((slice(0, 20), slice(0, 20), 0.9)),
        np.full((20, 20), np.nan, np.float32),
    ],
    ids=["nothing", "unsure", "tiny", "everything", "not a number"],
)
def test_the_whole_picture_when_nothing_stands_out(values: np.ndarray) -> None:
    assert found(values) == WHOLE


def test_heavy_parts_join_the_main_region_and_are_subjects_too() -> None:
    two = mask((slice(2, 8), slice(2, 8), 0.9), (slice(10, 15), slice(10, 15), 0.9))
    assert found(two) == (
        Region(40, 300, 20, 150),
        Region(40, 160, 20, 80),
        Region(200, 300, 100, 150),
    )


def test_a_part_too_light_to_join_can_be_a_subject_of_its_own() -> None:
    two = mask((slice(2, 8), slice(2, 8), 0.9), (slice(10, 14), slice(10, 14), 0.9))
    assert found(two, keep=0.8, further=0.2) == (
        Region(40, 160, 20, 80),
        Region(200, 280, 100, 140),
    )
    assert found(two, keep=0.8, further=0.8) == (Region(40, 160, 20, 80),)


def test_parts_that_touch_at_a_corner_are_one() -> None:
    steps = np.eye(20, dtype=np.float32) + np.eye(20, k=1, dtype=np.float32)
    assert found(steps, largest=1.1) == WHOLE
    diagonal = mask((slice(2, 6), slice(2, 6), 0.9), (slice(6, 10), slice(6, 10), 0.9))
    assert found(diagonal) == (Region(40, 200, 20, 100),)


def test_a_ring_and_a_comb_are_each_one_part() -> None:
    ring = mask((slice(2, 12), slice(2, 12), 0.9), (slice(4, 10), slice(4, 10), 0.0))
    assert found(ring) == (Region(40, 240, 20, 120),)
    comb = mask(*[(slice(2, 12), slice(c, c + 1), 0.9) for c in range(2, 13, 2)])
    comb[12, 2:13] = 0.9
    assert found(comb, further=0.01) == (Region(40, 260, 20, 130),)


def test_an_enlarged_mask_gives_a_finer_box() -> None:
    ramp = mask((slice(5, 15), slice(5, 10), 1.0), (slice(5, 15), slice(10, 11), 0.45))
    (plain,), (fine,) = found(ramp), found(ramp, enlarge=4)
    assert plain.x2 == 200
    assert 200 < fine.x2 < 220


def _flood(inside: np.ndarray) -> list[tuple[int, int, int, int]]:
    """Label by flooding, the plain way."""
    left, boxes = {tuple(p) for p in np.argwhere(inside).tolist()}, []
    while left:
        edge = [left.pop()]
        part = list(edge)
        while edge:
            r, c = edge.pop()
            near = {(r + i, c + j) for i in (-1, 0, 1) for j in (-1, 0, 1)} & left
            left -= near
            edge += near
            part += near
        rows, columns = zip(*part, strict=True)
        boxes.append((min(columns), max(columns) + 1, min(rows), max(rows) + 1))
    return sorted(set(boxes))


@settings(max_examples=200, deadline=None)
@given(inside=arrays.arrays(np.bool_, (9, 13)))
def test_parts_are_those_that_flooding_finds(inside: np.ndarray) -> None:
    values = inside.astype(np.float32)
    rules = replace(RULES, further=0.0, smallest=0.0, largest=1.0, unsure=0.0)
    regions = regions_of(values, 13, 9, rules)
    if regions == (Region(0, 13, 0, 9),):
        return
    main, *own = regions
    boxes = sorted({(r.x1, r.x2, r.y1, r.y2) for r in own} | {(main.x1, main.x2, main.y1, main.y2)})
    wanted = _flood(inside)
    assert set(wanted) <= set(boxes)
    assert set(boxes) - set(wanted) <= {(main.x1, main.x2, main.y1, main.y2)}


@settings(max_examples=100, deadline=None)
@given(
    values=arrays.arrays(np.float32, (12, 12), elements=st.floats(0, 1, width=32)),
    width=st.integers(32, 8192),
    height=st.integers(32, 8192),
)
def test_every_region_lies_inside_the_picture(values: np.ndarray, width: int, height: int) -> None:
    for region in regions_of(values, width, height, replace(RULES, enlarge=2)):
        assert region.within(width, height) is region

"""Regions, categories, services, pictures and their attributes."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st
from imagesearch.catalogue import (
    CATEGORIES,
    OTHER,
    Attributes,
    Picture,
    PictureKey,
    Region,
    Service,
)
from imagesearch.errors import InvalidRegion

sides = st.integers(-(2**31), 2**31)


@given(sides, sides, sides, sides)
def test_a_region_reads_back_from_both_its_forms(x1: int, x2: int, y1: int, y2: int) -> None:
    region = Region(x1, x2, y1, y2)
    assert Region.parse(str(region)) == region
    assert Region.parse(region.as_list()) == region
    assert Region.parse((x1, x2, y1, y2)) == region


def test_a_region_has_first_both_x_then_both_y() -> None:
    region = Region.parse("280,486,232,351")
    assert (region.width, region.height, region.area) == (206, 119, 206 * 119)
    assert region.as_list() == [280, 486, 232, 351]
    assert str(region) == "280,486,232,351"
    assert Region.parse(" 280, 486 ,232,351 ") == region


@pytest.mark.parametrize(
    "value",
    [
        "", "1,2,3", "1,2,3,4,5", "1,2,3,", "a,b,c,d", "1.5,2,3,4", "1,2;3,4",
        [], [1, 2, 3], [1, 2, 3, 4, 5], [1.0, 2, 3, 4], [True, 2, 3, 4], [None, 2, 3, 4],
        ["x", 2, 3, 4], [[1], 2, 3, 4], None, 7, {"x1": 1}, b"1,2,3,4",
    ],
)  # fmt: skip
def test_what_is_not_four_whole_numbers_is_refused_with_the_value(value: object) -> None:
    with pytest.raises(InvalidRegion) as caught:
        Region.parse(value)
    assert caught.value.field == "region"
    assert "x1,x2,y1,y2" in caught.value.detail
    assert repr(str(value)) in caught.value.detail


def test_a_long_bad_region_is_shortened_in_the_message() -> None:
    with pytest.raises(InvalidRegion) as caught:
        Region.parse("9" * 100_000)
    assert len(caught.value.detail) < 200


@given(st.text())
def test_any_text_is_a_region_or_is_refused(text: str) -> None:
    try:
        assert len(Region.parse(text).as_list()) == 4
    except InvalidRegion:
        return


@given(st.integers(1, 5000), st.integers(1, 5000))
def test_the_whole_region_is_within_its_picture(width: int, height: int) -> None:
    whole = Region.whole(width, height)
    assert whole.within(width, height) is whole
    assert whole.area == width * height
    for smaller in ((width - 1, height), (width, height - 1)):
        with pytest.raises(InvalidRegion, match=f"{smaller[0]} × {smaller[1]}"):
            whole.within(*smaller)


@pytest.mark.parametrize("region", [Region(5, 5, 0, 9), Region(6, 5, 0, 9), Region(0, 9, 5, 5)])
def test_a_region_without_area_is_refused(region: Region) -> None:
    with pytest.raises(InvalidRegion, match="no area"):
        region.within(10, 10)


@pytest.mark.parametrize("region", [Region(-1, 5, 0, 5), Region(0, 5, -1, 5)])
def test_a_region_that_begins_outside_is_refused(region: Region) -> None:
    with pytest.raises(InvalidRegion, match="outside the picture of 10 × 10"):
        region.within(10, 10)


def test_the_category_table_is_the_vendors() -> None:
    assert list(CATEGORIES) == [*range(10), 20, 21, 22, OTHER]
    assert OTHER == 88888888
    assert all(category.id == id_ for id_, category in CATEGORIES.items())
    assert all(category.name and category.chinese for category in CATEGORIES.values())
    assert len({category.name for category in CATEGORIES.values()}) == 14


def test_services_differ_in_categories_and_cropping() -> None:
    assert [s for s in Service if s.has_categories] == [Service.PRODUCT]
    assert [s for s in Service if not s.crops] == [Service.FABRIC]


def test_only_given_attributes_are_given() -> None:
    assert Attributes().given() == {}
    attributes = Attributes(int_attr=0, str_attr2="", custom_content="x")
    assert attributes.given() == {"int_attr": 0, "str_attr2": "", "custom_content": "x"}
    assert Attributes(**attributes.given()) == attributes  # type: ignore[arg-type]


def test_values_cannot_be_changed() -> None:
    picture = Picture(PictureKey("p", "1.jpg"), OTHER, Region.whole(4, 4))
    with pytest.raises(dataclasses.FrozenInstanceError):
        picture.category_id = 1  # type: ignore[misc]
    assert picture.attributes == Attributes()

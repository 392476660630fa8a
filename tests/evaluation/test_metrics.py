"""The figures are the textbook's."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from imagesearch.catalogue import Region
from imagesearch_local.evaluation.metrics import (
    Judged,
    average_precision,
    distinct,
    figures,
    first_right,
    intersection_over_union,
)

PRODUCTS = st.lists(st.sampled_from("abcdefgh"), unique=True)
RIGHT = st.sets(st.sampled_from("abcdefgh"), min_size=1)


def test_products_are_ranked_by_their_best_picture() -> None:
    assert distinct(["b", "a", "b", "c", "a"]) == ["b", "a", "c"]


def test_average_precision_of_the_textbook() -> None:
    """Right answers at 1, 3 and 6 of 6, and one that is missing."""
    assert average_precision(list("axbyzc"), "abcd") == pytest.approx((1 + 2 / 3 + 3 / 6) / 4)
    assert average_precision([], "a") == 0
    assert average_precision(["a"], "a") == 1


def test_the_first_right_product_counts_from_one() -> None:
    assert first_right(list("xyab"), "ab") == 3
    assert first_right(list("xy"), "ab") == 0


@given(ranked=PRODUCTS, right=RIGHT)
def test_average_precision_is_the_mean_precision_at_each_right_place(
    ranked: list[str], right: set[str]
) -> None:
    precisions = [
        len(right & set(ranked[:end])) / end
        for end in range(1, len(ranked) + 1)
        if ranked[end - 1] in right
    ]
    assert average_precision(ranked, right) == pytest.approx(sum(precisions) / len(right))


BOXES = st.builds(
    lambda x, y, w, h: Region(x, x + w, y, y + h),
    *(st.integers(0, 12),) * 2,
    *(st.integers(1, 12),) * 2,
)


@given(a=BOXES, b=BOXES)
def test_overlap_counts_pixels(a: Region, b: Region) -> None:
    def pixels(region: Region) -> set[tuple[int, int]]:
        return set(itertools.product(range(region.x1, region.x2), range(region.y1, region.y2)))

    one, two = pixels(a), pixels(b)
    assert intersection_over_union(a, b) == pytest.approx(len(one & two) / len(one | two))


def test_figures_are_means_over_what_can_be_judged() -> None:
    judged = [
        Judged("k", rank=1, precision=1.0, category=True, overlap=0.5),
        Judged("k", rank=10, precision=0.1, category=None, overlap=None),
        Judged("k", rank=11, precision=0.2, category=False, overlap=0.7),
        Judged("k", rank=0, precision=0.0, category=None, overlap=None),
        Judged("k", rank=None, precision=None, category=True, overlap=None),
    ]
    assert figures(judged).as_dict() == {
        "queries": 5,
        "recall_at_1": 0.25,
        "recall_at_10": 0.5,
        "map": 0.325,
        "category_accuracy": 0.6667,
        "subject_iou": 0.6,
    }


def test_what_cannot_be_judged_has_no_figure() -> None:
    only = Judged("k", rank=None, precision=None, category=None, overlap=None)
    assert set(figures([only]).as_dict().values()) == {1, None}
    assert figures([]).as_dict()["queries"] == 0

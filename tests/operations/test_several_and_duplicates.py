"""Every subject of a picture searched at once; pictures that look the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from imagesearch.catalogue import OTHER, PictureKey, Region, Service
from imagesearch.errors import InvalidField, PictureDuplicated
from imagesearch.operations import fields
from imagesearch.operations.add import Added, AddPicture, add_picture
from imagesearch.operations.deployment import Deployment
from imagesearch.operations.duplicates import FindDuplicates, find_duplicates
from imagesearch.operations.facets import CountPictures, count_pictures
from imagesearch.operations.instances import CreateInstance, create_instance
from imagesearch.operations.several import SearchSubjects, search_subjects
from imagesearch.vision import View

from tests.operations.conftest import Make, Reader


class ThreeThings(Reader):
    """Sees three subjects, each with a look that follows from where it begins."""

    REGIONS = (Region(0, 30, 0, 30), Region(30, 60, 0, 30), Region(60, 90, 0, 30))

    def look(
        self,
        image: bytes,  # noqa: ARG002
        service: Service,  # noqa: ARG002
        *,
        region: Region | None = None,
        **_: Any,
    ) -> View:
        used = region or self.REGIONS[0]
        vector = np.random.default_rng(used.x1).standard_normal(512).astype(np.float32)
        return View(
            width=90,
            height=30,
            region=used,
            regions=(used,) if region else self.REGIONS,
            category_id=OTHER,
            vector=vector / np.linalg.norm(vector),
            took_ms={"decode": 1.0, "subject": 2.0, "embed": 3.0},
        )


def add(deployment: Deployment, product_id: str, seed: int, **more: Any) -> Added:
    image = str(seed).encode()
    request = AddPicture(instance="shop", product_id=product_id, pic_name="a", image=image, **more)
    return add_picture(deployment, request)


def test_every_subject_finds_its_own(make: Make) -> None:
    deployment = make(vision=ThreeThings())
    create_instance(deployment, CreateInstance(instance="shop", service=Service.GENERIC))
    for number, region in enumerate(ThreeThings.REGIONS):
        request = AddPicture(
            instance="shop",
            product_id=f"thing-{number}",
            pic_name="a",
            image=b"x",
            region=region.as_list(),
        )
        add_picture(deployment, request)
    asked = SearchSubjects(instance="shop", regions="all", num=1, image=b"x")
    found = search_subjects(deployment, asked)
    assert [subject.region for subject in found.subjects] == list(ThreeThings.REGIONS)
    firsts = [subject.answer.hits[0] for subject in found.subjects]
    assert [hit.picture.key.product_id for hit in firsts] == ["thing-0", "thing-1", "thing-2"]
    assert [hit.likeness.score for hit in firsts] == [1.0, 1.0, 1.0]


def test_only_all_regions_can_be_asked_for() -> None:
    with pytest.raises(InvalidField, match="regions"):
        fields.read(SearchSubjects, {"instance": "shop", "regions": "some"})


def test_pairs_that_look_the_same_are_told_once(deployment: Deployment) -> None:
    for product_id, seed in {"a": 1, "b": 2, "c": 1, "d": 3, "e": 1}.items():
        add(deployment, product_id, seed)
    page = find_duplicates(deployment, FindDuplicates(instance="shop"))
    told = {
        twins.picture.key.product_id: [hit.picture.key.product_id for hit in twins.duplicates]
        for twins in page.twins
    }
    assert told == {"a": ["c", "e"], "c": ["e"]}
    assert page.next_cursor is None


def test_pages_of_duplicates_tell_all_of_them(deployment: Deployment) -> None:
    for number in range(12):
        add(deployment, f"p{number:02}", number % 5)
    pairs, cursor, looked = set(), None, 0
    while True:
        request = FindDuplicates(instance="shop", cursor=cursor, limit=5)
        page = find_duplicates(deployment, request)
        looked += page.looked
        pairs |= {
            (twins.picture.key.product_id, hit.picture.key.product_id)
            for twins in page.twins
            for hit in twins.duplicates
        }
        if (cursor := page.next_cursor) is None:
            break
    wanted = {
        (f"p{a:02}", f"p{b:02}") for a in range(12) for b in range(a + 1, 12) if (b - a) % 5 == 0
    }
    assert (pairs, looked) == (wanted, 12)


def test_a_page_of_duplicates_ends_when_time_is_up(deployment: Deployment) -> None:
    for number in range(4):
        add(deployment, f"p{number}", 1)
    told, cursor = [], None
    for _ in range(4):
        request = FindDuplicates(instance="shop", cursor=cursor)
        page = find_duplicates(deployment, request, seconds=0)
        assert page.looked == 1
        told += [len(twins.duplicates) for twins in page.twins]
        cursor = page.next_cursor
    assert (told, cursor) == ([3, 2, 1], None)


def test_an_add_reports_or_refuses_a_duplicate(deployment: Deployment) -> None:
    add(deployment, "first", 1)
    assert add(deployment, "quiet", 2).duplicates == ()
    told = add(deployment, "second", 1, if_duplicate="report").duplicates
    assert [hit.picture.key for hit in told] == [PictureKey("first", "a")]
    with pytest.raises(PictureDuplicated, match="'a' of product 'first'"):
        add(deployment, "third", 1, if_duplicate="fail")
    assert deployment.open("shop").snapshot.find(PictureKey("third", "a")) is None
    # The picture itself is no duplicate of itself: a repeated request is as good as the first.
    assert add(deployment, "lone", 5, if_duplicate="fail").new
    assert add(deployment, "lone", 5, if_duplicate="fail").new


def test_pictures_are_counted_by_what_is_asked(deployment: Deployment) -> None:
    for product_id, colour in {"a": "red", "b": "red", "c": "blue"}.items():
        add(deployment, product_id, 1, str_attr=colour, category_id=4)
    asked = CountPictures(instance="shop", by="category_id, str_attr", filter='str_attr != "blue"')
    counted = count_pictures(deployment, asked)
    assert counted["category_id"].counts == ((4, 2),)
    assert counted["str_attr"].counts == (("red", 2),)
    with pytest.raises(InvalidField, match="custom_content"):
        count_pictures(deployment, CountPictures(instance="shop", by="custom_content"))

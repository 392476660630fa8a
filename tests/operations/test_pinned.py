"""A pinned list: all pages are of one state, whatever is written, folded and merged meanwhile."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from imagesearch.catalogue import PictureKey
from imagesearch.errors import InvalidField, UnknownGeneration
from imagesearch.operations.add import AddPicture, add_picture
from imagesearch.operations.delete import DeleteProduct, delete_product
from imagesearch.operations.deployment import Deployment
from imagesearch.operations.pictures import ListPictures, Page, list_pictures
from imagesearch.operations.update import UpdatePicture, update_picture

from tests.operations.conftest import Make
from tests.simulation.bucket import Bucket


def add(deployment: Deployment, number: int, look: int | None = None) -> None:
    request = AddPicture(
        instance="shop",
        product_id=f"p{number:02}",
        pic_name="a",
        image=str(number if look is None else look).encode(),
        int_attr=number,
    )
    add_picture(deployment, request)


def pages(deployment: Deployment, between: Callable[[], None]) -> list[Page]:
    found = [list_pictures(deployment, ListPictures(instance="shop", limit=4, pinned=True))]
    while cursor := found[-1].next_cursor:
        between()
        request = ListPictures(instance="shop", limit=4, cursor=cursor)
        found.append(list_pictures(deployment, request))
    return found


def test_all_pages_are_of_the_state_of_the_first(deployment: Deployment, make: Make) -> None:
    for number in range(12):
        add(deployment, number)
    writer = make()
    index = writer.index(writer.instances.get("shop"))

    def between() -> None:
        add(writer, 50)
        add(writer, 9, look=99)
        request = UpdatePicture(instance="shop", product_id="p10", pic_name="a", int_attr=-1)
        update_picture(writer, request)
        delete_product(writer, DeleteProduct(instance="shop", product_id="p11"))
        index.fold()
        index.maintain()

    found = pages(deployment, between)
    pictures = [picture for page in found for picture in page.pictures]
    assert [p.key for p in pictures] == [PictureKey(f"p{n:02}", "a") for n in range(12)]
    assert [p.attributes.int_attr for p in pictures] == [*range(12)]
    assert len({page.generation for page in found}) == 1
    assert found[0].generation is not None
    now = list_pictures(deployment, ListPictures(instance="shop"))
    assert [p.key.product_id for p in now.pictures][-2:] == ["p10", "p50"]
    assert now.generation is None


def test_what_was_acknowledged_before_is_in_it_also_beside_writers(
    deployment: Deployment, make: Make
) -> None:
    for number in range(5):
        add(deployment, number)
        other = make()
        page = list_pictures(other, ListPictures(instance="shop", pinned=True))
        assert len(page.pictures) == number + 1


def test_a_state_that_is_not_kept_any_more_is_said_so(
    deployment: Deployment, bucket: Bucket
) -> None:
    for number in range(6):
        add(deployment, number)
    first = list_pictures(deployment, ListPictures(instance="shop", limit=4, pinned=True))
    add(deployment, 7)
    deployment.index(deployment.instances.get("shop")).fold()
    bucket.delete([key for key in bucket.keys_after("index/", "") if "/history/" in key])
    request = ListPictures(instance="shop", limit=4, cursor=first.next_cursor)
    with pytest.raises(UnknownGeneration):
        list_pictures(deployment, request)


def test_a_cursor_of_another_kind_is_refused(deployment: Deployment) -> None:
    with pytest.raises(InvalidField, match="cursor"):
        list_pictures(deployment, ListPictures(instance="shop", cursor="WzFd"))

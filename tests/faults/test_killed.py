"""A process that dies at any request to the store, in any operation: the old state or the new one.

The state is looked at by another process, which then repeats the operation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from imagesearch.catalogue import Service
from imagesearch.operations.add import AddPicture, add_picture
from imagesearch.operations.compact import compact
from imagesearch.operations.delete import (
    DeletePicture,
    DeleteProduct,
    DeleteSelected,
    delete_picture,
    delete_product,
    delete_selected,
)
from imagesearch.operations.deployment import Deployment
from imagesearch.operations.instances import CreateInstance, create_instance
from imagesearch.operations.pictures import ListPictures, list_pictures
from imagesearch.operations.update import UpdatePicture, update_picture
from imagesearch.settings import Settings

from tests.operations.conftest import Reader
from tests.stores import MemoryStore

State = Mapping[tuple[str, str], int | None]
Step = Callable[[Deployment], object]


class Dead(BaseException):
    """What a killed process does next: nothing."""


class Mortal(MemoryStore):
    """A bucket whose user can be made to die at the ``last``-th request, before or after it."""

    def die_at(self, last: int, *, after: bool) -> None:
        count = 0

        def passes(_verb: str, _key: str) -> None:
            nonlocal count
            count += 1
            if count > last or (count == last and not after):
                raise Dead

        def done(_verb: str, _key: str) -> None:
            if count >= last:
                raise Dead

        self.before, self.after = passes, done

    def live(self) -> None:
        self.before = self.after = lambda _verb, _key: None


def process(store: MemoryStore, folder: Path) -> Deployment:
    """Return a deployment as a process that has just begun sees it."""
    vision: Any = Reader()
    return Deployment(Settings(bucket="b", cache=folder), store, vision=lambda: vision)


def add(product: str, number: int) -> Step:
    body = AddPicture(
        instance="shop", product_id=product, pic_name="a", image=b"1", int_attr=number
    )
    return lambda deployment: add_picture(deployment, body, idempotency_key=f"{product} {number}")


def state(deployment: Deployment) -> State:
    found = list_pictures(deployment, ListPictures(instance="shop", limit=500))
    keys = [(p.key.product_id, p.key.pic_name) for p in found.pictures]
    assert len(set(keys)) == len(keys)
    return {key: p.attributes.int_attr for key, p in zip(keys, found.pictures, strict=True)}


OPERATIONS: dict[str, Step] = {
    "add": add("new", 5),
    "replace": add("p1", 5),
    "change": lambda d: update_picture(
        d, UpdatePicture(instance="shop", product_id="p1", pic_name="a", int_attr=5)
    ),
    "delete a picture": lambda d: delete_picture(
        d, DeletePicture(instance="shop", product_id="p1", pic_name="a")
    ),
    "delete a product": lambda d: delete_product(
        d, DeleteProduct(instance="shop", product_id="p1")
    ),
    "delete a selection": lambda d: delete_selected(
        d, DeleteSelected(instance="shop", filter="int_attr < 3")
    ),
    "fold": lambda d: d.index(d.instances.get("shop")).fold(),
    "upkeep": lambda d: compact(d, "shop"),
}


def filled(folder: Path) -> Mortal:
    """A shop of pictures in a segment and in the log."""
    store = Mortal()
    deployment = process(store, folder / "first")
    create_instance(deployment, CreateInstance(instance="shop", service=Service.PRODUCT))
    for number in range(4):
        add(f"p{number}", number)(deployment)
    deployment.index(deployment.instances.get("shop")).fold()
    for number in range(2, 6):
        add(f"p{number}", number)(deployment)
    return store


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_process_killed_at_any_request_leaves_the_old_or_the_new(
    tmp_path: Path, name: str, after: bool
) -> None:
    operation = OPERATIONS[name]
    whole = filled(tmp_path)
    old = state(process(whole, tmp_path / "old"))
    operation(process(whole, tmp_path / "whole"))
    new = state(process(whole, tmp_path / "new"))
    died, seen = 0, []
    for last in range(1, 60):
        store = filled(tmp_path / str(last))
        store.die_at(last, after=after)
        try:
            operation(process(store, tmp_path / f"{last}-dying"))
            finished = True
        except Dead:
            finished = False
        store.live()
        seen.append(state(process(store, tmp_path / f"{last}-seeing")))
        assert seen[-1] in (old, new)
        if finished:
            assert seen[-1] == new
            break
        died += 1
        operation(process(store, tmp_path / f"{last}-again"))
        assert state(process(store, tmp_path / f"{last}-after")) == new
    assert died > 1
    assert seen == sorted(seen, key=lambda one: one == new)  # once done, never undone

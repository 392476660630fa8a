"""An instance to hand over, engines in memory that may be out of order, and a use of both."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from imagesearch.catalogue import Service
from imagesearch.errors import EngineUnavailable
from imagesearch.operations.add import AddPicture, add_picture
from imagesearch.operations.deployment import Deployment
from imagesearch.operations.instances import (
    CreateInstance,
    create_instance,
)
from imagesearch.operations.search import Search, search
from imagesearch.settings import Settings
from imagesearch.storage import ObjectStore

from benchmarks.handover.exact import ExactEngine
from tests.operations.conftest import Reader
from tests.simulation.bucket import Bucket

PICTURES = 40
ENGINE = "milvus:shop"


class Room:
    """Engines in memory by name, each of which may be out of order."""

    def __init__(self) -> None:
        self.engines: dict[str, Faulty] = {}

    def __call__(self, name: str) -> Faulty:
        return self.engines.setdefault(name, Faulty(name))


class Faulty(ExactEngine):
    """An engine that refuses while ``down``, and everything after ``fills`` more batches."""

    down = False
    fills = -1

    def fill(self, rows: Any) -> None:
        if self.fills == 0:
            raise KeyboardInterrupt
        self.fills -= 1
        super().fill(rows)

    def _check(self) -> None:
        if self.down:
            raise EngineUnavailable("the engine is down.")
        super()._check()

    def create(self) -> None:
        if self.down:
            raise EngineUnavailable("the engine is down.")
        super().create()

    def erase(self) -> None:
        if self.down:
            raise EngineUnavailable("the engine is down.")
        super().erase()


@pytest.fixture
def engines() -> Room:
    return Room()


@pytest.fixture
def open_(bucket: Bucket, engines: Room, tmp_path: Path) -> Callable[..., Deployment]:
    """Open one more environment on the same bucket and engines."""
    number = iter(range(1000))

    def opened(store: ObjectStore = bucket, **settings: Any) -> Deployment:
        cache = tmp_path / f"cache{next(number)}"
        chosen = Settings(bucket="b", cache=cache, **{"engine": "milvus", **settings})
        return Deployment(chosen, store, vision=Reader, engines=engines)

    return opened


@pytest.fixture
def shop(open_: Callable[..., Deployment]) -> Deployment:
    """An environment with the instance ``shop``, some of whose pictures are in segments."""
    made = open_(query_share=1.0)
    create_instance(made, CreateInstance(instance="shop", service=Service.PRODUCT))
    for number in range(PICTURES):
        add(made, number)
    index = made.index(made.instances.get("shop"))
    assert index.fold()
    for number in range(PICTURES, PICTURES + 5):
        add(made, number)
    return made


def add(deployment: Deployment, number: int, **more: Any) -> None:
    image = more.pop("image", f"{number}".encode())
    request = AddPicture(
        instance="shop", product_id=f"p{number}", pic_name="a", image=image, **more
    )
    add_picture(deployment, request)


def first(deployment: Deployment, number: int, **more: Any) -> tuple[str, float]:
    image = f"{number}".encode()
    hit = search(deployment, Search(instance="shop", image=image, **more)).answer.hits[0]
    return hit.picture.key.product_id, hit.likeness.score

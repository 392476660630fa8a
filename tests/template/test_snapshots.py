"""Environments that start from one snapshot do not repeat each other.

A fork is what SnapStart does: several environments go on from one and the same memory.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from imagesearch.catalogue import Instance, Picture, PictureKey, Region, Service
from imagesearch.catalogue.picture import Attributes
from imagesearch.http import Api
from imagesearch.index import Entry, Index, encode
from imagesearch.storage import lean, s3

from tests.stores import MemoryStore


class Standing:
    """A clock that stands still, as it does for whoever goes on from one snapshot."""

    def now(self) -> int:
        return 1_700_000_000_000_000

    def monotonic(self) -> float:
        return 0.0

    def sleep(self, seconds: float) -> None:
        raise AssertionError(seconds)


pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


def _in_two_copies_of_this_process(ask: Callable[[], Any]) -> list[Any]:
    """Return what ``ask`` gives in two processes that begin with the same memory."""
    found = []
    for _ in range(2):
        reading, writing = os.pipe()
        sys.stdout.flush()
        child = os.fork()
        if child == 0:
            try:
                os.write(writing, json.dumps(ask()).encode())
            finally:
                os._exit(0)
        os.close(writing)
        with os.fdopen(reading, "rb") as answer:
            found.append(json.loads(answer.read()))
        os.waitpid(child, 0)
    return found


def test_instances_of_one_name_are_told_apart() -> None:
    def incarnation() -> str:
        return Instance.new("shop", Service.PRODUCT, model="m", now=1).incarnation

    first, second = _in_two_copies_of_this_process(incarnation)
    assert first != second


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_two_writes_at_one_moment_have_names_of_their_own(tmp_path: Path) -> None:
    store = MemoryStore()
    index = Index(store, "index/shop/1/", model="m", clock=Standing(), cache=tmp_path)
    index.create()
    before = set(store.keys())
    vector = np.ones(512, np.float32) / np.sqrt(np.float32(512))
    picture = Picture(PictureKey("p", "a"), 1, Region(0, 9, 0, 9), Attributes())
    entry = Entry(picture, encode(vector))
    seen = index.snapshot()

    def write() -> list[str]:
        index.append([entry], after=seen)
        return sorted(set(store.keys()) - before)

    first, second = _in_two_copies_of_this_process(write)
    assert len(first) == len(second) == 1
    assert first != second


def test_requests_without_an_id_are_given_different_ones() -> None:
    api = Api()

    def answer() -> str:
        found: str = api({"routeKey": "GET /nowhere", "rawPath": "/nowhere"}, None)["headers"][
            "x-request-id"
        ]
        return found

    first, second = _in_two_copies_of_this_process(answer)
    assert first != second


@pytest.mark.parametrize("chance", [s3._chance, lean._chance], ids=["boto3", "lean"])
def test_environments_that_try_again_do_not_do_so_in_step(chance: Any) -> None:
    first, second = _in_two_copies_of_this_process(lambda: [chance.random() for _ in range(4)])
    assert first != second

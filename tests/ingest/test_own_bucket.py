"""Pictures in the deployment's own bucket are read through its store, within the same limits."""

from __future__ import annotations

from pathlib import Path

import pytest
from imagesearch.catalogue import Service
from imagesearch.errors import PictureNotInSource, PictureTooBig
from imagesearch.ingest.source import MAX_PICTURE, Source
from imagesearch.operations.deployment import Deployment
from imagesearch.operations.instances import CreateInstance, create_instance
from imagesearch.operations.workshop import Buckets
from imagesearch.settings import Settings

from tests.operations.conftest import Reader
from tests.stores import MemoryStore


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def source(store: MemoryStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Source:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    settings = Settings(bucket="own", cache=tmp_path, endpoint="http://127.0.0.1:1")
    deployment = Deployment(settings, store, vision=Reader)  # type: ignore
    create_instance(deployment, CreateInstance(instance="shop", service=Service.PRODUCT))
    instance = deployment.instances.get("shop")
    return Buckets(deployment).open(instance, "own", "/imports/goods", "", "")


def test_below_the_path_then_from_the_root_and_nothing_else(
    source: Source, store: MemoryStore
) -> None:
    store.put("imports/goods/a.jpg", b"a")
    store.put("imports/more/b.jpg", b"b")
    store.put("instances/c.jpg", b"c")
    assert source.picture("imports/goods", "a.jpg") == b"a"
    assert source.picture("imports/goods", "imports/more/b.jpg") == b"b"
    with pytest.raises(PictureNotInSource):
        source.picture("imports/goods", "instances/c.jpg")
    with pytest.raises(PictureNotInSource):
        source.picture("imports/goods", "d.jpg")


def test_of_a_file_that_is_too_large_no_more_is_read_than_shows_it(
    source: Source, store: MemoryStore
) -> None:
    store.put("imports/goods/a.jpg", bytes(MAX_PICTURE))
    store.put("imports/goods/b.jpg", bytes(MAX_PICTURE + 100))
    assert len(source.picture("imports/goods", "a.jpg")) == MAX_PICTURE
    with pytest.raises(PictureTooBig):
        source.picture("imports/goods", "b.jpg")
    assert {verb for verb, key in store.requests if key.endswith(".jpg")} >= {"get_range"}
    assert not [verb for verb, key in store.requests if key.endswith(".jpg") and verb == "get"]

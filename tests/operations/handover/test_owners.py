"""Two deployments that are given the same collection: one has it, the other is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from imagesearch.catalogue import Service
from imagesearch.errors import Conflict
from imagesearch.operations.deployment import Deployment
from imagesearch.operations.handover import Handover, Stage
from imagesearch.operations.instances import (
    CreateInstance,
    DeleteInstance,
    create_instance,
    delete_instance,
)
from imagesearch.operations.moves import Moves
from imagesearch.settings import Settings
from imagesearch.storage import ObjectStore

from tests.engines.fake_s3vectors import FakeS3Vectors
from tests.operations.conftest import Reader
from tests.operations.handover.conftest import add, first
from tests.simulation.bucket import Bucket

SHARED = "s3vectors:vectors/shared"
Opener = Callable[[str, ObjectStore], Deployment]


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeS3Vectors]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with FakeS3Vectors(throttled_every=0) as server:
        yield server


@pytest.fixture
def opened(fake: FakeS3Vectors, tmp_path: Path) -> Opener:
    """Open a deployment by the name of its bucket, with the real client of the engine."""

    def opened(name: str, store: ObjectStore) -> Deployment:
        settings = Settings(
            bucket=name, cache=tmp_path / name, engine_uri=fake.url, region="us-east-1"
        )
        return Deployment(settings, store, vision=Reader)

    return opened


def shop(deployment: Deployment) -> Handover:
    """Return the hand-over of an instance with a few pictures, folded."""
    create_instance(deployment, CreateInstance(instance="shop", service=Service.PRODUCT))
    for number in range(3):
        add(deployment, number)
    assert deployment.index(deployment.instances.get("shop")).fold()
    return Handover(deployment, "shop")


def served(work: Handover) -> Handover:
    work.begin(SHARED)
    work.fill()
    assert work.switch().stage is Stage.SERVING
    return work


def test_the_second_is_refused_and_takes_nothing_from_the_first(opened: Opener) -> None:
    one, another = opened("one", Bucket()), opened("another", Bucket())
    served(shop(one))
    late = shop(another)
    with pytest.raises(Conflict, match="another instance or deployment") as told:
        late.begin(SHARED)
    assert "Name another" in told.value.fix
    assert late.standing().stage is Stage.HERE
    assert Moves(another.store, late.instance).engines == {}
    assert late.drop(sleep=lambda _: None) == []
    delete_instance(another, DeleteInstance(instance="shop", confirm="shop"))
    assert first(opened("one", one.store), 1) == ("p1", 1.0)


def copy_of(bucket: Bucket) -> Bucket:
    copied = Bucket()
    for info in bucket.list(""):
        copied.put(info.key, bucket.get(info.key).body)
    return copied


def test_a_copy_of_a_bucket_cannot_delete_what_the_original_uses(opened: Opener) -> None:
    original = Bucket()
    served(shop(opened("one", original)))
    copied = copy_of(original)
    copy = Handover(opened("copy", copied), "shop")
    assert copy.back().stage is Stage.READY
    with pytest.raises(Conflict, match="so it is not deleted") as told:
        copy.drop(sleep=lambda _: None)
    assert "--drop --lost" in told.value.fix
    assert first(opened("one", original), 1) == ("p1", 1.0)
    assert copy.drop(lost=True, sleep=lambda _: None) == [SHARED]
    delete_instance(opened("copy", copied), DeleteInstance(instance="shop", confirm="shop"))
    assert first(opened("one", original), 1) == ("p1", 1.0)


def test_a_copy_that_is_erased_whole_leaves_the_original_alone(opened: Opener) -> None:
    original = Bucket()
    served(shop(opened("one", original)))
    copied = copy_of(original)
    delete_instance(opened("copy", copied), DeleteInstance(instance="shop", confirm="shop"))
    assert not [*copied.list("index/")]
    assert first(opened("one", original), 1) == ("p1", 1.0)


def test_whoever_made_it_goes_on_with_it_and_erases_it(opened: Opener, fake: FakeS3Vectors) -> None:
    store = Bucket()
    work = served(shop(opened("one", store)))
    assert "shared" in fake.buckets["vectors"]
    again = Handover(opened("one", store), "shop")
    assert again.begin(SHARED) == SHARED
    again.back()
    assert again.drop(sleep=lambda _: None) == [SHARED]
    assert "shared" not in fake.buckets["vectors"]
    served(work)

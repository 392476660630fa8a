"""Engines to test with: real milvus-lite, and the S3 Vectors client with a fake of the service."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import pytest
from imagesearch.engines import open_engine
from imagesearch.index.engine import Engine

from tests.engines import packages
from tests.engines.fake_s3vectors import FakeS3Vectors

KINDS = ("s3vectors", "milvus-lite")
Opener = Callable[..., Engine]
_number = itertools.count(1)


@pytest.fixture(scope="session", autouse=True)
def _account() -> Iterator[None]:
    patch = pytest.MonkeyPatch()
    patch.setenv("AWS_ACCESS_KEY_ID", "test")
    patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    patch.setenv("AWS_REGION", "us-east-1")
    patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    yield
    patch.undo()


@pytest.fixture(scope="session")
def fake() -> Iterator[FakeS3Vectors]:
    with FakeS3Vectors(throttled_every=60, absent_differs=True) as server:
        yield server


@pytest.fixture(scope="session")
def milvus_uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if not packages.there("milvus_lite"):
        pytest.skip(packages.WHY_NOT)
    with packages.milvus_server(tmp_path_factory.mktemp("milvus")) as uri:
        yield uri


def opener_of(kind: str, request: pytest.FixtureRequest) -> Opener:
    """Return what opens engines of a kind, by the name of a collection and perhaps an owner."""
    if kind == "s3vectors":
        url = request.getfixturevalue("fake").url
        return lambda name, **owner: open_engine(f"s3vectors:vectors/{name}", uri=url, **owner)
    uri = request.getfixturevalue("milvus_uri")
    return lambda name, **owner: open_engine(f"milvus:{name}", uri=uri, **owner)


def unused_name() -> str:
    return f"collection{next(_number)}"

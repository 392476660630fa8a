"""A SeaweedFS server for the tests of the store."""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import boto3
import pytest
from imagesearch.storage.lean import LeanS3ObjectStore
from imagesearch.storage.s3 import S3ObjectStore, connect
from imagesearch.storage.signing import Credentials
from imagesearch_local.folder import DataFolder
from imagesearch_local.seaweed import Seaweed


@dataclass
class Server:
    """A running S3 server that gives each test a bucket of its own."""

    seaweed: Seaweed
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def store(self, kind: str = "boto3") -> S3ObjectStore:
        name = f"test-{next(self.numbers)}"
        endpoint = self.seaweed.endpoint
        boto3.Session().client("s3", endpoint_url=endpoint).create_bucket(Bucket=name)
        if kind == "boto3":
            return S3ObjectStore(connect(endpoint=endpoint), name)
        return LeanS3ObjectStore(
            name, endpoint=endpoint, region="us-east-1", credentials=Credentials()
        )


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    def wait(work: object) -> object:
        return asyncio.run_coroutine_threadsafe(work, loop).result(90)  # type: ignore[arg-type]

    folder = DataFolder(tmp_path_factory.mktemp("objects"))
    with folder.held("tests"), pytest.MonkeyPatch.context() as patch:
        seaweed = wait(Seaweed.start(folder, ["first"]))
        assert isinstance(seaweed, Seaweed)
        patch.setenv("AWS_ACCESS_KEY_ID", seaweed.remembered.access_key)
        patch.setenv("AWS_SECRET_ACCESS_KEY", seaweed.remembered.secret_key)
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        yield Server(seaweed)
        wait(seaweed.stop())
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.fixture(params=["boto3", "lean"])
def store(server: Server, request: pytest.FixtureRequest) -> S3ObjectStore:
    """The store in both its forms, in a bucket of its own."""
    return server.store(request.param)

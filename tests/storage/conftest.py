"""A SeaweedFS server for the tests of the store."""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import boto3
import pytest
from imagesearch.storage.s3 import S3ObjectStore, connect
from imagesearch_local.folder import DataFolder
from imagesearch_local.seaweed import Seaweed


@dataclass
class Server:
    """A running S3 server that gives each test a bucket of its own."""

    seaweed: Seaweed
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def store(self) -> S3ObjectStore:
        name = f"test-{next(self.numbers)}"
        boto3.client("s3", endpoint_url=self.seaweed.endpoint).create_bucket(Bucket=name)
        return S3ObjectStore(connect(endpoint=self.seaweed.endpoint), name)


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


@pytest.fixture
def store(server: Server) -> S3ObjectStore:
    return server.store()

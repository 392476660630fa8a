"""The object store of a benchmark: SeaweedFS on this machine, for all engines the same."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

__all__ = ["BUCKET", "client", "running", "upload"]

BUCKET = "benchmark"


@contextmanager
def running(folder: Path) -> Iterator[Mapping[str, str]]:
    """Run the store; yield the environment with which a measuring process finds it."""
    from imagesearch_local.folder import DataFolder
    from imagesearch_local.seaweed import Seaweed

    data = DataFolder(folder)
    data.scratch.mkdir(parents=True, exist_ok=True)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    server = asyncio.run_coroutine_threadsafe(Seaweed.start(data, [BUCKET]), loop).result()
    try:
        yield {
            **server.variables,
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "BENCHMARK_BUCKET": BUCKET,
        }
    finally:
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


def client(environment: Mapping[str, str] = os.environ) -> S3Client:
    """Return an S3 client for the store of this environment."""
    import boto3

    return boto3.client(
        "s3",
        endpoint_url=environment["AWS_ENDPOINT_URL_S3"],
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        region_name="us-east-1",
    )


def upload(folder: Path, environment: Mapping[str, str]) -> None:
    """Put a folder's files into the store, below the folder's name."""
    s3 = client(environment)
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            s3.upload_file(str(file), BUCKET, f"{folder.name}/{file.relative_to(folder)}")

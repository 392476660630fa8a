"""A real object store for tests that need one but not the whole service."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from imagesearch_local.folder import DataFolder
from imagesearch_local.seaweed import Seaweed


@contextmanager
def seaweed(folder: Path, bucket: str) -> Iterator[Mapping[str, str]]:
    """Run SeaweedFS; yield the environment with which an AWS SDK finds it."""
    data = DataFolder(folder)
    data.scratch.mkdir(parents=True)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="seaweed")
    thread.start()
    try:
        starting = Seaweed.start(data, [bucket])
        server = asyncio.run_coroutine_threadsafe(starting, loop).result()
        try:
            yield {**server.variables, "AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1"}
        finally:
            asyncio.run_coroutine_threadsafe(server.stop(), loop).result()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()

"""The engines that the benchmark can hand over to, each running for as long as it takes."""

from __future__ import annotations

import logging
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from pathlib import Path

from imagesearch.index.engine import Engine

from benchmarks.handover.exact import ExactEngine

__all__ = ["ENGINES", "running"]

_START_SECONDS = 60
_REGION = "us-east-1"


@contextmanager
def _exact(_folder: Path) -> Iterator[tuple[str, Callable[[str], Engine]]]:
    yield "milvus:exact", cache(ExactEngine)


@contextmanager
def _milvus(folder: Path) -> Iterator[tuple[str, Callable[[str], Engine]]]:
    """Run milvus-lite as a server of its own, as a cluster would be."""
    from imagesearch.engines import open_engine

    from tests.engines import packages

    if not packages.there("milvus_lite"):
        raise SystemExit(packages.WHY_NOT)
    logging.getLogger("pymilvus").setLevel(logging.CRITICAL)
    port = _free_port()
    command = [_python(), "-m", "milvus_lite", "server", "--data-dir", str(folder / "milvus")]
    with (folder / "milvus.log").open("wb") as log:
        server = subprocess.Popen([*command, "--port", str(port)], stdout=log, stderr=log)
        try:
            _wait_for(port, server)
            yield "milvus", lambda name: open_engine(name, uri=f"http://127.0.0.1:{port}")
        finally:
            server.terminate()
            server.wait()


@contextmanager
def _fake_s3vectors(_folder: Path) -> Iterator[tuple[str, Callable[[str], Engine]]]:
    """Run the fake of Amazon S3 Vectors that the tests hold against the service's own model."""
    from imagesearch.engines import open_engine

    from tests.engines.fake_s3vectors import FakeS3Vectors

    os.environ.setdefault("AWS_ACCESS_KEY_ID", "none")
    os.environ.setdefault("AWS_SECRET_ACCESS_KEY", "none")
    with FakeS3Vectors(throttled_every=0, page=500) as fake:
        yield "s3vectors:vectors", lambda name: open_engine(name, uri=fake.url, region=_REGION)


ENGINES = {"exact": _exact, "milvus": _milvus, "fake-s3vectors": _fake_s3vectors}
"""By what each is called on the command line."""


def running(kind: str, folder: Path) -> AbstractContextManager[tuple[str, Callable[[str], Engine]]]:
    """Run an engine; yield what to hand over to, and what opens it by name."""
    return ENGINES[kind](folder)


def _python() -> str:
    """Return the interpreter that has milvus-lite."""
    beside = Path(__file__).parents[2] / ".venv-engines/bin/python"
    return str(beside) if beside.exists() else sys.executable


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until and server.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    raise SystemExit("milvus-lite did not start.")

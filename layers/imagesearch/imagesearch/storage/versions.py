"""Deleting for good: every version of an object, where the store keeps versions."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import TYPE_CHECKING

from imagesearch.errors import StorageUnavailable
from imagesearch.storage import ObjectStore

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ObjectIdentifierTypeDef

__all__ = ["Purge", "purge_objects", "purge_versions"]

Purge = Callable[[str, Collection[str]], list[tuple[str, str]]]
"""Deletes all below a prefix but some keys; returns key and version of everything deleted."""

_MOST = 1000


def purge_objects(store: ObjectStore) -> Purge:
    """Return what purges a store that keeps no versions; a version is told by its ETag."""

    def purge(prefix: str, keep: Collection[str] = ()) -> list[tuple[str, str]]:
        doomed = [info for info in store.list(prefix) if info.key not in keep]
        store.delete([info.key for info in doomed])
        return [(info.key, info.etag) for info in doomed]

    return purge


def purge_versions(client: S3Client, bucket: str) -> Purge:
    """Return what purges a bucket with all versions and delete markers there are."""

    def purge(prefix: str, keep: Collection[str] = ()) -> list[tuple[str, str]]:
        doomed = [found for found in _versions(client, bucket, prefix) if found[0] not in keep]
        for some in _in_batches(doomed):
            objects: list[ObjectIdentifierTypeDef] = [
                {"Key": key, "VersionId": version} for key, version in some
            ]
            answer = client.delete_objects(
                Bucket=bucket,
                Delete={"Objects": objects, "Quiet": True},
            )
            if errors := answer.get("Errors"):
                raise StorageUnavailable(
                    f"{errors[0].get('Key')} cannot be deleted: {errors[0].get('Code')}.",
                    fix="Allow s3:DeleteObject and s3:DeleteObjectVersion, and try again.",
                )
        return doomed

    return purge


def _versions(client: S3Client, bucket: str, prefix: str) -> Iterator[tuple[str, str]]:
    pages = client.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix)
    for page in pages:
        for found in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())):
            yield found["Key"], found["VersionId"]


def _in_batches(found: list[tuple[str, str]]) -> Iterator[list[tuple[str, str]]]:
    for start in range(0, len(found), _MOST):
        yield found[start : start + _MOST]

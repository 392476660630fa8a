"""Where work on batch tasks is done: the deployment, and the buckets that tasks read."""

from __future__ import annotations

import time
from functools import cached_property
from typing import TYPE_CHECKING

from imagesearch.catalogue import Instance
from imagesearch.ingest.house import Workshop
from imagesearch.ingest.preflight import folder_of, is_open
from imagesearch.ingest.roles import Credentials, Lender, StsLender, TrustRegister, account_of
from imagesearch.ingest.source import BucketSource, Source
from imagesearch.ingest.tasks import Task
from imagesearch.operations.deployment import Deployment
from imagesearch.storage.s3 import connect

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

__all__ = ["Buckets", "workshop"]


class Buckets:
    """Opens the bucket of a task: with a role that its instance registered, else as ourselves."""

    def __init__(self, deployment: Deployment, *, lender: Lender | None = None) -> None:
        self._settings = deployment.settings
        self._instances = deployment.instances
        self._store = deployment.store
        self._trust = TrustRegister(deployment.store)
        self._given_lender = lender

    def of_task(self, task: Task) -> Source:
        """Open the bucket of a task."""
        instance = self._instances.get(task.instance)
        return self.open(instance, task.bucket, task.path, task.role_arn, task.bucket_owner)

    def open(self, instance: Instance, bucket: str, path: str, role_arn: str, owner: str) -> Source:
        """Open a bucket; raises what ``Trust.check`` and ``Lender.lend`` do.

        Unless another is named, a bucket that is read with a role must belong to the role's
        account: nobody can have us read a stranger's bucket of the same name.
        """
        region = self._settings.region
        if not role_arn:
            ours = bucket == self._settings.bucket
            return BucketSource(
                bucket,
                self._own_client,
                owner=owner,
                region=region,
                allowed=is_open if ours else lambda _key: True,
                own=self._store if ours and not owner else None,
            )
        trust = self._trust.of(instance)
        trust.check(role_arn)
        folder = folder_of(path)
        prefix = f"{folder}/" if folder else ""

        def client(*, whole: bool) -> S3Client:
            lent = self._lender.lend(role_arn, trust.external_id, bucket, prefix, whole=whole)
            return _connect_as(lent, self._settings.endpoint)

        return BucketSource(
            bucket,
            client(whole=False),
            wide=lambda: client(whole=True),
            owner=owner or account_of(role_arn),
            region=region,
        )

    @cached_property
    def _own_client(self) -> S3Client:
        return connect(endpoint=self._settings.endpoint)

    @cached_property
    def _lender(self) -> Lender:
        if self._given_lender:
            return self._given_lender
        import boto3

        return StsLender(boto3.client("sts"), boto3.client("iam"))


def _connect_as(lent: Credentials, endpoint: str | None) -> S3Client:
    import boto3

    ours = connect(endpoint=endpoint).meta.config
    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        aws_access_key_id=lent.access_key,
        aws_secret_access_key=lent.secret_key,
        aws_session_token=lent.token,
        config=ours,
    )


def workshop(deployment: Deployment, *, buckets: Buckets | None = None) -> Workshop:
    """Return the means to work on tasks."""
    settings = deployment.settings
    opened = buckets or Buckets(deployment)
    return Workshop(
        deployment,
        TrustRegister(deployment.store),
        opened.of_task,
        lambda: time.time_ns() // 1000,
        settings.ingest_lanes,
        settings.private_callbacks,
        settings.thumbnails,
    )

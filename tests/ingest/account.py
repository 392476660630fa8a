"""The causes' buckets and roles in two emulated accounts that enforce IAM (MiniStack, AUTH=true).

Trust policies, external ids, identity policies and session policies are evaluated by the emulator;
nothing of that is ours. It is the one of ``tools/sam/setup.sh``.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self
from unittest.mock import patch

import boto3

from tests.ingest.cloud import HOME, Cloud
from tools.sam.account import Account

__all__ = ["Keys", "running"]

Keys = dict[str, str]
_REGION = "eu-west-1"
_STRANGER = "333333333333"


class _Enforcing(Account):
    """The emulator with its checks on."""

    def __enter__(self) -> Self:
        with patch.dict(os.environ, {"AUTH": "true"}):
            super().__enter__()
        return self


def root(account: str) -> Keys:
    """Return keys of an account's root: the emulator takes its number."""
    return {"aws_access_key_id": account, "aws_secret_access_key": "s"}


def client(url: str, kind: str, keys: Keys, region: str = _REGION) -> Any:
    return boto3.client(kind, endpoint_url=url, region_name=region, **keys)


@contextmanager
def running(folder: Path) -> Iterator[Account]:
    """Run the emulator; :class:`FileNotFoundError` where it is not installed."""
    with _Enforcing(folder) as account:
        yield account


def ourselves(url: str) -> Keys:
    """Make our own identity: a user of HOME that may assume roles, look at them, and use S3."""
    iam = client(url, "iam", root(HOME))
    iam.create_user(UserName="imagesearch")
    actions = ["sts:AssumeRole", "iam:GetRole", "s3:*"]
    iam.put_user_policy(
        UserName="imagesearch", PolicyName="all", PolicyDocument=_policy(actions, "*")
    )
    made = iam.create_access_key(UserName="imagesearch")["AccessKey"]
    return {
        "aws_access_key_id": made["AccessKeyId"],
        "aws_secret_access_key": made["SecretAccessKey"],
    }


def furnish(url: str, cloud: Cloud) -> None:
    """Make in the emulator what a :class:`Cloud` describes."""
    for arn, role in cloud.roles.items():
        iam = client(url, "iam", root(arn.split(":")[4]))
        name = arn.rpartition("/")[2]
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=_trust(role))
        for number, (action, what) in enumerate(role.allows):
            document = _policy([action], f"arn:aws:s3:::{what}")
            iam.put_role_policy(RoleName=name, PolicyName=f"p{number}", PolicyDocument=document)
    for name, bucket in cloud.buckets.items():
        s3 = client(url, "s3", root(bucket.owner), bucket.region)
        place = {"LocationConstraint": bucket.region}
        s3.create_bucket(
            Bucket=name,
            **({} if bucket.region == "us-east-1" else {"CreateBucketConfiguration": place}),
        )
        for key, body in bucket.objects.items():
            s3.put_object(Bucket=name, Key=key, Body=body)


def _trust(role: Any) -> str:
    principals = [f"arn:aws:iam::{account}:root" for account in role.trusts or (_STRANGER,)]
    return json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"AWS": principals},
                    "Action": "sts:AssumeRole",
                    "Condition": {"StringEquals": {"sts:ExternalId": role.external_id}},
                }
            ],
        }
    )


def _policy(actions: list[str], resource: str) -> str:
    statement = {"Effect": "Allow", "Action": actions, "Resource": resource}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})

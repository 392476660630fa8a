"""Every cause for which a task is refused, provoked; ``python -m tests.ingest.causes`` writes
their answers into docs/increment-causes.md."""

from __future__ import annotations

import gzip
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from unittest.mock import patch

from imagesearch.catalogue import Service
from imagesearch.ingest.problems import Problem
from imagesearch.ingest.roles import StsLender
from imagesearch.operations.deployment import Deployment
from imagesearch.operations.increments import SubmitIncrement, check_increment, trust_role
from imagesearch.operations.instances import CreateInstance, NamedInstance, create_instance
from imagesearch.operations.workshop import Buckets
from imagesearch.settings import Settings

from tests.ingest import account
from tests.ingest.cloud import HOME, OTHER, Bucket, Cloud, Role, running
from tests.operations.conftest import Reader
from tests.stores import MemoryStore

PAGE = Path(__file__).parents[2] / "docs/increment-causes.md"
GOOD = b'{"OperationType":"ADD","ProductId":"p","PicName":"a.jpg"}\n'
World = Callable[[], AbstractContextManager[tuple[Cloud, Deployment, Buckets]]]


def arn(name: str, account: str = OTHER) -> str:
    return f"arn:aws:iam::{account}:role/{name}"


@contextmanager
def world() -> Iterator[tuple[Cloud, Deployment, Buckets]]:
    """A server of our own with good and bad buckets and roles, and a deployment with a shop."""
    with running() as cloud, tempfile.TemporaryDirectory() as folder:
        keys = {"aws_access_key_id": "AKIAOURS", "aws_secret_access_key": "s"}
        with _deployed(cloud.url, keys, Path(folder)) as (deployment, buckets):
            _furnish(cloud, deployment)
            yield cloud, deployment, buckets


@contextmanager
def emulated_world() -> Iterator[tuple[Cloud, Deployment, Buckets]]:
    """The same in emulated accounts; :class:`FileNotFoundError` if there is no emulator."""
    with tempfile.TemporaryDirectory() as folder, account.running(Path(folder)) as emulator:
        keys = account.ourselves(emulator.url)
        with _deployed(emulator.url, keys, Path(folder)) as (deployment, buckets):
            cloud = Cloud()
            _furnish(cloud, deployment)
            account.furnish(emulator.url, cloud)
            yield cloud, deployment, buckets


@contextmanager
def _deployed(url: str, keys: account.Keys, folder: Path) -> Iterator[tuple[Deployment, Buckets]]:
    environment = {
        **{name.upper(): value for name, value in keys.items()},
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    with patch.dict(os.environ, environment):
        settings = Settings(bucket="own-bucket", cache=folder, region="eu-west-1", endpoint=url)
        deployment = Deployment(settings, MemoryStore(), vision=Reader)  # type: ignore
        create_instance(deployment, CreateInstance(instance="shop", service=Service.PRODUCT))
        clients = [account.client(url, kind, keys) for kind in ("sts", "iam")]
        yield deployment, Buckets(deployment, lender=StsLender(*clients))


def _furnish(cloud: Cloud, deployment: Deployment) -> None:
    named = NamedInstance(instance="shop")
    external_id = trust_role(deployment, named).external_id
    everything = (("s3:ListBucket", "*"), ("s3:GetObject", "*"))
    cloud.roles = {
        arn("good"): Role((HOME,), external_id, everything),
        arn("trusts-another"): Role((OTHER,), external_id, everything),
        arn("wrong-id"): Role((HOME,), "another", everything),
        arn("ours-trusts-nobody", HOME): Role((), external_id, everything),
        arn("no-listing"): Role((HOME,), external_id, everything[1:]),
        arn("no-reading"): Role((HOME,), external_id, everything[:1]),
    }
    registered = [*cloud.roles, arn("gone", HOME), arn("gone")]
    for role in registered:
        trust_role(deployment, named, add=role)
    cloud.roles[arn("unregistered")] = Role((HOME,), external_id, everything)
    folders = {
        "good": GOOD,
        "empty": b"\n\n",
        "latin": '{"ProductId":"é"}'.encode("latin-1"),
        "torn": gzip.compress(GOOD)[:20],
        "lines": b"\n".join(
            [
                b"{}{}",
                b'{"OperationType":"ADD","ProductId":"' + b"x" * 70_000,
                b'{"OperationType":"PUT","ProductId":"p"}',
                b'{"OperationType":"ADD","ProductId":"p"}',
                b'{"OperationType":"ADD","ProductId":"p","PicName":"a","IntAttr":9999999999}',
            ]
        ),
    }
    objects = {f"{name}/increment.meta": body for name, body in folders.items()}
    objects["pictures/a.jpg"] = b"a"
    cloud.buckets = {
        "goods-bucket": Bucket(objects=objects),
        "far-bucket": Bucket(region="us-east-1", objects=objects),
        "own-bucket": Bucket(owner=HOME, objects=objects),
        "strangers-bucket": Bucket(owner="333333333333", objects=objects),
    }


def asked(**more: str) -> dict[str, str]:
    return {"bucket": "goods-bucket", "path": "/good", "role_arn": arn("good"), **more}


# What is wrong, and a submission that has just that.
CAUSES: dict[str, dict[str, str]] = {
    "bucket's name with s3://": asked(bucket="s3://goods-bucket"),
    "bucket does not exist": asked(bucket="no-such-bucket"),
    "bucket in another region": asked(bucket="far-bucket"),
    "bucket of another account": asked(bucket="strangers-bucket"),
    "role is not an ARN": asked(role_arn="my-role"),
    "role is a user's ARN": asked(role_arn=f"arn:aws:iam::{OTHER}:user/me"),
    "role is not registered": asked(role_arn=arn("unregistered")),
    "role of our account does not exist": asked(role_arn=arn("gone", HOME)),
    "role of our account trusts nobody": asked(role_arn=arn("ours-trusts-nobody", HOME)),
    "role trusts another service": asked(role_arn=arn("trusts-another")),
    "role wants another external id": asked(role_arn=arn("wrong-id")),
    "role of another account does not exist": asked(role_arn=arn("gone")),
    "role may not list": asked(role_arn=arn("no-listing")),
    "role may not read": asked(role_arn=arn("no-reading")),
    "no role, and no permission": asked(role_arn=""),
    "path without / in front": asked(path="good"),
    "path with / at the end": asked(path="/good/"),
    "path in our own bucket": asked(bucket="own-bucket", path="/index", role_arn=""),
    "path not there": asked(path="/nowhere"),
    "no increment.meta": asked(path="/pictures"),
    "increment.meta is empty": asked(path="/empty"),
    "increment.meta is not UTF-8": asked(path="/latin"),
    "increment.meta is torn gzip": asked(path="/torn"),
    "lines that cannot be carried out": asked(path="/lines"),
    "callback by http": asked(callback_url="http://example.com/"),
    "callback to this machine": asked(callback_url="https://127.0.0.1/"),
    "callback to the cloud's metadata": asked(callback_url="https://169.254.169.254/latest/"),
}


NOT_EMULATED = {"bucket of another account"}
"""What the emulator does not do: it takes no notice of ``ExpectedBucketOwner``."""


def answers(place: World = world) -> dict[str, list[Problem]]:
    """Return what the preflight says to each."""
    with place() as (_, deployment, buckets):
        return {
            name: check_increment(
                deployment, SubmitIncrement(instance="shop", **wanted), buckets=buckets
            )
            for name, wanted in CAUSES.items()
        }


def page(found: Mapping[str, list[Problem]]) -> str:
    """Return the page that shows them."""
    rows = [
        f"| {cause}{'*' if cause in NOT_EMULATED else ''} | `{problem.code}` "
        f"| {_place(problem)}{problem.message} {problem.fix} "
        f"| {problem.message_zh}{problem.fix_zh} |\n"
        for cause, problems in found.items()
        for problem in problems
    ]
    head = (
        "# Why a task is refused · 任务被拒绝的原因\n\n"
        "Written by `python -m tests.ingest.causes`, which provokes each cause in two emulated "
        "AWS accounts that enforce IAM (MiniStack, `AUTH=true`); do not edit by hand. "
        "`tests/ingest/test_preflight.py` does it again. The cause with a star is provoked "
        "on a small server of the tests' own, since the emulator takes no notice of a bucket's "
        "expected owner.\n\n"
        "| Cause | Code | Message and fix | 说明与处理 |\n|---|---|---|---|\n"
    )
    return head + "".join(rows)


def _place(problem: Problem) -> str:
    return f"line {problem.line}: " if problem.line else ""


def write(place: Path = PAGE) -> None:
    ours, enforced = answers(), answers(emulated_world)
    found = {cause: (ours if cause in NOT_EMULATED else enforced)[cause] for cause in CAUSES}
    place.write_text(page(found), encoding="utf-8")


if __name__ == "__main__":
    write()

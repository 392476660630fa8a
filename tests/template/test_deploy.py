"""`sam deploy` of the built application into an emulated AWS account, and the functions used there.

It checks what only a deployment shows: names and references that resolve, the bucket that calls
its function, code that finds its layers. The emulator has no CodeDeploy, no API Gateway that
routes by OpenAPI, and does not ask roles for permission: other tests do.
"""

from __future__ import annotations

import importlib
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.template.conftest import ROOT, SAM, Tree
from tools.sam import interpreter
from tools.sam.account import UNKNOWN, Account

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(interpreter.find() is None, reason=interpreter.ADVICE),
    pytest.mark.skipif(not SAM.exists(), reason="needs .venv-sam: run tools/sam/setup.sh"),
    pytest.mark.skipif(
        not (ROOT / ".venv-account").exists(), reason="needs .venv-account: run tools/sam/setup.sh"
    ),
]

STACK = "pictures"
Client = Callable[[str], Any]


@pytest.fixture(scope="module")
def account(build: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """An account with the application deployed."""
    with Account(tmp_path_factory.mktemp("account")) as account:
        assert "Successfully created" in account.deploy(build, STACK)
        yield account


@pytest.fixture(scope="module")
def client(account: Account) -> Client:
    """Return clients of the account's services."""
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    session = boto3.Session(**keys, region_name="us-east-1")
    return lambda service: session.client(service, endpoint_url=account.url)


@pytest.fixture(scope="module")
def round_trip() -> Any:
    """Return the module with the deployment check's round trip."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "functions/verify")
        return importlib.import_module("round_trip")


@pytest.fixture(scope="module")
def call(account: Account, client: Client) -> Callable[[str, Tree], Tree]:
    """Invoke a deployed function by its alias, as the API and CodeDeploy do."""
    lambdas = client("lambda")

    def invoke(function: str, event: Tree) -> Tree:
        name = f"{STACK}-{function}:live"
        answer = lambdas.invoke(FunctionName=name, Payload=json.dumps(event).encode())
        payload: Tree = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, f"{payload} {account.log()[-2000:]}"
        return payload

    return invoke


def test_every_resource_of_the_template_is_made(
    client: Client, translated: Callable[..., Tree]
) -> None:
    pages = client("cloudformation").get_paginator("list_stack_resources")
    found = [
        resource for page in pages.paginate(StackName=STACK)
        for resource in page["StackResourceSummaries"]
    ]  # fmt: skip
    assert {resource["ResourceStatus"] for resource in found} == {"CREATE_COMPLETE"}
    resources = translated()["Resources"].values()
    kinds = sorted(
        resource["Type"]
        for resource in resources
        if "Condition" not in resource and not resource["Type"].startswith(UNKNOWN)
    )
    made = sorted(resource["ResourceType"] for resource in found)
    assert {kind: kinds.count(kind) - made.count(kind) for kind in kinds} == dict.fromkeys(kinds, 0)


def test_the_deployed_functions_make_the_round_trip(
    call: Callable[[str, Tree], Tree], round_trip: Any
) -> None:
    round_trip.go(call)


def test_a_picture_put_into_the_inbox_is_indexed_and_goes_with_its_object(
    account: Account, client: Client, call: Callable[[str, Tree], Tree], round_trip: Any
) -> None:
    instance = {"instance": "shop"}

    def listed() -> list[tuple[str, str]]:
        route = "GET /v1/instances/{instance}/pictures"
        pictures = round_trip._step(call, "catalogue", route, instance)["pictures"]
        return [(picture["product_id"], picture["pic_name"]) for picture in pictures]

    def wait(wanted: list[tuple[str, str]]) -> None:
        until = time.monotonic() + 60
        while listed() != wanted and time.monotonic() < until:
            time.sleep(0.5)
        assert listed() == wanted, account.log()[-3000:]

    service = {"service": "product"}
    round_trip._step(call, "catalogue", "PUT /v1/instances/{instance}", instance, service)
    place = {"Bucket": account.bucket(STACK), "Key": "inbox/shop/blue bag + strap/圖 100%.png"}
    store = client("s3")
    store.put_object(**place, Body=round_trip.shaded_square())
    wait([("blue bag + strap", "圖 100%.png")])
    store.delete_object(**place)
    wait([])


def test_a_deployment_can_be_changed(account: Account, build: Path, client: Client) -> None:
    account.deploy(build, STACK, SearchMemory="3008", LogRetentionDays="7")
    function = client("lambda").get_function_configuration(FunctionName=f"{STACK}-search")
    assert function["MemorySize"] == 3008
    groups = client("logs").describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{STACK}-")
    assert {group["retentionInDays"] for group in groups["logGroups"]} == {7}


def test_deleting_the_stack_keeps_the_pictures(account: Account, client: Client) -> None:
    account.delete(STACK)
    assert client("lambda").list_functions()["Functions"] == []
    assert client("s3").head_bucket(Bucket=account.bucket(STACK))

"""Least privilege, by doing the work: what is used is allowed, and what is allowed is used."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from imagesearch.index import Snapshot
from imagesearch.operations.deployment import Deployment
from imagesearch.settings import Settings

from tests.contract.caller import Thumbnails, World, picture, text
from tests.template.conftest import ROOT, Tree
from tests.template.policies import BUCKET, Guarded, Role, as_list

Handler = Callable[[Tree, None], Any]
OTHER_BUNDLES = {("s3:GetObject", f"{BUCKET}/models/*")}
"""Of instances that were built with another bundle than the deployment's."""
ANYWHERE = {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}
"""Actions that know no resources."""


class Seeing(Thumbnails):
    """A vision that needs no warming up."""

    def warm(self) -> None:
        pass


@pytest.fixture
def store() -> Guarded:
    return Guarded()


@pytest.fixture
def folded() -> list[str]:
    """Instances whose folding was asked for."""
    return []


@pytest.fixture
def load(
    store: Guarded, folded: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], Handler]:
    """Return a function's real handler, on the guarded bucket."""

    def open_deployment() -> Deployment:
        settings = Settings(bucket="b", cache=tmp_path)
        return Deployment(settings, store, vision=Seeing, compaction=folded.append)

    monkeypatch.setattr(Deployment, "from_environment", staticmethod(open_deployment))
    monkeypatch.setattr(Snapshot, "wants_upkeep", True)

    def load_handler(name: str) -> Handler:
        place = ROOT / "functions" / name / "app.py"
        spec = importlib.util.spec_from_file_location(f"functions_{name}", place)
        assert spec
        assert spec.loader
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        handler: Handler = module.handler
        return handler

    return load_handler


def _event(name: str, **body: Any) -> Tree:
    event: Tree = json.loads((ROOT / f"events/{name}.json").read_text("utf-8"))
    if body:
        event["body"] = json.dumps(body)
    return event


def _s3(granted: set[tuple[str, str]]) -> set[tuple[str, str]]:
    return {(action, resource) for action, resource in granted if action.startswith("s3:")}


# What each function is asked, in an order that makes sense; see _run.
STEPS = {
    "catalogue": ["create-instance", "list-instances", "show-instance", "health-ready"],
    "add": ["add-picture", "add-picture-as-bytes", "start-upload"],
    "search": ["search", "search-as-bytes", "compare"],
    "delete": ["delete-picture", "delete-product", "delete-pictures"],
}


def _run(load: Callable[[str], Handler], store: Guarded, name: str, role: Role | None) -> None:
    handler = load(name)
    store.role = role
    for step in STEPS[name]:
        answer = handler(_event(step), None)
        assert answer["statusCode"] < 300, (step, answer["body"])
    store.role = None


def _use_an_upload(load: Callable[[str], Handler], store: Guarded, name: str, role: Role) -> None:
    upload = f"{1 if name == 'add' else 2:032x}"
    store.put(f"uploads/{upload}", picture(7))
    handler, step = load(name), "add-picture" if name == "add" else "search"
    more = {"product_id": "p", "pic_name": "u.jpg"} if name == "add" else {}
    store.role = role
    answer = handler(_event(step, upload_id=upload, **more), None)
    assert answer["statusCode"] < 300, answer["body"]
    store.role = None


@pytest.mark.parametrize("name", ["catalogue", "add", "search", "delete"])
def test_a_function_may_do_what_it_does_and_no_more(
    deployed: Callable[..., Tree],
    load: Callable[[str], Handler],
    store: Guarded,
    folded: list[str],
    name: str,
) -> None:
    role = Role.of(deployed(), f"{name.capitalize()}Role")
    for earlier in STEPS:
        if earlier == name:
            break
        _run(load, store, earlier, None)
    folded.clear()
    _run(load, store, name, role)
    if name in {"add", "search"}:
        _use_an_upload(load, store, name, role)
    if name == "catalogue":
        store.role = role
        handler = load(name)
        for step in ("list-pictures", "erase-instance"):
            assert handler(_event(step), None)["statusCode"] < 300
    assert store.refused == []
    unused = _s3(role.granted()) - role.used
    listing_for_404 = {
        ("s3:ListBucket", pattern) for pattern in ("uploads/*", "instances/*", "models/*")
    }
    assert unused - listing_for_404 - OTHER_BUNDLES == set()
    assert bool(folded) == ("lambda:InvokeFunction" in {action for action, _ in role.granted()})


def test_compact_may_do_what_it_does(
    deployed: Callable[..., Tree], load: Callable[[str], Handler], store: Guarded
) -> None:
    role = Role.of(deployed(), "CompactRole")
    for name in ("catalogue", "add"):
        _run(load, store, name, None)
    handler = load("compact")
    store.role = role
    assert handler(_event("compact-daily"), None)
    assert handler(_event("compact-instance"), None) is not None
    assert store.refused == []
    assert role.allows("s3:DeleteObject", f"{BUCKET}/index/any/wal/folded-long-ago")
    listing_for_404 = {("s3:ListBucket", pattern) for pattern in ("instances/*", "models/*")}
    assert _s3(role.granted()) - role.used - listing_for_404 - OTHER_BUNDLES == set()


def test_the_contract_may_do_what_it_does_and_no_more(
    deployed: Callable[..., Tree], store: Guarded, tmp_path: Path
) -> None:
    role = Role.of(deployed(), "ContractRole")
    world = World(tmp_path, bucket=store)
    shop = {"InstanceName": "shop"}
    world.deployment.instances.doubt("shop")
    store.role = role
    world.add("p", 1)
    by_upload = {**shop, "ProductId": "p", "PicName": "b.jpg"}
    line = b'{"OperationType": "ADD", "ProductId": "p", "PicName": "a.jpg"}'
    world.source.objects["x/increment.meta"] = line
    answers = [
        world.call("SearchImageByPic", {**shop, "PicContent": text(picture(1))}),
        world.call("DumpMeta", {**shop}),
        world.call("DumpMetaList", {**shop}),
        world.call("DeleteImage", by_upload),
        world.call("IncreaseInstance", {**shop, "BucketName": "theirs", "Path": "/x"}),
        world.call("IncreaseList", {**shop}),
    ]
    assert [answer.status for answer in answers] == [200] * len(answers)
    assert store.refused == []
    # By a picture that was uploaded, which is then removed; and a request that comes twice.
    for action, key in (
        ("s3:GetObject", "uploads/x"),
        ("s3:PutObject", "uploads/x"),
        ("s3:DeleteObject", "uploads/x"),
        ("s3:GetObject", "nonces/x"),
        ("s3:GetObject", "imports/x"),  # of a task in our own bucket, past the store
    ):
        assert role.allows(action, f"{BUCKET}/{key}")
    listing_for_404 = {
        ("s3:ListBucket", f"{prefix}/*") for prefix in ("uploads", "instances", "nonces", "models")
    }
    past_the_store = {("s3:ListBucket", "imports/*")}
    assert (
        _s3(role.granted()) - role.used - listing_for_404 - past_the_store - OTHER_BUNDLES == set()
    )


def test_no_role_has_a_wildcard(deployed: Callable[..., Tree]) -> None:
    """But for the end of a path that names whose objects or keys they are."""
    for name, body in deployed().items():
        for policy in body.get("Properties", {}).get("Policies", []):
            for statement in policy["PolicyDocument"]["Statement"]:
                actions = as_list(statement["Action"])
                assert not [action for action in actions if "*" in action], name
                if set(actions) <= ANYWHERE:
                    continue
                for resource in as_list(statement["Resource"]):
                    path, _, last = str(resource).rpartition("/")
                    assert resource != "*", name
                    assert "*" not in path, name
                    assert last == "*" or "*" not in last, name


@pytest.mark.parametrize("name", ["SearchRole", "AddRole", "CatalogueRole", "ContractRole"])
def test_the_bundle_of_any_instance_may_be_read(deployed: Callable[..., Tree], name: str) -> None:
    role = Role.of(deployed(), name)
    assert role.allows("s3:GetObject", f"{BUCKET}/models/mine-1/bundle.json")
    assert not role.allows("s3:PutObject", f"{BUCKET}/models/mine-1/bundle.json")


def test_nobody_but_the_writers_may_start_the_compactor(deployed: Callable[..., Tree]) -> None:
    resources = deployed()
    may = {
        name
        for name, body in resources.items()
        if body["Type"] == "AWS::IAM::Role" and "CompactFunctionAliaslive" in json.dumps(body)
    }
    writers = {"AddRole", "DeleteRole", "ContractRole", "IngestRole"}
    assert may == {*writers, "CompactFunctionDailyRole"}


def test_every_function_has_a_role_of_its_own(deployed: Callable[..., Tree]) -> None:
    resources = deployed()
    lambdas = {n: b for n, b in resources.items() if b["Type"] == "AWS::Lambda::Function"}
    roles = {name: body["Properties"]["Role"] for name, body in lambdas.items()}
    assert roles == {name: name.replace("Function", "Role.Arn") for name in lambdas}
    for role in roles.values():
        assert "ManagedPolicyArns" not in resources[role.removesuffix(".Arn")]["Properties"]


def test_a_key_of_the_owners_is_usable_by_all_who_need_it(deployed: Callable[..., Tree]) -> None:
    key = "arn:aws:kms:eu-west-1:123456789012:key/0d1e2f3a-0b1c-4d5e-8f90-a1b2c3d4e5f6"
    resources = deployed(KmsKeyArn=key)
    for name, body in resources.items():
        if body["Type"] == "AWS::Lambda::Function":
            role = Role.of(resources, name.replace("Function", "Role"))
            assert role.allows("kms:Decrypt", key), name
            writes = any(action == "s3:PutObject" for action, _ in role.granted())
            assert role.allows("kms:GenerateDataKey", key) == writes, name

"""A vector engine elsewhere: nothing without it, and with it no more than it takes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.template.conftest import Tree
from tests.template.policies import BUCKET, Role

Deployed = Callable[..., Tree]

VECTORS = (
    "arn:aws:s3vectors:us-east-1:000000000000:bucket/imagesearch-local-vectors/index/shop-0a1b"
)
TOKEN = "arn:aws:ssm:us-east-1:000000000000:parameter/imagesearch-local/engine/token"
QUERY = f"{BUCKET}/index/shop/0f3a/queries/017"
MILVUS = {"Engine": "milvus", "EngineUri": "https://milvus.example.com:19530"}
MAY = {
    "SearchRole": {"GetVectors", "QueryVectors"},
    "AddRole": {"GetVectors", "QueryVectors"},
    "DeleteRole": {"GetVectors"},
    "IngestRole": {"GetVectors"},
    "ContractRole": {"GetVectors", "QueryVectors", "PutVectors"},
    "CatalogueRole": {"GetVectors", "QueryVectors", "PutVectors", "GetIndex", "DeleteIndex"},
    "CompactRole": {"GetVectors", "QueryVectors", "PutVectors", "DeleteVectors"},
}


def _roles(resources: Tree) -> dict[str, Role]:
    names = [name for name, body in resources.items() if body["Type"] == "AWS::IAM::Role"]
    return {
        name: Role.of(resources, name)
        for name in names
        if "Policies" in resources[name]["Properties"]
    }


def _variables(resources: Tree, function: str) -> Tree:
    found: Tree = resources[function]["Properties"]["Environment"]["Variables"]
    return found


def test_without_an_engine_nobody_may_use_one(deployed: Deployed) -> None:
    resources = deployed()
    for name, role in _roles(resources).items():
        services = {action.partition(":")[0] for action, _ in role.granted()}
        assert "s3vectors" not in services, name
        assert not role.allows("ssm:GetParameter", TOKEN), name
    assert not Role.of(resources, "SearchRole").allows("s3:PutObject", QUERY)
    assert "VectorBucket" not in resources
    assert _variables(resources, "SearchFunction")["IMAGESEARCH_ENGINE"] == "none"
    assert _variables(resources, "SearchFunction")["IMAGESEARCH_ENGINE_TOKEN"] == ""


def test_vectors_are_used_in_the_deployments_own_bucket_alone(deployed: Deployed) -> None:
    resources = deployed(Engine="s3vectors")
    for name, role in _roles(resources).items():
        granted = {a.removeprefix("s3vectors:") for a, _ in role.granted() if "s3vectors" in a}
        assert granted == MAY.get(name, set()), name
        for action in granted:
            assert role.allows(f"s3vectors:{action}", VECTORS)
            assert not role.allows(f"s3vectors:{action}", VECTORS.replace("local-v", "other-v"))
    named = resources["VectorBucket"]["Properties"]["VectorBucketName"]
    variables = _variables(resources, "CompactFunction")
    assert variables["IMAGESEARCH_ENGINE"] == f"s3vectors:{named}"
    assert variables["IMAGESEARCH_ENGINE_TOKEN"] == ""
    assert resources["VectorBucket"]["DeletionPolicy"] == "Retain"


@pytest.mark.parametrize("engine", [{"Engine": "s3vectors"}, MILVUS])
def test_a_search_writes_nothing_but_what_it_keeps_to_compare(
    deployed: Deployed, engine: dict[str, str]
) -> None:
    key = "arn:aws:kms:eu-west-1:123456789012:key/0d1e2f3a-0b1c-4d5e-8f90-a1b2c3d4e5f6"
    role = Role.of(deployed(**engine, KmsKeyArn=key), "SearchRole")
    assert role.allows("s3:PutObject", QUERY)
    assert not role.allows("s3:PutObject", f"{BUCKET}/index/shop/0f3a/MANIFEST")
    assert not role.allows("s3:PutObject", f"{BUCKET}/index/shop/0f3a/wal/1")
    assert role.allows("kms:GenerateDataKey", key)


def test_the_token_of_milvus_is_read_from_parameter_store(deployed: Deployed) -> None:
    layer = "arn:aws:lambda:us-east-1:000000000000:layer:pymilvus:3"
    resources = deployed(**MILVUS, EngineLayer=layer)
    for name, role in _roles(resources).items():
        assert role.allows("ssm:GetParameter", TOKEN) == (name in MAY), name
        assert not role.allows("ssm:GetParameter", TOKEN.replace("engine/token", "keys/k")), name
    for name in MAY:
        function = name.replace("Role", "Function")
        variables = _variables(resources, function)
        assert variables["IMAGESEARCH_ENGINE"] == "milvus"
        assert variables["IMAGESEARCH_ENGINE_URI"] == MILVUS["EngineUri"]
        assert variables["IMAGESEARCH_ENGINE_TOKEN"] == "ssm:/imagesearch-local/engine/token"
        assert layer in resources[function]["Properties"]["Layers"]
    assert "VectorBucket" not in resources


@pytest.mark.parametrize("address", ["http://127.0.0.1:19530", ""])
def test_a_milvus_without_tls_is_sent_no_token(deployed: Deployed, address: str) -> None:
    resources = deployed(Engine="milvus", EngineUri=address)
    variables = _variables(resources, "SearchFunction")
    assert variables["IMAGESEARCH_ENGINE"] == "milvus"
    assert variables["IMAGESEARCH_ENGINE_TOKEN"] == ""
    assert not Role.of(resources, "SearchRole").allows("ssm:GetParameter", TOKEN)

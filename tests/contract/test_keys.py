"""Access keys: made at random, kept in several places, remembered briefly, compared safely."""
# ruff: noqa: N803  (the argument names are boto3's)

import stat
from pathlib import Path
from typing import Any

import boto3
import msgspec
import pytest
from botocore.stub import Stubber
from imagesearch.contract.key_sources import KeyFile, KeyParameters, KeySecret, key_source
from imagesearch.contract.keys import AccessKey, KeyRing, KeySource
from imagesearch.errors import CorruptObject, InvalidField, StorageUnavailable

from tests.contract.wire import Keys


class ParameterStore:
    """What KeyParameters uses of SSM, with pages of two."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}

    def get_paginator(self, _name: str) -> "ParameterStore":
        return self

    def paginate(self, *, Path: str, WithDecryption: bool) -> Any:
        assert WithDecryption
        rows = [
            {"Name": name, "Value": value}
            for name, value in self.values.items()
            if name.startswith(Path)
        ]
        return [{"Parameters": rows[n : n + 2]} for n in range(0, len(rows) + 1, 2)]

    def put_parameter(self, *, Name: str, Value: str, Type: str, Overwrite: bool) -> None:
        assert (Type, Overwrite) == ("SecureString", True)
        self.values[Name] = Value

    def delete_parameters(self, *, Names: list[str]) -> None:
        for name in Names:
            self.values.pop(name, None)


class SecretsManager:
    """What KeySecret uses of Secrets Manager."""

    def __init__(self) -> None:
        self.text = ""

    def get_secret_value(self, *, SecretId: str) -> dict[str, str]:
        return {"Name": SecretId, "SecretString": self.text}

    def put_secret_value(self, *, SecretId: str, SecretString: str) -> None:
        assert SecretId == "keys"
        self.text = SecretString


@pytest.fixture(params=["file", "ssm", "secretsmanager"])
def source(request: pytest.FixtureRequest, tmp_path: Path) -> KeySource:
    if request.param == "file":
        return KeyFile(tmp_path / "deep/keys.json")
    if request.param == "ssm":
        return KeyParameters(ParameterStore(), "/imagesearch/keys")
    return KeySecret(SecretsManager(), "keys")


def key(name: str = "shop", **more: Any) -> AccessKey:
    return AccessKey.new(name=name, now=1_000, **more)[0]


def test_keys_are_kept_replaced_and_forgotten(source: KeySource) -> None:
    assert source.load() == {}
    first, second, third = key(), key(read_only=True, instances=("a", "b*")), key(expires=2_000)
    for one in (first, second, third):
        source.save(one)
    assert source.load() == {one.id: one for one in (first, second, third)}
    revoked = AccessKey(id=first.id, secret=first.secret, active=False)
    source.save(revoked)
    source.remove(second.id)
    source.remove("never was")
    assert source.load() == {first.id: revoked, third.id: third}


def test_the_file_is_for_its_owner_only(tmp_path: Path) -> None:
    KeyFile(tmp_path / "keys.json").save(key())
    assert stat.S_IMODE((tmp_path / "keys.json").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["keys.json"]


def test_a_damaged_file_is_said_to_be_one(tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_text('[{"id": 3}]')
    with pytest.raises(CorruptObject, match=r"keys\.json"):
        KeyFile(tmp_path / "keys.json").load()


def test_a_failing_source_may_recover() -> None:
    from botocore.exceptions import EndpointConnectionError

    class Down(SecretsManager):
        def get_secret_value(self, *, SecretId: str) -> dict[str, str]:
            raise EndpointConnectionError(endpoint_url=SecretId)

    with pytest.raises(StorageUnavailable):
        KeySecret(Down(), "keys").load()


def test_the_place_is_named_by_a_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    assert isinstance(key_source(f"file:{tmp_path}/keys.json"), KeyFile)
    assert isinstance(key_source("ssm:/imagesearch/"), KeyParameters)
    assert isinstance(key_source("secretsmanager:keys"), KeySecret)
    for wrong in ("", "file:", "keys.json", "vault:keys"):
        with pytest.raises(InvalidField, match="IMAGESEARCH_KEYS"):
            key_source(wrong)


def test_keys_are_random_and_do_not_print_their_secret() -> None:
    keys = [key() for _ in range(50)]
    assert len({k.id for k in keys} | {k.secret for k in keys}) == 100
    assert keys[0].secret not in repr(keys[0])


def test_a_temporary_key_takes_its_token_only() -> None:
    temporary, token = AccessKey.new(name="t", now=0, expires=60, temporary=True)
    assert temporary.id.startswith("STS.")
    assert token not in repr(temporary)
    assert temporary.accepts_token(token)
    assert not temporary.accepts_token("")
    assert not temporary.accepts_token(token[:-1])
    assert key().accepts_token("")
    assert not key().accepts_token(token)


def test_instances_are_names_or_patterns() -> None:
    limited = key(instances=("shop", "lab-*"))
    assert limited.reaches("shop")
    assert limited.reaches("lab-1")
    assert not limited.reaches("shop2")
    assert not limited.reaches("Shop")
    assert key().reaches("anything")


def test_the_ring_asks_once_a_minute_and_for_a_new_key_soon() -> None:
    now = [0.0]
    one = key()
    source = Keys({one.id: one})
    ring = KeyRing(source, clock=lambda: now[0])
    for _ in range(5):
        assert ring.find(one.id) == one
    assert source.loads == 1
    other = key()
    source.save(other)
    assert ring.find(other.id) is None
    assert source.loads == 1
    now[0] = 5.0
    assert ring.find(other.id) == other
    for _ in range(20):
        assert ring.find("guess") is None
    assert source.loads == 2
    source.remove(one.id)
    now[0] = 64.9
    assert ring.find(one.id) == one
    now[0] = 65.0
    assert ring.find(one.id) is None


def test_what_is_asked_of_aws_fits_its_own_description(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    one = key()
    value = msgspec.json.encode(one).decode()
    ssm, manager = boto3.client("ssm"), boto3.client("secretsmanager")
    with Stubber(ssm) as stub:
        stub.add_response("put_parameter", {"Version": 1})
        page = {"Parameters": [{"Name": f"/keys/{one.id}", "Value": value}], "NextToken": "t"}
        stub.add_response("get_parameters_by_path", page)
        stub.add_response("get_parameters_by_path", {"Parameters": []})
        stub.add_response("delete_parameters", {"DeletedParameters": [f"/keys/{one.id}"]})
        parameters = KeyParameters(ssm, "/keys/")
        parameters.save(one)
        assert parameters.load() == {one.id: one}
        parameters.remove(one.id)
    with Stubber(manager) as stub:
        stub.add_response("get_secret_value", {"SecretString": "[]"})
        stub.add_response("put_secret_value", {})
        stub.add_response("get_secret_value", {"SecretString": f"[{value}]"})
        kept = KeySecret(manager, "keys")
        kept.save(one)
        assert kept.load() == {one.id: one}

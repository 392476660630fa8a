"""The places where access keys are kept: a file, SSM Parameter Store, Secrets Manager."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import msgspec

from imagesearch.contract.keys import AccessKey, KeySource
from imagesearch.errors import CorruptObject, InvalidField, StorageUnavailable

if TYPE_CHECKING:
    from botocore.config import Config

__all__ = ["KeyFile", "KeyParameters", "KeySecret", "key_source"]


def key_source(place: str) -> KeySource:
    """Open ``file:PATH``, ``ssm:/PATH/`` or ``secretsmanager:NAME``."""
    kind, colon, name = place.partition(":")
    if colon and name and kind == "file":
        return KeyFile(Path(name))
    if colon and name and kind == "ssm":
        import boto3

        return KeyParameters(boto3.client("ssm", config=_patience()), name)
    if colon and name and kind == "secretsmanager":
        import boto3

        return KeySecret(boto3.client("secretsmanager", config=_patience()), name)
    raise InvalidField(
        "keys",
        f"IMAGESEARCH_KEYS is {place!r}.",
        fix="Set it to file:PATH, ssm:/PATH/ or secretsmanager:NAME.",
    )


def _patience() -> Config:
    from botocore.config import Config

    return Config(connect_timeout=2, read_timeout=3, retries={"total_max_attempts": 3})


class _Pages(Protocol):
    def paginate(self, *, Path: str, WithDecryption: bool) -> Iterable[Any]: ...  # noqa: N803


class _ParameterStore(Protocol):
    """What is used of boto3's SSM client."""

    def get_paginator(self, operation_name: str, /) -> _Pages: ...
    def put_parameter(self, **arguments: object) -> object: ...
    def delete_parameters(self, **arguments: object) -> object: ...


class _SecretsManager(Protocol):
    """What is used of boto3's Secrets Manager client."""

    def get_secret_value(self, **arguments: object) -> Mapping[str, str]: ...
    def put_secret_value(self, **arguments: object) -> object: ...


def _decode(body: bytes | str, place: str) -> dict[str, AccessKey]:
    try:
        return {key.id: key for key in msgspec.json.decode(body, type=list[AccessKey])}
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise CorruptObject(f"{place} is not a list of access keys: {error}") from None


class KeyFile:
    """Keys in one JSON file that only its owner may read; there may be no file yet."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> Mapping[str, AccessKey]:
        """Return every key by id."""
        try:
            return _decode(self._path.read_bytes(), self._path.name)
        except FileNotFoundError:
            return {}

    def save(self, key: AccessKey) -> None:
        """Add a key, or replace the one of the same id."""
        self._write({**self.load(), key.id: key})

    def remove(self, key_id: str) -> None:
        """Forget a key."""
        self._write({id_: key for id_, key in self.load().items() if id_ != key_id})

    def _write(self, keys: Mapping[str, AccessKey]) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=self._path.parent, prefix=".keys-")
        with os.fdopen(handle, "wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(list(keys.values()))))
        Path(name).replace(self._path)


class KeyParameters:
    """Keys in SSM Parameter Store: one SecureString per key, below a path."""

    def __init__(self, ssm: _ParameterStore, path: str) -> None:
        self._ssm, self._path = ssm, path.rstrip("/") + "/"

    def load(self) -> Mapping[str, AccessKey]:
        """Return every key by id."""
        found: dict[str, AccessKey] = {}
        for page in _answered(self._pages):
            for parameter in page["Parameters"]:
                found |= _decode(f"[{parameter['Value']}]", parameter["Name"])
        return found

    def save(self, key: AccessKey) -> None:
        """Add a key, or replace the one of the same id."""
        self._ssm.put_parameter(
            Name=self._path + key.id,
            Value=msgspec.json.encode(key).decode(),
            Type="SecureString",
            Overwrite=True,
        )

    def remove(self, key_id: str) -> None:
        """Forget a key."""
        self._ssm.delete_parameters(Names=[self._path + key_id])

    def _pages(self) -> list[Any]:
        pages = self._ssm.get_paginator("get_parameters_by_path")
        return list(pages.paginate(Path=self._path.rstrip("/"), WithDecryption=True))


class KeySecret:
    """Keys in one secret of Secrets Manager."""

    def __init__(self, secrets_manager: _SecretsManager, name: str) -> None:
        self._client, self._name = secrets_manager, name

    def load(self) -> Mapping[str, AccessKey]:
        """Return every key by id."""
        answer = _answered(lambda: self._client.get_secret_value(SecretId=self._name))
        return _decode(answer["SecretString"] or "[]", self._name)

    def save(self, key: AccessKey) -> None:
        """Add a key, or replace the one of the same id."""
        self._write({**self.load(), key.id: key})

    def remove(self, key_id: str) -> None:
        """Forget a key."""
        self._write({id_: key for id_, key in self.load().items() if id_ != key_id})

    def _write(self, keys: Mapping[str, AccessKey]) -> None:
        text = msgspec.json.encode(list(keys.values())).decode()
        self._client.put_secret_value(SecretId=self._name, SecretString=text)


Answer = TypeVar("Answer")


def _answered(ask: Callable[[], Answer]) -> Answer:
    """Call AWS; what goes wrong there is not the caller's fault and may pass."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        return ask()
    except (BotoCoreError, ClientError) as error:
        raise StorageUnavailable("the access keys cannot be read.") from error

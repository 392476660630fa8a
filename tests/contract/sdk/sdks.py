"""The SDKs as a test sees them: a process that takes calls and gives answers."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imagesearch.contract.keys import AccessKey

from tests.contract.sdk.prefixes import node_prefix, python_prefix

HERE = Path(__file__).parent
OPENPLATFORM = "openplatform.aliyuncs.com"
CORES = ("alibabacloud_tea_openapi", "alibabacloud_tea_rpc", "alibabacloud_tea_roa")


class SdkError(Exception):
    """What the SDK raised: the exception's class, its code, status and message."""

    def __init__(self, about: dict[str, Any]) -> None:
        super().__init__(f"{about['type']} {about['code']}: {about['message']}")
        self.type, self.code = about["type"], about["code"]
        self.status, self.message = about["status"], str(about["message"])
        self.retry_after, self.denied = about.get("retry_after"), about.get("denied")


@dataclass
class Sdk:
    """A running SDK."""

    process: subprocess.Popen[str]
    config: dict[str, Any]
    name: str

    @contextmanager
    def configured(self, **changes: Any) -> Iterator[Sdk]:
        """Use a client with another configuration for a while; ``None`` leaves a setting out."""
        config = {**self.config, **changes}
        self.raw(config={name: value for name, value in config.items() if value is not None})
        try:
            yield self
        finally:
            self.raw(config=self.config)

    def raw(self, **call: Any) -> Any:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps(call) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, "the SDK's process ended; see the captured errors"
        answer = json.loads(line)
        if "config" not in call:
            _note(call.get("sdk") or self.name, call, answer)
        if "error" in answer:
            raise SdkError(answer["error"])
        return answer["body"]

    def call(self, method: str, request: str, files: Any = None, **fields: Any) -> Any:
        """Call ``method`` with a request of class ``request``; ``files`` are bytes by field."""
        encoded = {n: base64.b64encode(b).decode() for n, b in (files or {}).items()}
        return self.raw(method=method, request=request, fields=fields, files=encoded)


def _note(sdk: str, call: dict[str, Any], answer: dict[str, Any]) -> None:
    """Write down what was called and how it went, for tools/write_compatibility.py."""
    if place := os.environ.get("SDK_CALLS"):
        code = answer["error"]["code"] if "error" in answer else ""
        about = {"method": call["method"] or call["request"], "code": code}
        with Path(place).open("a") as lines:
            lines.write(json.dumps({"sdk": sdk, **about}) + "\n")


@dataclass(frozen=True)
class Target:
    """Where the service answers, and with which key."""

    key: AccessKey
    http: int
    https: int
    certificate: Path


@contextmanager
def python_sdk(
    name: str, package: str, target: Target, *, core: str | None = CORES[0], **more: Any
) -> Iterator[Sdk]:
    """Start a Python SDK. ``more`` may set ``secure``, ``style``, ``attributes``, ``redirect``."""
    secure = more.pop("secure", False)
    endpoint = f"127.0.0.1:{target.https if secure else target.http}"
    config = {
        "access_key_id": target.key.id,
        "access_key_secret": target.key.secret,
        "endpoint": endpoint,
    }
    if core:
        config |= {"protocol": "https" if secure else "http", "region_id": "cn-shanghai"}
    if secure:
        config["ca"] = str(target.certificate)
    setup = {
        "package": package,
        "core": core,
        "config": config,
        "runtime": [
            "darabonba.runtime",
            "alibabacloud_tea_util.models",
        ],
        "ca": str(target.certificate),
        **more,
    }
    prefix = python_prefix(name)
    environment = {"PYTHONPATH": str(prefix), "PYTHONWARNINGS": "ignore", "PATH": "", "HOME": "/"}
    command = [sys.executable, "-S", "-s", str(HERE / "driver.py"), json.dumps(setup)]
    with _started(command, environment, config, name) as sdk:
        yield sdk


@contextmanager
def node_sdk(target: Target, *, secure: bool = False) -> Iterator[Sdk]:
    """Start the Node SDKs."""
    prefix = node_prefix()
    setup = {
        "prefix": str(prefix),
        "id": target.key.id,
        "secret": target.key.secret,
        "endpoint": f"127.0.0.1:{target.https if secure else target.http}",
        "protocol": "https" if secure else "http",
    }
    environment = {"NODE_EXTRA_CA_CERTS": str(target.certificate), "HOME": "/"}
    command = ["node", str(HERE / "driver.cjs"), json.dumps(setup)]
    with _started(command, environment, setup, "node") as sdk:
        yield sdk


@contextmanager
def _started(
    command: list[str], environment: dict[str, str], config: dict[str, Any], name: str
) -> Iterator[Sdk]:
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={"PATH": os.environ["PATH"], **{k: v for k, v in environment.items() if v}},
    )
    try:
        yield Sdk(process, config, name)
    finally:
        assert process.stdin
        assert process.stdout
        process.stdin.close()
        process.wait(timeout=30)
        process.stdout.close()

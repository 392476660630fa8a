"""The template as it is written, and as CloudFormation sees it."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from imagesearch_local.intrinsics import Resolver, load_yaml

ROOT = Path(__file__).parents[2]
SAM = ROOT / ".venv-sam/bin"

Tree = dict[str, Any]


@pytest.fixture(scope="session")
def written() -> Tree:
    """``template.yaml`` with short forms spelled out."""
    document: Tree = load_yaml((ROOT / "template.yaml").read_text("utf-8"))
    return document


@pytest.fixture(scope="session")
def functions(written: Tree) -> dict[str, Tree]:
    """Every function's properties, by logical name."""
    return {
        name: body["Properties"]
        for name, body in written["Resources"].items()
        if body["Type"] == "AWS::Serverless::Function"
    }


@cache
def _translated(parameters: tuple[tuple[str, str], ...]) -> Tree:
    if not SAM.exists():
        pytest.skip("needs .venv-sam: run tools/sam/setup.sh")
    arguments = [f"{name}={value}" for name, value in parameters]
    done = subprocess.run(
        [SAM / "python", "-m", "tools.sam.translate", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    document: Tree = json.loads(done.stdout)
    return document


@pytest.fixture(scope="session")
def translated() -> Callable[..., Tree]:
    """Return the template after the SAM transform, given parameters; intrinsics are kept."""
    return lambda **parameters: _translated(tuple(sorted(parameters.items())))


@pytest.fixture(scope="session")
def deployed(translated: Callable[..., Tree]) -> Callable[..., Tree]:
    """Return the resources that a deployment with the parameters would have, all evaluated.

    A reference to a resource becomes its logical name, an attribute ``Name.Attribute``.
    """

    def deploy(**parameters: str) -> Tree:
        document = translated(**parameters)
        resolver = Resolver(
            document,
            parameters,
            name_of=lambda name: name,
            attribute_of=lambda name, attribute: f"{name}.{attribute}",
        )
        return {
            name: resolver.resolve({key: body[key] for key in body if key != "Condition"})
            for name, body in document["Resources"].items()
            if "Condition" not in body or resolver.holds(body["Condition"])
        }

    return deploy


@pytest.fixture(scope="session")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished `sam build`."""
    folder = tmp_path_factory.mktemp("build")
    done = subprocess.run(
        [SAM / "sam", "build", "--build-dir", folder, "--no-cached"],
        cwd=ROOT,
        env=os.environ | {"SAM_CLI_TELEMETRY": "0"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return folder


def of_type(resources: Tree, kind: str) -> dict[str, Tree]:
    """Return the properties of the resources of a type, by logical name."""
    return {
        name: body.get("Properties", {}) for name, body in resources.items() if body["Type"] == kind
    }

"""Upkeep from the command line, on the store of a running service."""

import json
import os
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from imagesearch.catalogue import OTHER, Instance, Picture, PictureKey, Region, Service
from imagesearch.index import Entry, Index, encode
from imagesearch.operations.deployment import Deployment
from imagesearch_local import cli
from imagesearch_local.direct import open_deployment
from imagesearch_local.folder import DataFolder

from tests.local.toy_service import TOY, Serve

pytestmark = pytest.mark.system

VARIABLES = (
    *("IMAGESEARCH_BUCKET", "IMAGESEARCH_CACHE", "AWS_ENDPOINT_URL_S3", "AWS_REGION"),
    *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"),
)
Call = Callable[..., tuple[int, Any]]


@pytest.fixture
def deployment(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> Deployment:
    for name in VARIABLES:  # set first, so that they are put back to what they were
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    return open_deployment(DataFolder(serve.data), TOY / "template.yaml")


@pytest.fixture
def index(deployment: Deployment, request: pytest.FixtureRequest) -> Index:
    """An instance named like the test, with three pictures in its log."""
    wanted = Instance.new(_name(request), Service.GENERIC, model="m", now=1)
    made = deployment.index(wanted)
    made.create()
    deployment.instances.add(wanted)
    for number in range(3):
        picture = Picture(PictureKey(f"p{number}", "n"), OTHER, Region(0, 9, 0, 9))
        vector = np.random.default_rng(number).standard_normal(512, np.float32)
        made.append([Entry(picture, encode(vector))], after=made.snapshot())
    return made


@pytest.fixture
def call(
    serve: Serve,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Call:
    """Calls a verb on the test's instance and returns status and JSON."""
    name = _name(request)
    place = ["--data", str(serve.data), "--template", str(TOY / "template.yaml"), "--json"]

    def run(verb: str, *words: str) -> tuple[int, Any]:
        monkeypatch.setattr(sys, "argv", ["imagesearch", verb, name, *place, *words])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return int(ended.value.code or 0), json.loads(capsys.readouterr().out)

    return run


def test_compact_folds_and_rollback_undoes(index: Index, call: Call) -> None:
    status, done = call("compact")
    assert (status, done["folded"]) == (0, 3)
    status, listed = call("generations")
    assert status == 0
    assert listed["generations"][0]["number"] == 1
    assert call("rollback", "--to", "1", "--yes")[0] == 0
    assert index.snapshot().pictures == 0
    status, problem = call("rollback", "--to", "99", "--yes")
    assert (status, problem["code"]) == (1, "GenerationNotFound")


def test_scrub_finds_damage(
    deployment: Deployment, index: Index, call: Call, request: pytest.FixtureRequest
) -> None:
    assert index.fold()
    status, found = call("scrub")
    assert (status, found["problems"]) == (0, [])
    assert found["objects"] > 0
    prefix = deployment.instances.get(_name(request)).prefix
    segment = next(deployment.store.list(f"{prefix}seg/")).key
    body = deployment.store.get(segment).body
    deployment.store.put(segment, body[:-9] + bytes([body[-9] ^ 1]) + body[-8:])
    status, found = call("scrub")
    assert status == 3
    damaged = {problem["key"].rpartition(".")[0] for problem in found["problems"]}
    assert damaged == {segment.rpartition(".")[0]}


def test_the_bucket_can_be_named_instead(
    deployment: Deployment, index: Index, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert deployment.settings.bucket == os.environ["IMAGESEARCH_BUCKET"]
    monkeypatch.setenv("IMAGESEARCH_BUCKET", "another-bucket")
    status, problem = call("compact")
    assert (status, problem["status"] >= 400) == (1, True)
    assert index.snapshot().log_length == 3


def _name(request: pytest.FixtureRequest) -> str:
    return str(request.node.name).removeprefix("test_")[:20]

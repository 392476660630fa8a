"""``imagesearch handover`` on a deployment in memory, with an engine in memory."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from imagesearch.catalogue import Service
from imagesearch.operations import handover as handing_over
from imagesearch.operations.add import AddPicture, add_picture
from imagesearch.operations.deployment import Deployment
from imagesearch.operations.instances import CreateInstance, create_instance
from imagesearch.settings import Settings
from imagesearch_local.cli import app
from imagesearch_local.commands import handing
from imagesearch_local.direct import open_deployment
from imagesearch_local.folder import DataFolder, Remembered
from imagesearch_local.template import find_template
from typer.testing import CliRunner

from tests.engines.exact import ExactEngine
from tests.operations.conftest import Reader
from tests.simulation.bucket import Bucket

ENGINE = "milvus:mine"
Call = Callable[..., tuple[int, dict[str, Any]]]


@cache
def _opened(name: str) -> ExactEngine:
    return ExactEngine(name)


@pytest.fixture
def engine(deployment: Deployment) -> ExactEngine:
    assert deployment
    return _opened(ENGINE)


@pytest.fixture
def deployment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Deployment:
    _opened.cache_clear()
    store, settings = Bucket(), Settings(bucket="b", cache=tmp_path)

    def opened(*_: object) -> Deployment:
        return Deployment(settings, store, vision=Reader, engines=_opened)

    made = opened()
    create_instance(made, CreateInstance(instance="shop", service=Service.GENERIC))
    for number in range(30):
        image = str(number).encode()
        request = AddPicture(instance="shop", product_id="p", pic_name=str(number), image=image)
        add_picture(made, request)
    assert made.index(made.instances.get("shop")).fold()
    monkeypatch.setattr(handing, "_open", opened)
    monkeypatch.setattr(handing_over, "_SETTLING", 0.0)
    return made


@pytest.fixture
def call(deployment: Deployment) -> Call:  # noqa: ARG001 - it is there
    def called(*arguments: str) -> tuple[int, dict[str, Any]]:
        done = CliRunner().invoke(app, ["handover", "shop", *arguments, "--json"])
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done.exit_code, json.loads(done.stdout)

    return called


def test_it_fills_compares_switches_goes_back_and_drops(call: Call, engine: ExactEngine) -> None:
    assert call("--status") == (0, {**call("--status")[1], "stage": "here", "engine": ""})
    status, filled = call("--to", ENGINE, "--compare", "20")
    assert (status, filled["stage"], filled["held"], filled["rows"]) == (0, "ready", 30, 30)
    assert (filled["overlap_at_10"], filled["same_first"], filled["different"]) == (1.0, 1.0, 0)
    assert (filled["live_searches"], filled["stored_pictures"]) == (0, 20)
    assert filled["distribution"] == {"1.0": 20}
    assert call("--switch")[1]["stage"] == "serving"
    assert call("--back")[1]["stage"] == "ready"
    status, dropped = call("--back", "--drop", "--yes")
    assert (status, dropped["stage"], dropped["erased"]) == (0, "here", [ENGINE])
    assert engine.rows is None


def test_it_does_not_switch_to_an_engine_that_answers_otherwise(
    call: Call, engine: ExactEngine
) -> None:
    call("--to", ENGINE, "--compare", "0")
    assert engine.rows
    for row in [*engine.rows.values()][::2]:
        engine.remove(row.segment, [row.picture.key])
    status, told = call("--switch", "--show", "3", "--compare", "25")
    assert (status, told["stage"]) == (3, "ready")
    assert 0 < told["overlap_at_10"] < 0.95
    assert len(told["differences"]) == 3
    assert told["differences"][0]["only_here"]
    assert call("--switch", "--at-least", "0")[1]["stage"] == "serving"


def test_what_does_not_go_together_is_refused(deployment: Deployment) -> None:
    assert deployment
    for options in (["--switch", "--back"], ["--to", ENGINE, "--drop"], ["--to", ENGINE, "--back"]):
        done = CliRunner().invoke(app, ["handover", "shop", *options])
        assert done.exit_code != 0
        assert "choose one" in str(done.exception) or "nowhere new" in str(done.exception)


def test_it_asks_before_it_drops(deployment: Deployment, engine: ExactEngine) -> None:
    work = handing_over.Handover(deployment, "shop")
    work.begin(ENGINE)
    work.fill()
    done = CliRunner().invoke(app, ["handover", "shop", "--drop"], input="n\n")
    assert done.exit_code == 1
    assert engine.rows
    assert work.standing().engine == ENGINE


def test_the_command_line_finds_the_engine_of_the_local_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = DataFolder(tmp_path)
    assert folder.engine == {}
    environment: dict[str, str] = {}
    with folder.held("http://127.0.0.1:1"):
        folder.remember(Remembered(storage_ports={"s3": 1}))
        folder.tell_engine({"IMAGESEARCH_ENGINE": "milvus", "IMAGESEARCH_PAGE": "enabled"})
        opened: list[dict[str, str]] = []
        monkeypatch.setattr(
            Deployment, "from_environment", staticmethod(lambda: opened.append(environment))
        )
        open_deployment(folder, find_template(), environment)
    assert environment["IMAGESEARCH_ENGINE"] == "milvus"
    assert "IMAGESEARCH_PAGE" not in environment

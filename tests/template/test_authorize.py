"""API keys: which may call what."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import re
from types import ModuleType

import pytest
from imagesearch.http import Request
from imagesearch.limits import Limits
from imagesearch.reach import Reach

from tests.template.conftest import ROOT, Tree

SEARCH = "POST /v1/instances/{instance}/search"
ADD = "POST /v1/instances/{instance}/pictures"
SHOW = "GET /v1/instances/{instance}"
ERASE = "DELETE /v1/instances/{instance}"


@pytest.fixture
def authorize(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The function, knowing a key for reading and one for writing."""
    keys = (("read", "r-key"), ("write", "w-key"))
    entries = [f"{scope}:{hashlib.sha256(key.encode()).hexdigest()}" for scope, key in keys]
    monkeypatch.setenv("IMAGESEARCH_API_KEYS", ",".join(entries))
    spec = importlib.util.spec_from_file_location("authorize", ROOT / "functions/authorize/app.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _ask(authorize: ModuleType, key: str | None, route: str) -> bool:
    event: Tree = json.loads((ROOT / "events/authorize.json").read_text("utf-8"))
    event["routeKey"] = route
    event["headers"] = {} if key is None else {"x-api-key": key}
    answer: dict[str, bool] = authorize.handler(event, None)
    return answer["isAuthorized"]


@pytest.mark.parametrize("route", [SEARCH, ADD, SHOW, ERASE])
def test_a_write_key_calls_everything(authorize: ModuleType, route: str) -> None:
    assert _ask(authorize, "w-key", route)


@pytest.mark.parametrize(
    ("route", "may"),
    [(SEARCH, True), (SHOW, True), ("POST /v1/uploads", True), (ADD, False), (ERASE, False)],
)
def test_a_read_key_changes_nothing(authorize: ModuleType, route: str, may: bool) -> None:
    assert _ask(authorize, "r-key", route) is may


@pytest.mark.parametrize("key", [None, "", "x", hashlib.sha256(b"w-key").hexdigest()])
def test_no_other_key_calls_anything(authorize: ModuleType, key: str | None) -> None:
    assert not _ask(authorize, key, SHOW)


def test_without_keys_nobody_calls(authorize: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMAGESEARCH_API_KEYS", "")
    assert not _ask(authorize, "", SHOW)
    assert not _ask(authorize, "w-key", SHOW)


def test_a_keys_limits_go_to_the_function(
    authorize: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = hashlib.sha256(b"l-key").hexdigest()
    monkeypatch.setenv("IMAGESEARCH_API_KEYS", f"read:{known}:searches=10:pictures=5")
    event: Tree = json.loads((ROOT / "events/authorize.json").read_text("utf-8"))
    event |= {"routeKey": SEARCH, "headers": {"x-api-key": "l-key"}}
    answer = authorize.handler(event, None)
    assert answer["context"] == {"key": known[:12], "searches": "10", "pictures": "5"}
    asked = {"requestContext": {"authorizer": {"lambda": answer["context"]}}, "routeKey": SEARCH}
    request = Request.from_event(asked)
    assert (request.key, request.limits) == (known[:12], Limits(searches=10, pictures=5))
    assert not _ask(authorize, "l-key", ADD)


def test_a_keys_instances_go_to_the_function(
    authorize: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = hashlib.sha256(b"i-key").hexdigest()
    entry = f"read:{known}:instance=shop:searches=10:instance=lab-*"
    monkeypatch.setenv("IMAGESEARCH_API_KEYS", entry)
    event: Tree = json.loads((ROOT / "events/authorize.json").read_text("utf-8"))
    event |= {"routeKey": SEARCH, "headers": {"x-api-key": "i-key"}}
    answer = authorize.handler(event, None)
    assert answer["context"] == {"key": known[:12], "searches": "10", "instances": "shop,lab-*"}
    asked = {"requestContext": {"authorizer": {"lambda": answer["context"]}}, "routeKey": SEARCH}
    request = Request.from_event(asked)
    assert (request.reach, request.limits) == (Reach(("shop", "lab-*")), Limits(searches=10))
    assert not _ask(authorize, "i-key", ADD)


@pytest.mark.parametrize(
    "limit",
    [":instances=shop", ":instance=", ":instance=Shop", ":instance=a b", ":shop", ":", ":searches"],
)
def test_an_entry_that_is_not_understood_lets_nobody_in(
    authorize: ModuleType, monkeypatch: pytest.MonkeyPatch, written: Tree, limit: str
) -> None:
    entry = f"write:{hashlib.sha256(b'm-key').hexdigest()}"
    taken = re.compile(written["Parameters"]["ApiKeys"]["AllowedPattern"])
    monkeypatch.setenv("IMAGESEARCH_API_KEYS", entry)
    assert _ask(authorize, "m-key", SHOW)
    assert taken.search(entry)
    good = hashlib.sha256(b"w-key").hexdigest()
    monkeypatch.setenv("IMAGESEARCH_API_KEYS", f"{entry}{limit},write:{good}")
    assert not _ask(authorize, "m-key", SHOW)
    assert _ask(authorize, "w-key", ADD)
    assert not taken.search(entry + limit)


def test_every_route_that_only_reads_is_one_of_the_template(
    authorize: ModuleType, functions: dict[str, Tree]
) -> None:
    routes = {
        f"{event['Properties']['Method']} {event['Properties']['Path']}"
        for function in functions.values()
        for event in function.get("Events", {}).values()
        if event["Type"] == "HttpApi"
    }
    assert routes >= authorize.READS

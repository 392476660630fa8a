"""Functions that share large instances: none unless asked for, and no door to anything else."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from imagesearch.index import Index, Policy, Query
from imagesearch.index.fanout import FanOut
from imagesearch.operations.deployment import Deployment
from imagesearch.settings import Settings

from tests.index.makers import entry, look
from tests.template.conftest import ROOT, Tree, of_type
from tests.template.policies import BUCKET, Guarded, Role, as_list

ASKING = {"SearchFunction": "SearchRole", "ContractFunction": "ContractRole"}


def _rankers(resources: Tree) -> list[str]:
    return [name for name in of_type(resources, "AWS::Lambda::Function") if "Rank" in name]


def _variables(resources: Tree, name: str) -> dict[str, str]:
    found: dict[str, str] = resources[name]["Properties"]["Environment"]["Variables"]
    return found


def test_there_are_none_unless_asked_for(deployed: Callable[..., Tree]) -> None:
    resources = deployed()
    assert not [name for name in resources if "Rank" in name]
    for asking in ASKING:
        assert _variables(resources, asking)["IMAGESEARCH_RANKERS"] == ""


@pytest.mark.parametrize("count", [2, 4])
def test_searches_know_them_and_may_invoke_them_and_nobody_else_may(
    deployed: Callable[..., Tree], count: int
) -> None:
    resources = deployed(Rankers=str(count), RankersRows="500")
    functions = [f"Rank{n}Function" for n in range(1, count + 1)]
    assert sorted(_rankers(resources)) == functions
    aliases = [f"{name}Aliaslive" for name in functions]
    for asking, role in ASKING.items():
        known = Settings.from_environment(_variables(resources, asking))
        assert known.rankers == tuple(aliases)
        assert known.rankers_rows == 500
        granted = Role.of(resources, role).granted()
        assert {r for a, r in granted if a == "lambda:InvokeFunction"} >= {*aliases}
    may = {
        name
        for name, body in resources.items()
        if body["Type"] in {"AWS::IAM::Role", "AWS::Lambda::Permission"}
        and "Rank1FunctionAlias" in json.dumps(body)
    }
    assert may == {*ASKING.values()}


def test_no_route_leads_to_them(deployed: Callable[..., Tree]) -> None:
    assert "Rank" not in json.dumps(deployed(Rankers="4")["Api"])


def test_they_log_and_alarm_together(deployed: Callable[..., Tree]) -> None:
    resources = deployed(Rankers="4")
    for name in _rankers(resources):
        assert resources[name]["Properties"]["LoggingConfig"]["LogGroup"] == "RankLogs"
    for metric in ("Errors", "Throttles"):
        metrics = resources[f"Rank{metric}"]["Properties"]["Metrics"]
        watched = {
            one["MetricStat"]["Metric"]["Dimensions"][0]["Value"]
            for one in metrics
            if "MetricStat" in one
        }
        names = {resources[name]["Properties"]["FunctionName"] for name in _rankers(resources)}
        assert watched == names


def test_they_cost_nothing_while_nobody_searches(deployed: Callable[..., Tree]) -> None:
    resources = deployed(Rankers="4", SnapStart="PublishedVersions")
    for name in _rankers(resources):
        properties = resources[name]["Properties"]
        assert properties.get("SnapStart", {}).get("ApplyOn", "None") == "None"
    assert "ProvisionedConcurrencyConfig" not in json.dumps(resources)


def test_every_function_has_the_storage_that_was_chosen(deployed: Callable[..., Tree]) -> None:
    for name, function in of_type(
        deployed(Storage="4096", Rankers="2"), "AWS::Lambda::Function"
    ).items():
        assert int(function["EphemeralStorage"]["Size"]) == 4096, name


def test_one_may_do_what_it_does_and_no_more(
    deployed: Callable[..., Tree], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    role = Role.of(deployed(Rankers="2"), "RankRole")
    assert {a for a, _ in role.granted() if a.startswith("s3:")} == {
        "s3:GetObject",
        "s3:ListBucket",
    }
    store = Guarded()
    index = Index(store, "index/shop/1/", model="m", policy=Policy(parallel=1))
    index.create()
    for part in range(2):
        index.append([entry(part, n, seed=n) for n in range(40)], after=index.snapshot())
        index.fold()
    snapshot = index.snapshot()
    expected = snapshot.search(Query(features=look(3)))
    worker = _handler(store, tmp_path, monkeypatch)

    def ask(_worker: int, event: bytes) -> bytes:
        store.role = role
        answer = json.dumps(worker(json.loads(event), None)).encode()
        store.role = None
        return answer

    ranking = FanOut(prefix="index/shop/1/", ask=ask, workers=2, rows=1, policy=index.policy)
    assert snapshot.search(Query(features=look(3)), ranking=ranking) == expected
    assert store.refused == []
    assert not role.allows("s3:GetObject", f"{BUCKET}/instances/shop")
    for _, resource in {(a, r) for a, r in role.granted() if a.startswith("s3:")}:
        assert [part for part in as_list(resource) if "index/*" in part]


def _handler(
    store: Guarded, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Tree, None], Any]:
    settings = Settings(bucket="b", cache=cache)
    opened = staticmethod(lambda: Deployment(settings, store))
    monkeypatch.setattr(Deployment, "from_environment", opened)
    place = ROOT / "functions/rank/app.py"
    spec = importlib.util.spec_from_file_location("functions_rank", place)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    handler: Callable[[Tree, None], Any] = module.handler
    return handler

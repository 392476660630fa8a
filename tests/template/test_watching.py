"""Dashboard, queries and alarms show metrics and fields that the code really writes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from imagesearch.observe import measure

from tests.template.conftest import ROOT, Tree, of_type

SOURCES = "\n".join(
    path.read_text("utf-8") for path in (ROOT / "layers/imagesearch/imagesearch").rglob("*.py")
)
STAGES = {"DecodeMs", "SubjectMs", "EmbedMs", "SearchMs", "TotalMs"}


def _own_metrics(resources: Tree) -> Iterator[str]:
    for alarm in of_type(resources, "AWS::CloudWatch::Alarm").values():
        if alarm["Namespace"] == "ImageSearch":
            yield alarm["MetricName"]
    namespace = ""
    for widget in _widgets(resources):
        for metric in widget["properties"].get("metrics", []):
            namespace = metric[0] if metric[0] not in {".", "..."} else namespace
            if namespace == "ImageSearch":
                yield metric[1]


def _widgets(resources: Tree) -> list[Tree]:
    body = resources["Dashboard"]["Properties"]["DashboardBody"]
    found: list[Tree] = json.loads(body)["widgets"]
    return found


def test_every_metric_shown_is_one_that_is_written(deployed: Callable[..., Tree]) -> None:
    for name in _own_metrics(deployed()):
        assert name in STAGES or f'"{name}"' in SOURCES, name


def test_stages_are_written_under_the_names_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "ImageSearch")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "stack")
    stages = dict.fromkeys(("decode", "subject", "embed", "search", "total"), 1.0)
    measure("shop", {"Searches": 1}, stages)
    written: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert written.keys() >= STAGES
    (directive,) = written["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "ImageSearch"
    assert ["service"] in [sorted(dimensions) for dimensions in directive["Dimensions"]]
    assert ["instance", "service"] in [sorted(found) for found in directive["Dimensions"]]


def test_functions_are_told_where_their_metrics_go(written: Tree) -> None:
    variables = written["Globals"]["Function"]["Environment"]["Variables"]
    assert variables["POWERTOOLS_METRICS_NAMESPACE"] == "ImageSearch"
    assert variables["POWERTOOLS_SERVICE_NAME"] == {"Ref": "AWS::StackName"}


def test_widgets_do_not_overlap(deployed: Callable[..., Tree]) -> None:
    taken: set[tuple[int, int]] = set()
    for widget in _widgets(deployed()):
        cells = {
            (x, y)
            for x in range(widget["x"], widget["x"] + widget["width"])
            for y in range(widget["y"], widget["y"] + widget["height"])
        }
        assert not cells & taken
        assert widget["x"] + widget["width"] <= 24
        taken |= cells


def test_queries_ask_for_messages_that_are_logged(deployed: Callable[..., Tree]) -> None:
    for name, query in of_type(deployed(), "AWS::Logs::QueryDefinition").items():
        for message in re.findall(r"message (?:= |in \[)'([^]]+?)'(?:\]|\n)", query["QueryString"]):
            for one in message.split("', '"):
                assert f'"{one}"' in SOURCES, (name, one)

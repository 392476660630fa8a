"""Metrics reach CloudWatch by the log, for the deployment and for each instance."""

import json

import pytest
from imagesearch.observe import measure


def test_metrics_have_both_dimension_sets(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "ImageSearch")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "stack")
    measure("shop", {"Searches": 1}, {"embed": 14.5})
    measure("other", {"Adds": 1})
    first, second = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    (described,) = first["_aws"]["CloudWatchMetrics"]
    assert described["Namespace"] == "ImageSearch"
    assert described["Dimensions"] == [["service"], ["service", "instance"]]
    assert (first["service"], first["instance"]) == ("stack", "shop")
    assert (first["Searches"], first["EmbedMs"]) == ([1.0], [14.5])
    assert second["instance"] == "other"
    assert "Searches" not in second


def test_nothing_is_emitted_without_a_namespace(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("POWERTOOLS_METRICS_NAMESPACE", raising=False)
    measure("shop", {"Searches": 1})
    assert capsys.readouterr().out == ""

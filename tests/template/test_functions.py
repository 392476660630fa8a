"""Every function is watched, logged, limited, and rolled out with care."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.template.conftest import ROOT, Tree, of_type


def _lambdas(resources: Tree) -> dict[str, Tree]:
    return of_type(resources, "AWS::Lambda::Function")


def _alarms(resources: Tree, metric: str) -> dict[str, Tree]:
    """Return the alarms on a Lambda metric by the function they watch."""
    return {
        alarm["Dimensions"][0]["Value"]: alarm
        for alarm in of_type(resources, "AWS::CloudWatch::Alarm").values()
        if alarm["Namespace"] == "AWS/Lambda" and alarm["MetricName"] == metric
    }


def test_every_function_writes_json_to_a_log_that_is_kept_for_a_while(
    deployed: Callable[..., Tree],
) -> None:
    resources = deployed(LogRetentionDays="90")
    logs = of_type(resources, "AWS::Logs::LogGroup")
    for name, function in _lambdas(resources).items():
        logging = function["LoggingConfig"]
        assert logging["LogFormat"] == "JSON", name
        group = logs[logging["LogGroup"]]
        assert group["LogGroupName"] == f"/aws/lambda/{function['FunctionName']}"
        assert int(group["RetentionInDays"]) == 90


@pytest.mark.parametrize("metric", ["Errors", "Throttles"])
def test_every_function_has_alarms(deployed: Callable[..., Tree], metric: str) -> None:
    resources = deployed()
    assert _alarms(resources, metric).keys() == _lambdas(resources).keys()


def test_slowness_of_what_people_wait_for_is_noticed(deployed: Callable[..., Tree]) -> None:
    slow = _alarms(deployed(), "Duration")
    assert slow.keys() == {"SearchFunction", "AddFunction"}
    assert {alarm["ExtendedStatistic"] for alarm in slow.values()} == {"p99"}


@pytest.mark.parametrize(
    ("parameters", "actions"),
    [
        ({}, []),
        ({"AlarmEmail": "ops@example.com"}, ["AlarmTopic"]),
        ({"AlarmTopicArn": "arn:aws:sns:eu-west-1:1:t"}, ["arn:aws:sns:eu-west-1:1:t"]),
    ],
)
def test_alarms_reach_who_was_named(
    deployed: Callable[..., Tree], parameters: dict[str, str], actions: list[str]
) -> None:
    resources = deployed(**parameters)
    for name, alarm in of_type(resources, "AWS::CloudWatch::Alarm").items():
        assert alarm["AlarmActions"] == actions, name
    assert ("AlarmTopic" in resources) == (actions == ["AlarmTopic"])


def test_every_alarm_says_where_to_read_on(written: Tree) -> None:
    runbook = (ROOT / "docs/operations.md").read_text("utf-8")
    for name, alarm in of_type(written["Resources"], "AWS::CloudWatch::Alarm").items():
        _, _, anchor = alarm["AlarmDescription"].rpartition("docs/operations.md#")
        heading = anchor.replace("-", " ").capitalize()
        assert f"### {heading}\n" in runbook, name


def test_functions_behind_the_api_end_before_it_gives_up(functions: dict[str, Tree]) -> None:
    for name, function in functions.items():
        kinds = {event["Type"] for event in function.get("Events", {}).values()}
        if "HttpApi" in kinds:
            assert function.get("Timeout", 29) < 30, name


def test_work_that_nobody_waits_for_is_kept_when_it_fails(
    deployed: Callable[..., Tree], functions: dict[str, Tree]
) -> None:
    """The functions that a schedule, the bucket, or another function starts."""
    resources = deployed()
    configured = {
        config["FunctionName"]: config["DestinationConfig"]["OnFailure"]["Destination"]
        for config in of_type(resources, "AWS::Lambda::EventInvokeConfig").values()
    }
    unwatched = {
        name
        for name, function in functions.items()
        if {e["Type"] for e in function.get("Events", {}).values()} & {"S3", "ScheduleV2"}
    }
    assert configured == dict.fromkeys({"CompactFunction", *unwatched}, "FailedEvents.Arn")
    for name, schedule in of_type(resources, "AWS::Scheduler::Schedule").items():
        assert schedule["Target"]["DeadLetterConfig"]["Arn"] == "FailedEvents.Arn", name


def test_new_versions_prove_themselves_before_they_get_traffic(
    deployed: Callable[..., Tree], functions: dict[str, Tree]
) -> None:
    resources = deployed(Rollout="Canary10Percent5Minutes")
    behind_api = {
        name
        for name, function in functions.items()
        if "HttpApi" in {event["Type"] for event in function.get("Events", {}).values()}
    }
    aliases = {
        body["Properties"]["FunctionName"]: body.get("UpdatePolicy", {})
        for body in resources.values()
        if body["Type"] == "AWS::Lambda::Alias"
    }
    for name in behind_api:
        update = aliases[name]["CodeDeployLambdaAliasUpdate"]
        assert update["BeforeAllowTrafficHook"] == "VerifyFunction", name
        group = resources[update["DeploymentGroupName"]]["Properties"]
        assert group["DeploymentConfigName"].endswith("LambdaCanary10Percent5Minutes")
        assert group["AlarmConfiguration"]["Alarms"] == [
            {"Name": name.replace("Function", "Errors")}
        ]


def test_a_change_in_a_layer_alone_makes_new_versions(functions: dict[str, Tree]) -> None:
    for name, function in functions.items():
        assert function["AutoPublishAliasAllProperties"] is True, name


@pytest.mark.parametrize(
    ("parameter", "name"),
    [
        ("SearchConcurrency", "SearchFunction"),
        ("WriteConcurrency", "AddFunction"),
        ("CompactConcurrency", "CompactFunction"),
    ],
)
def test_concurrency_is_reserved_only_when_asked(
    deployed: Callable[..., Tree], parameter: str, name: str
) -> None:
    assert "ReservedConcurrentExecutions" not in deployed()[name]["Properties"]
    limited = deployed(**{parameter: "7"})[name]["Properties"]
    assert int(limited["ReservedConcurrentExecutions"]) == 7


def test_nothing_is_charged_for_while_nobody_calls(deployed: Callable[..., Tree]) -> None:
    """Neither snapshots nor provisioned concurrency, unless they were chosen."""
    for name, function in _lambdas(deployed()).items():
        assert function.get("SnapStart", {}).get("ApplyOn", "None") == "None", name
    snapped = _lambdas(deployed(SnapStart="PublishedVersions"))
    assert {n for n, f in snapped.items() if f.get("SnapStart", {}).get("ApplyOn") != "None"} >= {
        "SearchFunction",
        "AddFunction",
    }

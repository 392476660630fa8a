"""What an owner may choose: grouped, labelled, described, checked before anything is deployed."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import pytest

from tests.template.conftest import ROOT, Tree

SETTINGS: dict[str, Any] = tomllib.loads((ROOT / "samconfig.toml").read_text("utf-8"))


def _fits(parameter: Tree, value: str) -> bool:
    allowed = parameter.get("AllowedValues")
    pattern = parameter.get("AllowedPattern")
    if parameter["Type"] == "Number":
        low, high = parameter.get("MinValue", 0), parameter.get("MaxValue", 10**9)
        if not low <= float(value) <= high:
            return False
    return (not allowed or value in map(str, allowed)) and (
        not pattern or re.search(pattern, value) is not None
    )


def test_every_parameter_is_in_one_group_and_has_a_label(written: Tree) -> None:
    interface = written["Metadata"]["AWS::CloudFormation::Interface"]
    grouped = [name for group in interface["ParameterGroups"] for name in group["Parameters"]]
    assert sorted(grouped) == sorted(written["Parameters"])
    assert sorted(interface["ParameterLabels"]) == sorted(written["Parameters"])


def test_every_parameter_is_described_and_bounded(written: Tree) -> None:
    for name, parameter in written["Parameters"].items():
        assert parameter["Description"].endswith("."), name
        bounds = {"AllowedValues", "AllowedPattern", "MinValue"} & parameter.keys()
        assert bounds or parameter["Type"] == "CommaDelimitedList", name


def test_every_default_is_allowed(written: Tree) -> None:
    for name, parameter in written["Parameters"].items():
        assert _fits(parameter, str(parameter["Default"])), name


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("ApiKeys", "read:" + "a" * 64, "read:" + "A" * 64),
        ("ApiKeys", f"read:{'0' * 64}:searches=10:adds=5", f"read:{'0' * 64}:searches=0"),
        (
            "ApiKeys",
            f"write:{'0' * 64}:instance=shop:adds=5:instance=lab-*,read:{'1' * 64}",
            f"write:{'0' * 64}:instance=shop+lab",
        ),
        ("ApiKeys", f"read:{'0' * 64},write:{'1' * 64}", "admin:" + "0" * 64),
        (
            "KmsKeyArn",
            "arn:aws:kms:eu-west-1:123456789012:key/0d1e2f3a-0b1c-4d5e-8f90-a1b2c3d4e5f6",
            "arn:aws:kms:eu-west-1:123456789012:alias/mine",
        ),
        ("AlarmEmail", "ops@example.com", "ops at example.com"),
        ("AlarmTopicArn", "arn:aws:sns:eu-west-1:123456789012:alarms", "alarms"),
    ],
)
def test_patterns_tell_good_values_from_bad(written: Tree, name: str, good: str, bad: str) -> None:
    parameter = written["Parameters"][name]
    assert _fits(parameter, good)
    assert not _fits(parameter, bad)


@pytest.mark.parametrize("stage", ["default", "prod"])
def test_settings_give_only_values_that_the_template_takes(written: Tree, stage: str) -> None:
    for override in SETTINGS[stage]["deploy"]["parameters"]["parameter_overrides"]:
        name, _, value = override.partition("=")
        assert _fits(written["Parameters"][name], value), override


def test_production_asks_before_it_changes_and_shifts_traffic_slowly() -> None:
    deploy = SETTINGS["prod"]["deploy"]["parameters"]
    assert deploy["confirm_changeset"] is True
    assert "Rollout=Canary10Percent5Minutes" in deploy["parameter_overrides"]


def test_no_setting_opens_the_api_to_everybody() -> None:
    for stage in ("default", "prod"):
        overrides = SETTINGS[stage]["deploy"]["parameters"]["parameter_overrides"]
        assert "Authorization=iam" in overrides

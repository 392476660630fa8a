"""Circles and dangling names, which `sam validate --lint` does not find."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from graphlib import TopologicalSorter
from typing import Any

from tests.template.conftest import Tree


def _names(value: Any) -> Iterator[str]:
    """Yield what a part of a template refers to."""
    if isinstance(value, list):
        for item in value:
            yield from _names(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key == "Ref":
                yield item
            elif key == "Fn::GetAtt":
                yield (item if isinstance(item, str) else item[0]).partition(".")[0]
            elif key == "DependsOn":
                yield from [item] if isinstance(item, str) else item
            elif key == "Fn::Sub":
                text, own = (item, {}) if isinstance(item, str) else item
                found = re.findall(r"\$\{([A-Za-z0-9:.]+)\}", text)
                yield from (name.partition(".")[0] for name in found if name not in own)
                yield from _names(own)
            else:
                yield from _names(item)


def test_resources_can_be_made_in_some_order(translated: Callable[..., Tree]) -> None:
    resources = translated()["Resources"]
    needs = {
        name: {other for other in _names(body) if other in resources}
        for name, body in resources.items()
    }
    assert len(list(TopologicalSorter(needs).static_order())) == len(resources)


def test_everything_referred_to_exists(translated: Callable[..., Tree]) -> None:
    document = translated()
    known = document["Resources"].keys() | document["Parameters"].keys()
    for part in ("Resources", "Outputs"):
        for name, body in document[part].items():
            missing = {n for n in _names(body) if not n.startswith("AWS::")} - known
            assert not missing, f"{name} refers to {missing}"


def test_names_differ_between_stacks_of_one_account(translated: Callable[..., Tree]) -> None:
    """Every resource with a name of its own has the stack's in it."""
    for name, body in translated()["Resources"].items():
        properties = body.get("Properties", {})
        kind = body["Type"].rpartition("::")[2]
        for key in ("Name", f"{kind}Name", "LogGroupName"):
            given = properties.get(key)
            if given is not None and kind not in {"Alias", "Stage"}:
                assert "AWS::StackName" in str(given), f"{name}.{key} is {given}"

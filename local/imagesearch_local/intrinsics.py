"""CloudFormation's short forms and intrinsic functions, as far as one machine can evaluate them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import yaml

from imagesearch_local.problems import TemplateFailure

__all__ = ["ACCOUNT", "REGION", "STACK", "Resolver", "Tree", "load_yaml"]

ACCOUNT = "000000000000"
REGION = "us-east-1"
STACK = "imagesearch-local"

Tree: TypeAlias = Any
"""A value somewhere in a template: text, number, list or mapping, known only once it is read."""

_NO_VALUE = object()
_PSEUDO: Mapping[str, Any] = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Region": REGION,
    "AWS::StackName": STACK,
    "AWS::StackId": f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{STACK}/local",
    "AWS::Partition": "aws",
    "AWS::URLSuffix": "amazonaws.com",
    "AWS::NotificationARNs": [],
    "AWS::NoValue": _NO_VALUE,
}


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's ``!Name`` tags turned into ``{"Fn::Name": …}``."""


def _short_form(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    value: Tree
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)  # type: ignore[arg-type]
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _short_form)


def load_yaml(text: str) -> Tree:
    """Parse a template; raise :class:`TemplateFailure` where it is not YAML."""
    try:
        return yaml.load(text, _Loader)
    except yaml.YAMLError as error:
        raise TemplateFailure(f"the template is not YAML: {error}") from None


class Resolver:
    """Evaluates intrinsic functions of one template.

    ``name_of`` gives what ``Ref`` of a resource stands for, ``attribute_of`` what ``GetAtt`` does.
    """

    def __init__(
        self,
        template: Mapping[str, Any],
        parameters: Mapping[str, str],
        *,
        name_of: Callable[[str], Any],
        attribute_of: Callable[[str, str], Any],
    ) -> None:
        self._parameters = self._values(template.get("Parameters") or {}, parameters)
        self._conditions = template.get("Conditions") or {}
        self._mappings = template.get("Mappings") or {}
        self._name_of = name_of
        self._attribute_of = attribute_of

    @staticmethod
    def _values(declared: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, Any]:
        unknown = given.keys() - declared.keys()
        if unknown:
            raise TemplateFailure(f"the template has no parameter {', '.join(sorted(unknown))}.")
        return {
            name: _typed(body, given[name] if name in given else body["Default"])
            for name, body in declared.items()
            if name in given or "Default" in body
        }

    def resolve(self, value: Tree) -> Tree:
        """Return ``value`` with every intrinsic function in it evaluated."""
        if isinstance(value, list):
            found = [self.resolve(item) for item in value]
            return [item for item in found if item is not _NO_VALUE]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            [(name, argument)] = value.items()
            if name in {"Ref", "Condition"} or str(name).startswith("Fn::"):
                return self._call(str(name), argument)
        pairs = ((key, self.resolve(item)) for key, item in value.items())
        return {key: item for key, item in pairs if item is not _NO_VALUE}

    def holds(self, condition: str) -> bool:
        """Evaluate a named condition."""
        if condition not in self._conditions:
            raise TemplateFailure(f"the template has no condition {condition}.")
        return bool(self.resolve(self._conditions[condition]))

    def _call(self, name: str, argument: Tree) -> Tree:
        match name:
            case "Ref":
                return self._reference(argument)
            case "Condition":
                return self.holds(argument)
            case "Fn::GetAtt":
                resource, attribute = argument
                return self._attribute_of(resource, attribute)
            case "Fn::Sub":
                return self._substitute(argument)
            case "Fn::If":
                condition, yes, no = argument
                return self.resolve(yes if self.holds(condition) else no)
        return self._compute(name, self.resolve(argument))

    def _compute(self, name: str, argument: Tree) -> Tree:
        match name, argument:
            case "Fn::Equals", [first, second]:
                return str(first) == str(second)
            case "Fn::Not", [condition]:
                return not condition
            case "Fn::And", [*conditions]:
                return all(conditions)
            case "Fn::Or", [*conditions]:
                return any(conditions)
            case "Fn::Join", [glue, parts]:
                return str(glue).join(map(str, parts))
            case "Fn::Split", [separator, text]:
                return str(text).split(separator)
            case "Fn::Select", [index, items]:
                return items[int(index)]
            case "Fn::FindInMap", [table, row, column]:
                return self._mappings[table][row][column]
        raise TemplateFailure(f"{name} with {argument!r} cannot be evaluated on one machine.")

    def _reference(self, name: str) -> Tree:
        if name in _PSEUDO:
            return _PSEUDO[name]
        if name in self._parameters:
            return self._parameters[name]
        return self._name_of(name)

    def _substitute(self, argument: Tree) -> str:
        text, own = argument if isinstance(argument, list) else (argument, {})

        def value(found: re.Match[str]) -> str:
            name = found[1].strip()
            if name.startswith("!"):
                return f"${{{name[1:]}}}"
            if name in own:
                return str(self.resolve(own[name]))
            resource, dot, attribute = name.partition(".")
            return str(self._attribute_of(resource, attribute) if dot else self._reference(name))

        return re.sub(r"\$\{([^}]+)\}", value, text)


def _typed(parameter: Mapping[str, Any], value: Tree) -> Tree:
    """Return a parameter's value: lists are written with commas, the rest stands as it is."""
    kind = str(parameter.get("Type"))
    if kind == "CommaDelimitedList" or kind.startswith("List<"):
        return [part.strip() for part in str(value).split(",")]
    return value

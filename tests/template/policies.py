"""What a role may do, asked the way S3 would ask."""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from tests.stores import MemoryStore
from tests.template.conftest import Tree

BUCKET = "arn:aws:s3:::imagesearch-local-000000000000-us-east-1"

ACTIONS = {
    "get": "s3:GetObject",
    "get_if_changed": "s3:GetObject",
    "get_range": "s3:GetObject",
    "head": "s3:GetObject",
    "put": "s3:PutObject",
    "put_if_absent": "s3:PutObject",
    "compare_and_swap": "s3:PutObject",
    "list": "s3:ListBucket",
    "delete": "s3:DeleteObject",
}
"""What S3 demands for each method of an object store."""


@dataclass
class Role:
    """A role's statements, each of which may be found used."""

    statements: list[Tree]
    used: set[tuple[str, str]] = field(default_factory=set)

    @classmethod
    def of(cls, deployed: Tree, name: str) -> Role:
        policies = deployed[name]["Properties"]["Policies"]
        return cls([s for p in policies for s in p["PolicyDocument"]["Statement"]])

    def granted(self) -> set[tuple[str, str]]:
        """Return every action with every resource, and a listing with every prefix."""
        return {
            (action, resource)
            for statement in self.statements
            for action in as_list(statement["Action"])
            for resource in _reach(statement)
        }

    def allows(self, action: str, wanted: str) -> bool:
        """Tell whether the action is allowed on the resource (or listing prefix) ``wanted``."""
        for granted, resource in self.granted():
            if granted == action and fnmatchcase(wanted, resource):
                self.used.add((granted, resource))
                return True
        return False


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _reach(statement: Tree) -> list[str]:
    condition = statement.get("Condition", {}).get("StringLikeIfExists", {})
    return [*condition.get("s3:prefix", []), *([] if condition else as_list(statement["Resource"]))]


class Guarded(MemoryStore):
    """A bucket in memory that asks a role before everything it does."""

    def __init__(self) -> None:
        super().__init__()
        self.role: Role | None = None
        self.refused: list[str] = []
        self.before = self._ask

    def presign_put(self, key: str, *, content_type: str, size: int, seconds: int) -> str:
        self._ask("put", key)
        return super().presign_put(key, content_type=content_type, size=size, seconds=seconds)

    def presign_get(self, key: str, *, seconds: int) -> str:
        self._ask("get", key)
        return super().presign_get(key, seconds=seconds)

    def _ask(self, verb: str, key: str) -> None:
        if self.role is None:
            return
        action = ACTIONS[verb]
        wanted = key if verb == "list" else f"{BUCKET}/{key}"
        if not self.role.allows(action, wanted):
            self.refused.append(f"{action} on {key}")

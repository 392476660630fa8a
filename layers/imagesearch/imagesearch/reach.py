"""For which instances a key may be used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from imagesearch.errors import ForeignInstance

__all__ = ["EVERYWHERE", "Reach"]


@dataclass(frozen=True, slots=True)
class Reach:
    """Names of instances, or patterns such as ``shop-*``; without any, none is reached."""

    patterns: tuple[str, ...] = ("*",)

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Reach:
        """Read what an authorizer says with a request: ``instances``, joined by commas.

        A key of which it says nothing of the kind reaches every instance.
        """
        names = given.get("instances")
        return EVERYWHERE if names is None else cls(tuple(filter(None, str(names).split(","))))

    @property
    def everywhere(self) -> bool:
        """Tell whether no instance is left out."""
        return "*" in self.patterns

    def includes(self, instance: str) -> bool:
        """Tell whether the instance is reached."""
        return any(fnmatchcase(instance, pattern) for pattern in self.patterns)

    def check(self, instance: str) -> None:
        """Raise :class:`ForeignInstance` for an instance that is not reached, there or not."""
        if not self.includes(instance):
            raise ForeignInstance(
                f"the key may be used for {self._named()}, not for instance {instance[:40]!r}.",
                field="instance",
            )

    def check_shared(self, route: str, *, shared: bool) -> None:
        """Raise :class:`ForeignInstance` for a route of all instances, unless it is ``shared``."""
        if not (shared or self.everywhere):
            raise ForeignInstance(
                f"the key may be used for {self._named()}; {route} is about every instance.",
                fix="Use a key that is not limited to instances.",
            )

    def _named(self) -> str:
        return ", ".join(self.patterns[:5]) + (", …" if len(self.patterns) > 5 else "") or "nothing"


EVERYWHERE = Reach()

"""Remove what erased instances have left behind."""

from __future__ import annotations

from imagesearch.errors import NoSuchObject
from imagesearch.operations.deployment import Deployment

__all__ = ["collect_leftovers"]

_INDEXES = "index/"
_DAY = 86_400 * 1_000_000
_LAST = "~"
"""Sorts behind the name of every object of an index."""


def collect_leftovers(deployment: Deployment) -> int:
    """Delete the objects of indexes that no instance has; return how many.

    A request that arrives after its instance was erased leaves an object, and a creation that is
    interrupted an index. Only what is a day old by the store's clock goes: an index is made
    before its instance is registered.
    """
    living = {instance.name: instance for instance in deployment.instances}
    now = 0
    for instance in living.values():
        try:  # upkeep writes this object, so it is from just before
            now = max(now, deployment.store.head(f"{instance.prefix}PULSE").modified)
        except NoSuchObject:
            continue
    deleted, after = 0, ""
    while first := next(iter(deployment.store.list(_INDEXES, after=after)), None):
        name, _, rest = first.key.removeprefix(_INDEXES).partition("/")
        folder, _, _ = rest.partition("/")
        prefix = f"{_INDEXES}{name}/{folder}/"
        after = f"{prefix}{_LAST}"
        if name not in living or not folder.startswith(living[name].incarnation):
            found = deployment.store.list(prefix)
            stray = [info.key for info in found if now - info.modified >= _DAY]
            deployment.store.delete(stray)
            deleted += len(stray)
    return deleted

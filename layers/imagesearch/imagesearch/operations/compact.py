"""Keep indexes in shape: fold their logs, merge their segments, collect their garbage."""

from __future__ import annotations

import secrets
import time

from imagesearch.catalogue import Instance
from imagesearch.errors import UnknownInstance
from imagesearch.index import Maintained
from imagesearch.observe import logger, measure
from imagesearch.operations.canary import sing
from imagesearch.operations.deployment import Deployment
from imagesearch.operations.thumbnails import collect_thumbnails

__all__ = ["compact", "compact_all"]


def compact(deployment: Deployment, name: str) -> Maintained:
    """Do for one instance whatever is due."""
    deployment.instances.doubt(name)
    return _maintain(deployment, deployment.instances.get(name))


def compact_all(deployment: Deployment) -> dict[str, Maintained]:
    """Do for every instance whatever is due, and sing; returns what was done, by name.

    Thumbnails that no picture uses any more are looked for here only, since that reads them all.
    One that fails does not keep the others from theirs: it is left out, and raised at the end.
    """
    done: dict[str, Maintained] = {}
    failed: list[Exception] = []
    for instance in deployment.instances:
        try:
            done[instance.name] = _maintain(deployment, instance)
            collect_thumbnails(deployment, instance, now=time.time_ns() // 1000)
            snapshot = deployment.index(instance).snapshot()
            sing(instance.name, snapshot, seed=secrets.randbits(32))
        except UnknownInstance:
            continue  # erased while we were at the others
        except Exception as error:
            logger().exception("not compacted", extra={"instance": instance.name})
            failed.append(error)
    if failed:
        raise failed[0]
    return done


def _maintain(deployment: Deployment, instance: Instance) -> Maintained:
    done = deployment.index(instance).maintain()
    counts = {"Folded": done.folded, "Merged": done.merged, "Collected": done.collected}
    measure(instance.name, counts)
    return done

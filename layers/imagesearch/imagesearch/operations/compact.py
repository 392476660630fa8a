"""Keep indexes in shape: fold their logs."""

from __future__ import annotations

from imagesearch.errors import UnknownInstance
from imagesearch.observe import logger
from imagesearch.operations.deployment import Deployment

__all__ = ["compact", "compact_all"]


def compact(deployment: Deployment, name: str) -> bool:
    """Fold the log of one instance; false if there was nothing to do."""
    return deployment.index(deployment.instances.get(name)).fold()


def compact_all(deployment: Deployment) -> dict[str, bool]:
    """Fold the log of every instance; one that fails does not keep the others from theirs."""
    done = {}
    for instance in deployment.instances:
        try:
            done[instance.name] = deployment.index(instance).fold()
        except UnknownInstance:
            continue  # erased while we were at the others
        except Exception:
            logger().exception("not folded", extra={"instance": instance.name})
            done[instance.name] = False
    return done

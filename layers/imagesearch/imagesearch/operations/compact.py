"""Keep indexes in shape: fold their logs, merge their segments, collect their garbage."""

from __future__ import annotations

import secrets
import time
from functools import partial

from imagesearch.catalogue import Instance
from imagesearch.errors import ModelMismatch, StorageUnavailable, UnknownInstance
from imagesearch.index import Maintained
from imagesearch.observe import logger, measure
from imagesearch.operations.canary import sing
from imagesearch.operations.deployment import Deployment
from imagesearch.operations.handover import Handover
from imagesearch.operations.leftovers import collect_leftovers
from imagesearch.operations.meanings import give_meanings
from imagesearch.operations.thumbnails import collect_thumbnails

__all__ = ["compact", "compact_all"]


_MEANING_SECONDS = 300.0
"""How long pictures without a meaning are given one, in one round over all instances."""
_WATCHED, _WATCH_SECONDS = 50, 30.0
"""Searches by which an engine elsewhere is compared every day, and the time for them."""
_WATCHED_ROWS = 1_000_000
"""Most pictures of an instance that is compared every day."""


def compact(deployment: Deployment, name: str) -> Maintained:
    """Do for one instance whatever is due."""
    deployment.instances.doubt(name)
    return _maintain(deployment, deployment.instances.get(name))


def compact_all(deployment: Deployment) -> dict[str, Maintained]:
    """Do for every instance whatever is due, and sing; returns what was done, by name.

    Pictures that lack a meaning are given one while there is time. Thumbnails that no picture
    uses any more are looked for here only, since that reads them all. What erased instances have
    left goes. One instance that fails does not keep the others from theirs: it is left out, and
    raised at the end.
    """
    until = time.monotonic() + _MEANING_SECONDS
    done: dict[str, Maintained] = {}
    failed: list[Exception] = []
    for instance in deployment.instances:
        try:
            done[instance.name] = _maintain(deployment, instance)
            collect_thumbnails(deployment, instance, now=time.time_ns() // 1000)
            _sing(deployment, instance)
            _watch(deployment, instance)
            given = give_meanings(deployment, instance, has_time=lambda: time.monotonic() < until)
            measure(instance.name, {"MeaningsGiven": given.given})
        except UnknownInstance:
            continue  # erased while we were at the others
        except Exception as error:
            logger().exception("not compacted", extra={"instance": instance.name})
            failed.append(error)
    collect_leftovers(deployment)
    if failed:
        raise failed[0]
    return done


def _maintain(deployment: Deployment, instance: Instance) -> Maintained:
    done = deployment.index(instance).maintain()
    counts = {"Folded": done.folded, "Merged": done.merged, "Collected": done.collected}
    measure(instance.name, counts)
    return done


def _watch(deployment: Deployment, instance: Instance) -> None:
    """Emit how much of an instance the engine elsewhere holds, and how far it agrees with us.

    Larger instances are not compared: to rank all of one here is what it was handed over to avoid.
    """
    handover = Handover(deployment, instance.name)
    standing = handover.standing()
    if not standing.engine:
        return
    measure(instance.name, {"HandoverHeld": standing.held / max(standing.rows, 1)})
    if standing.rows > _WATCHED_ROWS:
        return
    until = time.monotonic() + _WATCH_SECONDS
    try:
        found = handover.compare(_WATCHED, has_time=lambda: time.monotonic() < until)
    except StorageUnavailable:  # the engine's silence, or too little room for the files here
        logger().exception("not compared", extra={"instance": instance.name})
        return
    if found.overlap is not None:
        measure(instance.name, {"HandoverOverlap": found.overlap})


def _sing(deployment: Deployment, instance: Instance) -> None:
    snapshot = deployment.index(instance).snapshot()
    seed = secrets.randbits(32)
    try:
        told = partial(deployment.vision_of(instance).probability, instance.service)
    except ModelMismatch:  # its bundle is not at hand here, and so is no calibration
        sing(instance.name, snapshot, seed=seed)
    else:
        sing(instance.name, snapshot, seed=seed, probability=told)

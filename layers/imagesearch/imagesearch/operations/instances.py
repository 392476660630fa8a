"""Create, list, describe and erase instances."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from imagesearch.catalogue import Instance, Service
from imagesearch.errors import Conflict, InvalidField, LostRace, UnknownInstance
from imagesearch.operations.deployment import Deployment
from imagesearch.operations.fields import OperationFields
from imagesearch.operations.moves import Moves

__all__ = [
    "CreateInstance",
    "DeleteInstance",
    "Described",
    "NamedInstance",
    "create_instance",
    "delete_instance",
    "describe_instance",
    "list_instances",
]


class NamedInstance(OperationFields, frozen=True, kw_only=True):
    """Names an instance."""


class CreateInstance(OperationFields, frozen=True, kw_only=True):
    """What a new instance is to be."""

    service: Service


class DeleteInstance(OperationFields, frozen=True, kw_only=True):
    """Names an instance to erase, twice, because nothing of it remains."""

    confirm: str


@dataclass(frozen=True, slots=True)
class Described:
    """An instance and what it holds now."""

    instance: Instance
    pictures: int
    products: int
    generation: int
    sequence: int
    log_length: int


def create_instance(deployment: Deployment, request: CreateInstance) -> tuple[Described, bool]:
    """Create an instance; the flag is false when the very same one existed."""
    wanted = Instance.new(
        request.instance,
        request.service,
        model=deployment.vision.model,
        now=time.time_ns() // 1000,
    )
    # The index comes first: an instance that is registered can be used.
    index = deployment.index(wanted)
    index.create()
    while True:
        instance, new = deployment.instances.add(wanted)
        if new or deployment.index(instance).exists():
            break
        # Somebody began to erase it and was stopped, or is not done yet.
        deployment.instances.doubt(instance.name)
        with suppress(UnknownInstance):
            if deployment.instances.get(instance.name) == instance:
                _erase(deployment, instance)
    if not new:
        index.erase()
    return describe_instance(deployment, NamedInstance(instance=instance.name)), new


def describe_instance(deployment: Deployment, request: NamedInstance) -> Described:
    """Describe one instance; :class:`UnknownInstance` if there is none."""
    catalogue = deployment.open(request.instance)
    snapshot = catalogue.snapshot
    return Described(
        catalogue.instance,
        snapshot.pictures,
        snapshot.products,
        snapshot.generation,
        snapshot.sequence,
        snapshot.log_length,
    )


def list_instances(
    deployment: Deployment, *, among: Callable[[str], bool] = lambda _name: True
) -> list[Described]:
    """Describe the instances whose names ``among`` accepts, by name; the others are not read."""
    found = []
    for instance in deployment.instances.among(among):
        try:
            found.append(describe_instance(deployment, NamedInstance(instance=instance.name)))
        except UnknownInstance:
            continue  # erased while we listed
    return found


def delete_instance(deployment: Deployment, request: DeleteInstance) -> None:
    """Erase an instance and everything in it."""
    if request.confirm != request.instance:
        raise InvalidField(
            "confirm",
            f"confirm is {request.confirm[:40]!r}, not the instance's name.",
            fix=f"Add ?confirm={request.instance} if you mean to erase all of it.",
        )
    deployment.instances.doubt(request.instance)
    _erase(deployment, deployment.instances.get(request.instance))


def _erase(deployment: Deployment, instance: Instance) -> None:
    """Erase an instance, or finish what somebody began who was stopped.

    The index goes first, beginning with its manifest, and its name is free only then: nobody who
    has the old index open can write to it any more when there is another of its name.
    """
    while True:
        deployment.index(instance).erase()
        for engine, prefix in Moves(deployment.store, instance).engines.items():
            with suppress(Conflict):  # a copy of the bucket had it before, and keeps it
                deployment.engines.of(prefix)(engine).erase()
        while left := [info.key for info in deployment.store.list(instance.asides)]:
            deployment.store.delete(left)
        try:
            deployment.instances.forget(instance)
        except LostRace:  # it was moved to another index, or erased by somebody else
            deployment.instances.doubt(instance.name)
            try:
                now = deployment.instances.get(instance.name)
            except UnknownInstance:
                return
            if now.incarnation != instance.incarnation:
                return
            instance = now
        else:
            return

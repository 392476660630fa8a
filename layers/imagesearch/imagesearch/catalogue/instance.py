"""Instances: separate catalogues in one deployment, each with its service and model."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from imagesearch.catalogue.service import Service
from imagesearch.errors import (
    CorruptObject,
    InstanceExists,
    InvalidField,
    LostRace,
    NoSuchObject,
    UnknownInstance,
)
from imagesearch.storage import ObjectStore

__all__ = ["Instance", "InstanceRegister"]

# The vendor allows at most 20 characters; one that S3 keys and URLs carry unescaped.
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,19}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Instance:
    """A catalogue of pictures. Everything here is fixed at creation.

    ``incarnation`` sets the objects of this instance apart from those of an earlier one of the
    same name, so that a late writer of the erased one cannot reach it. ``created`` is in
    microseconds since 1970.
    """

    name: str
    service: Service
    model: str
    created: int
    incarnation: str

    @property
    def prefix(self) -> str:
        """Return the key prefix of the instance's index."""
        return f"index/{self.name}/{self.incarnation}/"


def check_name(name: str) -> str:
    """Return ``name`` if an instance may be called so, else raise :class:`InvalidField`."""
    if not _NAME.fullmatch(name):
        raise InvalidField(
            "instance",
            f"instance name {name[:40]!r} is not 1 to 20 of a-z, 0-9, '-' and '_' "
            "that begin with a letter or digit.",
        )
    return name


class InstanceRegister:
    """The instances of a deployment, one immutable object each."""

    _prefix = "instances/"

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._known: dict[str, tuple[str, Instance]] = {}

    def create(self, name: str, service: Service, *, model: str, now: int) -> tuple[Instance, bool]:
        """Create an instance, or find the same one; the flag tells whether it is new.

        Raises :class:`InstanceExists` when the name is taken for another service.
        """
        wanted = Instance(check_name(name), service, model, now, f"{now:016d}{secrets.token_hex(4)}")
        try:
            self._store.put_if_absent(self._key(name), msgspec.json.encode(wanted))
        except LostRace:
            found = self.get(name)
            if found.service is not service:
                raise InstanceExists(
                    f"instance {name!r} is a {found.service.value} instance, not {service.value}.",
                    field="service",
                ) from None
            return found, False
        return wanted, True

    def get(self, name: str) -> Instance:
        """Return the instance, as it is in the store now."""
        key = self._key(check_name(name))
        try:
            if name in self._known:
                etag, instance = self._known[name]
                stored = self._store.get_if_changed(key, etag)
                if stored is None:
                    return instance
            else:
                stored = self._store.get(key)
        except NoSuchObject:
            self._known.pop(name, None)
            raise UnknownInstance(f"there is no instance {name!r}.", field="instance") from None
        try:
            instance = msgspec.json.decode(stored.body, type=Instance)
        except msgspec.MsgspecError as error:
            raise CorruptObject(f"{key} is not an instance record: {error}") from None
        self._known[name] = stored.etag, instance
        return instance

    def __iter__(self) -> Iterator[Instance]:
        """Yield every instance, by name."""
        for info in self._store.list(self._prefix):
            try:
                yield self.get(info.key.removeprefix(self._prefix).removesuffix(".json"))
            except UnknownInstance:
                continue

    def forget(self, instance: Instance) -> None:
        """Remove the instance's record; its name is free from here on."""
        self._store.delete([self._key(instance.name)])
        self._known.pop(instance.name, None)

    def _key(self, name: str) -> str:
        return f"{self._prefix}{name}.json"

"""Instances: separate catalogues in one deployment, each with its service and model."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import suppress
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
    """A catalogue of pictures. Only a move to another model bundle changes anything here.

    ``incarnation`` sets the objects of this instance apart from those of an earlier one of the
    same name, so that a late writer of the erased one cannot reach it. ``created`` is in
    microseconds since 1970. ``model`` is the bundle whose vectors it holds, ``index`` the name of
    the index that they are in since such a move; empty for the first one.
    """

    name: str
    service: Service
    model: str
    created: int
    incarnation: str
    index: str = ""

    @classmethod
    def new(cls, name: str, service: Service, *, model: str, now: int) -> Instance:
        """Describe a new instance of its own incarnation; :class:`InvalidField` for a bad name."""
        return cls(check_name(name), service, model, now, f"{now:016d}{secrets.token_hex(4)}")

    @property
    def prefix(self) -> str:
        """Return the key prefix of the instance's index."""
        return f"index/{self.name}/{self.index or self.incarnation}/"

    @property
    def moves(self) -> str:
        """Return the key prefix of what is noted about moves to other bundles."""
        return f"index/{self.name}/{self.incarnation}-moves/"

    @property
    def thumbnails(self) -> str:
        """Return the key prefix of the packs of thumbnails."""
        return f"index/{self.name}/{self.incarnation}-thumbs/"

    @property
    def asides(self) -> str:
        """Return what the keys of everything but the first index begin with."""
        return f"index/{self.name}/{self.incarnation}-"


def check_name(name: str) -> str:
    """Return ``name`` if an instance may be called so, else raise :class:`InvalidField`."""
    if not _NAME.fullmatch(name):
        raise InvalidField(
            "instance",
            f"instance name {name[:40]!r} is not 1 to 20 of a-z, 0-9, '-' and '_' "
            "that begin with a letter or digit.",
        )
    return name


class _Erased(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What stays of an erased instance: that its name is free.

    A record is never deleted, because whoever does that late would delete that of the next
    instance of the name.
    """

    erased: str


class InstanceRegister:
    """The instances of a deployment, one object each."""

    _prefix = "instances/"

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._known: dict[str, Instance] = {}

    def add(self, wanted: Instance) -> tuple[Instance, bool]:
        """Register a new instance, or find the same one; the flag tells whether it is new.

        Raises :class:`InstanceExists` when the name is taken for another service.
        """
        try:
            self._put_if_free(wanted)
        except LostRace:
            self.doubt(wanted.name)
            found = self.get(wanted.name)
            if found.service is not wanted.service:
                raise InstanceExists(
                    f"instance {wanted.name!r} is a {found.service.value} instance, "
                    f"not {wanted.service.value}.",
                    field="service",
                ) from None
            return found, False
        return wanted, True

    def get(self, name: str) -> Instance:
        """Return the instance; the store is asked once, until :meth:`doubt` is called.

        An instance erased or moved meanwhile is noticed by its index, whose manifest is then
        gone or says that it is retired.
        """
        if name not in self._known:
            self._known[name] = self._read(check_name(name))
        return self._known[name]

    def doubt(self, name: str) -> None:
        """Forget what is known of ``name``, so that the next :meth:`get` asks the store."""
        self._known.pop(name, None)

    def __iter__(self) -> Iterator[Instance]:
        """Yield every instance as it is in the store now, by name."""
        return self.among(lambda _name: True)

    def among(self, takes: Callable[[str], bool]) -> Iterator[Instance]:
        """Yield the instances whose names ``takes`` accepts; nothing is read of the others."""
        for info in self._store.list(self._prefix):
            name = info.key.removeprefix(self._prefix).removesuffix(".json")
            if takes(name):
                with suppress(UnknownInstance):
                    yield self._read(name)

    def replace(self, known: Instance, wanted: Instance) -> None:
        """Put ``wanted`` in the place of ``known``; :class:`LostRace` if that is not in force."""
        key = self._key(known.name)
        try:
            stored = self._store.get(key)
        except NoSuchObject:
            raise LostRace(f"instance {known.name!r} was erased meanwhile.") from None
        if msgspec.json.decode(stored.body, type=Instance) != known:
            raise LostRace(f"instance {known.name!r} was changed meanwhile.")
        self._store.compare_and_swap(key, msgspec.json.encode(wanted), stored.etag)
        self._known[known.name] = wanted

    def forget(self, instance: Instance) -> None:
        """Take the instance's record out of force; its name is free from here on.

        Nothing happens if another has the name by now. Raises :class:`LostRace` if the record
        was changed meanwhile.
        """
        self.doubt(instance.name)
        key = self._key(instance.name)
        found, etag = self._found(key)
        if isinstance(found, Instance) and found.incarnation == instance.incarnation:
            if found != instance:
                raise LostRace(f"instance {instance.name!r} was changed meanwhile.")
            free = msgspec.json.encode(_Erased(instance.incarnation))
            self._store.compare_and_swap(key, free, etag)

    def _put_if_free(self, wanted: Instance) -> None:
        """Write a record; :class:`LostRace` if the name is taken."""
        key = self._key(check_name(wanted.name))
        body = msgspec.json.encode(wanted)
        try:
            self._store.put_if_absent(key, body)
        except LostRace:
            found, etag = self._found(key)
            if not isinstance(found, _Erased):
                raise
            self._store.compare_and_swap(key, body, etag)

    def _read(self, name: str) -> Instance:
        found, _ = self._found(self._key(name))
        if not isinstance(found, Instance):
            raise UnknownInstance(f"there is no instance {name!r}.", field="instance")
        return found

    def _found(self, key: str) -> tuple[Instance | _Erased | None, str]:
        """Return a record and its ETag; ``None`` if there never was one."""
        try:
            stored = self._store.get(key)
        except NoSuchObject:
            return None, ""
        try:
            if stored.body.startswith(b'{"erased":'):
                return msgspec.json.decode(stored.body, type=_Erased), stored.etag
            return msgspec.json.decode(stored.body, type=Instance), stored.etag
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise CorruptObject(f"{key} is not an instance record: {error}") from None

    def _key(self, name: str) -> str:
        return f"{self._prefix}{name}.json"

"""The inbox: what is in the bucket below ``inbox/INSTANCE/PRODUCT_ID/PIC_NAME`` is in the index.

An event only says that something about a key may have changed; what is done is told by the
objects that are there now. One worker at a time attends to a key. One that comes meanwhile leaves
a note, and the first looks again before it goes; so late, repeated and reordered events end in
the same state.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from imagesearch.catalogue import Instance, Picture, PictureKey, Region
from imagesearch.catalogue.thumbnails import Pack
from imagesearch.errors import (
    BadRequest,
    ImageSearchError,
    InvalidField,
    LostRace,
    NoSuchObject,
    PictureTooBig,
    StorageUnavailable,
    UnknownInstance,
)
from imagesearch.index import Entry, OfPicture
from imagesearch.ingest.house import Workshop
from imagesearch.ingest.lines import Line, parse
from imagesearch.ingest.source import MAX_PICTURE
from imagesearch.storage import ObjectInfo, ObjectStore

__all__ = ["INBOX", "attend", "reconcile", "revive"]

INBOX = "inbox/"
_STATES = "inbox-state/"
_BUSY = "inbox-busy/"
_ERRORS = "inbox-errors/"
_SIDECAR = ".json"
_LEASE = 120 * 1_000_000
_MOST_SIDECAR = 65_536
_SECOND = 1_000_000


class InboxState(msgspec.Struct, frozen=True, kw_only=True):
    """What was last done about a key, and whose turn it is.

    ``version`` names the objects that were looked at, empty for none. ``again`` is the note of
    somebody who came while another had the turn.
    """

    incarnation: str
    version: str = ""
    failed: bool = False
    worker: str = ""
    until: int = 0
    again: bool = False


@dataclass(frozen=True, slots=True)
class _Place:
    """A key of the inbox, taken apart."""

    rest: str
    instance: str
    product_id: str
    pic_name: str

    @classmethod
    def of(cls, key: str) -> _Place | None:
        """Read a key; that of a sidecar stands for its picture's. ``None`` for a folder."""
        rest = key.removeprefix(INBOX).removesuffix(_SIDECAR)
        parts = rest.split("/", 2)
        if len(parts) < 3 or not all(parts):
            return None
        return cls(rest, *parts)

    @property
    def picture(self) -> PictureKey:
        for name, value in (("product_id", self.product_id), ("pic_name", self.pic_name)):
            if len(value) > 256:
                raise InvalidField(name, f"{name} has {len(value)} characters; the limit is 256.")
        return PictureKey(self.product_id, self.pic_name)


def attend(shop: Workshop, key: str, worker: str) -> None:
    """Make the index agree with what the inbox has under a key now."""
    place = _Place.of(key)
    if place is None:
        return
    shop.house.instances.doubt(place.instance)
    try:
        instance = shop.house.instances.get(place.instance)
    except (UnknownInstance, InvalidField) as error:
        _report(shop.store, place, error)
        return
    while True:
        seen = _Seen.now(shop.store, place)
        turn = _Turn.take(shop, place, instance, seen, worker)
        if turn is None:
            return
        failed = _apply(shop, place, instance, seen, failed_before=turn.state.failed)
        if turn.end(seen.version, failed):
            return


@dataclass(frozen=True, slots=True)
class _Seen:
    """The objects that are there: the picture and what its owner says of it."""

    picture: ObjectInfo | None
    sidecar: ObjectInfo | None

    @classmethod
    def now(cls, store: ObjectStore, place: _Place) -> _Seen:
        return cls(_head(store, INBOX + place.rest), _head(store, INBOX + place.rest + _SIDECAR))

    @property
    def version(self) -> str:
        if self.picture is None:
            return ""
        both = [self.picture, *([self.sidecar] if self.sidecar else [])]
        return " ".join(f"{info.etag}@{info.modified}" for info in both)


@dataclass(slots=True)
class _Turn:
    """The right to attend to one key."""

    store: ObjectStore
    place: _Place
    state: InboxState
    etag: str

    @classmethod
    def take(
        cls, shop: Workshop, place: _Place, instance: Instance, seen: _Seen, worker: str
    ) -> _Turn | None:
        """Take the turn; ``None`` if nothing is to be done, or by somebody else."""
        key, now = _STATES + place.rest, shop.now()
        while True:
            state, etag = _state(shop.store, key)
            mine = InboxState(
                incarnation=instance.incarnation,
                worker=worker,
                until=now + _LEASE,
                failed=state.failed if state else False,
            )
            held = state is not None and state.worker not in {"", worker} and state.until > now
            if state is None and seen.picture is None:
                return None
            if state is not None and not state.worker and _same(state, instance, seen):
                return None
            try:
                if held and state is not None:
                    if not state.again:
                        note = msgspec.structs.replace(state, again=True)
                        _swap(shop.store, key, note, etag)
                    return None
                shop.store.put(_BUSY + place.rest, b"")
                return cls(shop.store, place, mine, _swap(shop.store, key, mine, etag))
            except LostRace:
                continue

    def end(self, version: str, failed: bool) -> bool:
        """Give the turn back; false if somebody came meanwhile, so that we must look again."""
        key = _STATES + self.place.rest
        done = InboxState(incarnation=self.state.incarnation, version=version, failed=failed)
        try:
            _swap(self.store, key, done, self.etag)
        except LostRace:
            state, _ = _state(self.store, key)
            return state is None or state.worker != self.state.worker
        self.store.delete([_BUSY + self.place.rest])
        return True


def _same(state: InboxState, instance: Instance, seen: _Seen) -> bool:
    return state.version == seen.version and state.incarnation == instance.incarnation


def _state(store: ObjectStore, key: str) -> tuple[InboxState | None, str]:
    try:
        stored = store.get(key)
    except NoSuchObject:
        return None, ""
    return msgspec.json.decode(stored.body, type=InboxState), stored.etag


def _swap(store: ObjectStore, key: str, state: InboxState, etag: str) -> str:
    body = msgspec.json.encode(state)
    return store.compare_and_swap(key, body, etag) if etag else store.put_if_absent(key, body)


def _head(store: ObjectStore, key: str) -> ObjectInfo | None:
    try:
        return store.head(key)
    except NoSuchObject:
        return None


def _apply(
    shop: Workshop, place: _Place, instance: Instance, seen: _Seen, *, failed_before: bool
) -> bool:
    """Index or delete the picture; tell whether it could not be used."""
    try:
        if seen.picture is None:
            _delete(shop, place)
        else:
            _add(shop, place, instance, seen.picture, seen.sidecar)
    except BadRequest as error:
        _report(shop.store, place, error)
        return True
    if failed_before:
        shop.store.delete([_ERRORS + place.rest + _SIDECAR])
    return False


def _delete(shop: Workshop, place: _Place) -> None:
    opened = shop.house.open(place.instance)
    if opened.snapshot.find(place.picture, meaning=False):
        opened.index.append(deletions=[OfPicture(place.picture)], after=opened.snapshot)
        shop.house.wrote(opened)


def _add(
    shop: Workshop, place: _Place, instance: Instance, info: ObjectInfo, sidecar: ObjectInfo | None
) -> None:
    vision = shop.house.vision_of(instance)
    key = place.picture
    if info.size > MAX_PICTURE:
        raise PictureTooBig(f"it has {info.size:,} bytes; the limit is {MAX_PICTURE:,}.")
    try:
        line = _described(shop.store, place, sidecar)
        image = shop.store.get(info.key).body
    except NoSuchObject:
        return  # removed meanwhile, of which another event tells
    made: list[bytes] = []
    view = vision.look(
        image,
        instance.service,
        region=Region(*line.region) if line.region else None,
        crop=line.crop,
        category_id=line.category_id,
        on_thumbnail=made.append if shop.thumbnails else None,
        meaning=True,
    )
    pack = Pack()
    thumbnail = pack.add(made[0]) if made else ""
    pack.write(shop.store, instance)
    given = line.owner_attributes()
    picture = Picture(key, view.category_id, view.region, given, thumbnail, view.classes)
    opened = shop.house.place(place.instance)
    if opened.instance.model != instance.model:
        raise StorageUnavailable(f"instance {place.instance!r} moved to another bundle meanwhile.")
    entry = Entry.of(picture, view.vector, view.meaning)
    opened.index.append([entry], after=opened.place)
    shop.house.wrote(opened)


def _described(store: ObjectStore, place: _Place, sidecar: ObjectInfo | None) -> Line:
    """Return what the sidecar says: the fields of a line of increment.meta, but for the names."""
    given: dict[str, Any] = {}
    if sidecar is not None:
        if sidecar.size > _MOST_SIDECAR:
            raise InvalidField(
                "sidecar", f"the .json file has {sidecar.size:,} bytes; at most {_MOST_SIDECAR:,}."
            )
        try:
            given = msgspec.json.decode(store.get(sidecar.key).body, type=dict[str, Any])
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise InvalidField(
                "sidecar", f"the .json file is not a JSON object: {error}."
            ) from None
    names = {"productid", "picname", "operationtype", "operation", "operator", "itemid", "piclist"}
    kept = {k: v for k, v in given.items() if k.replace("_", "").lower() not in names}
    line = {**kept, "product_id": place.product_id, "pic_name": place.pic_name}
    return parse(1, msgspec.json.encode({**line, "operation": "ADD"}))[0]


def _report(store: ObjectStore, place: _Place, error: ImageSearchError) -> None:
    body = {"code": error.code, "detail": error.detail, "fix": error.fix}
    store.put(
        _ERRORS + place.rest + _SIDECAR,
        msgspec.json.format(msgspec.json.encode(body)),
        content_type="application/json",
    )


def revive(shop: Workshop, worker: str, *, older_than: int) -> int:
    """Attend to keys whose worker is gone; return how many there were."""
    busy = [i for i in shop.store.list(_BUSY) if shop.now() - i.modified > older_than]
    for info in busy:
        attend(shop, INBOX + info.key.removeprefix(_BUSY), worker)
        if not _held(shop, info.key.removeprefix(_BUSY)):
            shop.store.delete([info.key])
    return len(busy)


def _held(shop: Workshop, rest: str) -> bool:
    state, _ = _state(shop.store, _STATES + rest)
    return state is not None and bool(state.worker)


def reconcile(
    shop: Workshop, instance: str, worker: str, time_left: Callable[[], float]
) -> tuple[int, bool]:
    """Attend to every key whose event may have been lost; return how many, and if all were."""
    count = 0
    for rest in _doubtful(shop.store, instance):
        if time_left() < 60:
            return count, False
        attend(shop, INBOX + rest, worker)
        count += 1
    return count, True


def _doubtful(store: ObjectStore, instance: str) -> Iterator[str]:
    """Yield what was changed since it was attended to, or in the same two seconds."""
    states = _listed(store, f"{_STATES}{instance}/", _STATES)
    there: dict[str, int] = {}
    for rest, modified in _listed(store, f"{INBOX}{instance}/", INBOX).items():
        name = rest.removesuffix(_SIDECAR)
        there[name] = max(modified, there.get(name, 0))
    for name, modified in there.items():
        if states.get(name, 0) <= modified + 2 * _SECOND:
            yield name
    yield from (name for name in states if name not in there)


def _listed(store: ObjectStore, prefix: str, base: str) -> dict[str, int]:
    return {info.key.removeprefix(base): info.modified for info in store.list(prefix)}

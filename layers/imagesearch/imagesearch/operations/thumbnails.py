"""Thumbnails: made while a picture is looked at, shown to people, collected when unused."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache

import msgspec

from imagesearch.catalogue import Instance
from imagesearch.catalogue.thumbnails import Pack, Place
from imagesearch.errors import NoSuchObject, UnknownPicture
from imagesearch.operations.deployment import Deployment
from imagesearch.operations.fields import OperationFields

__all__ = ["Making", "ShowThumbnail", "collect_thumbnails", "missing_packs", "show_thumbnail"]

_SECOND = 1_000_000
_PAGE = 20_000
_NOTES = "unused.json"


class ShowThumbnail(OperationFields, frozen=True, kw_only=True):
    """Names a thumbnail as a picture's record does."""

    thumbnail: str


class Making:
    """The thumbnail of one picture that is being added.

    It is stored while the picture is still being looked at, so that it costs a request but no
    time. If the add comes to nothing, the pack is left to :func:`collect_thumbnails`.
    """

    def __init__(self, deployment: Deployment, instance: Instance) -> None:
        self._deployment, self._instance = deployment, instance
        self._place = ""
        self._writing: Future[None] | None = None

    def take(self, thumbnail: bytes) -> None:
        """Begin to store the thumbnail."""
        pack = Pack()
        self._place = pack.add(thumbnail)
        self._writing = _pool().submit(pack.write, self._deployment.store, self._instance)

    def place(self) -> str:
        """Wait until it is stored and return what the picture is to say; empty without any."""
        if self._writing:
            self._writing.result()
        return self._place


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(4, thread_name_prefix="thumbnails")


def show_thumbnail(deployment: Deployment, request: ShowThumbnail) -> bytes:
    """Return a thumbnail's JPEG file; :class:`UnknownPicture` if there is none."""
    place = Place.parse(request.thumbnail)
    found = b""
    if place:
        try:
            instance = deployment.instances.get(request.instance)
            found = deployment.store.get_range(place.key(instance), place.start, place.length)
        except NoSuchObject:
            deployment.instances.doubt(request.instance)  # perhaps made anew meanwhile
    if not place or len(found) != place.length:
        raise UnknownPicture(
            f"there is no thumbnail {request.thumbnail[:80]!r} in instance {request.instance!r}.",
            fix="Take the name from the record of a picture as it is now.",
        )
    return found


def collect_thumbnails(deployment: Deployment, instance: Instance, *, now: int) -> int:
    """Delete packs that no picture has referred to for a while; return how many.

    The while is the index's ``retention``, so that a picture which a rollback brings back still
    has its thumbnail, and a write under way has its pack. ``now`` is in microseconds.
    """
    store, notes = deployment.store, f"{instance.thumbnails}{_NOTES}"
    # Listed first: a pack that is stored later than that is none of this round's business.
    there = {info.key.removeprefix(instance.thumbnails) for info in store.list(instance.thumbnails)}
    there.discard(_NOTES)
    if not there:
        return 0
    unused = there - _referred(deployment, instance)
    known = _noted(deployment, notes)
    since = {name: known.get(name, now) for name in sorted(unused)}
    retention = deployment.index(instance).policy.retention
    doomed = [name for name, moment in since.items() if now - moment >= retention * _SECOND]
    store.delete([f"{instance.thumbnails}{name}" for name in doomed])
    left = {name: moment for name, moment in since.items() if name not in set(doomed)}
    if left != known:
        store.put(notes, msgspec.json.encode(left))
    return len(doomed)


def missing_packs(deployment: Deployment, instance: Instance) -> list[str]:
    """Return the keys of packs that pictures refer to and that are not there."""
    used = _referred(deployment, instance)
    there = {info.key for info in deployment.store.list(instance.thumbnails)}
    return sorted({f"{instance.thumbnails}{name}" for name in used} - there)


def _referred(deployment: Deployment, instance: Instance) -> set[str]:
    """Return the names of the packs that the instance's pictures refer to."""
    snapshot = deployment.index(instance).snapshot()
    names: set[str] = set()
    page = snapshot.matching(None, limit=_PAGE)
    while page:
        names.update(place.pack for p in page if (place := Place.parse(p.thumbnail)))
        page = snapshot.matching(None, after=page[-1].key, limit=_PAGE)
    return names


def _noted(deployment: Deployment, key: str) -> dict[str, int]:
    """Return since when packs are known to be unused."""
    try:
        return msgspec.json.decode(deployment.store.get(key).body, type=dict[str, int])
    except (NoSuchObject, msgspec.MsgspecError, UnicodeDecodeError):
        return {}

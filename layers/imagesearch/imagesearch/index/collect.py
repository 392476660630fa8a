"""Collection: what nobody can need any more is deleted, after a time of grace."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from imagesearch.errors import CorruptObject, EngineUnavailable, NoSuchObject
from imagesearch.index.keeper import Keeper
from imagesearch.index.log import Version
from imagesearch.index.manifest import Manifest
from imagesearch.index.parallel import each
from imagesearch.index.table import Table
from imagesearch.storage import ObjectInfo

__all__ = ["collect", "referred"]

_SECOND = 1_000_000
_HOUR = 3600 * _SECOND


def collect(keeper: Keeper, now: int) -> int:
    """Delete what is settled, superseded or orphaned; return the number of objects deleted.

    ``now`` is the store's time, read before. Ages are by the store's own clock, so that no
    process's clock matters. Deleted are

    - log objects below the low-water mark,
    - earlier manifests past ``retention``, and past a day all but one for each hour,
    - files of segments and tombstones that neither the manifest nor any earlier one refers to,

    each only when it is older than ``grace``. What an earlier manifest deleted here referred to
    stays until the next time. Before a segment's files go, the engines elsewhere that any manifest
    names forget its rows; a segment that one of them cannot be told of stays until the next time.
    """
    manifest = keeper.reader.manifest().manifest
    doomed = [*_settled(keeper, manifest, now)]
    keeper.store.delete(doomed)
    histories = [*keeper.store.list(keeper.keys.histories)]
    manifests = [manifest, *_read(keeper, histories)]
    wanted = {key for found in manifests for key in referred(keeper, found)}
    expired = [*_expired(histories, keeper, now)]
    orphans = [
        info.key
        for info in _files(keeper)
        if info.key not in wanted and now - info.modified >= keeper.policy.grace * _SECOND
    ]
    engines = {name for found in manifests for name in _engines(found)}
    orphans = [*_forgotten(keeper, manifest.index, sorted(engines), orphans)]
    keeper.store.delete([*expired, *orphans])
    return len(doomed) + len(expired) + len(orphans)


def referred(keeper: Keeper, manifest: Manifest) -> Iterator[str]:
    """Yield the keys of the objects that a manifest refers to."""
    for info in manifest.segments:
        for file in info.files:
            yield keeper.keys.segment(info.id, file)
    if manifest.tombs:
        yield keeper.keys.tombs(manifest.tombs)


def _settled(keeper: Keeper, manifest: Manifest, now: int) -> Iterator[str]:
    for info in keeper.store.list(keeper.keys.logs):
        version = Version.parse(info.key.removeprefix(keeper.keys.logs))
        if version is not None and version.clock > manifest.low_water:
            return
        if version is not None and now - info.modified >= keeper.policy.grace * _SECOND:
            yield info.key


def _expired(histories: Iterable[ObjectInfo], keeper: Keeper, now: int) -> Iterator[str]:
    """Yield the keys of earlier manifests that are kept no longer."""
    hours = set()
    for info in sorted(histories, key=lambda info: info.key, reverse=True):
        age = (now - info.modified) / _SECOND
        hour = info.modified // _HOUR
        if age >= keeper.policy.retention or (age >= keeper.policy.keep_all and hour in hours):
            yield info.key
        hours.add(hour)


def _files(keeper: Keeper) -> Iterator[ObjectInfo]:
    yield from keeper.store.list(keeper.keys.segments)
    yield from keeper.store.list(keeper.keys.all_tombs)


def _engines(manifest: Manifest) -> Iterator[str]:
    """Yield the names of the engines elsewhere that may hold rows of its segments."""
    yield from {info.held for info in manifest.segments if info.held}
    if manifest.outpost:
        yield manifest.outpost.name


def _forgotten(
    keeper: Keeper, index: str, engines: Sequence[str], orphans: Sequence[str]
) -> Iterator[str]:
    """Have engines forget the rows of orphaned segments; yield what may be deleted then.

    After one that does not answer none is asked any more: each would be waited for.
    """
    kept, silent = set(), False
    for key in orphans if engines else ():
        segment, _, file = key.removeprefix(keeper.keys.segments).partition(".")
        if not key.startswith(keeper.keys.segments) or file != "meta":
            continue
        try:
            if not silent:
                _forget(keeper, index, engines, segment)
        except EngineUnavailable:
            silent = True
        if silent:
            kept.add(segment)
    for key in orphans:
        if key.removeprefix(keeper.keys.segments).partition(".")[0] not in kept:
            yield key


def _forget(keeper: Keeper, index: str, engines: Sequence[str], segment: str) -> None:
    """Have engines forget a segment, whose keys its row table knows.

    Without a whole one nobody was given the segment, or all have forgotten it already.
    """
    key = keeper.keys.segment(segment, "meta")
    try:
        file = memoryview(keeper.store.get(key).body)
        table = Table(key, file, index=index, segment=segment)
        keys = [table.key_of(row) for row in range(len(table))]
    except (CorruptObject, NoSuchObject):
        return
    for name in engines:
        keeper.outposts.engine(name).remove(segment, keys)


def _read(keeper: Keeper, histories: Iterable[ObjectInfo]) -> Iterator[Manifest]:
    """Yield earlier manifests; one that somebody else deletes meanwhile is left out."""

    def read(info: ObjectInfo) -> Manifest | None:
        try:
            return Manifest.decode(info.key, keeper.store.get(info.key).body)
        except NoSuchObject:
            return None

    yield from filter(None, each(read, histories, keeper.policy.parallel))

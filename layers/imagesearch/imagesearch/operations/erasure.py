"""Erase products, or a whole instance, for good and everywhere, and prove it.

A deletion hides pictures at once, but their rows stay in immutable objects for as long as those
are kept. So whatever lives on is copied into a fresh index, the instance is moved to that, and the
old one is deleted with its history and every version of its objects.
"""

from __future__ import annotations

import hashlib
import secrets
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from imagesearch.catalogue import Instance, Picture, PictureKey
from imagesearch.catalogue.thumbnails import Pack, Place, read_thumbnail
from imagesearch.errors import Conflict, EngineUnavailable
from imagesearch.index import Entry, Index, OfPicture, OfProduct, Snapshot
from imagesearch.operations.deployment import Deployment
from imagesearch.operations.engines import collection, place_of
from imagesearch.operations.instances import DeleteInstance, delete_instance
from imagesearch.operations.moves import Moves
from imagesearch.operations.receipts import Receipt, digest, is_genuine, signed
from imagesearch.operations.reindex import settle
from imagesearch.storage import ObjectStore
from imagesearch.storage.versions import Purge

__all__ = ["Erasure", "Leftover", "Receipt", "erase_instance", "find_leftovers", "is_genuine"]

_BATCH = 500
_PAGE = 5000
_INBOXES = ("inbox/", "inbox-state/", "inbox-busy/", "inbox-errors/")
_TASKS = ("made", "open", "stop", "ended", "report", "asked", "work")


@dataclass(frozen=True, slots=True)
class Leftover:
    """Something of an erased product that is still there: which object, and what in it."""

    key: str
    what: str


class Erasure:
    """Erases products of one instance; used by one thread.

    The instance is used as ever meanwhile; its writes pause for a minute before the switch.
    """

    def __init__(
        self,
        deployment: Deployment,
        name: str,
        products: Sequence[str],
        *,
        purge: Purge,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        deployment.instances.doubt(name)
        self.instance = deployment.instances.get(name)
        self._deployment = deployment
        self._products = sorted(set(products))
        self._purge = purge
        self._sleep = sleep
        self._moves = Moves(deployment.store, self.instance)
        _check_no_task(deployment, self.instance)
        if self._moves.others():
            raise Conflict(
                f"instance {name!r} still has indexes of other bundles, which hold the products.",
                fix=f"Erase those first: imagesearch reindex {name} --forget.",
            )
        fresh = f"{self.instance.incarnation}-e{secrets.token_hex(4)}"
        self._target = replace(self.instance, index=fresh)
        self._here, self._there = (_aside(deployment, one) for one in (self.instance, self._target))
        self._copied: dict[PictureKey, bytes] = {}
        self._packs: set[str] = set()

    @property
    def pictures(self) -> int:
        """Return how many pictures the instance has."""
        return self._here.snapshot().pictures

    def carry_out(self, on_progress: Callable[[], None] = lambda: None) -> Receipt:
        """Erase the products; the receipt is genuine only once this returns.

        What was interrupted is done by the next one: it begins with a fresh index again.
        """
        requested = _now()
        before = self._here.snapshot()
        doomed = [OfProduct(product) for product in self._products]
        gone = sum(len(before.of_product(product)) for product in self._products)
        self._moves.begin()
        try:
            self._there.create()
            self._attach()
            place = self._deployment.index(self.instance).snapshot()
            self._deployment.index(self.instance).append(deletions=doomed, after=place)
            self._copy(on_progress)
            self._there.fill()
            self._here.enter("frozen")
            # An earlier write may still arrive, and be acknowledged, for so long.
            self._sleep(self._here.policy.write_deadline + 1)
            self._copy(lambda: None)
            self._serve()
            covered = self._here.snapshot()
            self._check_gone(covered)
            self._there.enter("frozen", sequence=covered.sequence)
            sequence = self._there.snapshot().sequence
            self._deployment.instances.replace(self.instance, self._target)
            self._moves.clear()
            self._there.enter("open")
        except BaseException:
            self._give_up()
            raise
        deleted = self._delete_old()
        return signed(
            self._deployment.store,
            Receipt(
                id=secrets.token_hex(16),
                instance=self.instance.name,
                incarnation=self.instance.incarnation,
                products=self._products,
                pictures=gone,
                requested=requested,
                completed=_now(),
                sequence=sequence,
                generation_before=before.generation,
                generation_after=self._there.snapshot().generation,
                index_before=self.instance.prefix,
                index_after=self._target.prefix,
                objects=len(deleted),
                digest=digest(deleted),
            ),
        )

    def _attach(self) -> None:
        """Have an engine elsewhere hold the fresh index if it holds the instance.

        In a collection of its own: the old one is erased, and with it what is in no index any more.
        """
        outpost = self._here.snapshot().manifest.outpost
        if outpost is None:
            return
        settings, fresh = self._deployment.settings, self._there.snapshot().manifest
        name = collection(settings, self.instance, fresh, place_of(outpost.name))
        known = {outpost.name: self.instance.prefix, name: self._target.prefix}
        self._moves.change_engines(lambda noted: {**noted, **known})
        self._there.attach(name)

    def _serve(self) -> None:
        """Have the engine hold all of the fresh index, and answer if it does for the old one."""
        if outpost := self._here.snapshot().manifest.outpost:
            self._there.fill()
            while not self._there.switch(serving=outpost.serving):
                pass

    def _check_gone(self, snapshot: Snapshot) -> None:
        """Raise unless the products stayed away: who adds one again is not to lose that."""
        for product in self._products:
            if snapshot.of_product(product):
                raise Conflict(
                    f"product {product!r} was added again meanwhile.",
                    fix="Stop adding it, then erase it again.",
                )

    def _copy(self, on_progress: Callable[[], None]) -> None:
        """Make the fresh index hold what the instance holds; again and again is fine."""
        here = self._here.snapshot()
        standing = set(self._copied)
        batch: list[Entry] = []
        for entry in _entries(here):
            key, seen = entry.picture.key, _fingerprint(entry)
            standing.discard(key)
            if self._copied.get(key) != seen:
                self._copied[key] = seen
                batch.append(entry)
            if len(batch) == _BATCH:
                self._write(batch)
                batch = []
            on_progress()
        self._write(batch)
        for some in _in_batches(sorted(standing)):
            gone = [OfPicture(key) for key in some]
            self._there.append(deletions=gone, after=self._there.snapshot())
            for key in some:
                del self._copied[key]
        self._there.maintain()

    def _write(self, batch: Sequence[Entry]) -> None:
        """Write pictures to the fresh index, their thumbnails in a pack of their own."""
        if not batch:
            return
        store, pack = self._deployment.store, Pack()
        moved = [
            replace(entry, picture=_with_thumbnail(entry.picture, self.instance, store, pack))
            for entry in batch
        ]
        pack.write(store, self.instance)
        self._packs.add(f"{self.instance.thumbnails}{pack.name}")
        self._there.append(moved, after=self._there.snapshot())

    def _delete_old(self) -> list[tuple[str, str]]:
        """Delete the old index, the old packs, and what lies in the inbox of the products."""
        old = _aside(self._deployment, self.instance)
        old.enter("retired")
        self._erase_engines()
        deleted = [one for folder in self._old_folders() for one in self._purge(folder, ())]
        # An add under way may have stored its pack already; the living refer to it.
        used = self._packs | _packs_of(self._there.snapshot(), self.instance)
        deleted += self._purge(self.instance.thumbnails, used)
        deleted += _purge_papers(self._purge, self.instance)
        for product in self._products:
            for inbox in _INBOXES:
                deleted += self._purge(f"{inbox}{self.instance.name}/{product}/", ())
        for index in (self.instance, self._target):
            shutil.rmtree(_folder(self._deployment, index), ignore_errors=True)
        return deleted

    def _erase_engines(self) -> None:
        """Erase what engines hold of any index of the instance but the one in force."""
        outpost = self._there.snapshot().manifest.outpost
        kept = {outpost.name: self._target.prefix} if outpost else {}
        old = {n: prefix for n, prefix in self._moves.engines.items() if n not in kept}
        for name, prefix in sorted(old.items()):
            self._deployment.engines.of(prefix)(name).erase()
        if old:
            self._moves.change_engines(
                lambda noted: {n: p for n, p in noted.items() if n not in old} | kept
            )

    def _old_folders(self) -> list[str]:
        """Return the prefixes of all indexes of the instance but the one in force.

        One that was interrupted after its switch has left the index of before.
        """
        every = f"index/{self.instance.name}/{self.instance.incarnation}"
        found = {f"{info.key.rpartition('/')[0]}/" for info in self._deployment.store.list(every)}
        folders = {"/".join(prefix.split("/")[:3]) + "/" for prefix in found}
        kept = {self._target.prefix, self.instance.thumbnails, self.instance.moves}
        return sorted({*folders, self.instance.prefix} - kept)

    def _give_up(self) -> None:
        """Leave the instance as it was, unless it has been moved already."""
        self._deployment.instances.doubt(self.instance.name)
        if self._deployment.instances.get(self.instance.name).index != self._target.index:
            with suppress(EngineUnavailable):  # what it holds is noted, and erased by the next
                self._there.erase()
        settle(self._deployment, self.instance.name)


def erase_instance(deployment: Deployment, name: str, *, purge: Purge) -> Receipt:
    """Erase an instance with everything that was ever stored of it."""
    requested = _now()
    deployment.instances.doubt(name)
    instance = deployment.instances.get(name)
    _check_no_task(deployment, instance)
    before = deployment.index(instance).snapshot()
    pictures = before.pictures
    delete_instance(deployment, DeleteInstance(instance=name, confirm=name))
    deleted = purge(f"index/{name}/{instance.incarnation}", ())
    deleted += purge(instance.prefix, ())
    deleted += _purge_papers(purge, instance)
    for inbox in _INBOXES:
        deleted += purge(f"{inbox}{name}/", ())
    return signed(
        deployment.store,
        Receipt(
            id=secrets.token_hex(16),
            instance=name,
            incarnation=instance.incarnation,
            products=[],
            pictures=pictures,
            requested=requested,
            completed=_now(),
            sequence=before.sequence,
            generation_before=before.generation,
            generation_after=0,
            index_before=f"index/{name}/{instance.incarnation}",
            index_after="",
            objects=len(deleted),
            digest=digest(deleted),
        ),
    )


def _check_no_task(deployment: Deployment, instance: Instance) -> None:
    """Raise while a batch task has something left to do, since its lines name products."""
    owner = f"{instance.name}/{instance.incarnation}/"
    if next(iter(deployment.store.list(f"tasks/open/{owner}")), None):
        raise Conflict(
            f"a batch task of instance {instance.name!r} is under way.",
            fix="Wait for it, or cancel it: imagesearch increment cancel.",
        )


def _purge_papers(purge: Purge, instance: Instance) -> list[tuple[str, str]]:
    """Delete dumps, and the lines and reports of batch tasks: all of them name products."""
    owner = f"{instance.name}/{instance.incarnation}/"
    deleted = purge(f"dumps/{owner}", ())
    for kind in _TASKS:
        deleted += purge(f"tasks/{kind}/{owner}", ())
    return deleted


def find_leftovers(deployment: Deployment, receipt: Receipt) -> Iterator[Leftover]:
    """Yield what is still there of what a receipt says was erased; nothing if it tells the truth.

    Objects below the old index, and pictures of the products in the index of today that are not
    newer than the receipt's last write.
    """
    for info in deployment.store.list(receipt.index_before):
        yield Leftover(info.key, "an object of the index that was left")
    for product in receipt.products:
        for info in deployment.store.list(f"inbox/{receipt.instance}/{product}/"):
            if info.modified <= receipt.sequence:
                yield Leftover(info.key, "a picture in the inbox")
    if not receipt.products:
        return
    deployment.instances.doubt(receipt.instance)
    instance = deployment.instances.get(receipt.instance)
    if instance.incarnation != receipt.incarnation:
        return
    snapshot = deployment.index(instance).snapshot()
    for product in receipt.products:
        for key, version in snapshot.written(product):
            if version.clock <= receipt.sequence:
                yield Leftover(instance.prefix, f"{key.pic_name} of product {product}")


def _entries(snapshot: Snapshot) -> Iterator[Entry]:
    """Yield everything a snapshot holds, in the order of keys."""
    page = snapshot.matching(None, limit=_PAGE)
    while page:
        for picture in page:
            if entry := snapshot.view.find(picture.key):
                yield entry
        page = snapshot.matching(None, after=page[-1].key, limit=_PAGE)


def _with_thumbnail(
    picture: Picture, instance: Instance, store: ObjectStore, pack: Pack
) -> Picture:
    small = read_thumbnail(store, instance, picture)
    return replace(picture, thumbnail=pack.add(small) if small else "")


def _packs_of(snapshot: Snapshot, instance: Instance) -> set[str]:
    found = (Place.parse(entry.picture.thumbnail) for entry in _entries(snapshot))
    return {place.key(instance) for place in found if place}


def _fingerprint(entry: Entry) -> bytes:
    meaning = b"" if entry.meaning is None else entry.meaning.tobytes()
    parts = (repr(entry.picture).encode(), entry.features.row.tobytes(), meaning)
    return hashlib.blake2b(b"\0".join(parts), digest_size=16).digest()


def _folder(deployment: Deployment, instance: Instance) -> Path:
    return deployment.settings.cache / "erasing" / (instance.index or instance.incarnation)


def _aside(deployment: Deployment, instance: Instance) -> Index:
    return Index(
        deployment.store,
        instance.prefix,
        model=instance.model,
        cache=_folder(deployment, instance),
        aside=True,
        engines=deployment.engines.of(instance.prefix),
    )


def _in_batches(keys: Sequence[PictureKey]) -> Iterator[Sequence[PictureKey]]:
    for start in range(0, len(keys), _BATCH):
        yield keys[start : start + _BATCH]


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")

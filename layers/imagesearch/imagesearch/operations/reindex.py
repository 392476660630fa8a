"""Move an instance to another model bundle: build a second index, switch to it, or go back.

The pictures themselves are not stored, so whoever runs this supplies them again. Meanwhile the
instance is used as ever. Before the switch its writes pause for as long as an earlier one may
still be acknowledged; what was written until then is carried over, so that nothing is lost.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np

from imagesearch.catalogue import Instance, Picture, PictureKey, Region
from imagesearch.errors import Conflict, InvalidRegion, ModelError, PictureError
from imagesearch.index import Entry, Features, Index, OfPicture, Query, Snapshot, encode, likeness
from imagesearch.operations.deployment import Deployment
from imagesearch.operations.moves import Look, Moves, look_of

if TYPE_CHECKING:
    from imagesearch.vision import Vision

__all__ = ["Filled", "Reindex", "Supply", "forget_earlier", "settle"]

_BATCH = 100
_SAME = 0.95  # of the same file by the same bundle it is 1, but for another processor's rounding
_SAMPLED = 200
_FIRST = 10


class Supply(Protocol):
    """Where the pictures come from."""

    def __call__(self, key: PictureKey) -> bytes | None:
        """Return the file of a picture, or ``None`` if it is not at hand."""
        ...


@dataclass(slots=True)
class Filled:
    """What was done so that the new index has every picture that the instance has.

    ``looked`` counts pictures seen anew, ``changed`` those whose attributes were carried over,
    ``deleted`` those that the instance has no more. The keys that are left are of pictures that
    were not supplied (``missing``), that are not the ones that were indexed (``different``), and
    that the new bundle refuses (``refused``, with the reason).
    """

    pictures: int = 0
    looked: int = 0
    changed: int = 0
    deleted: int = 0
    missing: list[PictureKey] = field(default_factory=list)
    different: list[PictureKey] = field(default_factory=list)
    refused: dict[PictureKey, str] = field(default_factory=dict)

    @property
    def left(self) -> int:
        """Return how many pictures the new index lacks."""
        return len(self.missing) + len(self.different) + len(self.refused)

    @property
    def coverage(self) -> float:
        """Return the share of the instance's pictures that the new index has."""
        return 1 - self.left / self.pictures if self.pictures else 1.0


class Reindex:
    """The move of one instance to the published bundle ``vision``; used by one thread.

    With ``trusting`` a supplied picture is taken for the one that was indexed; otherwise the
    instance's own bundle must see in it what is indexed. A region that the bundle of before did
    not find itself was given, and is kept, and so is every category; with ``anew`` both are found
    again. A trusting move cannot tell, and keeps every region.
    """

    def __init__(
        self,
        deployment: Deployment,
        name: str,
        vision: Vision,
        *,
        trusting: bool = False,
        anew: bool = False,
        sleep: Callable[[float], None] | None = None,
    ) -> None:
        deployment.instances.doubt(name)
        self.instance = deployment.instances.get(name)
        if self.instance.model == vision.model:
            raise Conflict(
                f"instance {name!r} has the bundle {vision.model!r} already.",
                fix="Name another bundle.",
            )
        self._deployment = deployment
        self._vision = vision
        self._anew = anew
        self._sleep = sleep or time.sleep
        self._moves = Moves(deployment.store, self.instance)
        self._checker = None if trusting else deployment.vision_of(self.instance)
        self._target = replace(
            self.instance, model=vision.model, index=self._moves.index_of(vision.model)
        )
        self._here, self._there = (_aside(deployment, one) for one in (self.instance, self._target))
        self._there.create()

    @property
    def pictures(self) -> int:
        """Return how many pictures the instance has."""
        return self._here.snapshot().pictures

    def fill(self, supply: Supply, on_progress: Callable[[], None] = lambda: None) -> Filled:
        """Give the new index what it lacks; again and again is fine, each goes on from the last."""
        here, there = self._here.snapshot(), self._there.snapshot()
        pairs, filled = self._moves.pairs(), Filled(here.pictures)
        standing = _all(there)
        batch: list[tuple[Entry, Look | None]] = []
        for key, picture in _all(here).items():
            features = _features(here, key)
            ours = look_of(self.instance.index, features)
            known = standing.pop(key, None)
            if known and self._in_step(there, key, ours, pairs):
                if _facts(known) != _facts(picture):
                    seen = _found(there, key)
                    batch.append((replace(seen, picture=_with_facts(known, picture)), None))
                    filled.changed += 1
            elif entry := self._look(picture, features, supply, filled):
                batch.append((entry, ours))
                filled.looked += 1
            elif known:
                self._there.append(deletions=[OfPicture(key)], after=self._there.snapshot())
            on_progress()
            if len(batch) >= _BATCH:
                self._write(batch)
                batch = []
        self._write(batch)
        self._delete(list(standing))
        filled.deleted = len(standing)
        return filled

    def overlap(self, *, seed: int = 0) -> tuple[float, int]:
        """Return which share of the first ten hits both indexes have in common, and of how many.

        At most 200 pictures that both have are searched for, drawn at random; a picture itself
        does not count among its hits.
        """
        here, there = self._here.snapshot(), self._there.snapshot()
        both = sorted(_all(here).keys() & _all(there).keys())
        drawn = np.random.default_rng(seed).permutation(len(both))[:_SAMPLED]
        shares = [_shared(here, there, both[number]) for number in drawn]
        told = [share for share in shares if share is not None]
        return (float(np.mean(told)) if told else 1.0), len(told)

    def switch(self, supply: Supply, *, allow_missing: bool = False, back: bool = False) -> Filled:
        """Put the new index in force, unless it lacks a picture; tell what it lacked.

        Writes pause meanwhile; searches do not. :attr:`instance` is the new one afterwards.
        """
        self._moves.begin()
        try:
            self._here.enter("frozen")
            # An earlier write may still arrive, and be acknowledged, for so long.
            self._sleep(self._here.policy.write_deadline + 1)
            filled = self.fill(supply)
            if filled.left and not allow_missing:
                return filled
            self._there.enter("frozen", sequence=self._here.snapshot().sequence)
            self._deployment.instances.replace(self.instance, self._target)
            self.instance = self._target
            self._moves.switched(self._target.model, back=back)
            return filled
        finally:
            settle(self._deployment, self.instance.name)

    def _in_step(
        self,
        there: Snapshot,
        key: PictureKey,
        ours: Look,
        pairs: Mapping[PictureKey, set[frozenset[Look]]],
    ) -> bool:
        """Tell whether the new index saw the very picture that the instance has now."""
        theirs = look_of(self._target.index, _features(there, key))
        return frozenset((ours, theirs)) in pairs.get(key, ())

    def _look(
        self, picture: Picture, features: Features, supply: Supply, filled: Filled
    ) -> Entry | None:
        image = supply(picture.key)
        if image is None:
            filled.missing.append(picture.key)
            return None
        try:
            recognised, given = self._recognised(image, picture, features)
            if not recognised:
                filled.different.append(picture.key)
                return None
            view = self._vision.look(
                image,
                self.instance.service,
                region=None if self._anew else given,
                category_id=None if self._anew else picture.category_id,
                meaning=True,
            )
        except (PictureError, InvalidRegion) as error:
            filled.refused[picture.key] = f"{error.code}: {error.detail}"
            return None
        category = view.category_id if self._anew else picture.category_id
        seen = replace(picture, region=view.region, category_id=category, classes=view.classes)
        return Entry.of(seen, view.vector, view.meaning)

    def _recognised(
        self, image: bytes, picture: Picture, features: Features
    ) -> tuple[bool, Region | None]:
        """Tell whether this is the picture that was indexed, and its region if it was given.

        A region that the instance's own bundle finds by itself was not given.
        """
        if self._checker is None:
            return True, picture.region
        for region in (None, picture.region):
            seen = self._checker.look(
                image, self.instance.service, region=region, category_id=picture.category_id
            )
            alike = likeness(encode(seen.vector), features).score >= _SAME
            if alike and seen.region == picture.region:
                return True, region
        return False, None

    def _write(self, batch: list[tuple[Entry, Look | None]]) -> None:
        if not batch:
            return
        name = self._target.index
        self._moves.note_pairs(
            (entry.picture.key, ours, look_of(name, entry.features))
            for entry, ours in batch
            if ours
        )
        snapshot = self._there.snapshot()
        self._there.append([entry for entry, _ in batch], after=snapshot)
        if snapshot.wants_upkeep:
            self._there.maintain()

    def _delete(self, keys: list[PictureKey]) -> None:
        for first in range(0, len(keys), _BATCH):
            gone = [OfPicture(key) for key in keys[first : first + _BATCH]]
            self._there.append(deletions=gone, after=self._there.snapshot())


def settle(deployment: Deployment, name: str) -> Instance:
    """Leave one index of the instance in force and open to writes, whatever was interrupted.

    Only for when nobody moves the instance any more.
    """
    deployment.instances.doubt(name)
    instance = deployment.instances.get(name)
    moves = Moves(deployment.store, instance)
    for model, index in moves.others().items():
        other = _aside(deployment, replace(instance, model=model, index=index))
        other.create()
        other.enter("retired")
    _aside(deployment, instance).enter("open")
    moves.end()
    return instance


def forget_earlier(deployment: Deployment, name: str) -> list[str]:
    """Erase the indexes that are not in force; return their bundles, to which none goes back."""
    deployment.instances.doubt(name)
    instance = deployment.instances.get(name)
    moves = Moves(deployment.store, instance)
    moves.begin()
    try:
        gone = moves.others()
        for model, index in gone.items():
            _aside(deployment, replace(instance, model=model, index=index)).erase()
    finally:
        moves.clear()
    return list(gone)


def _aside(deployment: Deployment, instance: Instance) -> Index:
    cache = deployment.settings.cache / "aside" / (instance.index or instance.incarnation)
    return Index(
        deployment.store,
        instance.prefix,
        model=instance.model,
        cache=cache,
        aside=True,
        engines=deployment.engines.of(instance.prefix),
    )


def _all(snapshot: Snapshot) -> dict[PictureKey, Picture]:
    found = snapshot.matching(None, limit=max(snapshot.pictures, 1))
    return {picture.key: picture for picture in found}


def _found(snapshot: Snapshot, key: PictureKey, *, meaning: bool = True) -> Entry:
    # All files are open by now: an engine elsewhere need not be asked for each picture.
    entry = snapshot.view.find(key, meaning=meaning)
    if entry is None:
        raise ModelError(f"picture {key} is listed in an index that does not find it.")
    return entry


def _features(snapshot: Snapshot, key: PictureKey) -> Features:
    return _found(snapshot, key, meaning=False).features


def _facts(picture: Picture) -> tuple[object, ...]:
    """Return what an owner may change of a picture without its being looked at."""
    return picture.attributes, picture.thumbnail


def _with_facts(known: Picture, picture: Picture) -> Picture:
    return replace(known, attributes=picture.attributes, thumbnail=picture.thumbnail)


def _shared(here: Snapshot, there: Snapshot, key: PictureKey) -> float | None:
    """Return the share of a picture's first hits that two indexes agree on."""
    first, second = (set(_hits(snapshot, key)) for snapshot in (here, there))
    return len(first & second) / len(first) if first else None


def _hits(snapshot: Snapshot, key: PictureKey) -> Iterator[PictureKey]:
    query = Query(features=_features(snapshot, key), num=_FIRST + 1)
    others = (hit.picture.key for hit in snapshot.search(query).hits)
    yield from [found for found in others if found != key][:_FIRST]

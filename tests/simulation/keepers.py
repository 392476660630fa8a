"""Those who fold, roll back, keep an engine elsewhere, and erase an instance and make it anew."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from imagesearch.catalogue import PictureKey
from imagesearch.errors import Conflict, CorruptObject, UnknownGeneration, UnknownInstance
from imagesearch.index import Index
from imagesearch.index.keys import Keys
from imagesearch.index.manifest import Manifest
from imagesearch.index.shelf import Shelf
from imagesearch.index.tail import Tail
from imagesearch.index.view import View
from imagesearch.operations.instances import DeleteInstance, delete_instance

from tests.simulation.actors import Actor, state_of
from tests.simulation.bucket import Bucket
from tests.simulation.history import Write
from tests.simulation.network import EngineLine
from tests.simulation.scenario import KEYS, NAME, OPERATION_LIMIT


class Folder(Actor):
    """Folds, and now and then does all other upkeep."""

    def turns(self) -> Iterator[int]:
        for turn in range(self.run.scenario.upkeep):
            if self.run.busy:
                yield turn

    def operate(self) -> None:
        if self.run.world.random.random() < 0.3:
            self.deployment.open(NAME).index.fold()
        else:
            self.tidy()


class Turner(Actor):
    """Rolls back to some earlier generation."""

    def operate(self) -> None:
        found = self.deployment.open(NAME)
        known = [generation.number for generation in found.index.generations()]
        if not known:
            return
        to = self.run.world.random.choice(known[-8 if self.run.scenario.stewards else -4 :])
        try:
            versions, settings = held(self.run.bucket, found.instance.prefix, to)
        except (CorruptObject, UnknownGeneration):
            return
        write = Write(f"{self.name} to {to}", {key: versions.get(key) for key in KEYS}, 0)
        write.settings = {key: settings.get(key) for key in KEYS}
        write.rollback = True
        write.homes.add(found.instance.prefix)
        write.begin = self.run.world.tick()
        self.run.history.writes.append(write)
        try:
            found.index.rollback(to)
        except (CorruptObject, UnknownGeneration):
            return
        write.end = self.run.world.tick()
        self.read()


def held(
    bucket: Bucket, prefix: str, generation: int
) -> tuple[dict[PictureKey, int], dict[PictureKey, int]]:
    """Return the versions and settings that an earlier generation had folded."""
    keys = Keys(prefix)
    body = bucket.keys_after(keys.history(generation), "", 1)
    if not body:
        raise UnknownGeneration(f"generation {generation} is gone.")
    manifest = Manifest.decode(body[0], bucket.get(body[0]).body)
    view = View(manifest, Tail(), Shelf(bucket, keys, None, parallel=1))
    return state_of(view.matching(None, limit=1000))


class Steward(Actor):
    """Attaches engines elsewhere, fills them, lets them serve or not, and erases them."""

    def operate(self) -> None:
        dice = self.run.world.random
        found = self.deployment.open(NAME)
        work = dice.choices(["fill", "serve", "stop", "attach", "leave"], [5, 3, 1, 2, 4])[0]
        if work == "fill":
            found.index.fill()
        elif work == "attach":
            self._attach(found.index, f"{found.instance.prefix}{dice.choice('ab')}")
        elif work == "leave":
            self._leave(found.index, found.snapshot.manifest)
        else:
            with suppress(Conflict):
                found.index.switch(serving=work == "serve")
        if dice.random() < 0.5:
            self.read()

    def begin_serving(self) -> None:
        """Have an engine serve from the beginning."""
        found = self.deployment.open(NAME)
        found.index.attach(f"{found.instance.prefix}a")
        found.index.switch(serving=True)

    def _attach(self, index: Index, name: str) -> None:
        """Attach an engine in place of another, unless somebody else is quicker."""
        outpost = index.snapshot().manifest.outpost
        if outpost and outpost.name != name:
            index.detach()
        with suppress(Conflict):
            index.attach(name)

    def _leave(self, index: Index, manifest: Manifest) -> None:
        """Detach, and erase the engine once nobody can be searching it any more."""
        if manifest.outpost is None:
            return
        index.detach()
        self.process.deadline = None
        self.process.pause(OPERATION_LIMIT)
        now = index.snapshot().manifest.outpost
        if now is None or now.name != manifest.outpost.name:
            EngineLine(self.run.engine(manifest.outpost.name), self.process).erase()
        with suppress(Conflict):
            index.attach(manifest.outpost.name)
        self.process.deadline = self.run.world.now + OPERATION_LIMIT
        index.switch(serving=True)


class Eraser(Actor):
    """Erases the instance and makes it anew, by what the product has for it."""

    def operate(self) -> None:
        if self.run.world.random.random() < 0.7:
            with suppress(UnknownInstance):
                self._erase()
        self.create()
        self.read()

    def _erase(self) -> None:
        write = Write(f"{self.name} erase", dict.fromkeys(KEYS), self.run.world.tick())
        self.run.history.writes.append(write)
        delete_instance(self.deployment, DeleteInstance(instance=NAME, confirm=NAME))
        write.homes.add(self.deployment.instances.erased)
        write.end = self.run.world.tick()

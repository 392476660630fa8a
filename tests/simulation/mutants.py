"""Wrong versions of the protocol, each of which the simulation must catch."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from imagesearch.catalogue import InstanceRegister
from imagesearch.errors import LostRace, StorageUnavailable
from imagesearch.index import Index, Snapshot
from imagesearch.index.changes import Changes
from imagesearch.index.clock import tick
from imagesearch.index.fold import _tombs, folded
from imagesearch.index.keeper import Keeper
from imagesearch.index.manifest import Held, Manifest
from imagesearch.index.merge import _replaced
from imagesearch.index.reader import Observation, Reader
from imagesearch.index.rollback import earlier
from imagesearch.index.tombs import Tombs
from imagesearch.index.view import View
from msgspec.structs import replace as replace_struct

from tests.simulation.elsewhere import ELSEWHERE
from tests.simulation.mutant import INDEX, Mutant
from tests.simulation.terrains import TERRAINS, belated, busy, fleeting, overdue, stalling, turning

__all__ = ["MUTANTS", "TERRAINS"]


def _blind_commit(keeper: Keeper, held: Held, after: Manifest) -> bool:
    now = held.manifest.generation
    keeper.store.put(keeper.keys.manifest, replace_struct(after, generation=now + 1).encode())
    return True


class _ManifestFirst(Reader):
    """Reads the manifest and lists the log afterwards."""

    _early: Held | None = None

    def manifest(self, known: Held | None = None) -> Held:
        if known is not None and self._early is not None:
            early, self._early = self._early, None
            return early
        return super().manifest(known)

    def _list(self, low_water: int) -> dict[str, int]:
        self._early = super().manifest(self._held)
        return super()._list(low_water)


class _Lazy(Reader):
    """Takes what it saw in the last 5 seconds for the present."""

    _last: Observation | None = None

    def observe(self) -> Observation:
        now = self._clock.monotonic()
        if self._last is None or now - self._last.began[0] > 5:
            self._last = super().observe()
        return self._last


def _append_unsure(index: Index, *writes: Any, after: Snapshot, **names: Any) -> int:
    """Acknowledge what the store did not."""
    try:
        return _append(index, *writes, after=after, **names)
    except StorageUnavailable:
        return tick(index._clock.now(), after.sequence)


_append = Index.append


def _folded_with_latecomers(keeper: Keeper, seen: Observation, low_water: int) -> Manifest:
    """Say that all is folded that is listed after the segment was written."""
    after = folded(keeper, seen, low_water)
    names = [*keeper.reader._list(low_water)]
    return replace_struct(after, folded=tuple(names))


def _folded_without_names(keeper: Keeper, seen: Observation, low_water: int) -> Manifest:
    """Take everything up to the newest clock for settled."""
    return folded(keeper, seen, max(low_water, seen.sequence))


def _without_deletions(view: View, low_water: int) -> Tombs:
    """Forget deletions once the rows they hide are marked."""
    return Tombs(_tombs(view, low_water).dead)


def _without_dead(view: View, low_water: int) -> Tombs:
    """Keep deletions, but mark no row."""
    return Tombs(deletions=_tombs(view, low_water).deletions)


def _replaced_as_copied(keeper: Keeper, manifest: Manifest, moved: Any, new: Any) -> Manifest:
    """Take a merged segment's rows for alive, whatever died while they were copied."""
    after = _replaced(keeper, manifest, moved, new)
    return replace_struct(after, tombs="", dead={}) if new else after


def _own_time(keeper: Keeper) -> int:
    """Ask the process's own clock in place of the store's."""
    return keeper.reader._clock.now()


def _append_anew(index: Index, *writes: Any, after: Any, **names: Any) -> int:
    """Change a picture by writing the whole of it again, as it was when one looked."""
    changes = names.pop("changes", ())
    snapshot = index.snapshot() if changes else None
    for change in changes:
        if (found := snapshot.find(change.key)) and change.attributes:
            attributes = replace(found.picture.attributes, **change.attributes)
            picture = replace(found.picture, attributes=attributes)
            names["entries"] = [*names["entries"], replace(found, picture=picture)]
    return _append(index, *writes, after=after, **names)


def _replaced_without_changes(keeper: Keeper, manifest: Manifest, moved: Any, new: Any) -> Manifest:
    """Forget the changes of pictures that may still arrive."""
    after = _replaced(keeper, manifest, moved, new)
    tombs = replace(keeper.reader.shelf.tombs(after), changes=Changes())
    return keeper.put_tombs(after, tombs)


def _rolled_back_in_part(keeper: Keeper, to: int) -> int:
    """Go back to earlier segments, but let the log go on as it is."""
    wanted, held = earlier(keeper, to), keeper.reader.manifest()
    kept = {"segments": wanted.segments, "dead": wanted.dead, "tombs": wanted.tombs}
    if not keeper.commit(held, replace_struct(held.manifest, **kept)):
        raise LostRace("the index was folded while it was rolled back.")
    return held.manifest.generation + 1


def _erase_by_name_first(deployment: Any, instance: Any) -> None:
    """Free the name before the index is closed."""
    deployment.instances.forget(instance)
    deployment.index(instance).erase()


def _forget_by_name(register: InstanceRegister, instance: Any) -> None:
    """Delete whatever record has the name."""
    register._store.delete([register._key(instance.name)])
    register.doubt(instance.name)


MUTANTS: dict[str, Mutant] = {
    "no-clock-floor": Mutant(
        "a write takes its own machine's time, whatever was written before",
        {f"{INDEX}.index.tick": lambda now, _floor: now},
    ),
    "no-compare-and-swap": Mutant(
        "the manifest is written without a look at who else did",
        {f"{INDEX}.keeper.Keeper.commit": _blind_commit},
    ),
    "manifest-before-list": Mutant(
        "the manifest is read before the log is listed",
        {f"{INDEX}.index.Reader": _ManifestFirst},
        terrain=stalling,
    ),
    "cached-view": Mutant(
        "a process answers from what it saw a moment ago", {f"{INDEX}.index.Reader": _Lazy}
    ),
    "early-acknowledgement": Mutant(
        "a write is acknowledged although the store is silent",
        {f"{INDEX}.index.Index.append": _append_unsure},
    ),
    "fold-names-latecomers": Mutant(
        "a fold names log objects that came after it had read the log",
        {f"{INDEX}.upkeep.folded": _folded_with_latecomers},
    ),
    "settled-at-once": Mutant(
        "a fold takes everything up to its newest clock for settled",
        {f"{INDEX}.upkeep.folded": _folded_without_names},
        terrain=busy,
    ),
    "no-settling": Mutant(
        "the low-water mark does not wait", policy={"settle_after": 0, "remember": 0}, terrain=busy
    ),
    "no-write-deadline": Mutant(
        "a write may be acknowledged however late it is",
        {f"{INDEX}.index.Index._check_deadline": lambda _index, _after: None},
        terrain=overdue,
    ),
    "own-clock-for-settling": Mutant(
        "ages are told by each process's own clock",
        {f"{INDEX}.upkeep.pulse": _own_time},
        terrain=busy,
    ),
    "deletions-forgotten": Mutant(
        "a fold forgets deletions that an older write may still arrive under",
        {f"{INDEX}.fold._tombs": _without_deletions},
        terrain=belated,
    ),
    "dead-rows-forgotten": Mutant(
        "a fold does not mark the rows it hides", {f"{INDEX}.fold._tombs": _without_dead}
    ),
    "merge-forgets-the-dead": Mutant(
        "a merge overlooks what died while it copied",
        {f"{INDEX}.merge._replaced": _replaced_as_copied},
    ),
    "change-writes-anew": Mutant(
        "a change writes the whole picture as it was seen before",
        {f"{INDEX}.index.Index.append": _append_anew},
    ),
    "changes-forgotten": Mutant(
        "a fold forgets changes that an older picture may still arrive under",
        {f"{INDEX}.changes.Changes.after": lambda _changes, _clock: Changes()},
        terrain=belated,
    ),
    "merge-forgets-changes": Mutant(
        "a merge forgets those changes",
        {f"{INDEX}.merge._replaced": _replaced_without_changes},
        terrain=belated,
    ),
    "changes-of-later-pictures": Mutant(
        "a change is made in a picture that was added after it",
        {f"{INDEX}.changes.Setting.applies": lambda setting, at: setting.of in (None, at)},
    ),
    "changes-as-they-arrive": Mutant(
        "of two changes the one that arrives last counts",
        {f"{INDEX}.changes.Setting.replaces": lambda _setting, _other: True},
    ),
    "findings-of-other-pictures": Mutant(
        "what was found out of a picture is set on whatever is there",
        {f"{INDEX}.changes.Setting.applies": lambda setting, at: setting.version >= at},
    ),
    "changed-rows-stay": Mutant(
        "the row of a changed picture stays beside it",
        {f"{INDEX}.view.View.hidden": View._overruled},
    ),
    "rollback-leaves-the-log": Mutant(
        "a rollback does not undo what the log holds",
        {f"{INDEX}.index.rollback": _rolled_back_in_part},
        terrain=turning,
    ),
    "name-is-free-first": Mutant(
        "a new instance may have the name while the old one can be written to",
        {"imagesearch.operations.instances._erase": _erase_by_name_first},
        terrain=fleeting,
    ),
    "late-erasure-by-name": Mutant(
        "who erases late takes the next instance's name away",
        {"tests.simulation.actors.InstanceRegister.forget": _forget_by_name},
        terrain=fleeting,
    ),
    "no-grace": Mutant(
        "what nobody refers to is deleted at once",
        policy={"grace": 0, "retention": 0, "keep_all": 0, "sweep_every": 0},
        terrain=busy,
    ),
    **ELSEWHERE,
}

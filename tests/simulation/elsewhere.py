"""Wrong versions of what is agreed with an engine elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from imagesearch.errors import EngineUnavailable
from imagesearch.index.engine import HeldRow
from imagesearch.index.filling import fill, rows_of_draft, rows_of_segment
from imagesearch.index.keeper import Keeper
from imagesearch.index.manifest import Held, Manifest, Outpost
from imagesearch.index.merge import merge
from imagesearch.index.segment import Draft
from imagesearch.index.view import View
from msgspec.structs import replace as replace_struct

from tests.simulation.mutant import INDEX, Mutant
from tests.simulation.terrains import elsewhere, restless

_unfilled: dict[int, list[Callable[[], object]]] = {}
"""What a keeper has yet to fill."""


def _filled_later(keeper: Keeper, manifest: Manifest, segment: str, draft: Draft) -> str:
    """Say that a segment is held, and fill it once the manifest says so as well."""
    if manifest.outpost is None:
        return ""
    engine = keeper.outposts.engine(manifest.outpost.name)
    rows = [*rows_of_draft(segment, draft)]
    _unfilled.setdefault(id(keeper), []).append(lambda: engine.fill(rows))
    return manifest.outpost.name


def _commit_and_fill(keeper: Keeper, held: Held, after: Manifest) -> bool:
    done = _commit(keeper, held, after)
    for later in _unfilled.pop(id(keeper), []):
        later()
    return done


def _fill_in_part(*given: Any) -> None:
    """Take what the engine did not answer for done."""
    with suppress(EngineUnavailable):
        fill(*given)


def _merge_and_remove(keeper: Keeper, sources: Any) -> bool:
    """Have the engine forget what was merged, at once."""
    shelf, manifest = keeper.reader.shelf, keeper.reader.manifest().manifest
    keys = {
        info.id: [row.picture.key for row in rows_of_segment(shelf.segment(manifest.index, info))]
        for info in sources
    }
    done = merge(keeper, sources)
    if done and manifest.outpost:
        for segment, found in keys.items():
            keeper.outposts.engine(manifest.outpost.name).remove(segment, found)
    return done


def _mark_as_it_was(keeper: Keeper, before: Manifest, segment: str) -> None:
    """Mark a segment among those that there were when its filling began."""
    held = keeper.reader.manifest()
    name = before.outpost.name if before.outpost else ""
    marked = (replace_struct(i, held=name) if i.id == segment else i for i in before.segments)
    keeper.commit(held, replace_struct(held.manifest, segments=tuple(marked)))


def _hides_by_tail_alone(view: View, row: HeldRow) -> bool:
    written = view.tail.writes.get(row.picture.key)
    newer = written is not None and written.version > row.version
    return newer or view.tail.deletions.hides(row.picture.key, row.version)


def _with_all_held(manifest: Manifest, outpost: Outpost | None) -> Manifest:
    """Trust what an engine of that name was given before."""
    return replace_struct(manifest, outpost=outpost)


_commit = Keeper.commit


ELSEWHERE: dict[str, Mutant] = {
    "commit-before-fill": Mutant(
        "a segment is filled after the manifest says that it is held",
        {
            f"{INDEX}.keeper.Keeper._filled": _filled_later,
            f"{INDEX}.keeper.Keeper.commit": _commit_and_fill,
        },
        terrain=elsewhere,
    ),
    "held-in-part": Mutant(
        "a segment is said to be held although the engine did not take all of it",
        {f"{INDEX}.keeper.fill": _fill_in_part, f"{INDEX}.attachment.fill": _fill_in_part},
        terrain=elsewhere,
    ),
    "rows-removed-at-once": Mutant(
        "an engine forgets rows that a snapshot or a rollback still names",
        {f"{INDEX}.upkeep.merge": _merge_and_remove},
        terrain=elsewhere,
    ),
    "overruled-rows-elsewhere": Mutant(
        "rows of an engine count although the tail has overruled them",
        {f"{INDEX}.view.View.hides": lambda view, row: row.row in view.tombs.of(row.segment)},
        terrain=elsewhere,
    ),
    "dead-rows-elsewhere": Mutant(
        "rows of an engine count although they are dead",
        {f"{INDEX}.view.View.hides": _hides_by_tail_alone},
        terrain=elsewhere,
    ),
    "changed-rows-elsewhere": Mutant(
        "a filter is evaluated by attributes as they were",
        {f"{INDEX}.outposts.EngineRanking._changed_rows": lambda *_given: {}},
        terrain=elsewhere,
    ),
    "held-since-before": Mutant(
        "an engine that was attached anew is taken to hold what one of its name held before",
        {f"{INDEX}.attachment._with": _with_all_held},
        terrain=elsewhere,
    ),
    "rollback-to-held-before": Mutant(
        "a rollback takes what an earlier engine of the name held to be held",
        {f"{INDEX}.rollback.held_as_now": lambda wanted, _now: wanted.segments},
        terrain=restless,
    ),
    "merged-away-marked": Mutant(
        "who has filled a segment puts it back into the manifest",
        {f"{INDEX}.attachment._mark": _mark_as_it_was},
        terrain=elsewhere,
    ),
}

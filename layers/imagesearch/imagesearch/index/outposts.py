"""Searching an engine elsewhere: it proposes rows, their records tell which count and how alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from threading import Lock

import numpy as np

from imagesearch.catalogue import PictureKey
from imagesearch.errors import EngineUnavailable, ImageSearchError
from imagesearch.index.block import TailBlock
from imagesearch.index.changes import OF_THE_PICTURE
from imagesearch.index.engine import Engine, HeldRow, Nearest, Question
from imagesearch.index.features import Features, bits_of, relevance, squared_distance, squares_of
from imagesearch.index.log import Entry
from imagesearch.index.lookups import Lookups
from imagesearch.index.manifest import Manifest, SegmentInfo
from imagesearch.index.query import Hit, Query
from imagesearch.index.ranking import Ranked
from imagesearch.index.scan import dot_products
from imagesearch.index.search import rank_block
from imagesearch.index.served import ServedView
from imagesearch.index.tail import Write
from imagesearch.index.view import View

__all__ = ["EngineRanking", "Outposts"]

_SLACK = 16
"""Rows that are asked for beyond those needed, since the engine's order may differ a little."""
_GROWTH = 4
_PATIENCE = 1024
"""Rows beyond which no more are asked for only because many are equally alike."""
_NOISE = 1e-5
"""Difference of squared distances that an engine's arithmetic may get wrong."""


class Outposts:
    """The engines that this process can open, each kept once it was asked for; thread-safe."""

    def __init__(self, engines: Callable[[str], Engine] | None, parallel: int) -> None:
        self._engines = engines
        self._parallel = parallel
        self._rankings: dict[str, EngineRanking] = {}
        self._lock = Lock()
        self.refused = 0
        """How often an engine did not take what it was given."""

    def engine(self, name: str) -> Engine:
        """Return an engine by its name; :class:`EngineUnavailable` if it cannot be opened."""
        return self.ranking(name).engine

    def ranking(self, name: str) -> EngineRanking:
        """Return the ranking by an engine, the same every time."""
        with self._lock:
            if name not in self._rankings:
                self._rankings[name] = EngineRanking(self._opened(name), self._parallel)
            return self._rankings[name]

    def serving(self, manifest: Manifest) -> EngineRanking | None:
        """Return the ranking by the engine that searches ask, if they ask one."""
        outpost = manifest.outpost
        return self.ranking(outpost.name) if outpost and outpost.serving else None

    def _opened(self, name: str) -> Engine:
        if self._engines is None:
            raise EngineUnavailable(
                f"the index is held by the engine {name!r}, which this process cannot open.",
                fix="Give every function the engine's settings, or serve from here again.",
            )
        try:
            return self._engines(name)
        except EngineUnavailable:
            raise
        except ImageSearchError as error:
            raise EngineUnavailable(
                f"the engine {name!r} cannot be opened: {error.detail}", fix=error.fix
            ) from error


class EngineRanking:
    """Ranks the segments that an engine holds, exactly, among the rows that it proposes.

    The engine is asked for a few rows more than needed, and for four times as many until those
    that count are enough, or it says that there are no others, or :attr:`Engine.deepest` is
    reached. Of more than 1,000 that are equally alike, those that it proposes are hits. Likeness
    follows from each row itself, so it is what it would be here; which rows are proposed is the
    engine's business, and an approximate one may overlook some.

    ``total`` is exact when the engine says that it has returned everything that passes category
    and filter. Otherwise, without filter, threshold and grouping, it is what the manifest counts
    in the category, less the dead: exactly if the tail neither adds nor deletes anything, else
    too high by what the tail overwrites or deletes. With filter, threshold or grouping it is what
    was found so far: at least so many. Only an exact total is called so.
    """

    def __init__(self, engine: Engine, parallel: int) -> None:
        self.engine = engine
        self._lookups = Lookups(engine, parallel)
        self._changed: tuple[View | None, Mapping[PictureKey, Write]] = None, {}
        self._served: ServedView | None = None

    def served(self, view: View) -> ServedView:
        """Return a view as searches see it that ask this engine, the same while it is the same."""
        served = self._served  # another thread may put that of its own view in its place
        if served is None or served.plain is not view:
            served = self._served = ServedView(view, self.engine, self._lookups)
        return served

    def takes(self, manifest: Manifest) -> Sequence[SegmentInfo]:
        """Return the segments that the engine holds."""
        return [info for info in manifest.segments if info.held == self.engine.name]

    def rank(self, view: View, segments: Sequence[SegmentInfo], query: Query) -> Ranked:
        """Return the best ``query.end`` hits of segments that the engine holds."""
        view.check()
        names = tuple(info.id for info in segments)
        changed = self._changed_rows(view) if query.filter else {}
        wanted = _first(view, segments, query)
        while True:
            asked = min(wanted, self.engine.deepest)
            nearest = self._nearest(names, query, asked)
            ranked = rank_block(TailBlock(_standing(view, nearest.rows, changed).values()), query)
            edge = _edge(nearest.rows, query)
            if nearest.complete:
                return ranked
            enough = _is_certain(ranked.hits, query, edge, asked) or _is_below(query, edge)
            if enough or asked == self.engine.deepest:
                return _counted(view, segments, query, ranked)
            wanted = asked * _GROWTH

    def _nearest(self, names: Sequence[str], query: Query, wanted: int) -> Nearest:
        return self.engine.nearest(
            Question(
                features=query.features,
                segments=names,
                wanted=wanted,
                category_id=query.category_id,
                filter=query.filter,
            )
        )

    def _changed_rows(self, view: View) -> Mapping[PictureKey, Write]:
        """Return the pictures whose attributes the tail changes, as changed.

        The engine evaluates a filter by attributes as they were, so they are looked at apart.
        """
        known, changed = self._changed
        if known is view:
            return changed
        keys = [
            key
            for key, settings in view.tail.changes.settings.items()
            if not settings.keys() <= {*OF_THE_PICTURE}
        ]
        held = [info.id for info in self.takes(view.manifest)]
        changed = _standing(view, self._lookups.remembered(keys, held), {})
        self._changed = view, changed
        return changed


def _standing(
    view: View, rows: Iterable[HeldRow], known: Mapping[PictureKey, Write]
) -> dict[PictureKey, Write]:
    """Return the pictures of rows that count, as changed by now, and ``known`` in any case."""
    kept = [r for r in rows if r.picture.key not in known and not view.hides(r)]
    standing = {}
    looks = np.stack([row.look for row in kept]) if kept else np.zeros((0, 0), np.int8)
    for row, bits in zip(kept, bits_of(looks) if kept else (), strict=True):
        entry = Entry(row.picture, Features(row.look, bits))
        standing[row.picture.key] = Write(row.version, view.changes.applied(entry, row.version))
    return {**standing, **known}


def _first(view: View, segments: Sequence[SegmentInfo], query: Query) -> int:
    """Return how many rows to ask for at first, so that about enough of them are alive."""
    rows = sum(info.rows for info in segments)
    dead = sum(view.manifest.dead.get(info.id, 0) for info in segments)
    hits = query.end * (2 if query.distinct_product else 1)
    return int((hits + _SLACK) / max(1 - dead / max(rows, 1), 1 / _GROWTH))


def _edge(rows: Sequence[HeldRow], query: Query) -> float:
    """Return the squared distance that no row which was not returned is nearer than."""
    if not rows:
        return 0.0
    looks = np.stack([row.look for row in rows])
    own = query.features.row
    square = int(squares_of(own[np.newaxis])[0])
    found, _ = relevance(square, dot_products(own, looks), squares_of(looks))
    return squared_distance(float(found.min()))


def _is_below(query: Query, edge: float) -> bool:
    """Tell whether all rows beyond the edge are less alike than the query's threshold."""
    return 0 < query.score_threshold - _NOISE > 1 - edge / 2


def _is_certain(hits: Sequence[Hit], query: Query, edge: float, asked: int) -> bool:
    """Tell whether no row beyond the edge can belong on the page or before it.

    After so many rows as near as the last hit that is taken for granted.
    """
    if len(hits) < query.end:
        return False
    if asked >= _PATIENCE:
        return True
    return squared_distance(hits[query.end - 1].likeness.relevance) + _NOISE < edge


def _counted(view: View, segments: Sequence[SegmentInfo], query: Query, ranked: Ranked) -> Ranked:
    """Return hits that are not all, with the total that is known of them."""
    if query.filter or query.score_threshold > 0 or query.distinct_product:
        return Ranked(ranked.hits, ranked.total, exact=False)
    total = sum(_alive(view, info, query.category_id) for info in segments)
    still = not view.tail.writes and not view.tail.deletions
    return Ranked(ranked.hits, max(total, ranked.total), exact=still)


def _alive(view: View, info: SegmentInfo, category_id: int | None) -> int:
    """Return how many rows of a segment and category are not dead; rows are in that order."""
    dead = view.tombs.of(info.id)
    if category_id is None:
        return info.rows - dead.size
    start = sum(rows for category, rows in info.categories.items() if category < category_id)
    end = start + info.categories.get(category_id, 0)
    first, last = np.searchsorted(dead, [start, end])
    return end - start - int(last - first)

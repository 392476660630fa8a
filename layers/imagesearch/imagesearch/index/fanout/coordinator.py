"""Whoever deals segments to workers and merges what they find."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import msgspec

from imagesearch.errors import CorruptObject, FanOutUnavailable
from imagesearch.index.fanout.dealing import deal
from imagesearch.index.fanout.wire import (
    LONGEST,
    Ask,
    Corrupt,
    QueryRecord,
    Reply,
    TailRecord,
    Task,
    Unreadable,
    event_of,
)
from imagesearch.index.manifest import Manifest, SegmentInfo
from imagesearch.index.numbers import distinct_numbers
from imagesearch.index.parallel import each
from imagesearch.index.policy import Policy
from imagesearch.index.query import Hit, Query
from imagesearch.index.ranking import Ranked, merged
from imagesearch.index.search import rank_here
from imagesearch.index.view import View

__all__ = ["FanOut"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FanOut:
    """Ranks segments by asking ``workers`` that share them, all at once.

    ``prefix`` is the index's, ``ask`` reaches a worker, and ``rows`` is how many an index must
    have for that to pay (docs/scale.md#fan-out). The answer is whole or there is none: a worker
    that does not answer is asked once more, then the search fails as
    :class:`~imagesearch.errors.FanOutUnavailable`.
    """

    prefix: str
    ask: Ask
    workers: int
    rows: int
    policy: Policy

    def takes(self, manifest: Manifest) -> Sequence[SegmentInfo]:
        """Return all segments of an index that is large enough, else none."""
        large = sum(info.rows for info in manifest.segments) >= self.rows
        return manifest.segments if large else ()

    def rank(self, view: View, segments: Sequence[SegmentInfo], query: Query) -> Ranked:
        """Return the best hits of some segments.

        A tail too long for an event, because nobody folded it, is looked at here together with
        the segments: that takes longer, and is as right.
        """
        view.check()
        tasks = self._tasks(view, segments, query)
        events = {worker: event_of(task) for worker, task in tasks.items()}
        if any(len(event) > LONGEST for event in events.values()):
            return rank_here(view, segments, query, self.policy)
        found = each(lambda n: self._found(n, tasks[n], events[n]), tasks, len(tasks))
        whole = merged(found, replace(query, start=0, num=query.end))
        groups = [part.groups for part in found if part.groups is not None]
        counted = distinct_numbers(groups) if query.distinct_product and whole.exact else None
        return Ranked(whole.hits, whole.total, whole.exact, counted)

    def _tasks(self, view: View, segments: Sequence[SegmentInfo], query: Query) -> dict[int, Task]:
        """Return what each worker that has one of the segments is asked.

        All that the index has are dealt, so that a query that needs few asks those who know them.
        Each compares as many candidates as one process would in all, or more if many do not pass.
        """
        tail, asked = TailRecord.of(view.tail), QueryRecord.of(query)
        manifest, wanted = view.manifest, {info.id for info in segments}
        candidates = self.policy.candidates_among(_rows(segments, query) + len(view.tail.writes))
        dealt = deal(manifest.segments, self.workers)
        shares = [[info for info in share if info.id in wanted] for share in dealt]
        return {
            worker: Task(
                1,
                self.prefix,
                manifest.index,
                manifest.model,
                manifest.tombs,
                share,
                tail,
                asked,
                candidates,
                self.policy.cold_candidates,
            )
            for worker, share in enumerate(shares)
            if share
        }

    def _found(self, worker: int, task: Task, event: bytes) -> Ranked:
        """Return all that one worker finds, in several answers if it is long."""
        first, hits = self._reply(worker, event)
        more = first.more
        while more:
            rest = msgspec.structs.replace(task, skip=len(hits))
            reply, others = self._reply(worker, event_of(rest))
            hits += others
            more = reply.more and bool(others)
        uncounted = task.query.distinct_by and first.groups is None
        return Ranked(hits, first.total, not uncounted, first.numbers())

    def _reply(self, worker: int, event: bytes) -> tuple[Reply, list[Hit]]:
        """Ask a worker, and once more if it does not answer; return the answer and its hits."""
        try:
            return self._once(worker, event)
        except FanOutUnavailable:
            return self._once(worker, event)

    def _once(self, worker: int, event: bytes) -> tuple[Reply, list[Hit]]:
        try:
            reply = Reply.read(self.ask(worker, event))
            return reply, [record.hit() for record in reply.hits]
        except Corrupt as damage:
            detail, fix = damage.args
            raise CorruptObject(detail, fix=fix) from None
        except (Unreadable, msgspec.ValidationError) as error:
            raise FanOutUnavailable(f"worker {worker + 1} of the search: {error}.") from None


def _rows(segments: Sequence[SegmentInfo], query: Query) -> int:
    """Return how many rows are in the query's category."""
    if query.category_id is None:
        return sum(info.rows for info in segments)
    return sum(info.categories.get(query.category_id, 0) for info in segments)

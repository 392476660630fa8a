"""After any sequence of operations workers answer as a dictionary would, whatever they keep."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule
from imagesearch.index import Policy, Query

from tests.index.expected import check_search
from tests.index.fanout.workers import Fanned, Team
from tests.index.test_state_machine import PREFIX, Machine, queries

POLICY = Policy(candidates=16)


class FannedOut(Machine):
    """The same, with workers that live through all of it."""

    @initialize(workers=st.integers(1, 5))
    def create(self, workers: int) -> None:  # type: ignore[override]
        Machine.create(self)
        self.team = Team(self.bucket, workers, Path(self.cache.name) / "workers", self.seconds)

    def seconds(self) -> float:
        return self.time / 1e6

    @rule(query=queries)
    def search_together(self, query: Query) -> None:
        ranking = self.team.ranking(PREFIX, POLICY)
        check_search(Fanned(self.index.snapshot(), ranking), self.model, query)  # type: ignore[arg-type]

    @rule(query=queries)
    def search_an_old_snapshot_together(self, query: Query) -> None:
        if self.old:
            snapshot, model = self.old
            ranking = self.team.ranking(PREFIX, POLICY)
            check_search(Fanned(snapshot, ranking), model, query)  # type: ignore[arg-type]

    @rule(query=queries, by=st.sampled_from(["str_attr", "str_attr2"]))
    def search_for_distinct_values(self, query: Query, by: str) -> None:
        query = replace(query, distinct_product=True, distinct_by=by)
        snapshot = self.index.snapshot()
        ranking = self.team.ranking(PREFIX, POLICY)
        assert snapshot.search(query, ranking=ranking) == snapshot.search(query)


FannedOut.TestCase.settings = settings(
    max_examples=25,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
TestFannedOut = FannedOut.TestCase

"""Any sequence of operations, with each real client behind the index, beside a dictionary."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule, run_state_machine_as_test
from imagesearch.index import Index, Query
from imagesearch.index.engine import Engine

from tests.engines.conftest import KINDS, opener_of, unused_name
from tests.index.expected import check_search
from tests.index.test_state_machine import POLICY, PREFIX, Machine, queries

SOME = settings(
    max_examples=12,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_found_is_what_was_written(kind: str, request: pytest.FixtureRequest) -> None:
    opener = opener_of(kind, request)

    class Served(Machine):
        """An index that an engine serves from the beginning."""

        @initialize()
        def create(self) -> None:
            self.engine: Engine = opener(unused_name())
            super().create()
            self.index.attach(self.engine.name)
            assert self.index.switch(serving=True)

        def opened(self) -> Index:
            return Index(
                self.bucket,
                PREFIX,
                model="m",
                policy=POLICY,
                cache=Path(self.cache.name),
                engines=lambda _name: self.engine,
            )

        @rule(several=st.lists(queries, min_size=5, max_size=10))
        def fold_and_search(self, several: list[Query]) -> None:
            self.index.fold()
            for query in several:
                check_search(self.index.snapshot(), self.model, query)

        def teardown(self) -> None:
            super().teardown()
            if hasattr(self, "engine"):
                self.engine.erase()

    run_state_machine_as_test(Served, settings=SOME)

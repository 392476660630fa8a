"""Any sequence of operations leaves an index that an engine serves as it leaves a dictionary."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule
from imagesearch.catalogue import PictureKey
from imagesearch.errors import Conflict, EngineUnavailable
from imagesearch.index import Index, Query, Snapshot

from tests.engines.exact import ExactEngine, Failures
from tests.index.expected import check_search
from tests.index.test_state_machine import POLICY, PREFIX, Machine, keys, queries


class Served(Machine):
    """The engine comes and goes, fails and loses answers; what is written does not mind."""

    @initialize(slack=st.sampled_from([0, 16]), serving=st.booleans())
    def create(self, slack: int, serving: bool) -> None:
        self.patch = patch("imagesearch.index.outposts._SLACK", slack)
        self.patch.start()
        self.engines: dict[str, ExactEngine] = {}
        self.failures: dict[str, Failures] = {}
        super().create()
        if serving:
            self.index.attach("exact:one")
            assert self.index.switch(serving=True)

    def teardown(self) -> None:
        super().teardown()
        if hasattr(self, "patch"):
            self.patch.stop()

    def engine(self, name: str) -> ExactEngine:
        if name not in self.engines:
            self.engines[name] = ExactEngine(name)
            self.failures[name] = Failures(self.engines[name])
        return self.engines[name]

    def opened(self) -> Index:
        return Index(
            self.bucket,
            PREFIX,
            model="m",
            policy=POLICY,
            cache=Path(self.cache.name),
            engines=self.engine,
        )

    def mend(self) -> None:
        for failures in self.failures.values():
            failures.end()

    @rule(skip=st.integers(0, 3), times=st.integers(1, 6), late=st.booleans())
    def fail(self, skip: int, times: int, late: bool) -> None:
        for failures in self.failures.values():
            failures.begin(skip, times, late=late)

    @rule(name=st.sampled_from(["exact:one", "exact:one", "exact:two"]), erase=st.booleans())
    def attach(self, name: str, erase: bool) -> None:
        outpost = self.index.snapshot().manifest.outpost
        if outpost and outpost.name != name:
            with pytest.raises(Conflict):
                self.index.attach(name)
            self.index.detach()
            if erase:
                self.erase(outpost.name)
        try:
            self.index.attach(name)
        except EngineUnavailable:
            self.mend()

    @rule(erase=st.booleans())
    def detach(self, erase: bool) -> None:
        outpost = self.index.snapshot().manifest.outpost
        self.index.detach()
        if erase and outpost:
            self.erase(outpost.name)

    def erase(self, name: str) -> None:
        self.mend()
        self.engine(name).erase()
        self.old = None

    @rule(serving=st.sampled_from([True, True, True, False]))
    def switch(self, serving: bool) -> None:
        try:
            assert self.index.switch(serving=serving)
        except Conflict:
            assert self.index.snapshot().manifest.outpost is None

    @rule()
    def fill(self) -> None:
        try:
            assert self.index.fill()
        except EngineUnavailable:
            self.mend()
            assert self.index.fill()
        self.remember()

    @rule(query=queries)
    def search(self, query: Query) -> None:
        self.check(self.index.snapshot(), self.model, query)

    @rule(query=queries)
    def search_an_old_snapshot(self, query: Query) -> None:
        if self.old:
            self.check(*self.old, query)

    def check(self, snapshot: Snapshot, model: dict, query: Query) -> None:  # type: ignore[type-arg]
        failed = self.failed()
        try:
            check_search(snapshot, model, query)
        except EngineUnavailable:
            outpost = snapshot.manifest.outpost
            gone = outpost and self.engine(outpost.name).rows is None
            assert gone or self.failed() > failed
            self.mend()
            if not gone:
                check_search(snapshot, model, query)

    def failed(self) -> int:
        return sum(failures.failed for failures in self.failures.values())

    @rule(key=keys)
    def find_without_meaning(self, key: PictureKey) -> None:
        found, known = self.index.snapshot().find(key, meaning=False), self.model.get(key)
        assert (found is None) == (known is None)
        if found and known:
            assert (found.picture, found.features) == (known.picture, known.features)


Served.TestCase.settings = settings(
    max_examples=120,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
TestServed = Served.TestCase

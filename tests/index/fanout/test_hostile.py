"""A worker does nothing for an event that no search would send."""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from imagesearch.index import Change, Index, OfPicture, OfProduct, Policy, Query
from imagesearch.index.fanout import Worker
from imagesearch.index.fanout.wire import Unreadable

from tests.index.fanout.workers import Team
from tests.index.makers import entry, key, look
from tests.stores import MemoryStore

Tree = dict[str, Any]


@pytest.fixture(scope="module")
def sent() -> tuple[MemoryStore, Tree]:
    """A store, and the task that a search sends, as plain data."""
    store = MemoryStore()
    index = Index(store, "i/", model="m", policy=Policy(parallel=1))
    index.create()
    index.append([entry(1), entry(2)], after=index.snapshot())
    index.fold()
    index.append([entry(2)], [OfPicture(key(1)), OfProduct("3")], after=index.snapshot())
    index.append(changes=[Change(key(2), {"int_attr": 1})], after=index.snapshot())
    team = Team(store, 1)
    index.snapshot().search(Query(features=look(1)), ranking=team.ranking("i/", index.policy))
    event = json.loads(team.events[0])
    return store, msgspec.msgpack.decode(base64.b64decode(event["task"]))


def event_with(task: Tree) -> dict[str, str]:
    return {"task": base64.b64encode(msgspec.msgpack.encode(task)).decode()}


def test_what_a_search_sends_is_answered(sent: tuple[MemoryStore, Tree]) -> None:
    store, task = sent
    assert "ranked" in Worker(store).answer(event_with(task))


CHANGES: dict[str, Callable[[Tree], object]] = {
    "another format": lambda t: t.update(format=2),
    "a field more": lambda t: t.update(more=1),
    "a field less": lambda t: t.pop("tail"),
    "a prefix that leads out": lambda t: t.update(prefix="../instances/"),
    "a prefix that is a key": lambda t: t.update(prefix="index/x"),
    "an absolute prefix": lambda t: t.update(prefix="/etc/"),
    "tombs elsewhere": lambda t: t.update(tombs="../../instances/shop"),
    "a segment elsewhere": lambda t: t["segments"][0].update(id="../../x"),
    "a file of another kind": lambda t: t["segments"][0]["files"].update(
        sh={"size": 1, "sha256": ""}
    ),
    "a file less": lambda t: t["segments"][0]["files"].pop("b1"),
    "a file of a huge size": lambda t: t["segments"][0]["files"]["b1"].update(size=1 << 40),
    "a file of no size": lambda t: t["segments"][0]["files"]["b1"].update(size=-1),
    "no rows": lambda t: t["segments"][0].update(rows=0),
    "a short row": lambda t: t["query"].update(row=b"x"),
    "hits beyond number": lambda t: t["query"].update(num=1 << 40),
    "fewer than no hits": lambda t: t["query"].update(num=-1),
    "a threshold that is none": lambda t: t["query"].update(score_threshold=float("nan")),
    "a filter that is none": lambda t: t["query"].update(filter="int_attr ="),
    "a grouping that is none": lambda t: t["query"].update(distinct_by="custom_content"),
    "an attribute that is none": lambda t: t["tail"]["settings"][0].__setitem__(2, "key"),
    "no candidates": lambda t: t.update(candidates=0),
    "a negative clock": lambda t: t["tail"]["hidden"].append(["p", None, -1, 0]),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_an_event_that_is_wrong_is_refused(
    sent: tuple[MemoryStore, Tree], change: Callable[[Tree], object]
) -> None:
    store, task = sent
    altered = copy.deepcopy(task)
    change(altered)
    store.requests.clear()
    with pytest.raises(Unreadable):
        Worker(store).answer(event_with(altered))
    assert not store.requests


@given(st.binary(max_size=200))
def test_anything_else_is_refused(data: bytes) -> None:
    with pytest.raises(Unreadable):
        Worker(MemoryStore()).answer({"task": base64.b64encode(data).decode()})


@pytest.mark.parametrize("event", [{}, {"task": 1}, {"task": "!"}, {"routeKey": "GET /"}])
def test_an_event_of_another_kind_is_refused(event: Tree) -> None:
    with pytest.raises(Unreadable):
        Worker(MemoryStore()).answer(event)

"""Searches of a large instance ask the functions that share it, and say so when they cannot."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from imagesearch.catalogue import Instance
from imagesearch.catalogue.service import Service
from imagesearch.errors import FanOutUnavailable
from imagesearch.index import Query
from imagesearch.operations.deployment import Deployment
from imagesearch.operations.ranking import Functions, ranker, sharing
from imagesearch.settings import Settings

from tests.index.makers import entry, look
from tests.stores import MemoryStore

NAMES = ("rank-1", "rank-2")


class Lambda:
    """A client that answers with what it is given, and notes who was asked."""

    def __init__(self, answer: Mapping[str, Any] | Exception) -> None:
        self.answer = answer
        self.asked: list[tuple[str, bytes]] = []

    def invoke(self, *, FunctionName: str, Payload: bytes) -> Mapping[str, Any]:  # noqa: N803
        self.asked.append((FunctionName, Payload))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def test_a_worker_is_the_function_of_its_number() -> None:
    client = Lambda({"Payload": io.BytesIO(b"{}")})
    assert Functions(NAMES, client)(1, b"[]") == b"{}"
    assert client.asked == [("rank-2", b"[]")]


@pytest.mark.parametrize(
    "answer",
    [
        ClientError({"Error": {"Code": "TooManyRequestsException"}}, "Invoke"),
        ReadTimeoutError(endpoint_url="https://lambda"),
        {"FunctionError": "Unhandled", "Payload": io.BytesIO(b'{"errorType": "Unreadable"}')},
    ],
)
def test_a_function_that_does_not_answer_is_named(answer: Any) -> None:
    with pytest.raises(FanOutUnavailable, match="rank-1"):
        Functions(NAMES, Lambda(answer))(0, b"{}")


@pytest.mark.parametrize(("rows", "asked"), [(20, True), (21, False)])
def test_a_deployment_asks_them_for_its_large_instances_only(
    tmp_path: Path, rows: int, asked: bool
) -> None:
    store = MemoryStore()
    settings = Settings(bucket="b", cache=tmp_path / "s", rankers=NAMES, rankers_rows=rows)
    worker = ranker(Deployment(Settings(bucket="b", cache=tmp_path / "r"), store))
    events: list[int] = []

    def ask(number: int, event: bytes) -> bytes:
        events.append(number)
        return json.dumps(worker.answer(json.loads(event))).encode()

    deployment = Deployment(settings, store, rankers=sharing(settings, ask))
    instance = Instance.new("shop", Service.GENERIC, model="m", now=1)
    index = deployment.index(instance)
    index.create()
    for part in range(2):
        index.append([entry(part, n, seed=n) for n in range(10)], after=index.snapshot())
        index.fold()
    deployment.instances.add(instance)
    catalogue = deployment.open_soon("shop", searching=True).result()
    answer = catalogue.search(Query(features=look(3)))
    assert answer == catalogue.snapshot.search(Query(features=look(3)))
    assert bool(events) == asked
    assert {*events} == ({0, 1} if asked else set())


def test_a_search_that_others_rank_fetches_no_segment(tmp_path: Path) -> None:
    store = MemoryStore()
    settings = Settings(bucket="b", cache=tmp_path, rankers=NAMES, rankers_rows=1)
    answer = json.dumps({"ranked": ""}).encode()
    deployment = Deployment(settings, store, rankers=sharing(settings, lambda _w, _e: answer))
    instance = Instance.new("shop", Service.GENERIC, model="m", now=1)
    writer = Deployment(Settings(bucket="b", cache=tmp_path / "w"), store).index(instance)
    writer.create()
    writer.append([entry(1)], after=writer.snapshot())
    writer.fold()
    deployment.instances.add(instance)
    store.requests.clear()
    catalogue = deployment.open_soon("shop", searching=True).result()
    with pytest.raises(FanOutUnavailable):
        catalogue.search(Query(features=look(3)))
    assert not [key for _, key in store.requests if "/seg/" in key]


def test_no_functions_no_fan_out() -> None:
    settings = Settings.from_environment({"IMAGESEARCH_BUCKET": "b", "IMAGESEARCH_RANKERS": ""})
    assert settings.rankers == ()
    deployment = Deployment(settings, MemoryStore())
    instance = Instance.new("shop", Service.GENERIC, model="m", now=1)
    assert deployment.ranking(instance, deployment.index(instance)) is None

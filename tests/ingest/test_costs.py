"""What a task costs in requests, and that a dump can be read back."""

from __future__ import annotations

from collections import Counter

from imagesearch.ingest.lines import Line, read_lines
from imagesearch.operations.dump import dump_instance
from imagesearch.operations.instances import NamedInstance

from tests.ingest.yard import Yard, add


def kinds(requests: list[tuple[str, str]]) -> Counter[str]:
    """Count requests by what they are for."""
    places = {"/wal/": "log", "/lanes/": "progress", "/chunks/": "chunk", "/todo/": "event"}
    places |= {"MANIFEST": "manifest", "tasks/": "task", "instances/": "instance"}
    return Counter(next((n for p, n in places.items() if p in key), "index") for _, key in requests)


def test_a_picture_costs_a_fiftieth_of_a_request_besides_being_read(yard: Yard) -> None:
    """Every worker begins with nothing in memory, as the first of a cold environment does."""
    yard.forgetful = True
    count = 30_000
    yard.submit([add(f"p{n}") for n in range(count)])
    before = len(yard.store.requests)
    upkeep = yard.without_upkeep()
    yard.run()
    spent = kinds(yard.store.requests[before:])
    assert len(yard.eye.looked) == count
    chunks, lanes = count // 500, 20
    assert spent["log"] <= 2 * chunks + lanes  # one write and one listing a chunk
    assert spent["chunk"] <= 2 * chunks + 1  # and one deletion of all of them
    assert spent["progress"] <= chunks + 6 * lanes
    assert spent.total() <= 0.02 * count, spent
    assert upkeep, "nothing asked for upkeep"


def test_others_writes_are_not_read_by_a_worker(yard: Yard) -> None:
    yard.forgetful = True
    yard.without_upkeep()
    yard.submit([add(f"p{n}") for n in range(6000)])
    yard.run()
    read = [k for verb, k in yard.store.requests if verb == "get" and "/wal/" in k]
    assert read == []


def test_a_dump_is_an_increment(yard: Yard) -> None:
    yard.submit([add(f"p{n}", IntAttr=n, StrAttr3="é", CustomContent="c") for n in range(30)])
    yard.run()
    before = yard.catalogue()
    dump = dump_instance(yard.deployment, NamedInstance(instance="shop"))
    [key] = [k for k in yard.store.keys("dumps/") if k.endswith(".meta")]
    text = yard.store.body(key)
    lines = list(read_lines([text]))
    assert all(isinstance(line, Line) for line in lines)
    assert dump.pictures == len(lines) == 30
    yard.submit([{"OperationType": "DELETE", "ProductId": f"p{n}"} for n in range(30)])
    yard.run()
    assert yard.catalogue() == {}
    yard.submit(text)
    yard.run()
    assert yard.catalogue() == before

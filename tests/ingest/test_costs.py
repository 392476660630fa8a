"""What a task costs in requests, and that a dump can be read back."""

from __future__ import annotations

from imagesearch.ingest.lines import Line, read_lines
from imagesearch.operations.dump import dump_instance
from imagesearch.operations.instances import NamedInstance

from tests.ingest.yard import Yard, add


def test_a_picture_costs_a_fraction_of_a_request_besides_being_read(yard: Yard) -> None:
    yard.submit([add(f"p{n}") for n in range(2000)])
    before = len(yard.store.requests)
    yard.run()
    spent = yard.store.requests[before:]
    writes = sum(verb in {"put", "put_if_absent", "compare_and_swap"} for verb, _ in spent)
    assert len(yard.eye.looked) == 2000
    assert writes < 2000 * 0.12
    assert len(spent) < 2000 * 0.35, len(spent)


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

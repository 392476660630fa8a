"""The store answers with errors, breaks off, falls silent: the service says so and recovers."""

from __future__ import annotations

import base64
import itertools
import os
import signal
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.faults.conftest import Troubled
from tests.faults.proxy import Asked, Fault
from tests.pictures import as_bytes, drawn

pytestmark = pytest.mark.system

PICTURES = "/v1/instances/shop/pictures"
LOOK = base64.b64encode(as_bytes(drawn(1, size=(64, 64)))).decode()
BRIEF = (
    Fault.INTERNAL_ERROR,
    Fault.SLOW_DOWN,
    Fault.RESET,
    Fault.LOST_ANSWER,
    Fault.TRUNCATED,
    Fault.LATE,
)
_numbers = itertools.count()


def fresh() -> str:
    return f"p{next(_numbers)}"


def add(client: httpx.Client, product: str, key: str = "", **more: Any) -> httpx.Response:
    body = {"product_id": product, "pic_name": "a", "image": LOOK, "category_id": 5}
    headers = {"idempotency-key": key} if key else {}
    return client.post(
        PICTURES, json={**body, "region": "0,64,0,64", **more}, headers=headers, timeout=60
    )


def listed(client: httpx.Client, product: str) -> list[dict[str, Any]]:
    found = client.get(PICTURES, params={"product_id": product})
    found.raise_for_status()
    return list(found.json()["pictures"])


def nth(number: int, fault: Fault) -> Callable[[Asked], Fault | None]:
    """Return faults that befall one request only, the ``number``-th."""
    count = itertools.count()
    return lambda _: fault if next(count) == number else None


@pytest.mark.parametrize("fault", [Fault.SLOW_DOWN, Fault.RESET, Fault.HANG])
def test_a_store_that_stays_away_is_a_503_that_says_when_to_come_back(
    troubled: Troubled, fault: Fault
) -> None:
    product, key = fresh(), uuid.uuid4().hex
    with troubled.service.client() as client:
        add(client, product).raise_for_status()
        troubled.proxy.faults = lambda _: fault
        began = time.monotonic()
        search = {"product_id": product, "pic_name": "a"}
        answers = [client.post("/v1/instances/shop/search", json=search, timeout=60)]
        if fault is not Fault.HANG:
            answers.append(add(client, product, key, int_attr=7))
        assert time.monotonic() - began < 30 * len(answers)
        for answer in answers:
            problem = answer.json()
            assert (answer.status_code, problem["code"]) == (503, "ServiceUnavailable"), problem
            assert int(answer.headers["retry-after"]) > 0
            assert answer.headers["content-type"] == "application/problem+json"
            assert "Traceback" not in answer.text
            assert "botocore" not in answer.text
        troubled.calm()
        assert add(client, product, key, int_attr=7).status_code == 201
        assert [one["int_attr"] for one in listed(client, product)] == [7]


@pytest.mark.parametrize("fault", BRIEF)
def test_one_request_that_fails_is_not_noticed(troubled: Troubled, fault: Fault) -> None:
    with troubled.service.client() as client:
        add(client, fresh()).raise_for_status()
        for number in range(6):
            product = fresh()
            troubled.proxy.faults = nth(number, fault)
            assert add(client, product, uuid.uuid4().hex).status_code == 201
            assert len(listed(client, product)) == 1


def test_a_request_that_arrives_late_undoes_nothing(troubled: Troubled) -> None:
    with troubled.service.client() as client:
        late = [fresh() for _ in range(4)]
        for product in late:
            puts = itertools.count()
            troubled.proxy.faults = lambda asked, puts=puts: (
                Fault.LATE if _writes_log(asked) and next(puts) == 0 else None
            )
            add(client, product).raise_for_status()
            assert client.delete(f"{PICTURES}/{product}").json()["deleted"] == ["a"]
        troubled.calm()
        time.sleep(9)  # the latest of them has arrived
        assert [listed(client, product) for product in late] == [[], [], [], []]


def _add(client: httpx.Client, product: str, key: str) -> httpx.Response:
    return add(client, product, key, int_attr=2)


def _change(client: httpx.Client, product: str, _key: str) -> httpx.Response:
    return client.patch(f"{PICTURES}/{product}/a", json={"int_attr": 2})


def _delete(client: httpx.Client, product: str, _key: str) -> httpx.Response:
    return client.delete(f"{PICTURES}/{product}/a")


@pytest.mark.parametrize("operation", [_add, _change, _delete], ids=["add", "change", "delete"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_function_killed_at_a_write_leaves_the_old_or_the_new(
    troubled: Troubled, operation: Callable[..., httpx.Response], when: str
) -> None:
    """The process dies just before the store gets its write, or before it hears the answer."""
    with troubled.service.client() as client:
        product = fresh()
        add(client, product, int_attr=1).raise_for_status()
        folder = "delete" if operation is _delete else "add"
        writes = itertools.count()
        troubled.proxy.faults = _killer(troubled, folder, when, writes)
        key = uuid.uuid4().hex
        answer = operation(client, product, key)
        troubled.calm()
        assert (answer.status_code, answer.json()["code"]) == (502, "FunctionFailed")
        standing = [one["int_attr"] for one in listed(client, product)]
        assert standing in ([1], [] if operation is _delete else [2])
        again = operation(client, product, key)
        assert again.status_code in {200, 201}, again.text
        standing = [one["int_attr"] for one in listed(client, product)]
        assert standing == ([] if operation is _delete else [2])


def _writes_log(asked: Asked) -> bool:
    return asked.method == "PUT" and "/wal/" in asked.target


def _killer(
    troubled: Troubled, folder: str, when: str, writes: itertools.count[int]
) -> Callable[[Asked], Fault | None]:
    def faults(asked: Asked) -> Fault | None:
        if not _writes_log(asked) or next(writes):
            return None
        for pid in troubled.service.function_processes():
            if Path(f"/proc/{pid}/cwd").readlink().name == folder:
                os.kill(pid, signal.SIGKILL)
        return Fault.LOST_ANSWER if when == "after" else Fault.RESET

    return faults

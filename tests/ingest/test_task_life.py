"""The life of tasks: their order, cancelling and resuming, lost events, tasks that cannot go on."""

from __future__ import annotations

import pytest
from imagesearch.catalogue import Service
from imagesearch.errors import IncrementEnded, MetaNotText, UnknownIncrement
from imagesearch.ingest.problems import LinesRefused
from imagesearch.operations.increments import (
    ListIncrements,
    NamedIncrement,
    cancel_increment,
    list_increments,
    resume_increment,
)
from imagesearch.operations.instances import (
    CreateInstance,
    DeleteInstance,
    create_instance,
    delete_instance,
)

from tests.ingest.yard import Yard, add


def test_tasks_of_an_instance_run_in_the_order_they_were_submitted(yard: Yard) -> None:
    first = yard.submit([add(f"p{n}", IntAttr=1) for n in range(30)])
    yard.bucket.objects["more/a.jpg"] = b"9:3"
    second = yard.submit([add(f"p{n}", IntAttr=2) for n in range(30)], folder="more")
    assert yard.show(second).queued_behind == 1
    for key in reversed(yard.events.copy()):
        yard.deliver(key)
        yard.events.remove(key)
        if key.startswith(second.task.keys.work):
            assert yard.show(second).state == "queued"
    yard.run()
    assert [yard.show(one).state for one in (first, second)] == ["done", "done"]
    assert set(yard.catalogue().values()) == {2}
    listed = list_increments(yard.deployment, ListIncrements(instance="shop"))
    assert [one.task.id for one in listed] == [second.task.id, first.task.id]


def test_a_submission_sent_twice_under_one_key_is_one_task(yard: Yard) -> None:
    one = yard.submit([add("p")], idempotency_key="k")
    two = yard.submit([add("p")], idempotency_key="k")
    assert one.task.id == two.task.id
    assert len(yard.tasks().ids()) == 1


def test_cancel_stops_and_resume_goes_on(yard: Yard) -> None:
    submitted = yard.submit([add(f"p{n}", IntAttr=n) for n in range(1000)])
    named = NamedIncrement(instance="shop", id=submitted.task.id)
    for _ in range(2):
        yard.deliver(yard.events.pop(0))
    cancelled = cancel_increment(yard.deployment, named)
    assert cancelled.state == "cancelled"
    assert 0 < cancelled.added < 1000
    yard.run()
    assert len(yard.catalogue()) == cancelled.added
    assert cancel_increment(yard.deployment, named).state == "cancelled"
    assert resume_increment(yard.deployment, named).state == "running"
    yard.run()
    assert yard.show(submitted).added == 1000 == len(yard.catalogue())
    assert len(yard.eye.looked) == 1000
    with pytest.raises(IncrementEnded):
        resume_increment(yard.deployment, named)


def test_a_lost_event_is_found_by_the_sweep(yard: Yard) -> None:
    submitted = yard.submit([add("p")])
    yard.events.clear()
    assert yard.sweep(wait=10**16) == 1
    assert not yard.events
    assert yard.sweep(wait=0) == 1
    yard.run()
    assert yard.show(submitted).state == "done"
    assert yard.sweep() == 0


def test_a_file_that_was_changed_meanwhile_fails_the_task_before_anything_is_done(
    yard: Yard,
) -> None:
    submitted = yard.submit([add("p")])
    yard.bucket.objects["goods/increment.meta"] += b"\n"
    yard.run()
    done = yard.show(submitted)
    assert (done.state, done.problem and done.problem.code) == ("failed", "MetaChanged")
    assert not yard.catalogue()
    assert not yard.store.keys("tasks/open/")
    resume_increment(yard.deployment, NamedIncrement(instance="shop", id=submitted.task.id))
    yard.run()
    assert yard.show(submitted).state == "failed"
    yard.bucket.objects["goods/increment.meta"] = yard.bucket.objects["goods/increment.meta"][:-1]
    resume_increment(yard.deployment, NamedIncrement(instance="shop", id=submitted.task.id))
    yard.run()
    assert yard.show(submitted).state == "done"


def test_the_next_task_begins_when_one_fails(yard: Yard) -> None:
    first = yard.submit([add("p")])
    yard.bucket.objects["goods/increment.meta"] += b"\n"
    yard.bucket.objects["more/a.jpg"] = b"9:3"
    second = yard.submit([add("q")], folder="more")
    yard.run()
    assert yard.show(first).state == "failed"
    assert yard.show(second).state == "done"


def test_lines_that_are_wrong_are_all_counted_and_the_first_are_named(yard: Yard) -> None:
    lines = [add("p") if n % 2 else {"OperationType": "PUT"} for n in range(100)]
    with pytest.raises(LinesRefused) as refused:
        yard.submit(lines)
    said = refused.value.particulars()
    assert said["problems_total"] == 50
    assert [one["line"] for one in said["problems"]] == list(range(1, 41, 2))
    assert {one["code"] for one in said["problems"]} == {"UnknownOperation"}
    with pytest.raises(MetaNotText):
        yard.submit(b'{"OperationType":"ADD","ProductId":"\xff"}')


def test_a_task_of_an_erased_instance_ends(yard: Yard) -> None:
    yard.submit([add("p")])
    delete_instance(yard.deployment, DeleteInstance(instance="shop", confirm="shop"))
    yard.events.clear()
    assert yard.sweep() == 0
    assert not yard.store.keys("tasks/open/")


def test_of_an_erased_instance_nothing_is_left_and_of_others_all(yard: Yard) -> None:
    old = yard.submit([add("p")])
    yard.run()
    delete_instance(yard.deployment, DeleteInstance(instance="shop", confirm="shop"))
    create_instance(yard.deployment, CreateInstance(instance="shop", service=Service.PRODUCT))
    new = yard.submit([add("p", "bad.jpg")])
    yard.run()
    yard.sweep(inbox=True)
    left = yard.store.keys("tasks/")
    assert not [key for key in left if old.task.incarnation in key]
    assert yard.show(new).failed == 1


def test_unknown_tasks_are_not_found(yard: Yard) -> None:
    with pytest.raises(UnknownIncrement):
        cancel_increment(yard.deployment, NamedIncrement(instance="shop", id=1))
    yard.deliver("tasks/work/shop/1234/0000000000000001/todo/begin.todo")

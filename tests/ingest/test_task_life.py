"""The life of tasks: their order, cancelling and resuming, lost events, tasks that cannot go on."""

from __future__ import annotations

from contextlib import suppress

import pytest
from imagesearch.catalogue import PictureKey, Service
from imagesearch.errors import IncrementEnded, MetaNotText, UnknownIncrement
from imagesearch.ingest.problems import LinesRefused
from imagesearch.operations.increments import (
    Increment,
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

from tests.ingest.yard import Killed, Yard, add


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
    yard.run()
    assert yard.submit([add("p")], idempotency_key="k").state == "done"
    assert not yard.events
    assert not yard.store.keys("tasks/open/")


def test_of_two_submissions_under_one_key_at_once_one_is_a_task(yard: Yard) -> None:
    both: list[Increment] = []

    def between(_verb: str, key: str) -> None:
        if key.startswith("tasks/asked/"):
            yard.store.before = lambda _verb, _key: None
            both.append(yard.submit([add("p")], idempotency_key="k"))

    yard.store.before = between
    both.append(yard.submit([add("p")], idempotency_key="k"))
    assert both[0].task.id == both[1].task.id
    assert yard.tasks().ids() == [both[0].task.id]
    yard.run()
    assert yard.show(both[1]).state == "done"


@pytest.mark.parametrize("arrives", [False, True], ids=["before it arrives", "after it arrived"])
@pytest.mark.parametrize("number", range(5))
def test_a_submission_that_broke_off_is_carried_out_when_it_is_repeated(
    yard: Yard, number: int, arrives: bool
) -> None:
    """Whichever of its writes was the last, the repeat is a task that begins and ends."""
    written = 0

    def dies(verb: str, key: str) -> None:
        nonlocal written
        if key.startswith("tasks/") and verb.startswith("put"):
            if written == number:
                raise Killed
            written += 1

    if arrives:
        yard.store.after = dies
    else:
        yard.store.before = dies
    with suppress(Killed):
        yard.submit([add("p")], idempotency_key="k")
    yard.store.before = yard.store.after = lambda _verb, _key: None
    yard.events.clear()
    yard.store.after = yard._note
    submitted = yard.submit([add("p")], idempotency_key="k")
    for _ in range(3):
        yard.run()
        yard.sweep()
    assert yard.show(submitted).state == "done"
    assert yard.catalogue().keys() == {PictureKey("p", "a.jpg")}


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

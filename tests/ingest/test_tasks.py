"""Tasks run to their end whatever happens to events and workers, and each line counts once."""

from __future__ import annotations

import random
from pathlib import Path

import msgspec
import pytest
from imagesearch.catalogue import PictureKey
from imagesearch.ingest.lanes import LEASE
from imagesearch.operations.delete import DeletePicture, delete_picture

from tests.ingest.yard import Killed, Yard, add, delete


def test_a_task_adds_and_deletes_and_counts(yard: Yard) -> None:
    lines = [
        add("p1", IntAttr=7, CustomContent="x"),
        add("p2", "root.jpg", CategoryId=5),
        add("p3", "missing.jpg"),
        add("p4", "bad.jpg"),
        delete("p1", "a.jpg"),
        add("p5"),
    ]
    submitted = yard.submit(lines)
    assert submitted.state == "queued"
    yard.run()
    done = yard.show(submitted)
    assert (done.state, done.added, done.deleted, done.failed, done.total) == ("done", 3, 1, 2, 6)
    assert done.percent == 100
    assert [(one.line, one.code) for one in done.first] == [
        (3, "PictureNotInBucket"),
        (4, "UnsupportedPicFormat"),
    ]
    assert yard.catalogue().keys() == {PictureKey("p2", "root.jpg"), PictureKey("p5", "a.jpg")}
    report = yard.store.body(submitted.task.keys.report).splitlines()
    assert [msgspec.json.decode(line)["line"] for line in report] == [3, 4]
    assert not yard.store.keys("tasks/open/")


def expected(lines: list[dict[str, object]]) -> dict[PictureKey, int]:
    """Carry out the lines one after the other."""
    standing: dict[PictureKey, int] = {}
    for line in lines:
        key = PictureKey(str(line["ProductId"]), str(line.get("PicName", "")))
        if line["OperationType"] == "DELETE":
            gone = [k for k in standing if k == key or (not key.pic_name and k[0] == key[0])]
            for one in gone:
                del standing[one]
        elif key.pic_name != "bad.jpg":
            standing[key] = int(str(line["IntAttr"]))
    return standing


def script(chance: random.Random, count: int) -> list[dict[str, object]]:
    lines: list[dict[str, object]] = []
    for number in range(count):
        product = f"p{chance.randrange(count // 6)}"
        picture = chance.choice(["a.jpg", "b.jpg", "bad.jpg"])
        match chance.randrange(8):
            case 0:
                lines.append(delete(product, picture))
            case 1:
                lines.append(delete(product))
            case _:
                lines.append(add(product, picture, IntAttr=number))
    return lines


@pytest.mark.parametrize("seed", range(6))
def test_duplicated_reordered_events_and_killed_workers_change_nothing(
    tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    objects = {"goods/a.jpg": b"1:3", "goods/b.jpg": b"2:4", "goods/bad.jpg": b"bad"}
    yard = Yard(tmp_path, objects)
    lines = script(chance, 1200)
    note = yard.store.after

    def sometimes(verb: str, key: str) -> None:
        note(verb, key)
        if chance.random() < 0.02:
            raise Killed

    submitted = yard.submit(lines)
    yard.store.after = sometimes
    yard.run(chance)
    yard.store.after = note
    for _ in range(20):
        if not yard.sweep():
            break
        yard.run(chance)
    done = yard.show(submitted)
    assert done.state == "done"
    bad = sum(line["OperationType"] == "ADD" and line["PicName"] == "bad.jpg" for line in lines)
    deletes = sum(line["OperationType"] == "DELETE" for line in lines)
    assert (done.added, done.deleted, done.failed) == (len(lines) - bad - deletes, deletes, bad)
    assert yard.catalogue() == expected(lines)
    report = yard.store.body(submitted.task.keys.report).splitlines()
    assert len(report) == bad


def test_duplicates_do_no_second_work(yard: Yard) -> None:
    submitted = yard.submit([add(f"p{n}") for n in range(150)])
    begin = yard.events.pop()
    yard.deliver(begin)
    lanes = list(yard.events)
    yard.run()
    looked, requests = len(yard.eye.looked), len(yard.store.requests)
    for key in [begin, *lanes, *lanes]:
        yard.deliver(key)
    assert len(yard.eye.looked) == looked == 150
    writes = [verb for verb, _ in yard.store.requests[requests:] if verb not in {"get", "head"}]
    assert not writes
    assert yard.show(submitted).added == 150


def test_a_lane_that_is_being_worked_on_is_left_alone(yard: Yard) -> None:
    yard.submit([add(f"p{n}") for n in range(10)])
    yard.deliver(yard.events.pop())
    lane = yard.events[0]

    def second(_verb: str, key: str) -> None:
        if "/chunks/" in key:
            yard.store.after = lambda *_: None
            before = len(yard.eye.looked)
            yard.deliver(lane)
            assert len(yard.eye.looked) == before

    yard.store.after = second
    yard.deliver(lane)
    assert len(yard.eye.looked) == 10


def test_a_write_that_was_made_before_its_worker_died_is_not_made_again(yard: Yard) -> None:
    """Somebody deletes a picture between the write and the second worker."""
    yard.submit([add(f"p{n}") for n in range(10)])
    yard.deliver(yard.events.pop())
    [lane] = yard.events
    note = yard.store.after

    def die(verb: str, key: str) -> None:
        if "/wal/" in key and verb == "put_if_absent":
            raise Killed

    yard.store.after = die
    with pytest.raises(Killed):
        yard.deliver(lane)
    yard.store.after = note
    assert len(yard.catalogue()) == 10
    delete_picture(
        yard.deployment, DeletePicture(instance="shop", product_id="p3", pic_name="a.jpg")
    )
    yard.time += 2 * LEASE
    yard.deliver(lane)
    assert len(yard.catalogue()) == 9


def test_the_outcomes_of_a_chunk_are_those_of_the_worker_that_wrote_it(yard: Yard) -> None:
    """A picture that was missing is there when another worker goes on after the write."""
    submitted = yard.submit([add("p"), add("q", "late.jpg"), delete("r")])
    yard.deliver(yard.events.pop())
    [lane] = yard.events
    note = yard.store.after

    def die(verb: str, key: str) -> None:
        if "/wal/" in key and verb == "put_if_absent":
            raise Killed

    yard.store.after = die
    with pytest.raises(Killed):
        yard.deliver(lane)
    yard.store.after = note
    yard.bucket.objects["goods/late.jpg"] = b"7:3"
    yard.time += 2 * LEASE
    yard.deliver(lane)
    done = yard.show(submitted)
    assert (done.state, done.added, done.deleted, done.failed) == ("done", 1, 1, 1)
    assert yard.catalogue().keys() == {PictureKey("p", "a.jpg")}
    assert len(yard.store.body(submitted.task.keys.report).splitlines()) == 1
    assert len(yard.eye.looked) == 1


def test_a_failure_that_was_noted_before_a_worker_died_is_not_reported_if_it_passed(
    yard: Yard,
) -> None:
    """The first worker dies after noting a failure and before writing to the index."""
    submitted = yard.submit([add("p"), add("q", "late.jpg")])
    yard.deliver(yard.events.pop())
    [lane] = yard.events
    note = yard.store.after

    def die(_verb: str, key: str) -> None:
        if "/failures/" in key:
            raise Killed

    yard.store.after = die
    with pytest.raises(Killed):
        yard.deliver(lane)
    yard.store.after = note
    yard.bucket.objects["goods/late.jpg"] = b"7:3"
    yard.time += 2 * LEASE
    yard.deliver(lane)
    done = yard.show(submitted)
    assert (done.added, done.failed) == (2, 0)
    assert not yard.store.keys("tasks/report/")
    assert len(yard.catalogue()) == 2


def test_a_part_that_was_begun_is_repeated_as_it_was(yard: Yard) -> None:
    """The first worker wrote a part and died; the second has time for more, but writes the same."""
    submitted = yard.submit([add(f"p{n}") for n in range(40)])
    yard.deliver(yard.events.pop())
    [lane] = yard.events
    yard.events.clear()
    note = yard.store.after
    calls = 0

    def left() -> float:
        nonlocal calls
        calls += 1
        return 800.0 if calls < 15 else 10.0

    def die(verb: str, key: str) -> None:
        if "/wal/" in key and verb == "put_if_absent":
            raise Killed

    yard.left, yard.store.after = left, die
    with pytest.raises(Killed):
        yard.deliver(lane)
    yard.left, yard.store.after = lambda: 800.0, note
    written = sorted(yard.catalogue())
    assert 0 < len(written) < 40
    gone = written[0]
    delete_picture(
        yard.deployment,
        DeletePicture(instance="shop", product_id=gone.product_id, pic_name=gone.pic_name),
    )
    yard.time += 2 * LEASE
    yard.deliver(lane)
    assert yard.show(submitted).added == 40
    assert len(yard.catalogue()) == 39


def test_a_picture_that_ends_its_worker_fails_alone(yard: Yard) -> None:
    yard.bucket.objects["goods/crash.jpg"] = b"crash"
    lines = [add(f"p{n}") for n in range(20)]
    lines.insert(7, add("p", "crash.jpg"))
    submitted = yard.submit(lines)
    for _ in range(10):
        yard.run()
        if not yard.sweep():
            break
    done = yard.show(submitted)
    assert (done.state, done.added, done.failed) == ("done", 20, 1)
    assert [(one.line, one.code) for one in done.first] == [(8, "PictureStopsWorker")]


def test_a_fault_of_ours_fails_its_picture_alone(yard: Yard) -> None:
    yard.bucket.objects["goods/bug.jpg"] = b"bug"
    submitted = yard.submit([add("p"), add("q", "bug.jpg"), add("r")])
    yard.run()
    done = yard.show(submitted)
    assert (done.added, done.failed, done.first[0].code) == (2, 1, "InternalError")


def test_a_worker_out_of_time_writes_what_it_has_and_another_goes_on(yard: Yard) -> None:
    submitted = yard.submit([add(f"p{n}", IntAttr=n) for n in range(60)])
    yard.deliver(yard.events.pop())
    [lane] = yard.events
    yard.events.clear()
    calls = 0

    def left() -> float:
        nonlocal calls
        calls += 1
        return 800.0 if calls < 15 else 10.0

    yard.left = left
    yard.deliver(lane)
    half = yard.show(submitted)
    assert 0 < half.added < 60
    assert len(yard.eye.looked) == half.added
    yard.left = lambda: 800.0
    yard.run()
    assert yard.show(submitted).added == 60
    assert len(yard.eye.looked) == 60


def test_a_worker_that_lost_its_turn_writes_nothing_more(yard: Yard) -> None:
    submitted = yard.submit([add(f"p{n}") for n in range(40)])
    yard.deliver(yard.events.pop())
    [lane] = yard.events
    yard.events.clear()
    original = yard.eye.look

    def look(*args: object, **options: object) -> object:
        seen = original(*args, **options)  # type: ignore[arg-type]
        if len(yard.eye.looked) == 20:
            yard.time += 2 * LEASE
            yard.deliver(lane)
        return seen

    yard.eye.look = look  # type: ignore
    yard.deliver(lane)
    done = yard.show(submitted)
    assert (done.state, done.added) == ("done", 40)
    logs = [k for k in yard.store.keys("index/") if "/wal/" in k]
    assert len(logs) == 1

"""Tasks of keys that may fill an instance so far: which lines fail, and what is left of them."""

from __future__ import annotations

import random
from pathlib import Path
from unittest.mock import patch

import msgspec
import pytest
from imagesearch.catalogue import PictureKey
from imagesearch.errors import IncrementEnded
from imagesearch.ingest.lanes import LEASE
from imagesearch.ingest.tasks import Task
from imagesearch.operations import increments

from tests.ingest.yard import Killed, Yard, add, delete
from tests.isolation.matrix import events, load, two_instances

Lines = list[dict[str, object]]


def carried_out(lines: Lines, standing: set[PictureKey], most: int) -> list[int]:
    """Carry out the lines one after the other; return those that found no room."""
    refused = []
    for number, line in enumerate(lines, 1):
        key = PictureKey(str(line["ProductId"]), str(line.get("PicName", "")))
        if line["OperationType"] == "DELETE":
            standing -= {k for k in standing if k == key or (not key.pic_name and k[0] == key[0])}
        elif key in standing or len(standing) < most:
            standing.add(key)
        else:
            refused.append(number)
    return refused


def script(chance: random.Random, count: int) -> Lines:
    made: Lines = []
    for _ in range(count):
        product, picture = f"p{chance.randrange(12)}", chance.choice(["a.jpg", "b.jpg"])
        kind = chance.randrange(8)
        if kind < 2:
            made.append(delete(product, picture if kind else ""))
        else:
            made.append(add(product, picture))
    return made


@pytest.mark.parametrize("seed", range(6))
def test_lines_fail_where_the_room_ends_and_deletions_make_room(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    yard = Yard(tmp_path, {"goods/a.jpg": b"1:3", "goods/b.jpg": b"2:4"})
    standing: set[PictureKey] = set()
    for most in (None, 9, 6, None):
        lines = script(chance, 60)
        submitted = yard.submit(lines, most=most)
        yard.run()
        done = yard.show(submitted)
        refused = carried_out(lines, standing, most or 1000)
        assert done.state == "done"
        assert yard.catalogue().keys() == standing
        assert done.failed == len(refused)
        assert [one.line for one in done.first] == refused[: len(done.first)]
        assert {one.code for one in done.first} <= {"InstanceOverQuota"}
        assert done.added == sum(line["OperationType"] == "ADD" for line in lines) - len(refused)


def test_a_line_that_finds_no_room_says_so_and_is_not_looked_at(yard: Yard) -> None:
    submitted = yard.submit([add("p1"), add("p2"), add("p3"), add("p1")], most=2)
    yard.run()
    [refused] = yard.show(submitted).first
    assert (refused.line, refused.code) == (3, "InstanceOverQuota")
    assert "up to: 2" in refused.message
    assert len(yard.eye.looked) == 3


def test_a_picture_that_cannot_be_used_takes_no_room(yard: Yard) -> None:
    yard.bucket.objects["goods/bad.jpg"] = b"bad"
    submitted = yard.submit([add("p1", "bad.jpg"), add("p2", "bad.jpg"), add("p3")], most=1)
    yard.run()
    assert [one.code for one in yard.show(submitted).first] == ["UnsupportedPicFormat"] * 2
    assert yard.catalogue().keys() == {PictureKey("p3", "a.jpg")}


def test_whoever_goes_on_after_a_killed_worker_comes_to_the_same(yard: Yard) -> None:
    lines = [add(f"p{n}") for n in range(6)]
    note, written = yard.store.after, 0

    def once(verb: str, key: str) -> None:
        nonlocal written
        note(verb, key)
        if "/wal/" in key and verb.startswith("put"):
            written += 1
            raise Killed

    submitted = yard.submit(lines, most=4)
    yard.store.after = once
    yard.run()
    yard.store.after = note
    assert written == 1
    yard.time += LEASE
    while yard.sweep():
        yard.run()
    done = yard.show(submitted)
    assert (done.state, done.added, done.failed) == ("done", 4, 2)
    assert len(yard.catalogue()) == 4


def test_a_task_without_a_limit_opens_nothing_for_it(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    yard.submit([add("p1")])
    monkeypatch.setattr(yard.deployment, "open", None)
    yard.run()
    assert yard.catalogue().keys() == {PictureKey("p1", "a.jpg")}


def test_the_function_hands_the_keys_limit_on() -> None:
    [event] = events()["POST /v1/instances/{instance}/increments"]
    key = {"key": "0123", "pictures": "7", "instances": "events"}
    asked = {**event, "requestContext": {"requestId": "r", "authorizer": {"lambda": key}}}
    with two_instances(), patch.object(increments, "submit_increment") as submit:
        submit.side_effect = IncrementEnded("that will do.")
        load("increment").handler(asked, None)
    assert submit.call_args.kwargs["most"] == 7


def test_a_task_from_before_there_were_limits_has_none(yard: Yard) -> None:
    task = yard.submit([add("p1")], most=5).task
    stored = msgspec.json.decode(msgspec.json.encode(task), type=dict[str, object])
    assert stored.pop("most") == 5
    assert msgspec.convert(stored, Task).most == 0

"""What is in the inbox is in the index, whatever the order and number of events."""

from __future__ import annotations

import random

import msgspec
import pytest
from imagesearch.catalogue import PictureKey
from imagesearch.ingest.events import keys_of

from tests.ingest.yard import Killed, Yard

KEY = PictureKey("p 1", "中/50%+a.jpg")
PLACE = "inbox/shop/p 1/中/50%+a.jpg"


def test_a_picture_dropped_is_found_and_one_removed_is_gone(yard: Yard) -> None:
    yard.store.put(PLACE, b"1:3")
    yard.run()
    assert yard.catalogue() == {KEY: 0}
    yard.store.put(PLACE + ".json", b'{"IntAttr": 7, "category_id": 4}')
    yard.run()
    assert yard.catalogue() == {KEY: 7}
    yard.store.delete([PLACE])
    yard.run()
    assert yard.catalogue() == {}
    assert not yard.store.keys("inbox-busy/")


@pytest.mark.parametrize(
    ("name", "body", "code"),
    [
        ("p/a.jpg", b"bad", "UnsupportedPicFormat"),
        (f"{'x' * 300}/a.jpg", b"1:3", "InvalidProductId"),
    ],
)
def test_what_cannot_be_used_is_reported_until_it_can(
    yard: Yard, name: str, body: bytes, code: str
) -> None:
    yard.store.put(f"inbox/shop/{name}", body)
    yard.run()
    said = msgspec.json.decode(yard.store.body(f"inbox-errors/shop/{name}.json"))
    assert said["code"] == code
    assert said["fix"]
    yard.store.put("inbox/shop/p/a.jpg", b"1:3")
    yard.run()
    assert not yard.store.keys("inbox-errors/shop/p/")


def test_a_sidecar_that_cannot_be_read_is_reported(yard: Yard) -> None:
    yard.store.put(PLACE + ".json", b"[1]")
    yard.store.put(PLACE, b"1:3")
    yard.run()
    assert yard.store.keys("inbox-errors/")
    assert yard.catalogue() == {}


def test_an_unknown_instance_and_stray_files_do_no_harm(yard: Yard) -> None:
    yard.store.put("inbox/nobody/p/a.jpg", b"1:3")
    yard.store.put("inbox/readme.txt", b"x")
    yard.run()
    assert list(yard.store.keys("inbox-errors/")) == ["inbox-errors/nobody/p/a.jpg.json"]


def test_a_repeated_event_looks_at_nothing_again(yard: Yard) -> None:
    yard.store.put(PLACE, b"1:3")
    event = yard.events[0]
    yard.run()
    for _ in range(3):
        yard.deliver(event)
    assert len(yard.eye.looked) == 1


def test_a_change_while_a_picture_is_attended_to_is_seen_by_the_same_worker(yard: Yard) -> None:
    yard.store.put(PLACE, b"1:3")
    event = yard.events.pop()
    original = yard.eye.look

    def look(*args: object, **options: object) -> object:
        yard.eye.look = original  # type: ignore
        yard.time += 1_000_000
        yard.store.put(PLACE + ".json", b'{"int_attr": 5}')
        yard.deliver(yard.events.pop())
        return original(*args, **options)  # type: ignore

    yard.eye.look = look  # type: ignore
    yard.deliver(event)
    assert not yard.events
    assert yard.catalogue() == {KEY: 5}


@pytest.mark.parametrize("seed", range(8))
def test_any_order_and_any_death_ends_in_what_is_there(yard: Yard, seed: int) -> None:
    chance = random.Random(seed)
    note = yard.store.after
    places = [f"inbox/shop/p/{n}.jpg" for n in range(4)]

    def sometimes(verb: str, key: str) -> None:
        note(verb, key)
        if chance.random() < 0.03:
            raise Killed
        if chance.random() < 0.05:  # somebody changes the inbox while it is attended to
            yard.store.after = note
            change(chance.choice(places))
            if yard.events:
                try:
                    yard.deliver(chance.choice(yard.events))
                finally:
                    yard.store.after = sometimes
            yard.store.after = sometimes

    def change(place: str) -> None:
        yard.time += chance.randrange(5_000_000)
        match chance.randrange(3):
            case 0:
                yard.store.delete([place])
            case 1:
                yard.store.put(place, f"{chance.randrange(9)}:3".encode())
            case _:
                body = msgspec.json.encode({"int_attr": chance.randrange(100)})
                yard.store.put(place + ".json", body)

    for _ in range(30):
        change(chance.choice(places))
    yard.store.after = sometimes
    yard.run(chance)
    yard.store.after = note
    yard.sweep(inbox=True)
    yard.run()
    yard.sweep(inbox=True)
    there = {}
    for place in places:
        if yard.store.keys(place) and place in yard.store.keys(place):
            sidecar = place + ".json"
            said = sidecar in yard.store.keys(sidecar)
            attributes = msgspec.json.decode(yard.store.body(sidecar)) if said else {}
            name = place.rpartition("/")[2]
            there[PictureKey("p", name)] = attributes.get("int_attr", 0)
    assert yard.catalogue() == there


def test_events_that_were_lost_are_found(yard: Yard) -> None:
    yard.store.put(PLACE, b"1:3")
    yard.store.put("inbox/shop/q/b.jpg", b"2:3")
    yard.run()
    yard.time += 60_000_000
    yard.store.delete(["inbox/shop/q/b.jpg"])
    yard.store.put("inbox/shop/r/c.jpg", b"3:3")
    yard.events.clear()
    yard.sweep(inbox=True)
    assert yard.catalogue().keys() == {KEY, PictureKey("r", "c.jpg")}
    assert len(yard.eye.looked) == 3


def test_keys_are_read_as_s3_writes_them() -> None:
    key = "inbox/shop/p+1/%E4%B8%AD/50%25%2Ba.jpg"
    assert list(keys_of({"Records": [{"s3": {"object": {"key": key}}}]})) == [PLACE]

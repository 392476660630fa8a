"""The S3 store on a real server: conditional writes, races, listings, ranges, silence."""

from __future__ import annotations

import socket
import threading
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from imagesearch.errors import LostRace, NoSuchObject, StorageUnavailable
from imagesearch.storage.s3 import S3ObjectStore, connect

pytestmark = pytest.mark.system


def test_create_once_and_recognise_our_own_bytes(store: S3ObjectStore) -> None:
    etag = store.put_if_absent("a/1", b"mine")
    assert store.put_if_absent("a/1", b"mine") == etag
    with pytest.raises(LostRace):
        store.put_if_absent("a/1", b"theirs")
    assert store.get("a/1").body == b"mine"


def test_of_many_that_create_one_key_exactly_one_wins(store: S3ObjectStore) -> None:
    def create(number: int) -> bool:
        try:
            store.put_if_absent("race", str(number).encode())
        except LostRace:
            return False
        return True

    with ThreadPoolExecutor(16) as pool:
        won = list(pool.map(create, range(16)))
    assert sum(won) == 1
    assert store.get("race").body == str(won.index(True)).encode()


def test_a_counter_by_compare_and_swap_loses_no_count(store: S3ObjectStore) -> None:
    store.put("counter", b"0")

    def count(_: int) -> None:
        for _ in range(5):
            while True:
                found = store.get("counter")
                # Padded by who and when, so that two swaps never write the same bytes.
                number = int(found.body.split()[0]) + 1
                body = f"{number} {threading.get_ident()} {time.time_ns()}".encode()
                try:
                    store.compare_and_swap("counter", body, found.etag)
                    break
                except LostRace:
                    continue

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(count, range(6)))
    assert store.get("counter").body.split()[0] == b"30"


def test_swapping_what_is_gone_is_a_lost_race(store: S3ObjectStore) -> None:
    etag = store.put("gone", b"x")
    store.delete(["gone", "never"])
    with pytest.raises(LostRace):
        store.compare_and_swap("gone", b"y", etag)
    with pytest.raises(NoSuchObject):
        store.get("gone")
    with pytest.raises(NoSuchObject):
        store.head("gone")


def test_reading_only_what_changed_and_parts(store: S3ObjectStore) -> None:
    etag = store.put("o", b"0123456789")
    assert store.get_if_changed("o", etag) is None
    changed = store.get_if_changed("o", '"other"')
    assert changed is not None
    assert changed.body == b"0123456789"
    assert store.get_range("o", 2, 3) == b"234"
    assert store.get_range("o", 8, 100) == b"89"
    assert store.get_range("o", 100, 5) == b""
    assert store.get_range("o", 0, 0) == b""
    assert (store.head("o").size, store.head("o").etag) == (10, etag)


def test_listing_in_order_after_a_key_across_pages(store: S3ObjectStore) -> None:
    names = [f"p/{n:04d}" for n in range(1005)]
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda name: store.put(name, b""), names))
    store.put("q/other", b"")
    assert [info.key for info in store.list("p/")] == names
    assert [info.key for info in store.list("p/", after="p/1002")] == names[1003:]
    assert abs(store.head("p/0000").modified / 1e6 - time.time()) < 60
    store.delete(names)
    assert list(store.list("p/")) == []


def test_an_address_lets_anybody_put_and_get_just_that(store: S3ObjectStore) -> None:
    url = store.presign_put("up", content_type="image/png", size=4, seconds=60)
    request = urllib.request.Request(url, b"data", {"Content-Type": "image/png"}, method="PUT")
    with closing(urllib.request.urlopen(request)):
        pass
    with closing(urllib.request.urlopen(store.presign_get("up", seconds=60))) as answer:
        assert answer.read() == b"data"


@pytest.fixture
def silent_server() -> Iterator[str]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.mark.usefixtures("server")  # which sets the access keys
def test_a_silent_server_is_given_up_within_a_request(silent_server: str) -> None:
    silent = S3ObjectStore(connect(endpoint=silent_server), "bucket")
    began = time.monotonic()
    with pytest.raises(StorageUnavailable):
        silent.get("key")
    assert time.monotonic() - began < 30

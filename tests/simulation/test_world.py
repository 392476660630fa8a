"""The simulated world: it repeats exactly, and its bucket and network do what they say."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from imagesearch.errors import LostRace, NoSuchObject, StorageUnavailable

from tests.simulation.bucket import Bucket
from tests.simulation.network import Connection, Weather
from tests.simulation.world import SECOND, Process, World

STORM = Weather(lost=0.1, answer_lost=0.1, late=0.1, stall=0.1, page=2)


def trace(seed: int, weather: Weather = STORM) -> tuple[list[str], dict[str, bytes]]:
    world = World(seed)
    bucket = Bucket(lambda: world.now)
    lines: list[str] = []

    def work(process: Process) -> None:
        process.crash_chance = 0.01
        connection = Connection(bucket, process, weather)
        for number in range(10):
            try:
                connection.put_if_absent(f"k{number % 4}", process.name.encode())
                lines.append(f"{world.now} {process.name} wrote {number}")
                lines.append(str([info.key for info in connection.list("k")]))
            except (LostRace, StorageUnavailable) as error:
                lines.append(f"{world.now} {process.name} {type(error).__name__}")

    for name in "abc":
        world.start(name, work)
    world.run()
    return lines, {info.key: bucket.get(info.key).body for info in bucket.list("")}


def test_a_seed_repeats_exactly() -> None:
    assert trace(1) == trace(1)
    assert trace(1) != trace(2)


def test_processes_really_interleave() -> None:
    names = [line.split()[1] for line in trace(3, Weather())[0] if " " in line and line[0] != "["]
    assert sum(a != b for a, b in pairwise(names)) > len(names) // 4


def test_an_error_in_a_process_is_raised_by_the_run() -> None:
    world = World(0)

    def broken(_process: Process) -> None:
        raise ZeroDivisionError

    world.start("broken", broken)
    with pytest.raises(ZeroDivisionError):
        world.run()


def test_a_process_ends_at_its_deadline() -> None:
    world = World(0)
    seen = []

    def slow(process: Process) -> None:
        process.deadline = world.now + 5 * SECOND
        while True:
            process.pause(SECOND)
            seen.append(world.now)

    begin = world.now
    world.start("slow", slow)
    world.run()
    assert len(seen) == 5
    assert world.now == begin + 5 * SECOND


@pytest.mark.parametrize(
    "weather", [Weather(lost=1.0), Weather(answer_lost=1.0), Weather(late=1.0)]
)
def test_a_silent_store_is_reported_and_may_have_written(weather: Weather) -> None:
    world = World(0)
    bucket = Bucket(lambda: world.now)
    errors = []

    def work(process: Process) -> None:
        try:
            Connection(bucket, process, weather).put_if_absent("k", b"x")
        except StorageUnavailable as error:
            errors.append(error)

    world.start("writer", work)
    world.run()
    assert len(errors) == 1
    written = [info.key for info in bucket.list("")]
    assert written == ([] if weather.lost else ["k"])


def test_the_bucket_keeps_the_promises_of_the_seam() -> None:
    bucket = Bucket()
    first = bucket.put_if_absent("a", b"1")
    assert bucket.put_if_absent("a", b"1") == first
    with pytest.raises(LostRace):
        bucket.put_if_absent("a", b"2")
    second = bucket.compare_and_swap("a", b"2", first)
    assert bucket.compare_and_swap("a", b"2", first) == second
    with pytest.raises(LostRace):
        bucket.compare_and_swap("a", b"3", first)
    with pytest.raises(LostRace):
        bucket.compare_and_swap("absent", b"3", first)
    assert bucket.get_if_changed("a", second) is None
    assert bucket.get_range("a", 0, 10) == b"2"
    bucket.delete(["a", "a", "absent"])
    with pytest.raises(NoSuchObject):
        bucket.get("a")


@given(
    st.sets(st.text("ab/", min_size=1, max_size=4)),
    st.text("ab/", max_size=3),
    st.text("ab/", max_size=4),
)
def test_a_listing_is_the_sorted_keys_under_a_prefix(
    keys: set[str], prefix: str, after: str
) -> None:
    bucket = Bucket()
    for key in keys:
        bucket.put(key, b"")
    expected = sorted(k for k in keys if k.startswith(prefix) and k > after)
    assert [info.key for info in bucket.list(prefix, after=after)] == expected
    paged = bucket.keys_after(prefix, after, 2)
    assert paged == expected[:2]

"""The checker itself: it must see every kind of broken promise, and nothing where there is none."""

from __future__ import annotations

from math import inf

from imagesearch.catalogue import PictureKey

from tests.simulation.history import History, Read, Write

A = PictureKey("a", "1")
B = PictureKey("b", "1")


def write(
    version: int | None,
    begin: float,
    end: float,
    *,
    key: PictureKey = A,
    sequence: int | None = None,
) -> Write:
    return Write("w", {key: version}, begin, end, sequence)


def read(begin: float, end: float, *, sequence: int = 0, **seen: int) -> Read:
    keys = {"a": A, "b": B}
    return Read("r", begin, end, {keys[name]: version for name, version in seen.items()}, sequence)


def kinds(writes: list[Write], *reads: Read) -> set[str]:
    return {violation.kind for violation in History(writes, list(reads)).check()}


def test_a_read_that_sees_the_last_write_is_right() -> None:
    writes = [write(1, 1, 2), write(2, 3, 4), write(None, 7, 8)]
    assert kinds(writes, read(5, 6, a=2), read(9, 10)) == set()


def test_an_acknowledged_write_that_is_not_there_is_lost() -> None:
    assert kinds([write(1, 1, 2)], read(3, 4)) == {"lost"}


def test_an_older_version_than_the_acknowledged_one_is_stale() -> None:
    assert kinds([write(1, 1, 2), write(2, 3, 4)], read(5, 6, a=1)) == {"stale"}


def test_a_picture_that_is_there_after_its_deletion_is_resurrected() -> None:
    assert kinds([write(1, 1, 2), write(None, 3, 4)], read(5, 6, a=1)) == {"resurrected"}


def test_a_version_that_comes_back_is_resurrected() -> None:
    writes = [write(1, 1, 9), write(2, 1, 9)]
    assert kinds(writes, read(2, 3, a=1), read(4, 5, a=2), read(6, 7, a=1)) == {"resurrected"}


def test_a_version_that_nobody_wrote_is_a_phantom() -> None:
    assert kinds([write(1, 1, 2)], read(3, 4, a=7)) == {"phantom"}
    assert kinds([write(1, 5, 6)], read(3, 4, a=1)) == {"phantom"}


def test_writes_at_the_same_time_may_win_in_either_order() -> None:
    writes = [write(1, 1, 4), write(2, 2, 3), write(None, 1, 4)]
    for seen in ({"a": 1}, {"a": 2}, {}):
        assert kinds(writes, read(5, 6, **seen)) == set()


def test_a_write_in_doubt_may_be_there_or_not() -> None:
    writes = [write(1, 1, 2), write(2, 3, inf)]
    assert kinds(writes, read(5, 6, a=1)) == set()
    assert kinds(writes, read(5, 6, a=2)) == set()
    assert kinds(writes, read(5, 6, a=1), read(7, 8, a=2)) == set()


def test_a_write_in_doubt_that_was_seen_stays() -> None:
    writes = [write(1, 1, 2), write(2, 3, inf)]
    assert "stale" in kinds(writes, read(5, 6, a=2), read(7, 8, a=1))


def test_a_repeated_operation_may_take_effect_again_until_its_end() -> None:
    writes = [write(1, 1, 12), write(None, 4, 5)]
    reads = read(2, 3, a=1), read(6, 7), read(8, 9, a=1)
    assert kinds(writes, *reads) == {"resurrected"}
    writes[0].attempts = 2
    assert kinds(writes, *reads) == set()
    assert kinds([*writes, write(None, 13, 14)], *reads, read(15, 16, a=1)) == {"resurrected"}


def test_a_batch_is_seen_whole_or_not_at_all() -> None:
    batch = Write("batch", {A: 2, B: 3}, 3, inf)
    before = [write(1, 1, 2), batch]
    assert kinds(before, read(5, 6, a=2, b=3)) == set()
    assert kinds(before, read(5, 6, a=1)) == set()
    assert kinds(before, read(5, 6, a=2)) == {"torn"}
    assert kinds(before, read(5, 6, a=1, b=3)) == {"torn"}
    assert kinds([*before, write(None, 4, 6, key=B)], read(5, 7, a=2)) == set()


def test_sequences_follow_real_time() -> None:
    late = [write(1, 1, 2, sequence=8), write(2, 3, 4, sequence=7)]
    assert "order" in kinds(late)
    assert "order" in kinds([write(1, 1, 2, sequence=8)], read(3, 4, a=1, sequence=7))
    assert kinds([write(1, 1, 2, sequence=8)], read(3, 4, a=1, sequence=8)) == set()


def test_sequences_decide_between_writes_at_the_same_time() -> None:
    writes = [write(1, 1, 4, sequence=7), write(2, 2, 3, sequence=8)]
    assert kinds(writes, read(5, 6, sequence=8, a=2)) == set()
    assert kinds(writes, read(5, 6, sequence=8, a=1)) == {"stale"}
    writes = [write(1, 1, 4, sequence=8), write(None, 2, 3, sequence=7)]
    assert kinds(writes, read(5, 6, sequence=8)) == {"lost"}


def test_a_generation_is_one_state_and_the_next_is_higher() -> None:
    def at(begin: float, generation: int, state: str) -> Read:
        return Read("r", begin, begin + 0.5, {}, 0, generation, state)

    assert kinds([], at(1, 1, "x"), at(2, 1, "x"), at(3, 2, "y")) == set()
    assert kinds([], at(1, 1, "x"), at(2, 1, "y")) == {"order"}
    assert kinds([], at(1, 2, "y"), at(2, 1, "x")) == {"order"}

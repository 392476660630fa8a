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


def change(value: int, begin: float, end: float, *, sequence: int | None = None) -> Write:
    return Write("c", {}, begin, end, sequence, settings={A: value})


def shows(begin: float, end: float, version: int, value: int | None = None) -> Read:
    return Read("r", begin, end, {A: version}, 9, settings={} if value is None else {A: value})


def test_a_change_that_was_acknowledged_stays_until_the_picture_is_replaced() -> None:
    writes = [write(1, 1, 2), change(7, 3, 4), write(2, 9, 10)]
    assert kinds(writes, shows(5, 6, 1, 7), shows(11, 12, 2)) == set()
    assert kinds(writes, shows(5, 6, 1)) == {"lost"}
    assert kinds(writes, shows(11, 12, 2, 7)) == {"lost"}
    assert kinds(writes, shows(5, 6, 1, 8)) == {"phantom"}


def test_of_two_changes_the_later_is_shown() -> None:
    writes = [write(1, 1, 2), change(7, 3, 4), change(8, 5, 6)]
    assert kinds(writes, shows(7, 8, 1, 8)) == set()
    assert kinds(writes, shows(7, 8, 1, 7)) == {"lost"}
    at_once = [write(1, 1, 2, sequence=1), change(7, 3, 9, sequence=3), change(8, 3, 9, sequence=2)]
    assert kinds(at_once, shows(4, 5, 1), shows(10, 11, 1, 7)) == set()
    assert kinds(at_once, shows(10, 11, 1, 8)) == {"lost"}


def test_a_change_and_a_picture_of_one_write_are_seen_together() -> None:
    both = Write("w", {B: 2}, 3, inf, settings={A: 7})
    writes = [write(1, 1, 2), both]
    whole = Read("r", 4, 5, {A: 1, B: 2}, 0, settings={A: 7})
    assert kinds(writes, whole) == set()
    assert kinds(writes, Read("r", 4, 5, {A: 1, B: 2}, 0)) == {"torn"}
    assert kinds(writes, Read("r", 4, 5, {A: 1}, 0, settings={A: 7})) == {"torn"}


def test_what_was_found_out_of_a_picture_stays_with_it() -> None:
    found = Write("f", {}, 3, 4, found={A: 1})
    seen = Read("r", 5, 6, {A: 1}, 0, found=frozenset([A]))
    assert kinds([write(1, 1, 2), found], seen) == set()
    assert kinds([write(1, 1, 2), found], shows(5, 6, 1)) == {"lost"}
    assert kinds([write(1, 1, 2), found, write(2, 3, 4)], shows(5, 6, 2)) == set()


def test_a_rollback_undoes_what_came_before_it_and_nothing_else() -> None:
    back = Write("turner", {A: 1}, 5, 6, settings={A: None}, rollback=True)
    writes = [write(1, 1, 2), write(2, 3, 4), back, write(3, 9, 10)]
    assert kinds(writes, read(7, 8, a=1), read(11, 12, a=3)) == set()
    assert kinds(writes, read(7, 8, a=2)) == {"stale"}
    assert kinds(writes, read(11, 12, a=1)) == {"stale"}
    assert kinds(writes, read(7, 8)) == {"lost"}
    meanwhile = [write(1, 1, 2), write(2, 3, 8), back]
    assert kinds(meanwhile, read(9, 10, a=2)) == kinds(meanwhile, read(9, 10, a=1)) == set()


def test_an_erased_instance_is_gone_and_the_next_of_its_name_has_nothing_of_it() -> None:
    one = Write("w", {A: 1}, 3, 4, 9, homes={"first"})
    made = Write("e create", {}, 1, 2)
    erased = Write("e erase", {A: None, B: None}, 5, 6, homes={"first"})
    again = Write("e create", {}, 9, 10)
    writes = [made, one, erased, again]
    gone = Read("r", 7, 8, {}, 0, home=None)
    assert kinds(writes, gone, Read("r", 11, 12, {}, 1, home="second")) == set()
    assert kinds(writes, Read("r", 11, 12, {A: 1}, 9, home="second")) == {"resurrected"}
    assert kinds(writes, Read("r", 11, 12, {}, 9, home="first")) == {"resurrected"}
    assert kinds(writes, Read("r", 11, 12, {}, 0, home=None)) == {"lost"}

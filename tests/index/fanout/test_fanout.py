"""Workers that share segments answer as one process does, or not at all."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from imagesearch.errors import CorruptObject, FanOutUnavailable, NoRoom, StorageUnavailable
from imagesearch.index import Change, Entry, Index, OfPicture, OfProduct, Policy, Query
from imagesearch.index.fanout import coordinator, wire, worker
from imagesearch.index.fanout.wire import LONGEST

from tests.index.fanout.workers import Team
from tests.index.makers import entry, key, look
from tests.stores import MemoryStore

PREFIX = "i/"
POLICY = Policy(parallel=1, candidates=16)


def catalogue(count: int = 240, **attributes: str) -> Iterator[Entry]:
    for n in range(count):
        colour = None if n % 5 == 0 else f"colour {n % 4}"
        category = 3 if n < 60 else 0
        features = look(n % 7, 0.02 * (n % 11))
        yield entry(
            n // 3, n % 3, features=features, category=category, str_attr=colour, **attributes
        )


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def index(store: MemoryStore) -> Index:
    """240 pictures in four segments."""
    index = Index(store, PREFIX, model="m", policy=POLICY)
    index.create()
    entries = [*catalogue()]
    for start in range(0, 240, 60):
        index.append(entries[start : start + 60], after=index.snapshot())
        index.fold()
    return index


def same(index: Index, team: Team, query: Query) -> None:
    snapshot = index.snapshot()
    together = snapshot.search(query, ranking=team.ranking(PREFIX, index.policy))
    assert together == snapshot.search(query)


@pytest.mark.parametrize("workers", [1, 2, 4, 8])
@pytest.mark.parametrize("distinct", ["", "product_id", "str_attr", "str_attr3"])
def test_pages_are_those_of_one_process(
    index: Index, store: MemoryStore, workers: int, distinct: str
) -> None:
    team = Team(store, workers)
    query = Query(
        features=look(3), distinct_product=bool(distinct), distinct_by=distinct or "product_id"
    )
    for page in ({}, {"start": 95, "num": 20}, {"start": 495}, {"score_threshold": 0.9}):
        same(index, team, replace(query, **page))  # type: ignore[arg-type]
    assert {number for number, _ in team.asked} <= {*range(workers)}
    assert workers == 1 or len({number for number, _ in team.asked}) > 1


@pytest.mark.parametrize("share", [1000, 2])
def test_more_is_compared_exactly_so_that_no_hit_is_less_alike(
    store: MemoryStore, share: int
) -> None:
    """Each worker compares as many as one process would in all."""
    policy = Policy(parallel=1, candidates=1, candidates_one_in=share)
    index = Index(store, PREFIX, model="m", policy=policy)
    index.create()
    for part in range(4):
        index.append(
            [entry(part, n, seed=1000 * part + n) for n in range(400)], after=index.snapshot()
        )
        index.fold()
    team = Team(store, 3)
    snapshot, ranking = index.snapshot(), team.ranking(PREFIX, policy)
    for seed in range(5):
        query = Query(features=look(900_000 + seed), num=400)
        alone, together = snapshot.search(query), snapshot.search(query, ranking=ranking)
        assert together.total == alone.total == 1600
        for one, other in zip(alone.hits, together.hits, strict=True):
            assert other.likeness.relevance >= one.likeness.relevance
    asked = {wire.task_in(json.loads(event)).candidates for event in team.events}
    assert asked == {policy.candidates_among(1600)}


def test_a_small_index_is_searched_by_one_process(index: Index, store: MemoryStore) -> None:
    team, snapshot = Team(store, 2), index.snapshot()
    query = Query(features=look(3))
    rows = sum(info.rows for info in snapshot.manifest.segments)
    snapshot.search(query, ranking=team.ranking(PREFIX, POLICY, rows=rows + 1))
    assert not team.asked
    snapshot.search(query, ranking=team.ranking(PREFIX, POLICY, rows=rows))
    assert team.asked


def test_only_those_who_have_the_category_are_asked(index: Index, store: MemoryStore) -> None:
    team = Team(store, 4)
    same(index, team, Query(features=look(3), category_id=3, num=100))
    assert len(team.asked) == 1


def test_what_was_just_written_counts_though_workers_have_read_all_they_need(
    index: Index, store: MemoryStore, tmp_path: Path
) -> None:
    team = Team(store, 2, tmp_path)
    query = Query(features=look(3), num=300)
    same(index, team, query)
    after = index.snapshot()
    changed = Change(key(2, 0), {"str_attr": "mauve", "int_attr": 7})
    twin = entry("new", features=look(3))
    index.append([entry(1, 0, seed=77), twin], [OfPicture(key(1, 1)), OfProduct("7")], after=after)
    index.append(changes=[changed], after=index.snapshot())
    store.requests.clear()
    answer = index.snapshot().search(query, ranking=team.ranking(PREFIX, POLICY))
    assert not [key for verb, key in store.requests if "/seg/" in key]
    found = {hit.picture.key: hit.picture.attributes for hit in answer.hits}
    assert answer.hits[0].likeness.score == 1
    assert twin.picture.key in found
    assert key(1, 1) not in found
    assert "7" not in {found_key.product_id for found_key in found}
    assert (found[key(2, 0)].str_attr, found[key(2, 0)].int_attr) == ("mauve", 7)
    same(index, team, query)


def test_long_answers_come_in_parts(store: MemoryStore) -> None:
    index = Index(store, PREFIX, model="m", policy=Policy(parallel=1))
    index.create()
    for part in range(2):
        long = [entry(part, n, seed=n, custom_content="红" * 4096) for n in range(400)]
        index.append(long, after=index.snapshot())
        index.fold()
    team = Team(store, 2)
    same(index, team, Query(features=look(3), num=500))
    assert len(team.answered) > 2
    assert max(team.answered) <= LONGEST


def test_a_tail_too_long_for_an_event_is_looked_at_here(
    index: Index, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    team = Team(store, 2)
    same(index, team, Query(features=look(3)))
    longest = max(size for _, size in team.asked)
    monkeypatch.setattr(coordinator, "LONGEST", longest)
    gone = [OfPicture(key(f"of another {n}")) for n in range(100)]
    index.append(deletions=[*gone, OfProduct("1")], after=index.snapshot())
    team.asked.clear()
    same(index, team, Query(features=look(3), num=100))
    assert not team.asked


def test_groups_too_many_to_send_make_the_total_a_least_one(
    index: Index, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "MOST_GROUPS", 10)
    snapshot, ranking = index.snapshot(), Team(store, 2).ranking(PREFIX, POLICY)
    query = Query(features=look(3), num=100, distinct_product=True)
    alone, together = snapshot.search(query), snapshot.search(query, ranking=ranking)
    assert alone.exact
    assert not together.exact
    assert together.hits == alone.hits
    assert len(together.hits) <= together.total <= alone.total


def test_a_worker_that_fails_once_is_asked_again(index: Index, store: MemoryStore) -> None:
    team = Team(store, 2)
    failed: list[int] = []

    def fail_once(number: int) -> None:
        if number not in failed:
            failed.append(number)
            raise FanOutUnavailable("throttled")

    team.before = fail_once
    same(index, team, Query(features=look(3)))
    assert sorted(failed) == [0, 1]


def test_there_is_no_answer_of_some_workers_only(index: Index, store: MemoryStore) -> None:
    team = Team(store, 2)

    def fail(number: int) -> None:
        if number == 1:
            raise FanOutUnavailable("throttled")

    team.before = fail
    with pytest.raises(FanOutUnavailable) as failure:
        index.snapshot().search(Query(features=look(3)), ranking=team.ranking(PREFIX, POLICY))
    assert failure.value.status == 503
    assert [number for number, _ in team.asked].count(1) == 2


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"null",
        b"{}",
        b'{"ranked": "!"}',
        b'{"ranked": "AAAA"}',
        b'{"errorType": "Runtime.ExitError"}',
        b"\xff",
    ],
)
def test_an_answer_that_is_none_fails_the_search(
    index: Index, store: MemoryStore, answer: bytes
) -> None:
    ranking = replace(Team(store, 2).ranking(PREFIX, POLICY), ask=lambda _worker, _event: answer)
    with pytest.raises(FanOutUnavailable):
        index.snapshot().search(Query(features=look(3)), ranking=ranking)


def test_what_was_collected_meanwhile_is_named_and_the_next_snapshot_does_without(
    index: Index, store: MemoryStore
) -> None:
    old, team = index.snapshot(), Team(store, 2)
    ranking, query = team.ranking(PREFIX, POLICY), Query(features=look(3), num=100)
    expected = old.search(query)
    rewritten = Index(store, PREFIX, model="m", policy=replace(POLICY, tier=2))
    while rewritten.maintain().merged:
        pass
    kept = {info.id for info in rewritten.snapshot().manifest.segments}
    segments = [info.key for info in store.list(f"{PREFIX}seg/")]
    store.delete([name for name in segments if not any(one in name for one in kept)])
    with pytest.raises(CorruptObject, match="is missing"):
        old.search(query, ranking=ranking)
    assert rewritten.snapshot().search(query, ranking=ranking) == expected


def test_nothing_is_answered_while_the_log_is_damaged(index: Index, store: MemoryStore) -> None:
    index.append([entry("x")], after=index.snapshot())
    (name,) = [info.key for info in store.list(f"{PREFIX}wal/")][-1:]
    store.put(name, b"altered")
    team = Team(store, 2)
    fresh = Index(store, PREFIX, model="m", policy=POLICY).snapshot()
    with pytest.raises(CorruptObject):
        fresh.search(Query(features=look(3)), ranking=team.ranking(PREFIX, POLICY))


def test_a_filter_longer_in_full_spelling_than_callers_may_write_is_understood() -> None:
    from imagesearch.catalogue.filter import MAX_LENGTH, Filter

    text = " or ".join(["intattr=1"] * 290) + " or " + " or ".join(["intattr>1"] * 20)
    selected = Filter.parse(text)
    assert len(text) < MAX_LENGTH < len(str(selected)) + 1000
    query = Query(features=look(1), filter=selected)
    assert wire.QueryRecord.of(query).query().filter == selected


class Now:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def reads(store: MemoryStore) -> int:
    found = len([key for _, key in store.requests if "/seg/" in key])
    store.requests.clear()
    return found


def test_a_worker_keeps_what_others_may_still_ask_for(
    index: Index, store: MemoryStore, tmp_path: Path
) -> None:
    now = Now()
    team, query = Team(store, 1, tmp_path, now), Query(features=look(3))
    ranking, old = team.ranking(PREFIX, POLICY), index.snapshot()
    old.search(query, ranking=ranking)
    rewritten = Index(store, PREFIX, model="m", policy=replace(POLICY, tier=2))
    assert rewritten.maintain().merged
    new = rewritten.snapshot()
    store.requests.clear()
    new.search(query, ranking=ranking)
    assert reads(store)
    for snapshot in (old, new, old):
        snapshot.search(query, ranking=ranking)
    assert not reads(store)
    now.seconds = 301.0
    new.search(query, ranking=ranking)
    assert not reads(store)
    old.search(query, ranking=ranking)
    assert reads(store)


def another_index(store: MemoryStore) -> Index:
    other = Index(store, "j/", model="m", policy=POLICY)
    other.create()
    other.append([*catalogue(10)], after=other.snapshot())
    other.fold()
    return other


def test_a_worker_keeps_other_indexes_for_an_hour(
    index: Index, store: MemoryStore, tmp_path: Path
) -> None:
    now = Now()
    team, query = Team(store, 1, tmp_path, now), Query(features=look(3))
    other = another_index(store)
    first, second = team.ranking(PREFIX, POLICY), team.ranking("j/", POLICY)
    for snapshot, ranking in ((index.snapshot(), first), (other.snapshot(), second)):
        snapshot.search(query, ranking=ranking)
    reads(store)
    now.seconds = 3000.0
    index.snapshot().search(query, ranking=first)
    other.snapshot().search(query, ranking=second)
    assert not reads(store)
    now.seconds = 7000.0
    index.snapshot().search(query, ranking=first)
    other.snapshot().search(query, ranking=second)
    assert reads(store)


def test_a_store_that_does_not_answer_costs_a_worker_none_of_its_files(
    index: Index, store: MemoryStore, tmp_path: Path
) -> None:
    now = Now()
    team, query = Team(store, 1, tmp_path, now), Query(features=look(3))
    other = another_index(store)
    first, second = team.ranking(PREFIX, POLICY), team.ranking("j/", POLICY)
    other.snapshot().search(query, ranking=second)
    silent = [True]

    def silence(verb: str, _key: str) -> None:
        if verb == "get_range" and silent:
            silent.clear()
            raise StorageUnavailable("the store does not answer.")

    now.seconds = 10.0
    store.before = silence
    index.snapshot().search(query, ranking=first)
    assert not silent
    reads(store)
    other.snapshot().search(query, ranking=second)
    assert not reads(store)


def test_a_worker_without_room_lets_go_of_what_it_does_not_need(
    index: Index, store: MemoryStore
) -> None:
    team, query = Team(store, 1), Query(features=look(3))
    ranking, old = team.ranking(PREFIX, POLICY), index.snapshot()
    old.search(query, ranking=ranking)
    index.append([*catalogue(3)], after=index.snapshot())
    index.fold()
    full = [True]

    def no_room(verb: str, _key: str) -> None:
        if verb == "get_range" and full:
            full.clear()
            raise NoRoom("there is no room.")

    store.before = no_room
    same(index, team, query)
    assert not full
    assert len(team.asked) == 2

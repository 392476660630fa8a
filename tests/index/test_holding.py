"""What an engine elsewhere holds: whole segments, for as long as their files are there."""

from __future__ import annotations

from itertools import count

import pytest
from imagesearch.errors import Conflict, EngineUnavailable
from imagesearch.index import Index
from imagesearch.index.attachment import lacking

from tests.engines.exact import ExactEngine, Failures
from tests.index.makers import PREFIX
from tests.index.outposts import POLICY, Place, crashes, old, once, pictures, steps


def test_a_segment_is_filled_before_the_manifest_names_it(place: Place) -> None:
    order: list[str] = []
    place.engine.before = order.append
    place.store.before = lambda verb, _key: order.append(verb)
    place.add(*pictures(90, 100))
    order.clear()
    place.open().fold()
    assert order.index("fill") < order.index("compare_and_swap")
    assert all(info.held == place.engine.name for info in place.manifest.segments)
    for _ in range(3):
        place.add(*pictures(0, 5))
        place.open().maintain()
    assert all(info.held == place.engine.name for info in place.manifest.segments)
    place.check()


@pytest.mark.parametrize("late", [False, True])
def test_a_fold_never_fails_because_of_the_engine(place: Place, late: bool) -> None:
    failures = Failures(place.engine)
    failures.begin(0, 1000, late=late)
    place.add(*pictures(90, 95))
    place.engine.calls.clear()
    assert place.open().maintain().folded
    assert place.engine.calls == ["fill", "fill"]  # the fold's, and the merge's after it
    assert place.open().maintain().filled == 0
    assert len(lacking(place.manifest)) == 1
    failures.end()
    place.check()
    done = place.open().maintain()
    assert (done.filled, done.more) == (1, False)
    assert lacking(place.manifest) == []
    place.check()


def test_an_engine_that_was_attached_anew_holds_nothing(place: Place) -> None:
    place.open().detach()
    place.engine.erase()
    with pytest.raises(Conflict):
        place.open().switch(serving=True)
    place.open().attach(place.engine.name)
    assert len(lacking(place.manifest)) == 3
    place.open().switch(serving=True)
    place.check()
    told: list[tuple[int, int]] = []
    assert place.open().fill(lambda *progress: told.append(progress))
    assert told[0] == (0, 90)
    assert told[-1] == (90, 90)
    assert told == sorted(told)
    place.check()


def test_another_engine_is_refused_and_never_touched(place: Place) -> None:
    other = ExactEngine("exact:other")
    engines = {place.engine.name: place.engine, other.name: other}
    index = Index(place.store, PREFIX, model="m", policy=POLICY, engines=engines.__getitem__)
    before = place.manifest
    with pytest.raises(Conflict) as error:
        index.attach(other.name)
    assert place.engine.name in error.value.detail
    assert error.value.fix
    assert (other.calls, other.rows) == ([], None)
    assert place.manifest == before
    assert lacking(place.manifest) == []
    place.check()


def test_of_two_engines_attached_at_once_the_later_is_refused() -> None:
    place, other = Place(), ExactEngine("exact:other")
    engines = {place.engine.name: place.engine, other.name: other}
    index = Index(place.store, PREFIX, model="m", policy=POLICY, engines=engines.__getitem__)

    def meanwhile(_verb: str) -> None:
        other.before = lambda _verb: None
        place.open().attach(place.engine.name)

    other.before = meanwhile
    with pytest.raises(Conflict):
        index.attach(other.name)
    assert other.calls == ["create"]
    assert place.manifest.outpost.name == place.engine.name


def test_filling_goes_on_where_it_ended(place: Place) -> None:
    place.open().detach()
    place.open().attach(place.engine.name)
    turns = count()
    assert not place.open().fill(has_time=lambda: next(turns) < 2)
    assert len(lacking(place.manifest)) == 1
    place.engine.calls.clear()
    assert place.open().fill()
    assert place.engine.calls == ["fill"]


def test_two_may_fill_at_once(place: Place) -> None:
    place.open().detach()
    place.open().attach(place.engine.name)
    other = place.open()

    def meanwhile(_verb: str) -> None:
        place.engine.before = lambda _verb: None
        assert other.fill()

    place.engine.before = meanwhile
    assert place.open().fill()
    assert lacking(place.manifest) == []
    place.check()


def test_a_segment_that_was_merged_away_while_it_was_filled_is_not_marked(place: Place) -> None:
    place.open().detach()
    place.engine.erase()
    place.open().attach(place.engine.name)

    def meanwhile(_verb: str) -> None:
        place.engine.before = lambda _verb: None
        place.add(*pictures(90, 95))
        assert place.open().maintain().merged

    place.engine.before = meanwhile
    assert place.open().fill()
    assert lacking(place.manifest) == []
    place.check()


def test_an_engine_that_was_erased_while_it_was_filled_is_not_marked(place: Place) -> None:
    def meanwhile(_verb: str) -> None:
        place.engine.after = lambda _verb: None
        place.open().detach()
        place.engine.erase()
        place.open().attach(place.engine.name)

    place.open().detach()
    place.open().attach(place.engine.name)
    place.add(*pictures(90, 95))
    place.open().fold()
    for begin in (
        lambda: place.open().fill(has_time=once()),
        lambda: place.open().maintain().merged,
    ):
        place.engine.after = meanwhile
        assert begin() in (False, 4)
        held = {info.id for info in place.manifest.segments if info.held}
        assert held <= place.engine.segments


def test_a_crash_at_any_step_of_a_fold_leaves_a_whole_answer(place: Place) -> None:
    place.add(*pictures(80, 100))
    assert crashes(place, lambda index: index.fold()) > 8
    assert lacking(place.manifest) == []


def test_a_crash_at_any_step_of_filling_leaves_a_whole_answer(place: Place) -> None:
    place.open().detach()
    place.engine.erase()
    place.open().attach(place.engine.name)
    place.open().switch(serving=True)
    assert crashes(place, lambda index: index.fill(has_time=once())) > 4
    assert place.open().fill()
    place.check()


def test_a_crash_at_any_step_of_a_merge_leaves_a_whole_answer(place: Place) -> None:
    place.add(*pictures(85, 95))
    place.open().fold()
    place.add(*pictures(95, 100))
    assert crashes(place, lambda index: index.maintain()) > 8
    assert lacking(place.manifest) == []


def test_rows_go_with_their_segments_files_and_not_before(place: Place) -> None:
    before = place.engine.segments
    place.add(*pictures(85, 95))
    while place.open().maintain().more:
        pass
    assert not before & {info.id for info in place.manifest.segments}
    assert before < place.engine.segments
    old(place)
    assert place.engine.segments == {info.id for info in place.manifest.segments}
    place.check()


def test_a_segment_stays_while_the_engine_cannot_be_told(place: Place) -> None:
    before = place.engine.segments
    place.add(*pictures(85, 95))
    while place.open().maintain().more:
        pass
    stored = {info.key for info in place.store.list(f"{PREFIX}seg/")}
    failures = Failures(place.engine)
    failures.begin(0, 10**6, late=False)
    old(place)
    place.engine.calls.clear()
    old(place, 1)
    assert place.engine.calls == ["remove"]
    assert stored == {info.key for info in place.store.list(f"{PREFIX}seg/")}
    failures.end()
    old(place, 1)
    assert stored > {info.key for info in place.store.list(f"{PREFIX}seg/")}
    assert not before & place.engine.segments
    place.check()


def test_what_a_fold_left_that_died_after_filling_is_collected(place: Place) -> None:
    place.add(*pictures(85, 95))
    held = place.engine.segments
    for _ in steps(place, lambda index: index.fold()):
        pass
    assert place.engine.segments > {info.id for info in place.manifest.segments} > held
    old(place)
    assert place.engine.segments == {info.id for info in place.manifest.segments}
    place.check()


def test_a_rollback_finds_its_segments_held(place: Place) -> None:
    generation, entries = place.manifest.generation, dict(place.entries)
    place.add(*pictures(85, 95))
    while place.open().maintain().more:
        pass
    later, newer = place.open().pin(), dict(place.entries)
    place.open().rollback(generation)
    place.entries = entries
    assert lacking(place.manifest) == []
    assert place.manifest.outpost.serving
    place.check()
    place.open().rollback(later)
    place.entries = newer
    place.check()


def test_a_rollback_does_not_trust_what_an_erased_engine_held(place: Place) -> None:
    generation, entries = place.manifest.generation, dict(place.entries)
    place.add(*pictures(85, 95))
    while place.open().maintain().more:
        pass
    place.open().detach()
    place.engine.erase()
    place.hand_over()
    place.open().rollback(generation)
    place.entries = entries
    assert len(lacking(place.manifest)) == 3
    place.check()
    assert place.open().fill()
    place.check()


def test_a_rollback_to_before_the_hand_over_is_ranked_here_until_it_is_filled() -> None:
    place = Place()
    place.add(*pictures(0, 30))
    generation = place.open().pin()
    place.hand_over()
    place.add(*pictures(20, 40))
    place.open().fold()
    place.open().rollback(generation)
    place.entries = {one.picture.key: one for one in pictures(0, 30)}
    assert place.manifest.outpost.serving
    place.check()
    assert place.open().fill()
    place.check()


def test_erasing_an_index_erases_what_the_engine_holds(place: Place) -> None:
    failures = Failures(place.engine)
    failures.begin(0, 1, late=False)
    with pytest.raises(EngineUnavailable):
        place.open().erase()
    assert not place.open().exists()
    place.open().erase()
    assert place.engine.rows is None
    assert [*place.store.list("")] == []

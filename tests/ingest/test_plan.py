"""How a task's lines are split: evenly, and with what must stay in order on one lane."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from imagesearch.ingest.lanes import lane_states
from imagesearch.ingest.lines import Line
from imagesearch.ingest.plan import CHUNK, decode, shape
from imagesearch.ingest.tasks import Task
from imagesearch.ingest.ties import Ties

from tests.ingest.yard import Yard, add, delete


def lanes_of(yard: Yard, task: Task) -> list[list[Line]]:
    """Return the lines of each lane of a task that has been split."""
    lanes: list[list[Line]] = [[] for _ in range(task.lanes)]
    for key in yard.store.keys(f"{task.keys.work}chunks/"):
        lanes[int(key.split("/")[-2])] += decode(yard.store.body(key))
    return lanes


def split(yard: Yard, lines: list[dict[str, object]]) -> tuple[Task, list[list[Line]]]:
    task = yard.submit(lines).task
    yard.deliver(yard.events.pop())
    return task, lanes_of(yard, task)


def test_a_million_pictures_of_one_product_are_spread_over_all_lanes(yard: Yard) -> None:
    task, lanes = split(yard, [add("p", f"{n}.jpg") for n in range(4000)])
    assert {len(lane) for lane in lanes} == {400}
    assert {state.chunks for state in lane_states(yard.store, task.keys.lanes)} == {1}


def test_a_product_that_is_deleted_as_a_whole_stays_on_one_lane_in_order(yard: Yard) -> None:
    lines = [add("p", f"{n}.jpg") for n in range(900)]
    lines.insert(400, delete("p"))
    lines += [add(f"q{n}") for n in range(900)]
    _, lanes = split(yard, lines)
    [ordered] = [
        [line.number for line in lane if line.product_id == "p"]
        for lane in lanes
        if any(line.product_id == "p" for line in lane)
    ]
    assert ordered == list(range(1, 902))


def test_lines_about_one_picture_stay_on_one_lane_in_order(yard: Yard) -> None:
    lines = [add("p", f"{n % 300}.jpg", IntAttr=n) for n in range(900)]
    lines += [delete("p", f"{n}.jpg") for n in range(0, 300, 7)]
    _, lanes = split(yard, lines)
    homes = Counter(key for lane in lanes for key in {line.key for line in lane})
    assert set(homes.values()) == {1}
    assert all([line.number for line in lane] == sorted(n.number for n in lane) for lane in lanes)
    assert max(map(len, lanes)) < 2 * sum(map(len, lanes)) / len(lanes)


@given(st.integers(1, 5_000_000), st.integers(1, 1000))
def test_no_chunk_is_larger_than_a_write_and_no_more_lanes_than_allowed(
    lines: int, most: int
) -> None:
    lanes, chunk = shape(lines, most)
    assert 1 <= lanes <= most
    assert 100 <= chunk <= CHUNK == 500
    if lines >= 3 * CHUNK * most:
        assert (lanes, chunk) == (most, CHUNK)


@pytest.mark.parametrize(("most_lines", "most_ties"), [(10, 100), (1000, 3)])
def test_with_more_names_than_can_be_kept_lines_are_tied_by_product(
    most_lines: int, most_ties: int
) -> None:
    seen = Ties.Seen(most_lines=most_lines, most_ties=most_ties)
    lines = [Line(n, True, f"p{n % 5}", f"{n}.jpg") for n in range(20)]
    lines += [Line(n, False, f"q{n}", "") for n in range(20, 30)]
    for line in lines:
        seen.note(line)
    ties = seen.ties()
    tied = {ties.of(line) for line in lines if line.product_id == "p1"}
    assert len(tied) == 1
    assert None not in tied

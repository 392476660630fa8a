"""The capacity model: it must be sane at every size, and the page must be what it says."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.scale import model, tables
from benchmarks.scale.crossings import HARDLY, HARDLY_USD, cheapest, first, stretches
from benchmarks.scale.figures import keep, measured
from benchmarks.scale.growth import growth, line
from benchmarks.scale.model import WAYS, Load, vector_query
from benchmarks.scale.prices import ASSUMED, LIMITS, PRICES, sourced
from benchmarks.scale.upkeep import largest, upkeep, what_bounds

PICTURES = st.floats(1e4, 1e9)
COUNTS = st.floats(0, 1e9)


@st.composite
def loads(draw: st.DrawFn) -> Load:
    return Load(pictures=draw(PICTURES), searches=draw(COUNTS), writes=draw(COUNTS))


@pytest.mark.parametrize("way", WAYS)
@given(load=loads())
def test_every_part_is_paid_for_and_the_parts_add_up(way: str, load: Load) -> None:
    plan = WAYS[way](load)
    assert all(cost >= 0 for cost in plan.costs.values())
    assert plan.cost == pytest.approx(sum(plan.costs.values()))
    assert plan.warm_s > 0
    assert plan.cold_s > plan.warm_s
    assert plan.mean_s >= plan.warm_s
    assert 0 <= plan.cold_share <= 1


@pytest.mark.parametrize("way", WAYS)
@given(load=loads(), more=st.floats(1, 10))
def test_more_pictures_or_more_searches_never_cost_less(way: str, load: Load, more: float) -> None:
    plan = WAYS[way](load)
    larger = WAYS[way](replace(load, pictures=min(1e9, load.pictures * more)))
    # One more index, or one more function, divides the pictures anew, into smaller parts.
    if (larger.machines, larger.instances) == (plan.machines, plan.instances):
        assert larger.cost >= plan.cost * (1 - 1e-9)
    assert WAYS[way](replace(load, writes=load.writes * more)).cost >= plan.cost * (1 - 1e-9)


@pytest.mark.parametrize("way", WAYS)
@given(load=loads(), more=st.floats(2, 10))
def test_twice_the_searches_cost_more(way: str, load: Load, more: float) -> None:
    load = replace(load, searches=max(load.searches, 1e5))
    busier = replace(load, searches=load.searches * more)
    assert WAYS[way](busier).cost > WAYS[way](load).cost


@pytest.mark.parametrize("way", WAYS)
@given(load=loads())
def test_what_is_called_possible_keeps_to_the_limits(way: str, load: Load) -> None:
    plan = WAYS[way](load)
    if not plan.reason:
        assert plan.memory_mb <= LIMITS.memory_mb
        assert plan.tmp_mb <= LIMITS.tmp_mb
        assert plan.cold_s <= LIMITS.answer_s
    if way != "one function":
        assert load.pictures / plan.instances <= largest()


@given(load=loads())
def test_the_cheapest_way_is_possible_and_no_other_costs_much_less(load: Load) -> None:
    found = cheapest(load)
    possible = [plan for plan in (way(load) for way in WAYS.values()) if not plan.reason]
    if found is None:
        assert not possible
    else:
        assert not found.reason
        least = min(plan.cost for plan in possible)
        assert found.cost <= max(least * HARDLY, least + HARDLY_USD)


@pytest.mark.parametrize("searches", tables.SEARCHES)
def test_stretches_cover_every_size_once(searches: float) -> None:
    found = list(stretches(lambda size: Load(pictures=size, searches=searches, writes=0)))
    assert found[0].start == 1e4
    assert found[-1].end == pytest.approx(1e9)
    assert [one.end for one in found[:-1]] == [one.start for one in found[1:]]
    for one in found:
        middle = Load(pictures=(one.start * one.end) ** 0.5, searches=searches, writes=0)
        plan = cheapest(middle)
        assert one.way == (plan.way if plan else "none of these")


def test_a_crossing_is_where_it_is_said_to_be() -> None:
    assert first(lambda size: size >= 123_456) == pytest.approx(123_456, rel=0.02)
    assert first(lambda size: size < 0) is None


def test_one_index_ends_where_its_upkeep_does() -> None:
    assert what_bounds(largest()) == ""
    assert what_bounds(largest() * 1.05)
    assert upkeep(largest(), 0).fold_tmp_mb <= LIMITS.tmp_mb


@given(pictures=PICTURES, writes=COUNTS, more=st.floats(1, 10))
def test_upkeep_grows_with_pictures(pictures: float, writes: float, more: float) -> None:
    small, large = upkeep(pictures, writes), upkeep(pictures * more, writes)
    assert large.cold_fold_s >= small.cold_fold_s >= small.fold_s
    assert large.cost >= small.cost
    assert large.stored >= small.stored


@pytest.mark.parametrize(
    ("indexes", "each", "queries", "cost"),
    [(40, 250_000, 1e6, 11.38), (40, 10_000_000, 10e6, 1217.29)],
)
def test_aws_own_examples_of_s3_vectors_come_out(
    indexes: int, each: int, queries: float, cost: float
) -> None:
    """10 and 400 million vectors of 4 KB, 1 KB of metadata for filters and 1 KB of other.

    AWS's page, before what is beyond ten million vectors of an index became cheaper: neither has
    that many. A sixth of the vectors is written in the month.
    """
    size, searched, gib = 4096 + 174 + 2048, 4096 + 174 + 1024, 2**30
    stored = indexes * each * size / gib
    queried = queries * vector_query(each, searched)
    bill = stored * PRICES.vectors_gb_month + stored / 6 * PRICES.vectors_put_gb + queried
    assert bill == pytest.approx(cost, rel=0.03)


def test_lines_go_through_what_was_measured() -> None:
    """The model is no better than these: within a third of every figure they are drawn through."""
    grown = growth()
    for result in measured():
        rows = result["rows"]
        assert grown.search_ms.at(rows) == pytest.approx(result["cpu_ms"], rel=0.34)
        assert grown.cold_bytes(rows) == pytest.approx(result["cold_read"], rel=0.1)
        assert grown.cold_gets(rows) == pytest.approx(result["cold_gets"], rel=0.34, abs=15)
        assert grown.cold_ms.at(rows) == pytest.approx(result["cold_cpu_ms"], rel=0.34)
        assert grown.memory_mb.at(rows) == pytest.approx(result["peak_mb"], rel=0.34)
        assert grown.files * rows == pytest.approx(result["bytes"], rel=0.02)


@given(base=st.floats(0, 100), each=st.floats(0.001, 10))
def test_a_line_through_points_of_a_line_is_that_line(base: float, each: float) -> None:
    sizes = [1e2, 1e3, 5e3]
    found = line(sizes, [base + each * size for size in sizes])
    for size in sizes:
        assert found.at(size) == pytest.approx(base + each * size, rel=0.01)


def test_the_template_deploys_as_many_workers_as_the_model_knows() -> None:
    text = (tables.PAGE.parents[1] / "template.yaml").read_text(encoding="utf-8")
    allowed = re.search(r"\n  Rankers:\n.*?AllowedValues: \[(.*?)\]", text, re.DOTALL)
    assert allowed
    assert {int(count.strip('"')) for count in allowed[1].split(", ")} == {0, *model.WORKERS}


def test_a_line_never_falls_below_nought() -> None:
    assert line([1, 2], [1, 10]).base == 0
    assert line([1, 2], [10, 1]).each == 0


@given(load=loads())
def test_the_more_functions_a_search_needs_the_more_often_one_is_cold(load: Load) -> None:
    assert 0 < load.cold_share(0.2) <= load.cold_share(0.2, 10) <= 1


def test_every_price_limit_and_assumption_tells_where_it_is_from() -> None:
    for values in (PRICES, LIMITS, ASSUMED):
        for name, value, source in sourced(values):
            assert value > 0, name
            assert len(source) > 10, name


def test_measured_figures_are_kept_beside_those_of_other_sizes(tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    keep(file, {"rows": 2, "a": 1.23456})
    keep(file, {"rows": 1, "a": 5})
    keep(file, {"rows": 2, "b": 3})
    assert measured(file) == [{"rows": 1, "a": 5}, {"rows": 2, "a": 1.2346, "b": 3}]


def test_the_page_is_what_the_model_says() -> None:
    """``python -m benchmarks.scale model --markdown`` writes it."""
    text = tables.PAGE.read_text(encoding="utf-8")
    parts = tables.page()
    assert set(re.findall(r"<!-- model: ([a-z]+) -->", text)) == set(parts)
    assert text == tables.written(text, parts)


def test_plans_for_sizes_of_ones_own_are_printed() -> None:
    told = tables.report([2e6], [3e5], 0)
    assert "2 million" in told
    assert "300,000 searches" in told
    assert all(way in told for way in model.WAYS)

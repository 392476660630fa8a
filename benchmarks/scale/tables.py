"""What the model says, as the tables of docs/scale.md."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from benchmarks.scale.crossings import first, largest_default, stretches
from benchmarks.scale.figures import measured, table
from benchmarks.scale.model import WAYS, Load, Plan, fan_out, one_function
from benchmarks.scale.prices import ASSUMED, LIMITS, PRICES, sourced
from benchmarks.scale.upkeep import largest, upkeep, what_bounds

__all__ = ["PAGE", "SEARCHES", "page", "report", "written"]

PAGE = Path(__file__).parents[2] / "docs" / "scale.md"
PICTURES = (100_000, 1_000_000, 5_000_000, 10_000_000, 50_000_000, 100_000_000, 500_000_000, 10**9)
SEARCHES = (1e4, 1e6, 1e8)
_REWRITTEN = 0.01
"""Share of the pictures that is written in a month, unless it is said."""
_PART = re.compile(r"(<!-- model: ([a-z]+) -->\n).*?(<!-- /model -->)", re.DOTALL)


def page() -> dict[str, str]:
    """Return every part of the page that is made here, by its name."""
    return {
        "measured": table(measured()),
        "sizes": "\n\n".join(f"{_ways(way)}" for way in WAYS),
        "costs": "\n\n".join(_costs(PICTURES, searches, None) for searches in SEARCHES),
        "parts": _parts(_load(1e7, 1e6)),
        "cheapest": _cheapest(SEARCHES, None),
        "quicker": _quicker(),
        "upkeep": _upkeep(PICTURES),
        "given": _given(),
    }


def written(text: str, parts: Mapping[str, str]) -> str:
    """Return the page's text with each part between its marks."""
    return _PART.sub(lambda found: f"{found[1]}{parts[found[2]]}\n{found[3]}", text)


def report(
    pictures: Sequence[float] | None, searches: Sequence[float] | None, writes: float | None
) -> str:
    """Return the tables for sizes and loads of one's own."""
    sizes, loads = pictures or PICTURES, searches or SEARCHES
    parts = [_ways(way, sizes) for way in WAYS]
    parts += [_costs(sizes, load, writes) for load in loads]
    return "\n\n".join([*parts, _cheapest(loads, writes), _quicker(), _upkeep(sizes)])


def _load(pictures: float, searches: float, writes: float | None = None) -> Load:
    """Return a load in which a hundredth of the pictures is written, unless ``writes`` is given."""
    share = pictures * _REWRITTEN if writes is None else writes
    return Load(pictures=pictures, searches=searches, writes=share)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|---|" + "---:|" * (len(head) - 1)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def _ways(way: str, sizes: Sequence[float] = PICTURES) -> str:
    """Return what a search takes by one way, with a million searches a month."""
    plans = [WAYS[way](_load(size, 1e6)) for size in sizes]
    rows = [
        ("functions or units that a search uses", [f"{plan.machines:,}" for plan in plans]),
        ("indexes (log and manifest)", [f"{plan.instances:,}" for plan in plans]),
        ("memory of the largest function", [_mib(plan.memory_mb) for plan in plans]),
        ("its `/tmp`", [_mib(plan.tmp_mb) for plan in plans]),
        ("S3 requests of a cold search", [f"{plan.requests:,.0f}" for plan in plans]),
        ("… bytes from S3", [_bytes(plan.bytes) for plan in plans]),
        ("warm search, s", [_seconds(plan.warm_s) for plan in plans]),
        ("cold search, s", [_seconds(plan.cold_s) for plan in plans]),
        (
            "searches after it until all rows are there",
            [f"{p.rows_after:,.0f}" if p.rows_after else "" for p in plans],
        ),
        ("searches that wait for a cold function", [_share(plan.cold_share) for plan in plans]),
        ("hours to fill it, at the service's limit", [_hours(plan.fill_s) for plan in plans]),
        ("possible?", [f"no: {plan.reason}" if plan.reason else "yes" for plan in plans]),
    ]
    return f"**{way}**\n\n" + _table(
        ["pictures", *(_count(size) for size in sizes)],
        ([name, *cells] for name, cells in rows if any(cells)),
    )


def _costs(sizes: Sequence[float], searches: float, writes: float | None) -> str:
    """Return what a month costs by each way."""
    rows = []
    for way in WAYS:
        plans = [WAYS[way](_load(size, searches, writes)) for size in sizes]
        rows.append([way, *(_cost(plan) for plan in plans)])
    title = f"**USD a month with {_count(searches)} searches (mean seconds to an answer)**"
    return f"{title}\n\n" + _table(["pictures", *(_count(size) for size in sizes)], rows)


def _cost(plan: Plan) -> str:
    return "–" if plan.reason else f"{_usd(plan.cost)} ({_seconds(plan.mean_s)})"


def _parts(load: Load) -> str:
    """Return what a month is made of."""
    plans = [way(load) for way in WAYS.values()]
    names = list(dict.fromkeys(name for plan in plans for name in plan.costs))
    rows = [
        [name, *(_usd(plan.costs[name]) if name in plan.costs else "" for plan in plans)]
        for name in names
    ]
    rows.append(["**together**", *(f"**{_usd(plan.cost)}**" for plan in plans)])
    return _table(["USD a month", *WAYS], rows)


def _cheapest(searches: Sequence[float], writes: float | None) -> str:
    rows = []
    for load in searches:
        found = [*stretches(lambda size, load=load: _load(size, load, writes))]  # type: ignore[misc]
        told = [f"{stretch.way} up to {_count(stretch.end)}" for stretch in found]
        rows.append([f"{_count(load)}", "; ".join(told)])
    return _table(["searches a month", "the way to take, by pictures"], rows)


def _quicker() -> str:
    """Return where one function ends, and where fan-out answers sooner."""

    def load(size: float) -> Load:
        return _load(size, 1e6)

    def cold_in(way: str, seconds: float, size: float) -> bool:
        return WAYS[way](load(size)).cold_s > seconds

    places = {
        "one function needs more than the template's memory and `/tmp`": largest_default(load),
        "one function's cold answer takes over 3 s": first(
            lambda size: cold_in("one function", 3, size)
        ),
        "… over 10 s": first(lambda size: cold_in("one function", 10, size)),
        "one function is not possible any more": first(
            lambda size: bool(one_function(load(size)).reason)
        ),
        "two workers' warm answer comes sooner than one function's": first(
            lambda size: fan_out(load(size), 2).warm_s < one_function(load(size)).warm_s
        ),
        "two workers' cold answer comes sooner": first(
            lambda size: fan_out(load(size), 2).cold_s < one_function(load(size)).cold_s
        ),
        "fan-out is cheaper, with a million searches a month": first(
            lambda size: fan_out(load(size)).cost < one_function(load(size)).cost
        ),
        "fan-out is not possible any more": first(lambda size: bool(fan_out(load(size)).reason)),
        "one log and manifest are not enough any more": float(largest()),
    }
    rows = [[what, _count(at) if at else "never"] for what, at in places.items()]
    return _table(["", "from"], rows)


def _upkeep(sizes: Sequence[float]) -> str:
    found = [upkeep(size, size * _REWRITTEN) for size in sizes]
    rows = [
        ("`/tmp` of the function that folds and merges", [_mib(f.fold_tmp_mb) for f in found]),
        ("its memory, maps included", [_mib(f.fold_memory_mb) for f in found]),
        ("a fold with nothing at hand, s", [_seconds(f.cold_fold_s) for f in found]),
        ("the next one, s", [_seconds(f.fold_s) for f in found]),
        ("segments", [f"{f.segments:,.0f}" for f in found]),
        ("manifest", [_bytes(f.manifest) for f in found]),
        ("tombstones, a bit a picture", [_bytes(f.tombs) for f in found]),
        ("USD a month, a hundredth rewritten", [_usd(f.cost) for f in found]),
        ("one index?", [(what_bounds(size) and "no") or "yes" for size in sizes]),
    ]
    return _table(
        ["pictures", *(_count(size) for size in sizes)], ([name, *cells] for name, cells in rows)
    )


def _given() -> str:
    rows = [
        [f"`{name}`", f"{value:g}", source]
        for values in (PRICES, LIMITS, ASSUMED)
        for name, value, source in sourced(values)
    ]
    return _table(["name", "value", "what, and where from"], rows).replace(
        "|---:|---:|", "---:|---|"
    )


def _count(number: float) -> str:
    for size, name in ((1e9, " billion"), (1e6, " million")):
        if number >= size:
            return f"{number / size:.3g}{name}"
    return f"{float(f'{number:.3g}'):,.0f}"


def _mib(number: float) -> str:
    return f"{number / 1024:,.1f} GB" if number >= 2048 else f"{number:,.0f} MB"


def _bytes(number: float) -> str:
    for size, name in ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "KB")):
        if number >= size:
            return f"{number / size:.3g} {name}"
    return f"{number:.0f}"


def _seconds(number: float) -> str:
    return f"{number:,.0f}" if number >= 100 else f"{number:.2g}"


def _some(number: float) -> str:
    return f"{number:,.0f}" if number else ""


def _hours(seconds: float) -> str:
    return _seconds(seconds / 3600) if seconds else ""


def _share(number: float) -> str:
    return f"{number * 100:.2g} %"


def _usd(number: float) -> str:
    return f"{number:,.0f}" if number >= 100 else f"{number:,.2f}"

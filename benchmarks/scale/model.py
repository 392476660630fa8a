"""The capacity model: what each way of searching takes, and costs, at any size and load.

Measured figures (:mod:`benchmarks.scale.growth`) are carried on as straight lines; prices, limits
and assumptions stand in :mod:`benchmarks.scale.prices`. Bytes are bytes, memory and `/tmp` MiB,
times seconds, costs USD a month.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from benchmarks.scale.growth import Growth, growth
from benchmarks.scale.prices import ASSUMED, LIMITS, PRICES, REQUEST_PRICES
from benchmarks.scale.upkeep import function_seconds, largest, upkeep
from tools.sam.costs import ADD, SEARCH

__all__ = [
    "WAYS",
    "WORKERS",
    "Load",
    "Plan",
    "fan_out",
    "milvus",
    "one_function",
    "s3_vectors",
    "vector_query",
]

WORKERS = (2, 4)
"""How many functions the template lets share the segments (its parameter Rankers)."""
_MIB = 1 << 20
_GB = 1e9
_TB = 1024**4
_SECONDS = ASSUMED.hours * 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """A catalogue and what is done with it in a month; every write is one picture."""

    pictures: float
    searches: float
    writes: float

    @property
    def busiest(self) -> float:
        """Return the searches of the busiest second."""
        return self.searches / _SECONDS * ASSUMED.peak

    def cold_share(self, seconds: float, functions: int = 1) -> float:
        """Return the share of searches, of so many seconds, that wait for a new environment.

        Searches come by chance. All functions that a search needs fall idle together; under load
        as many environments as the busiest second wants, and some more, are renewed for their age.
        """
        rate = self.searches / _SECONDS
        idle = math.exp(-rate * ASSUMED.idle_s)
        environments = self.busiest * seconds + ASSUMED.spare
        renewed = environments / max(rate * ASSUMED.age_s, environments)
        return 1 - (1 - idle) * (1 - renewed) ** functions

    def divided(self, parts: int) -> Load:
        """Return the load of one of several instances that all are asked."""
        return replace(self, pictures=self.pictures / parts, writes=self.writes / parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What one way of searching takes. ``reason`` says why it is not possible, if it is not.

    ``machines`` are functions or units of a cluster that a search uses, ``instances`` indexes
    that share the pictures because one would be too large. ``requests`` and ``bytes`` are those
    of a cold search; ``memory_mb`` and ``tmp_mb`` of the largest function that searches. After a
    cold search ``rows_after`` more find that not all rows are at hand, which is in ``mean_s``.
    ``fill_s`` is how long it takes to give an engine everything, at the most that it allows.
    """

    way: str
    load: Load
    reason: str = ""
    machines: int = 1
    instances: int = 1
    memory_mb: float = 0.0
    tmp_mb: float = 0.0
    requests: float = 2.0
    bytes: float = 0.0
    warm_s: float
    cold_s: float
    cold_share: float
    mean_s: float
    rows_after: float = 0.0
    fill_s: float = 0.0
    costs: Mapping[str, float]

    @property
    def cost(self) -> float:
        """Return what a month costs, whether or not the way is possible."""
        return sum(self.costs.values())


@dataclass(frozen=True, slots=True)
class _Function:
    """A function that holds the files of some pictures."""

    pictures: float
    memory_mb: float
    tmp_mb: float
    scan_s: float
    fetch_s: float
    rows_s: float
    gets: float
    bytes: float

    def rows_wait(self, share: float, seconds: float) -> tuple[float, float, float]:
        """Return what it means that rows still come while the next searches are answered.

        Of a function of whose searches ``share`` are its first: how many searches of so many
        seconds follow until all rows are there, and what a search takes and costs more for that
        in the mean. An environment stands still between searches, so each waits a little for the
        rows, and reads those it needs one by one if they are not there then.
        """
        following = min(self.rows_s / (seconds + ASSUMED.patience_s), 1 / share)
        late = share * following
        mean = late * ASSUMED.rows_remote
        reading = mean * ASSUMED.row_reads / ASSUMED.row_reads_at_once * ASSUMED.s3_latency_s
        waiting = late * ASSUMED.patience_s
        return following, waiting + reading, mean * ASSUMED.row_reads * REQUEST_PRICES.s3_read


def _holding(pictures: float, grown: Growth) -> _Function:
    """Return the function that holds all files of so many pictures."""
    memory = ASSUMED.process_mb + grown.memory_mb.each * pictures * 1e6 / _MIB
    return _Function(
        pictures,
        max(LIMITS.default_memory_mb, memory),
        max(LIMITS.default_tmp_mb, grown.files * pictures * ASSUMED.tmp_slack / _MIB),
        grown.search_ms.at(pictures) / 1e3 * ASSUMED.scan_factor,
        grown.cold_bytes(pictures) / (ASSUMED.s3_mb_s * 1e6)
        + grown.cold_ms.at(pictures) / 1e3 * ASSUMED.scan_factor
        + 4 * ASSUMED.s3_latency_s,
        grown.late_rows(pictures) / (ASSUMED.s3_mb_s * 1e6),
        grown.cold_gets(pictures),
        grown.cold_bytes(pictures),
    )


def _billed(seconds: float, memory_mb: float, tmp_mb: float) -> float:
    """Return what a run of a function costs without the request."""
    tmp = max(0.0, tmp_mb - LIMITS.default_tmp_mb) / 1024 * PRICES.tmp_gb_second
    return seconds * (memory_mb / 1024 * REQUEST_PRICES.gb_second_x86_64 + tmp)


def _requests(load: Load) -> dict[str, float]:
    """Return what every way pays: for the requests, for writing, for the log's function lines."""
    price = REQUEST_PRICES
    adds = function_seconds(ADD.seconds, ADD.memory) + price.lambda_request
    look = SEARCH.writes * price.s3_write + SEARCH.reads * price.s3_read
    write = ADD.writes * price.s3_write + ADD.reads * price.s3_read
    logs = SEARCH.log_kb / 1e6 * price.log_gb
    return {
        "API and logs": (load.searches + load.writes) * (price.api_request + logs),
        "adds": load.writes * (adds + write),
        "looking": load.searches * look,
    }


def _kept(load: Load) -> dict[str, float]:
    """Return what the index in the bucket costs."""
    kept = upkeep(load.pictures, load.writes)
    return {
        "upkeep": kept.cost,
        "S3 storage": kept.stored / _GB * PRICES.s3_gb_month,
    }


def _refused(function: _Function, cold_s: float) -> str:
    """Return why a function cannot hold what it should, or nothing."""
    if function.tmp_mb > LIMITS.tmp_mb:
        return (
            f"needs {function.tmp_mb / 1024:,.0f} GB of /tmp, {LIMITS.tmp_mb / 1024:.0f} there are"
        )
    if function.memory_mb > LIMITS.memory_mb:
        return f"needs {function.memory_mb / 1024:,.0f} GB of memory"
    if cold_s > LIMITS.answer_s:
        return f"a cold answer takes {cold_s:,.0f} s"
    return ""


def one_function(load: Load) -> Plan:
    """Return the plan in which the search function holds everything."""
    held = _holding(load.pictures, growth())
    warm = SEARCH.seconds + held.scan_s
    cold = ASSUMED.init_s + SEARCH.seconds + held.fetch_s
    share = load.cold_share(warm)
    following, longer, reads = held.rows_wait(share, warm)
    seconds = warm + share * (cold - warm) + longer
    run = _billed(seconds, held.memory_mb, held.tmp_mb) + REQUEST_PRICES.lambda_request
    fetched = share * held.gets * REQUEST_PRICES.s3_read + reads
    return Plan(
        way="one function",
        load=load,
        reason=_refused(held, cold),
        memory_mb=held.memory_mb,
        tmp_mb=held.tmp_mb,
        requests=1 + held.gets,
        bytes=held.bytes,
        warm_s=warm,
        cold_s=cold,
        cold_share=share,
        mean_s=seconds,
        rows_after=following,
        costs={
            **_requests(load),
            "search": load.searches * (run + fetched),
            **_kept(load),
        },
    )


def fan_out(load: Load, workers: int = 0) -> Plan:
    """Return the plan in which ``workers`` functions hold a share each.

    With 0, as few of :data:`WORKERS` as fit.
    """
    instances = math.ceil(load.pictures / largest())
    part = load.divided(instances)
    fullest = part.pictures * ASSUMED.uneven
    count = workers or _workers(fullest)
    held = _holding(fullest / count, growth())
    work = ASSUMED.worker_s + held.scan_s
    cold_work = ASSUMED.init_s + ASSUMED.worker_s + held.fetch_s
    asking = SEARCH.seconds + ASSUMED.invoke_s + count * ASSUMED.ask_s
    warm, cold = asking + work, ASSUMED.init_s + asking + cold_work
    share, any_cold = load.cold_share(work), load.cold_share(warm, 1 + count * instances)
    following, longer, reads = held.rows_wait(share, work)
    waited = warm + any_cold * (cold - warm) + longer
    each = _billed(work + share * (cold_work - work) + longer, held.memory_mb, held.tmp_mb)
    coordinator = _billed(waited, held.memory_mb, held.tmp_mb)
    runs = coordinator + count * each + (1 + count) * REQUEST_PRICES.lambda_request
    fetched = count * (share * held.gets * REQUEST_PRICES.s3_read + reads)
    return Plan(
        way="fan-out",
        load=load,
        reason=_refused(held, cold) or _too_many(load, count * instances, waited),
        machines=count * instances,
        instances=instances,
        memory_mb=held.memory_mb,
        tmp_mb=held.tmp_mb,
        requests=instances * (2 + count * held.gets),
        bytes=instances * count * held.bytes,
        warm_s=warm,
        cold_s=cold,
        cold_share=any_cold,
        mean_s=waited,
        rows_after=following,
        costs={
            **_times(_requests(part), instances),
            "search": instances * load.searches * (runs + fetched),
            **_times(_kept(part), instances),
        },
    )


def _workers(pictures: float) -> int:
    """Return the fewest workers that are not too full, or the most there are."""
    fitting = (count for count in WORKERS if pictures / count <= ASSUMED.worker_rows)
    return next(fitting, WORKERS[-1])


def _too_many(load: Load, workers: int, seconds: float) -> str:
    """Return why so many workers cannot run at once in the busiest second, or nothing."""
    together = load.busiest * (workers + 1) * seconds
    if together > LIMITS.concurrency:
        return f"{together:,.0f} runs at once, where {LIMITS.concurrency:,} are allowed"
    return ""


def _times(costs: Mapping[str, float], instances: int) -> dict[str, float]:
    return {name: cost * instances for name, cost in costs.items()}


def vector_query(vectors: float, size: float) -> float:
    """Return what S3 Vectors charges for one query of an index of vectors of so many bytes."""
    first, second = 1e5, 1e7
    tiers = (
        (min(vectors, first), PRICES.vectors_tb_first),
        (min(max(vectors - first, 0), second - first), PRICES.vectors_tb),
        (max(vectors - second, 0), PRICES.vectors_tb_beyond),
    )
    return PRICES.vectors_query + sum(count * size / _TB * price for count, price in tiers)


def _asking(
    load: Load, way: str, warm_s: float, cold_s: float, memory_mb: float
) -> tuple[Plan, int, Load]:
    """Return a plan in which an engine elsewhere is asked, without what that one costs."""
    instances = math.ceil(load.pictures / largest())
    part = load.divided(instances)
    read = upkeep(part.pictures, part.writes).told
    reading = 4 * ASSUMED.s3_latency_s + read / (ASSUMED.s3_mb_s * 1e6)
    warm, cold = SEARCH.seconds + warm_s, ASSUMED.init_s + SEARCH.seconds + reading + cold_s
    share = load.cold_share(warm)
    seconds = warm + share * (cold - warm)
    run = _billed(seconds, memory_mb, LIMITS.default_tmp_mb)
    costs = {
        **_times(_requests(part), instances),
        "search": instances * load.searches * (run + REQUEST_PRICES.lambda_request),
        **_times(_kept(part), instances),
    }
    plan = Plan(
        way=way,
        load=load,
        instances=instances,
        memory_mb=memory_mb,
        tmp_mb=LIMITS.default_tmp_mb,
        requests=3.0 * instances,
        bytes=instances * read,
        warm_s=warm,
        cold_s=cold,
        cold_share=share,
        mean_s=seconds,
        costs=costs,
    )
    return plan, instances, part


def _held(load: Load) -> float:
    """Return the rows that an engine has: the pictures, and rows of segments replaced lately."""
    return load.pictures + load.writes * (1 + ASSUMED.copies) * ASSUMED.held_days / 30


def s3_vectors(load: Load) -> Plan:
    """Return the plan with Amazon S3 Vectors, one vector index for each instance."""
    plan, instances, part = _asking(
        load,
        "S3 Vectors",
        ASSUMED.vectors_warm_s,
        ASSUMED.vectors_cold_s + ASSUMED.vectors_import_s,
        LIMITS.default_memory_mb,
    )
    size = ASSUMED.vector_bytes + ASSUMED.record_bytes
    filled = part.writes * (1 + ASSUMED.copies)
    reason = ""
    if part.busiest > LIMITS.vectors_queries:
        reason = f"{part.busiest:,.0f} queries in the busiest second, “hundreds” are allowed"
    elif filled / _SECONDS > LIMITS.vectors_filled:
        reason = f"{filled / _SECONDS:,.0f} vectors a second to fill"
    held = _held(part)
    engine = {
        "queries": part.searches * vector_query(held, ASSUMED.vector_bytes),
        "filling": filled * size / _GB * PRICES.vectors_put_gb,
        "vectors stored": held * size / _GB * PRICES.vectors_gb_month,
    }
    costs = {**plan.costs, **_times(engine, instances)}
    fill_s = part.pictures / LIMITS.vectors_filled
    return replace(plan, reason=reason, fill_s=fill_s, costs=costs)


def milvus(load: Load) -> Plan:
    """Return the plan with a cluster: capacity-optimised units of Zilliz Cloud."""
    plan, instances, part = _asking(
        load,
        "Milvus",
        ASSUMED.cluster_warm_s,
        ASSUMED.cluster_warm_s + ASSUMED.cluster_import_s,
        ASSUMED.cluster_memory_mb,
    )
    capacity = LIMITS.unit_vectors * ASSUMED.cluster_share
    replicas = max(1, math.ceil(part.busiest / LIMITS.unit_queries))
    units = math.ceil(_held(part) / capacity) * replicas
    size = ASSUMED.vector_bytes + ASSUMED.record_bytes
    engine = {
        "units": units * PRICES.cluster_unit_hour * ASSUMED.hours,
        "vectors stored": _held(part) * size / _GB * PRICES.cluster_gb_month,
    }
    costs = {**plan.costs, **_times(engine, instances)}
    return replace(plan, machines=units * instances, costs=costs)


WAYS: Mapping[str, Callable[[Load], Plan]] = {
    "one function": one_function,
    "fan-out": fan_out,
    "S3 Vectors": s3_vectors,
    "Milvus": milvus,
}

"""Every price, limit and constant of the model, each with where it is from.

Prices are list prices in USD without free tiers and discounts. They change: look at the sources
again before you decide anything by them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Any

from tools.sam.costs import PRICES as REQUEST_PRICES

__all__ = [
    "ASSUMED",
    "LIMITS",
    "PRICES",
    "REQUEST_PRICES",
    "Assumed",
    "Limits",
    "Prices",
    "sourced",
]

_AWS = "AWS, us-east-1, November 2026, by secondary sources"
_ZILLIZ = "Zilliz Cloud's own pages, AWS us-east-1, 2026"


def _from(source: str, value: float) -> Any:  # noqa: ANN401
    return field(default=value, metadata={"source": source})


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """What tools/sam/costs.py does not know: larger functions, and engines elsewhere."""

    tmp_gb_second: float = _from(f"Lambda, `/tmp` above 512 MB; {_AWS}", 0.0000000309)
    s3_gb_month: float = _from(f"S3 Standard; {_AWS}", REQUEST_PRICES.s3_gb_month)
    vectors_gb_month: float = _from(f"S3 Vectors, stored; {_AWS}", 0.06)
    vectors_put_gb: float = _from(f"S3 Vectors, written; {_AWS}", 0.20)
    vectors_query: float = _from(f"S3 Vectors, a query; {_AWS}", 2.50 / 1e6)
    vectors_tb_first: float = _from(
        f"S3 Vectors, TB gone through by a query, first 100,000 vectors; {_AWS}", 0.004
    )
    vectors_tb: float = _from(f"the same, up to 10 million vectors; {_AWS}", 0.002)
    vectors_tb_beyond: float = _from(
        "the same beyond 10 million: the largest of the cuts of 16 June 2026 (“up to 80 %”), "
        "taken for all of it; an assumption",
        0.0004,
    )
    cluster_unit_hour: float = _from(f"a query CU; {_ZILLIZ}", 0.248)
    cluster_gb_month: float = _from(f"stored in a cluster; {_ZILLIZ}", 0.025)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What AWS and Zilliz allow."""

    memory_mb: int = _from("Lambda, memory in MiB", 10_240)
    tmp_mb: int = _from("Lambda, `/tmp` in MiB", 10_240)
    default_memory_mb: int = _from("template.yaml, memory of search", 1769)
    default_tmp_mb: int = _from("Lambda, `/tmp` in MiB unless more is asked for", 512)
    answer_s: float = _from("API Gateway, seconds to an answer (template.yaml gives up after)", 29)
    upkeep_s: float = _from("Lambda, seconds of one run", 900)
    concurrency: int = _from("Lambda, runs at once in an account, unless AWS raises it", 1000)
    vectors_each: float = _from("S3 Vectors, vectors in an index", 2e9)
    vectors_filled: float = _from("S3 Vectors, vectors put or deleted a second in an index", 2500)
    vectors_queries: float = _from("S3 Vectors, “hundreds” of queries a second in an index", 200)
    unit_vectors: float = _from(
        "a capacity-optimised CU, vectors of 512 dimensions (Zilliz's own table; 5 million of 768)",
        7.5e6,
    )
    unit_queries: float = _from("a capacity-optimised CU, queries a second (100 to 300)", 100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumed:
    """What was neither measured here nor is told by a price list."""

    scan_factor: float = _from(
        "processor time on Lambda against here: AVX2 for AVX-512 (docs/index-format.md)", 2.0
    )
    s3_mb_s: float = _from("S3 to one function, MB/s: 600 Mbit/s, as is often measured", 75.0)
    s3_latency_s: float = _from(
        "S3, one small request; turbopuffer and others tell 20 to 60 ms", 0.03
    )
    init_s: float = _from("init of a function: docs/costs.md", 0.5)
    process_mb: int = _from("a search function without any index: docs/costs.md", 400)
    invoke_s: float = _from("a synchronous invocation of a warm function", 0.02)
    worker_s: float = _from("time of a worker beside the scan: 1 ms in benchmarks/fanout", 0.002)
    ask_s: float = _from("to ask one worker and merge its answer: 1 ms in benchmarks/fanout", 0.002)
    worker_rows: float = _from("pictures of a worker at most: their files fit 1,769 MB", 1.5e6)
    uneven: float = _from("the fullest worker against an even share: index/fanout/dealing.py", 1.25)
    idle_s: float = _from("an idle environment is kept for so long", 600)
    spare: float = _from("environments beyond those that the busiest second wants", 2)
    age_s: float = _from("an environment is replaced after so long", 7200)
    peak: float = _from("the busiest second against the average one", 4)
    row_reads: float = _from("rows read one by one while files come: Policy.cold_candidates", 192)
    row_reads_at_once: float = _from("of them at once: index/segment.py", 32)
    rows_remote: float = _from("of those reads, while files come one after the other", 0.5)
    patience_s: float = _from("a later search waits so long for those files: index/shelf.py", 0.75)
    few_bytes: float = _from("rows that a first search waits for, bytes: index/shelf.py", 64 << 20)
    tmp_slack: float = _from("room in `/tmp` for segments that replace others", 1.05)
    fold_writes: float = _from("writes in a fold: Policy.fold_objects, one picture each", 64)
    copies: float = _from("times a picture is copied by merges: 64 · 8⁴ = 262,144 rows", 4)
    segment_rows: float = _from("rows of a settled segment", 262_144)
    held_days: float = _from("rows of a replaced segment stay in an engine for so long", 8)
    young_segments: float = _from("segments that are not settled yet", 3)
    part_bytes: float = _from("of a file in one GET: index/files.py", 8 << 20)
    vector_bytes: float = _from("S3 Vectors, bytes of a picture that a query goes through", 2210)
    record_bytes: float = _from("… and that it does not: the record (engines/records.py)", 860)
    vectors_warm_s: float = _from("S3 Vectors, a frequent query: AWS says about 100 ms", 0.1)
    vectors_cold_s: float = _from("… a rare one: AWS says under a second", 1.0)
    vectors_import_s: float = _from("importing boto3 and its model of the service: scale.md", 0.26)
    cluster_import_s: float = _from("importing pymilvus: scale.md", 0.5)
    cluster_memory_mb: int = _from("memory of a search with pymilvus: scale.md", 2048)
    cluster_warm_s: float = _from("a capacity-optimised cluster: Zilliz says 50 to 100 ms", 0.1)
    cluster_share: float = _from("of a CU's vectors, with our fields beside them", 0.7)
    hours: float = _from("hours of a month", 730)


PRICES, LIMITS, ASSUMED = Prices(), Limits(), Assumed()


def sourced(values: Prices | Limits | Assumed) -> Iterator[tuple[str, float, str]]:
    """Yield name, value and source of each."""
    for named in fields(values):
        yield named.name, getattr(values, named.name), named.metadata["source"]

"""What a deployment costs, from AWS's list prices and from measured milliseconds."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["PRICES", "Prices", "Work", "per_million", "table"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """List prices of us-east-1 in USD, as of November 2026, without free tiers and discounts."""

    lambda_request: float = 0.20 / 1e6
    gb_second_x86_64: float = 0.0000166667
    gb_second_arm64: float = 0.0000133334
    api_request: float = 1.00 / 1e6  # each begun 512 KB of a request counts as one
    s3_write: float = 5.00 / 1e6  # PUT and LIST
    s3_read: float = 0.40 / 1e6  # GET and HEAD
    s3_gb_month: float = 0.023
    log_gb: float = 0.50
    snapshot_gb_second: float = 0.0000015046
    restored_gb: float = 0.0001397998


PRICES = Prices()


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What one request takes. ``seconds`` are billed ones, ``memory`` is in MB."""

    seconds: float
    memory: int = 1769
    writes: int = 0
    reads: int = 0
    body_kb: int = 200
    log_kb: float = 3.0


SEARCH = Work(seconds=0.18, writes=1, reads=1)  # LIST of the log, GET of the manifest
ADD = Work(seconds=0.18, writes=3, reads=1)  # the same, and PUT of a thumbnail and a log object
DELETE = Work(seconds=0.02, memory=1024, writes=2, reads=1, body_kb=1)


def per_million(work: Work, *, arm: bool = False, prices: Prices = PRICES) -> dict[str, float]:
    """Return the USD that a million such requests cost, by service."""
    gb_second = prices.gb_second_arm64 if arm else prices.gb_second_x86_64
    each = {
        "Lambda": prices.lambda_request + work.seconds * work.memory / 1024 * gb_second,
        "API Gateway": prices.api_request * max(1, -(-work.body_kb // 512)),
        "S3 requests": work.writes * prices.s3_write + work.reads * prices.s3_read,
        "Logs": work.log_kb / 1e6 * prices.log_gb,
    }
    return {service: round(cost * 1e6, 2) for service, cost in each.items()}


def table() -> str:
    """Return the costs of a million searches, adds and deletions as a Markdown table."""
    lines = ["| a million … | " + " | ".join(per_million(SEARCH)) + " | together | on arm64 |"]
    lines.append("| --- " * (len(per_million(SEARCH)) + 3) + "|")
    for name, work in (("searches", SEARCH), ("adds", ADD), ("deletions", DELETE)):
        parts = per_million(work)
        cells = [f"{cost:.2f}" for cost in parts.values()]
        arm = sum(per_million(work, arm=True).values())
        lines.append(
            f"| {name} | {' | '.join(cells)} | **{sum(parts.values()):.2f}** | {arm:.2f} |"
        )
    return "\n".join(lines)

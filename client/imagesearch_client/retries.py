"""When a request is sent again, and after how long."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

import httpx

__all__ = ["Retries", "may_repeat", "pause", "pause_async"]

_PASSING = frozenset({429, 502, 503, 504})
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_LONGEST_WISH = 60.0
_CHANCE = random.SystemRandom()


@dataclass(frozen=True)
class Retries:
    """How often a request is tried in all, and the seconds that pauses begin and stop at."""

    attempts: int = 6
    first_pause: float = 0.2
    longest_pause: float = 10.0

    def seconds(self, failures: int, answer: httpx.Response | None) -> float:
        """Return the seconds to wait after ``failures`` tries.

        The server's Retry-After is the least, up to a minute; on top comes an even draw from an
        interval that doubles
        (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
        """
        wish = _asked(answer.headers.get("retry-after", "")) if answer is not None else 0.0
        widest = min(self.longest_pause, self.first_pause * 2 ** (failures - 1))
        return min(wish, _LONGEST_WISH) + _CHANCE.uniform(0, widest)


def may_repeat(outcome: httpx.Response | httpx.TransportError, *, harmless: bool) -> bool:
    """Tell whether a request may be sent again after ``outcome``.

    ``harmless`` says that doing it twice is the same as doing it once. Otherwise only what
    certainly was not done is repeated: it was refused for its rate, or never sent.
    """
    if not isinstance(outcome, httpx.Response):
        return harmless or isinstance(outcome, _NOT_SENT)
    if not harmless:
        return outcome.status_code == 429
    # A bare 500 is API Gateway's word for a function that crashed.
    bare = outcome.status_code == 500 and "problem" not in outcome.headers.get("content-type", "")
    return bare or outcome.status_code in _PASSING


def pause(seconds: float) -> None:
    """Wait."""
    time.sleep(seconds)


async def pause_async(seconds: float) -> None:
    """Wait, and let others work."""
    await asyncio.sleep(seconds)


def _asked(retry_after: str) -> float:
    """Return the seconds that a Retry-After header names, by number or by date."""
    if retry_after.isdigit():
        return float(retry_after)
    try:
        until = parsedate_to_datetime(retry_after)
    except (TypeError, ValueError):
        return 0.0
    if until.tzinfo is None:
        until = until.replace(tzinfo=timezone.utc)
    return max(0.0, (until - datetime.now(timezone.utc)).total_seconds())

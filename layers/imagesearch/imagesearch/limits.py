"""How much a key may ask for: tokens that fill up with time, kept by each environment.

Functions share no memory, and asking a store before every search would cost more than the search.
So each environment counts what it sees itself: a key gets its rate from every environment that
serves it at the moment, and no more. How many those are is bounded by the functions' reserved
concurrency; all keys together are bounded by the throttle of API Gateway, which counts exactly.
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from imagesearch.errors import TooManyRequests

__all__ = ["UNLIMITED", "Gauge", "Kind", "Limits"]

Kind = Literal["searches", "adds"]
_KEYS = 10_000


class Limits(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a key may ask of one environment a second, and how many pictures it may fill up to.

    ``searches`` and ``adds`` are rates; a whole second's may come at once, and one always may.
    ``pictures`` is how many an instance may hold for the key to add another. ``None`` is no limit.
    """

    searches: Annotated[float, Meta(gt=0)] | None = None
    adds: Annotated[float, Meta(gt=0)] | None = None
    pictures: Annotated[int, Meta(gt=0)] | None = None

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Limits:
        """Read the limits that an authorizer gives with a request; what is no limit is left out."""
        known = {name: given[name] for name in cls.__struct_fields__ if given.get(name)}
        return msgspec.convert(known, cls, strict=False)


UNLIMITED = Limits()


@dataclass(slots=True)
class _Bucket:
    tokens: float
    filled: float


class Gauge:
    """The tokens of every key that this environment has seen of late; thread-safe."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._buckets: OrderedDict[tuple[str, Kind], _Bucket] = OrderedDict()
        self._lock = Lock()

    def take(self, key: str, kind: Kind, limits: Limits) -> None:
        """Take a token; :class:`TooManyRequests` if there is none."""
        rate = limits.searches if kind == "searches" else limits.adds
        if rate is None:
            return
        most = max(1.0, rate)
        with self._lock:
            now = self._clock()
            bucket = self._buckets.pop((key, kind), None) or _Bucket(most, now)
            tokens = min(most, bucket.tokens + max(0.0, now - bucket.filled) * rate)
            bucket.tokens, bucket.filled = tokens - (tokens >= 1), now
            self._buckets[key, kind] = bucket
            while len(self._buckets) > _KEYS:
                self._buckets.popitem(last=False)
        if tokens < 1:
            raise TooManyRequests(
                f"the key may ask for {rate:g} {kind} a second.",
                seconds=math.ceil((1 - tokens) / rate),
            )

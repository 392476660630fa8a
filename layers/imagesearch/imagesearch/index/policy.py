"""How an index is kept in shape: every threshold and every waiting time in one place."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Policy"]

_MINUTE = 60.0
_DAY = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Settings of the index. Times are in seconds; sizes in rows, objects or bytes."""

    fold_objects: int = 64
    """Log objects from which on the log is folded into a segment."""
    fold_bytes: int = 1 << 20
    """Bytes of log from which on it is folded."""
    write_deadline: float = _MINUTE
    """A write is acknowledged only within this time of the snapshot it came after."""
    settle_after: float = 2 * _MINUTE
    """How long a clock must have been the floor before nothing below it can be acknowledged."""
    remember: float = _DAY
    """How long a short log keeps the names by which a repeated operation is recognised."""
    listing_target: int = 100
    """Names from which on the log forgets operations sooner, because listing costs by name."""
    grace: float = _DAY
    """Age an object that nobody refers to must have before it is deleted."""
    retention: float = 7 * _DAY
    """How long earlier generations can be rolled back to."""
    keep_all: float = _DAY
    """How long every generation is kept; after that, the last of each hour."""
    sweep_every: float = _DAY
    """How often garbage is collected."""
    tier: int = 8
    """Segments of similar size that are merged into one."""
    dead_share: float = 0.3
    """Share of dead rows from which on a segment is rewritten without them."""
    segment_rows: int = 500_000
    """Most rows of a segment."""
    graph_rows: int | None = None
    """Rows from which on a segment gets a USearch graph; ``None`` is never."""
    candidates: int = 1024
    """Nearest codes that are compared exactly, at least."""
    candidates_one_in: int = 128
    """Of so many rows that pass one is compared exactly: the more there are, the closer together
    the nearest lie, and the more of them their codes confuse. docs/scale.md has what other shares
    would find, and take."""
    most_candidates: int = 16_384
    """Most of them that are compared for that reason."""
    cold_candidates: int = 192
    """The same while rows are still read one by one; with those as near as the last at most 256."""
    wait: float = 2.0
    """How long a snapshot waits for the sequence it was asked for."""
    parallel: int = 16
    """Requests that may be under way at once while opening."""

    def candidates_among(self, rows: int) -> int:
        """Return how many of the nearest codes to compare exactly where so many rows pass."""
        share = min(rows // self.candidates_one_in, self.most_candidates)
        return max(self.candidates, share)

    def wants_graph(self, rows: int) -> bool:
        """Tell whether a segment of so many rows gets a graph."""
        return self.graph_rows is not None and rows >= self.graph_rows

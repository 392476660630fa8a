"""Where a write belongs: what it must come after, learnt without reading what others wrote."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from imagesearch.index.log import Version
from imagesearch.index.manifest import Manifest
from imagesearch.index.policy import Policy

__all__ = ["After", "Place", "due", "operations_of"]


class After(Protocol):
    """What a write must know of the index: a :class:`Place`, or a whole snapshot."""

    @property
    def manifest(self) -> Manifest:
        """Return the manifest."""
        ...

    @property
    def sequence(self) -> int:
        """Return the newest clock seen."""
        ...

    @property
    def newest(self) -> str:
        """Return the name of the newest listed log object."""
        ...

    @property
    def operations(self) -> Mapping[int, int]:
        """Return the sequence of each operation that the listing still has, by number."""
        ...

    @property
    def began(self) -> tuple[float, int]:
        """Return when the look began, by the monotonic (s) and the wall clock (µs)."""
        ...


@dataclass(frozen=True, slots=True)
class Place:
    """An index as a writer needs it: two requests, however much others wrote meanwhile.

    The members are those of a :class:`~imagesearch.index.snapshot.Snapshot`; ``log_length`` counts
    log objects that no segment holds yet, ``log_bytes`` their bytes.
    """

    manifest: Manifest
    policy: Policy
    sequence: int
    newest: str
    operations: Mapping[int, int]
    log_length: int
    log_bytes: int
    began: tuple[float, int]

    @property
    def wants_upkeep(self) -> bool:
        """Tell whether searches would gain from :meth:`Index.maintain`."""
        return due(self, self.policy)


class _Log(After, Protocol):
    @property
    def log_length(self) -> int: ...

    @property
    def log_bytes(self) -> int: ...


def due(seen: _Log, policy: Policy) -> bool:
    """Tell whether the log is long, or there is much in its listing that could be settled."""
    long = seen.log_length >= policy.fold_objects or seen.log_bytes >= policy.fold_bytes
    settled = seen.began[1] - seen.sequence > policy.settle_after * 1e6
    return long or (settled and len(seen.operations) > policy.listing_target)


def operations_of(names: Iterable[str]) -> dict[int, int]:
    """Return the sequence of each operation in a listing of log objects, by its number."""
    versions = (Version.parse(name) for name in sorted(names))
    return {version.operation: version.clock for version in versions if version}

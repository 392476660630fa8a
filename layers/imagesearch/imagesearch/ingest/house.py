"""What this room needs of the deployment it works in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from imagesearch.catalogue import Instance, InstanceRegister
from imagesearch.index import Index, Place, Snapshot
from imagesearch.ingest.roles import TrustRegister
from imagesearch.ingest.source import Source
from imagesearch.ingest.tasks import Task
from imagesearch.storage import ObjectStore
from imagesearch.vision import Vision

__all__ = ["House", "Opened", "Placed", "Workshop"]


class Opened(Protocol):
    """An instance with its index and one view of it."""

    @property
    def instance(self) -> Instance:
        """Return the instance."""
        ...

    @property
    def index(self) -> Index:
        """Return its index."""
        ...

    @property
    def snapshot(self) -> Snapshot:
        """Return the view."""
        ...


class Placed(Protocol):
    """An instance with its index and where a write to it belongs."""

    @property
    def instance(self) -> Instance:
        """Return the instance."""
        ...

    @property
    def index(self) -> Index:
        """Return its index."""
        ...

    @property
    def place(self) -> Place:
        """Return where a write belongs."""
        ...


class House(Protocol):
    """A deployment: its store, models and instances."""

    store: ObjectStore
    instances: InstanceRegister

    def open(self, name: str) -> Opened:
        """Open an instance with every acknowledged write."""
        ...

    def place(self, name: str) -> Placed:
        """Find out where a write to an instance belongs."""
        ...

    def vision_of(self, instance: Instance) -> Vision:
        """Return the instance's model bundle; :class:`~imagesearch.errors.ModelMismatch`."""
        ...

    def wrote(self, catalogue: Any) -> None:  # noqa: ANN401  what open() gave
        """Have a long log folded."""
        ...


@dataclass(frozen=True, slots=True)
class Workshop:
    """Everything that work on tasks is done with.

    ``source`` opens the bucket of a task, ``now`` gives microseconds since 1970, ``lanes`` is how
    many workers one task may have at once, ``private_callbacks`` allows callback addresses
    that are not on the public Internet, and ``thumbnails`` has them made.
    """

    house: House
    trust: TrustRegister
    source: Callable[[Task], Source]
    now: Callable[[], int]
    lanes: int = 64
    private_callbacks: bool = False
    thumbnails: bool = False

    @property
    def store(self) -> ObjectStore:
        """Return the deployment's store."""
        return self.house.store

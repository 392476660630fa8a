"""The log's tail: what was written since the last fold, resolved to one state per picture."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from imagesearch.catalogue import PictureKey
from imagesearch.index.changes import Changes
from imagesearch.index.log import Entry, LogObject, Version
from imagesearch.index.tombs import Deletions

__all__ = ["Tail", "Write"]


@dataclass(frozen=True, slots=True)
class Write:
    """An entry and when it was written."""

    version: Version
    entry: Entry


@dataclass(frozen=True, slots=True)
class Tail:
    """The newest write of each picture, the deletions and the changes, of some log objects.

    Taking the maximum of versions is commutative, so the order in which objects become known
    does not matter.
    """

    names: frozenset[str] = frozenset()
    writes: Mapping[PictureKey, Write] = field(default_factory=lambda: MappingProxyType({}))
    deletions: Deletions = field(default_factory=Deletions)
    changes: Changes = field(default_factory=Changes)

    def plus(self, objects: Iterable[LogObject]) -> Tail:
        """Return this tail and more log objects."""
        names, writes = set(self.names), dict(self.writes)
        deletions, changes = [], []
        for found in objects:
            names.add(found.version.name)
            deletions += [(deletion, found.version) for deletion in found.deletions]
            changes += [(change, found.version) for change in found.changes]
            for entry in found.entries:
                standing = writes.get(entry.picture.key)
                if standing is None or standing.version < found.version:
                    writes[entry.picture.key] = Write(found.version, entry)
        return Tail(
            frozenset(names), writes, self.deletions.plus(deletions), self.changes.plus(changes)
        )

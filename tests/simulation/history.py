"""What happened, and whether a correct store could have behaved so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from math import inf

from imagesearch.catalogue import PictureKey


@dataclass(eq=False)
class Write:
    """One write: the version that each key gets, ``None`` for a deletion.

    ``begin`` and ``end`` are ticks; ``end`` stays infinite while nobody was told of success.
    A write with several ``attempts`` is one operation that was repeated: an earlier attempt may
    have been still on its way, so it may take effect more than once until its end.
    """

    name: str
    changes: Mapping[PictureKey, int | None]
    begin: float
    end: float = inf
    sequence: int | None = None
    attempts: int = 1

    def __str__(self) -> str:
        what = ", ".join(f"{'/'.join(k)}={v}" for k, v in self.changes.items())
        return f"{self.name} [{self.begin}, {self.end}] sequence {self.sequence}: {what}"


@dataclass(eq=False)
class Read:
    """One snapshot: the version seen under each key; ``state`` identifies the manifest."""

    name: str
    begin: float
    end: float
    seen: Mapping[PictureKey, int]
    sequence: int
    generation: int = 0
    state: str = ""

    def __str__(self) -> str:
        what = ", ".join(f"{'/'.join(k)}={v}" for k, v in self.seen.items())
        return (
            f"{self.name} [{self.begin}, {self.end}] sequence {self.sequence} "
            f"generation {self.generation}: {what or 'nothing'}"
        )


@dataclass(frozen=True)
class Violation:
    """A promise that was broken; ``kind`` is lost, stale, resurrected, duplicate or order."""

    kind: str
    text: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.text}"


@dataclass
class History:
    """Everything that was written and read in one run, in the order of its ticks."""

    writes: list[Write] = field(default_factory=list)
    reads: list[Read] = field(default_factory=list)
    violations: list[Violation] = field(default_factory=list)

    def violate(self, kind: str, text: str) -> None:
        """Record what a process saw by itself, such as the same picture twice in one answer."""
        self.violations.append(Violation(kind, text))

    def check(self) -> list[Violation]:
        """Return every broken promise, worst first."""
        return [*self.violations, *_Check(self).run()]


class _Check:
    def __init__(self, history: History) -> None:
        self._history = history
        self._reads = sorted(history.reads, key=lambda read: read.end)
        self._author = {
            version: write
            for write in history.writes
            for version in write.changes.values()
            if version is not None
        }
        # A write has taken effect when it was acknowledged or when somebody saw it.
        self._effective: dict[Write, float] = {write: write.end for write in history.writes}
        for read in self._reads:
            for version in read.seen.values():
                if author := self._author.get(version):
                    self._effective[author] = min(self._effective[author], read.end)

    def run(self) -> Iterator[Violation]:
        for read in self._reads:
            yield from self._read(read)
        yield from self._comebacks()
        yield from self._sequences()
        yield from self._generations()

    def _read(self, read: Read) -> Iterator[Violation]:
        keys = {key for write in self._history.writes for key in write.changes} | set(read.seen)
        for key in sorted(keys):
            version = read.seen.get(key)
            author = self._author.get(version) if version is not None else None
            if version is not None and (author is None or author.begin >= read.end):
                yield Violation("phantom", f"{read} shows {key}={version}, which nobody wrote")
                continue
            sources = [author] if author else [None, *self._deletions(key, before=read.end)]
            newer = [self._overwriter(key, source, read.begin) for source in sources]
            if all(newer):
                yield self._verdict(read, key, author, newer[-1])
            elif author:
                yield from self._torn(read, author)

    def _deletions(self, key: PictureKey, *, before: float) -> Iterator[Write]:
        for write in self._history.writes:
            if key in write.changes and write.changes[key] is None and write.begin < before:
                yield write

    def _overwriter(self, key: PictureKey, source: Write | None, time: float) -> Write | None:
        """Return a write that is certainly newer than ``source`` and in effect by ``time``."""
        for write in self._history.writes:
            effective = key in write.changes and self._effective[write] < time
            if effective and write is not source and self._is_newer(write, source, time):
                return write
        return None

    def _is_newer(self, write: Write, other: Write | None, time: float) -> bool:
        """Tell whether real time or their sequences say that ``write`` is the later one."""
        if other is None or write.begin > self._last_effect(other):
            return True
        # Of a repeated operation only the attempt that was acknowledged has this sequence.
        told = write.attempts == 1 or write.end < time
        known = None not in (write.sequence, other.sequence)
        return told and known and write.sequence > other.sequence

    def _last_effect(self, write: Write) -> float:
        return self._effective[write] if write.attempts == 1 else write.end

    @staticmethod
    def _verdict(
        read: Read, key: PictureKey, author: Write | None, newer: Write | None
    ) -> Violation:
        deleted = newer is not None and newer.changes[key] is None
        kind = "resurrected" if deleted else "stale" if author else "lost"
        return Violation(kind, f"at {'/'.join(key)} {read} misses {newer}; shown is from {author}")

    def _torn(self, read: Read, author: Write) -> Iterator[Violation]:
        """Check that a write which is seen at one key is not missing at another."""
        for key in author.changes:
            other = self._author.get(read.seen.get(key, -1))
            sources = [other] if other else list(self._deletions(key, before=read.end))
            if all(self._last_effect(source) < author.begin for source in sources):
                yield Violation("torn", f"{read} shows only part of {author}")

    def _comebacks(self) -> Iterator[Violation]:
        """Find versions that were seen, then replaced, then seen again."""
        for key in sorted({key for write in self._history.writes for key in write.changes}):
            gone: dict[int, Read] = {}
            for read in self._reads:
                version = read.seen.get(key)
                once = version in self._author and self._author[version].attempts == 1
                if once and version in gone and gone[version].end < read.begin:
                    yield Violation(
                        "resurrected", f"{key}={version} came back in {read} after {gone[version]}"
                    )
                for earlier in self._reads:
                    if earlier.end >= read.begin:
                        break
                    if (old := earlier.seen.get(key)) is not None and old != version:
                        gone.setdefault(old, read)

    def _sequences(self) -> Iterator[Violation]:
        done = [write for write in self._history.writes if write.sequence is not None]
        for write in done:
            for other in done:
                if write.end < other.begin and not write.sequence < other.sequence:
                    yield Violation("order", f"{other} came after {write} and has a lower sequence")
            for read in self._reads:
                if write.end < read.begin and read.sequence < write.sequence:
                    yield Violation("order", f"{read} began after {write} and says a lower one")

    def _generations(self) -> Iterator[Violation]:
        named: dict[int, Read] = {}
        for read in self._reads:
            first = named.setdefault(read.generation, read)
            if first.state != read.state:
                yield Violation("order", f"{first} and {read} differ within one generation")
        for read in self._reads:
            for later in self._reads:
                if read.end < later.begin and later.generation < read.generation:
                    yield Violation("order", f"{later} came after {read}, a generation back")


def worst(violations: Iterable[Violation]) -> str:
    """Return a short account for an assertion message."""
    found = [str(violation) for violation in violations]
    return "\n".join(found[:5]) + (f"\n… and {len(found) - 5} more" if len(found) > 5 else "")

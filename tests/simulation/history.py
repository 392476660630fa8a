"""What happened, and whether a correct store could have behaved so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from math import inf

from imagesearch.catalogue import PictureKey


@dataclass(eq=False)
class Write:
    """One write: the version that each key gets, ``None`` for a deletion.

    ``begin`` and ``end`` are ticks; ``end`` stays infinite while nobody was told of success.
    A write with several ``attempts`` is one operation that was repeated: an earlier attempt may
    have been still on its way, so it may take effect more than once until its end. ``settings``
    is what it changes of the picture that a key has, ``found`` the version that it found
    something out of. ``homes`` are the indexes in which it was attempted, of instances that had
    one name after the other. A ``rollback`` gives all keys what they had before.
    """

    name: str
    changes: Mapping[PictureKey, int | None]
    begin: float
    end: float = inf
    sequence: int | None = None
    attempts: int = 1
    settings: Mapping[PictureKey, int | None] = field(default_factory=dict)
    found: Mapping[PictureKey, int] = field(default_factory=dict)
    homes: set[str] = field(default_factory=set)
    rollback: bool = False

    def __str__(self) -> str:
        what = _told(self.changes)
        what += f" settings {_told(self.settings)}" if self.settings else ""
        what += f" found {_told(self.found)}" if self.found else ""
        homes = " ".join(sorted(home[-10:-1] for home in self.homes))
        return f"{self.name} [{self.begin}, {self.end}] {homes} sequence {self.sequence}: {what}"


@dataclass(eq=False)
class Read:
    """One snapshot: the version seen under each key, the setting, and the keys with a finding.

    ``state`` identifies the manifest, ``home`` the index; without one there was no instance.
    """

    name: str
    begin: float
    end: float
    seen: Mapping[PictureKey, int]
    sequence: int
    generation: int = 0
    state: str = ""
    settings: Mapping[PictureKey, int] = field(default_factory=dict)
    found: AbstractSet[PictureKey] = frozenset()
    home: str | None = ""

    def __str__(self) -> str:
        what = _told(self.seen) or "nothing"
        what += f" settings {_told(self.settings)}" if self.settings else ""
        what += f" found {sorted('/'.join(key) for key in self.found)}" if self.found else ""
        return (
            f"{self.name} [{self.begin}, {self.end}] sequence {self.sequence} "
            f"{(self.home or '')[-10:-1]} generation {self.generation}: {what}"
        )


def _told(values: Mapping[PictureKey, int | None]) -> str:
    return ", ".join(f"{'/'.join(key)}={value}" for key, value in values.items())


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
        self._writes = history.writes
        self._reads = sorted(history.reads, key=lambda read: read.end)
        own = [write for write in self._writes if not write.rollback]
        self._rollbacks = [write for write in self._writes if write.rollback]
        self._author = {v: w for w in own for v in w.changes.values() if v is not None}
        self._setter = {v: w for w in own for v in w.settings.values() if v is not None}
        # A write has taken effect when it was acknowledged or when somebody saw it.
        self._effective: dict[Write, float] = {write: write.end for write in self._writes}
        for read in self._reads:
            shown = [self._author.get(version) for version in read.seen.values()]
            shown += [self._setter.get(value) for value in read.settings.values()]
            for write in filter(None, shown):
                self._effective[write] = min(self._effective[write], read.end)

    def run(self) -> Iterator[Violation]:
        for read in self._reads:
            yield from self._read(read)
            yield from self._settings(read)
            yield from self._findings(read)
            yield from self._homes(read)
        yield from self._comebacks()
        yield from self._sequences()
        yield from self._generations()

    def _read(self, read: Read) -> Iterator[Violation]:
        keys = {key for write in self._writes for key in write.changes} | set(read.seen)
        for key in sorted(keys):
            version = read.seen.get(key)
            sources = self._sources(key, version, read.end)
            if version is not None and not sources:
                yield Violation("phantom", f"{read} shows {key}={version}, which nobody wrote")
                continue
            newer = [self._overwriter(key, source, read) for source in sources]
            if all(newer):
                yield self._verdict(read, key, self._author.get(version), newer[-1])
        parts = {self._author.get(version) for version in read.seen.values()}
        parts |= {self._setter.get(value) for value in read.settings.values()}
        for write in sorted(filter(None, parts), key=lambda write: write.begin):
            yield from self._torn(read, write)

    def _sources(self, key: PictureKey, version: int | None, before: float) -> list[Write | None]:
        """Return the writes from which a version may be; ``None`` is the empty beginning."""
        found: list[Write | None] = [
            write
            for write in self._writes
            if key in write.changes and write.changes[key] == version and write.begin < before
        ]
        return [None, *found] if version is None else found

    def _settings(self, read: Read) -> Iterator[Violation]:
        """Check that every picture has the newest of the changes that were made after it."""
        for key, version in read.seen.items():
            value = read.settings.get(key)
            setter = self._setter.get(value) if value is not None else None
            if value is not None and (setter is None or setter.begin >= read.end):
                yield Violation("phantom", f"{read} shows {key} set to {value} by nobody")
                continue
            sources = [s for s in self._sources(key, version, read.end) if s]
            sources = [s for s in sources if not self._overwriter(key, s, read)]
            if sources and not any(self._may_be_set(read, key, s, setter) for s in sources):
                yield Violation(
                    "lost", f"{read} shows a wrong setting of {'/'.join(key)}, from {setter}"
                )

    def _may_be_set(self, read: Read, key: PictureKey, source: Write, setter: Write | None) -> bool:
        """Tell whether a picture from ``source`` may have been changed by ``setter`` last."""
        restored = source.settings.get(key) if source.rollback else None
        from_source = read.settings.get(key) == restored
        if not from_source and (setter is None or self._is_newer(source, setter, read.begin)):
            return False
        later = [
            write
            for write in self._writes
            if key in write.settings
            and not write.rollback
            and write not in (setter, source)
            and self._is_in_effect(write, read)
            and self._is_newer(write, source, read.begin)
        ]
        if from_source:
            return not later and (setter is None or setter is source or source.rollback)
        return not any(self._is_newer(write, setter, read.begin) for write in later)

    def _findings(self, read: Read) -> Iterator[Violation]:
        """Check that what was found out of a picture stays with it."""
        for write in self._writes:
            for key, version in write.found.items():
                author = self._author.get(version)
                if read.seen.get(key) != version or key in read.found or not write.end < read.begin:
                    continue
                if author is None or author.attempts > 1:  # another copy of it may have replaced it
                    continue
                restored = (s for s in self._sources(key, version, read.end) if s and s.rollback)
                if not any(not self._is_newer(write, source, read.begin) for source in restored):
                    yield Violation("lost", f"{read} shows nothing of what {write} found")

    def _homes(self, read: Read) -> Iterator[Violation]:
        """Check that an erased instance is gone, and one that was made is there."""
        for version in read.seen.values():
            author = self._author.get(version)
            if author and author.homes and read.home not in author.homes:
                yield Violation("resurrected", f"{read} shows {author} of an erased instance")
        erasures = [write for write in self._writes if write.name.endswith("erase")]
        for write in erasures:
            if write.end < read.begin and read.home in write.homes:
                yield Violation("resurrected", f"{read} sees what {write} erased")
        for write in self._writes if read.home is None else ():
            if not write.name.endswith("create") or not write.end < read.begin:
                continue
            if not any(e.begin < read.end and not e.end < write.begin for e in erasures):
                yield Violation("lost", f"{read} finds no instance after {write}")

    def _overwriter(self, key: PictureKey, source: Write | None, read: Read) -> Write | None:
        """Return a write that is certainly newer than ``source`` and in effect at a read."""
        for write in self._writes:
            if (
                key in write.changes
                and self._is_in_effect(write, read)
                and write is not source
                and self._is_newer(write, source, read.begin)
            ):
                return write
        return None

    def _is_in_effect(self, write: Write, read: Read) -> bool:
        """Tell whether a write had certainly taken effect and was not undone before a read."""
        return self._effective[write] < read.begin and not any(
            other is not write
            and other.begin < read.end
            and not write.begin > self._effective[other]
            for other in self._rollbacks
        )

    def _is_newer(self, write: Write, other: Write | None, time: float) -> bool:
        """Tell whether real time or their sequences say that ``write`` is the later one."""
        if other is None or write.begin > self._last_effect(other):
            return True
        # Of a repeated operation only the attempt that was acknowledged has this sequence.
        told = write.homes == other.homes and (write.attempts == 1 or write.end < time)
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
        for key, version in author.changes.items():
            if read.seen.get(key) != version and self._is_before(read, key, author):
                yield Violation("torn", f"{read} shows only part of {author}")
        for key, value in author.settings.items():
            shown = read.settings.get(key)
            setter = self._setter.get(shown) if shown is not None else None
            older = setter is None or self._last_effect(setter) < author.begin
            if shown != value and key in read.seen and self._is_before(read, key, author) and older:
                yield Violation("torn", f"{read} shows only part of {author}")

    def _is_before(self, read: Read, key: PictureKey, write: Write) -> bool:
        """Tell whether what is shown at a key is certainly from before a write."""
        sources = [s for s in self._sources(key, read.seen.get(key), read.end) if s]
        return all(self._last_effect(source) < write.begin for source in sources)

    def _comebacks(self) -> Iterator[Violation]:
        """Find versions that were seen, then replaced, then seen again."""
        for key in sorted({key for write in self._history.writes for key in write.changes}):
            gone: dict[int, Read] = {}
            for read in self._reads:
                version = read.seen.get(key)
                once = version in self._author and self._author[version].attempts == 1
                once = once and len(self._sources(key, version, read.end)) == 1
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
                same = write.homes == other.homes
                if same and write.end < other.begin and not write.sequence < other.sequence:
                    yield Violation("order", f"{other} came after {write} and has a lower sequence")
            for read in self._reads:
                same = not write.homes or write.homes == {read.home}
                if same and write.end < read.begin and read.sequence < write.sequence:
                    yield Violation("order", f"{read} began after {write} and says a lower one")

    def _generations(self) -> Iterator[Violation]:
        named: dict[tuple[str, int], Read] = {}
        reads = [read for read in self._reads if read.home is not None]
        for read in reads:
            first = named.setdefault((read.home or "", read.generation), read)
            if first.state != read.state:
                yield Violation("order", f"{first} and {read} differ within one generation")
        for read in reads:
            for later in reads:
                back = later.generation < read.generation and later.home == read.home
                if read.end < later.begin and back:
                    yield Violation("order", f"{later} came after {read}, a generation back")


def worst(violations: Iterable[Violation]) -> str:
    """Return a short account for an assertion message."""
    found = [str(violation) for violation in violations]
    return "\n".join(found[:5]) + (f"\n… and {len(found) - 5} more" if len(found) > 5 else "")

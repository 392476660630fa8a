"""What the service has acknowledged, and therefore what every key may and may not show.

A key is written by one worker at a time, so that what was acknowledged is known exactly. An
operation without a clear answer is in doubt: it may have happened, or happen yet, until a later
one of the same key is acknowledged; from then on nothing of it may be seen any more.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Key", "Ledger", "Row", "Wrong"]

Key = tuple[str, str]
"""Product and picture."""


@dataclass(frozen=True, slots=True)
class Row:
    """A picture as far as the soak looks: which add it comes from, and the last change."""

    version: int
    note: str = ""


States = frozenset[Row | None]
_ABSENT: States = frozenset({None})


@dataclass(frozen=True, slots=True)
class Wrong:
    """A broken promise: ``kind`` is lost, returned, doubled, stale or unclear."""

    kind: str
    what: str


@dataclass(slots=True)
class Ledger:
    """The possible states of every key, and a journal of how they came to be."""

    journal: Path | None = None
    wrongs: list[Wrong] = field(default_factory=list)
    acknowledged: int = 0
    doubted: int = 0
    _states: dict[Key, States] = field(default_factory=dict)
    _versions: int = 0
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def version(self) -> int:
        """Return a number that no add has had."""
        with self._lock:
            self._versions += 1
            return self._versions

    def states(self, key: Key) -> States:
        """Return what the key may show now."""
        with self._lock:
            return self._states.get(key, _ABSENT)

    def keys(self) -> list[Key]:
        """Return every key that was ever written."""
        with self._lock:
            return list(self._states)

    def done(self, what: str, outcome: Mapping[Key, States]) -> None:
        """Note an acknowledged operation: its keys are now exactly in these states."""
        with self._lock:
            self.acknowledged += 1
            self._states.update(outcome)
            self._write("done", what, outcome)

    def doubt(self, what: str, outcome: Mapping[Key, States]) -> None:
        """Note an operation that may have happened: its keys may also be in these states."""
        with self._lock:
            self.doubted += 1
            for key, states in outcome.items():
                self._states[key] = self.states(key) | states
            self._write("doubt", what, outcome)

    def saw(self, key: Key, row: Row | None, where: str) -> None:
        """Compare what an answer showed of a key with what it may show."""
        with self._lock:
            allowed = self.states(key)
            if row not in allowed:
                self.wrong(
                    _kind(row, allowed), f"{where}: {key} is {row}, allowed {_said(allowed)}"
                )

    def saw_list(self, rows: Iterable[tuple[Key, Row]], keys: Iterable[Key], where: str) -> None:
        """Compare a whole list with what it may show; ``keys`` are those it must be about."""
        found: dict[Key, Row] = {}
        for key, row in rows:
            if key in found:
                self.wrong("doubled", f"{where}: {key} is there twice, {found[key]} and {row}")
            found[key] = row
        for key in {*keys, *found}:
            self.saw(key, found.get(key), where)

    def bounds(self, keys: Iterable[Key]) -> tuple[int, int]:
        """Return how many of the keys must be there, and how many may be."""
        states = [self.states(key) for key in keys]
        return sum(None not in s for s in states), sum(s != _ABSENT for s in states)

    def wrong(self, kind: str, what: str) -> None:
        """Note a broken promise."""
        with self._lock:
            self.wrongs.append(Wrong(kind, what))
            self._write("WRONG", f"{kind}: {what}", {})

    def _write(self, how: str, what: str, outcome: Mapping[Key, States]) -> None:
        if self.journal:
            after = {"/".join(key): _said(states) for key, states in outcome.items()}
            line = {"at": round(time.time(), 3), "how": how, "what": what, "after": after}
            with self.journal.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line, ensure_ascii=False) + "\n")


def _kind(row: Row | None, allowed: States) -> str:
    if row is None:
        return "lost"
    return "returned" if allowed == _ABSENT else "stale"


def _said(states: States) -> str:
    named = sorted(
        "absent" if s is None else f"{s.version}{s.note and '+' + s.note}" for s in states
    )
    return " or ".join(named)

"""What a harness is, and the ones there are."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

__all__ = ["FOUND", "Harness", "expect", "kept", "words"]

FOUND = Path(__file__).parent / "found"
"""Every input that ever failed, in a folder for each harness. They stay, as regression tests."""


@dataclass(frozen=True, slots=True)
class Harness:
    """A reader of bytes under test.

    ``run`` returns if the bytes were read, or refused as they should be; whatever it raises is a
    finding. ``seeds`` are where to begin, ``words`` what is worth putting in, ``longest`` bounds
    an input's bytes.
    """

    name: str
    run: Callable[[bytes], None]
    seeds: Callable[[], Iterable[bytes]]
    words: tuple[bytes, ...] = ()
    longest: int = 4096


def kept(harness: Harness) -> list[Path]:
    """Return the files with what once failed."""
    return sorted(p for p in (FOUND / harness.name).glob("*") if p.is_file())


def words(spaced: str) -> tuple[bytes, ...]:
    """Return words written with blanks between them, with escapes (``\\x20`` for a blank)."""
    return tuple(
        word.encode().decode("unicode_escape").encode("latin-1") for word in spaced.split()
    )


def expect(holds: object, what: str) -> None:
    """Make a finding of what does not hold."""
    if not holds:
        raise AssertionError(what)

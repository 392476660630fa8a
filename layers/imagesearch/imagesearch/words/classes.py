"""What the 1,000 classes of the embedder are called, in English and Chinese."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

__all__ = ["CLASSES", "ClassNames", "class_names"]

CLASSES = 1000
_TABLE = Path(__file__).with_name("classes.tsv")


@dataclass(frozen=True, slots=True)
class ClassNames:
    """The names of a class, the usual one first, and general words for what it is."""

    english: tuple[str, ...]
    chinese: tuple[str, ...]
    general: tuple[str, ...]

    def every(self) -> tuple[str, ...]:
        """Return all names and general words."""
        return (*self.english, *self.chinese, *self.general)


def class_names(number: int) -> ClassNames | None:
    """Return the names of a class; ``None`` for a number that the table does not have."""
    return _names()[number] if 0 <= number < CLASSES else None


@cache
def _names() -> tuple[ClassNames, ...]:
    lines = _TABLE.read_text("utf-8").splitlines()
    return tuple(_read(line) for line in lines if not line.startswith("#"))


def _read(line: str) -> ClassNames:
    english, chinese, *general = (
        tuple(name for name in column.split(";") if name) for column in line.split("\t")
    )
    return ClassNames(english, chinese, tuple(word for words in general for word in words))

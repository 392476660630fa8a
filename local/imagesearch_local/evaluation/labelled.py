"""A labelled set: a folder with ``catalog.jsonl``, ``queries.jsonl`` and the pictures they name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import msgspec
from imagesearch.catalogue import Service
from imagesearch_client import UnusableSource

__all__ = ["Entry", "LabelledSet", "Question"]

Box = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One catalogue picture; ``region`` is the true subject box, ``x1, x2, y1, y2``."""

    service: Service
    product_id: str
    pic_name: str
    file: str
    label: str | None = None
    category_id: int | None = None
    region: Box | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One query picture and the products that are right answers to it.

    ``related`` products (the same design in other colours) are neither right nor wrong hits.
    ``category_conf`` is ``sure`` or anything else; a set without it is sure.
    """

    query_id: str
    file: str
    kind: str = "all"
    relevant: tuple[str, ...] = ()
    related: tuple[str, ...] = ()
    region: Box | None = None
    category_id: int | None = None
    category_conf: str | None = "sure"

    @property
    def sure_category(self) -> int | None:
        """Return the category a prediction is judged by, if it is judged."""
        return self.category_id if self.category_conf == "sure" else None


@dataclass(frozen=True, slots=True)
class LabelledSet:
    """A catalogue, and questions with their answers."""

    folder: Path
    service: Service
    catalogue: tuple[Entry, ...]
    questions: tuple[Question, ...]
    files: dict[tuple[str, str], Path] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path) -> LabelledSet:
        """Read a set; raise :class:`UnusableSource` when it is not one."""
        catalogue = tuple(_lines(folder / "catalog.jsonl", Entry))
        questions = tuple(_lines(folder / "queries.jsonl", Question))
        services = {entry.service for entry in catalogue}
        if len(services) != 1:
            names = sorted(service.value for service in services)
            raise UnusableSource(f"{folder}: a set is of one service; this one has {names}.")
        files = {(e.product_id, e.pic_name): folder / e.file for e in catalogue}
        if missing := [entry.file for entry in catalogue if not (folder / entry.file).is_file()]:
            raise UnusableSource(f"{folder}: {missing[0]} and {len(missing) - 1} more are missing.")
        return cls(folder, services.pop(), catalogue, questions, files)

    def image(self, item: Entry | Question) -> bytes:
        """Return the bytes of an item's picture."""
        return (self.folder / item.file).read_bytes()


Line = TypeVar("Line", Entry, Question)


def _lines(path: Path, kind: type[Line]) -> Iterator[Line]:
    decoder = msgspec.json.Decoder(kind)
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise UnusableSource(f"{path} cannot be read: {error.strerror}.") from None
    for number, line in enumerate(lines, 1):
        try:
            if line.strip():
                yield decoder.decode(line)
        except msgspec.MsgspecError as error:
            raise UnusableSource(f"{path}, line {number}: {error}.") from None

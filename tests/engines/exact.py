"""An engine in memory that keeps exactly the promises of ``Engine``, and fails when told to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
from imagesearch.catalogue import PictureKey
from imagesearch.errors import EngineUnavailable
from imagesearch.index.engine import BATCH, HeldRow, Nearest, Question, row_id
from imagesearch.index.features import squares_of
from imagesearch.index.scan import dot_products


def _nothing(_verb: str) -> None:
    pass


class ExactEngine:
    """Every call calls ``before(verb)`` first and ``after(verb)`` once it is done.

    Either may raise: before, and the call never arrives; after, and its answer is lost. Verbs are
    the names of the methods; ``calls`` are all of them. Rows that are equally alike come in an
    order of no meaning.
    """

    def __init__(
        self, name: str = "exact:rows", *, deepest: int = 10_000, named_at_once: int = BATCH
    ) -> None:
        self._name = name
        self._deepest = deepest
        self._named_at_once = named_at_once
        self.rows: dict[str, HeldRow] | None = None
        self.calls: list[str] = []
        self.asked: list[Question] = []
        self.before: Callable[[str], None] = _nothing
        self.after: Callable[[str], None] = _nothing

    @property
    def name(self) -> str:
        return self._name

    @property
    def deepest(self) -> int:
        return self._deepest

    @property
    def named_at_once(self) -> int:
        return self._named_at_once

    @property
    def segments(self) -> set[str]:
        """Return the segments of which there are rows."""
        return {row.segment for row in (self.rows or {}).values()}

    def create(self) -> None:
        with self._call("create"):
            self.rows = {} if self.rows is None else self.rows

    def fill(self, rows: Sequence[HeldRow]) -> None:
        assert 0 < len(rows) <= BATCH
        with self._call("fill"):
            self._there().update({row.id: row for row in rows})

    def remove(self, segment: str, keys: Iterable[PictureKey]) -> None:
        with self._call("remove"):
            for key in keys:
                (self.rows or {}).pop(row_id(segment, key), None)

    def nearest(self, question: Question) -> Nearest:
        assert 0 < question.wanted <= self._deepest
        with self._call("nearest"):
            self.asked.append(question)
            rows = [row for row in self._there().values() if _passes(row, question)]
            found = sorted(rows, key=lambda row: row.id[::-1])
            if found:
                looks = np.stack([row.look for row in found])
                lengths = np.sqrt(squares_of(looks).astype(np.float64))
                cosines = dot_products(question.features.row, looks) / lengths
                found = [found[i] for i in np.argsort(-cosines, kind="stable").tolist()]
            return Nearest(found[: question.wanted], len(found) <= question.wanted)

    def find(self, keys: Sequence[PictureKey], segments: Sequence[str]) -> Sequence[HeldRow]:
        assert 0 < len(keys) <= BATCH
        with self._call("find"):
            names = (row_id(segment, key) for key in keys for segment in segments)
            return [row for name in names if (row := self._there().get(name))]

    def erase(self) -> None:
        with self._call("erase"):
            self.rows = None

    def _there(self) -> dict[str, HeldRow]:
        if self.rows is None:
            raise EngineUnavailable(f"{self._name} has no such collection.")
        return self.rows

    @contextmanager
    def _call(self, verb: str) -> Iterator[None]:
        self.calls.append(verb)
        self.before(verb)
        yield
        self.after(verb)


def _passes(row: HeldRow, question: Question) -> bool:
    return (
        row.segment in question.segments
        and question.category_id in (None, row.picture.category_id)
        and (question.filter is None or question.filter.matches(row.picture.attributes))
    )


class Failures:
    """Makes calls of an engine fail: ``skip`` succeed, the next ``times`` do not.

    With ``late`` they arrive, and only their answers are lost.
    """

    def __init__(self, engine: ExactEngine) -> None:
        self.failed = 0
        self._skip = self._times = 0
        self._late = False
        engine.before = lambda _verb: self._step(late=False)
        engine.after = lambda _verb: self._step(late=True)

    def begin(self, skip: int, times: int, *, late: bool) -> None:
        self._skip, self._times, self._late = skip, times, late

    def end(self) -> None:
        self._times = 0

    def _step(self, *, late: bool) -> None:
        if late != self._late or not self._times:
            return
        if self._skip:
            self._skip -= 1
            return
        self._times -= 1
        self.failed += 1
        raise EngineUnavailable("the engine stays silent.")

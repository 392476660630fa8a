"""Finding pictures by words: those their owners gave, those of what is seen, and by meaning.

Each term of a query is a bit, so that what is known of a row is one number. Every row that passes
is looked at, column by column.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imagesearch.catalogue import Picture
from imagesearch.catalogue.filter import Filter
from imagesearch.catalogue.filter.expression import STRING_FIELDS
from imagesearch.index.block import Block
from imagesearch.index.groups import PRODUCT, groups
from imagesearch.index.meanings import cosines_of
from imagesearch.index.view import View, passing

__all__ = ["MOST_TERMS", "Worded", "WordedAnswer", "WordedQuery", "Wording", "search_words"]

MOST_TERMS = 63
"""Terms that a query may have."""
SEEN = 0.5
"""What a term counts that is known by what is seen only, not by what the owner said."""
LEAST_COSINE = 0.1
"""Cosine below which a meaning alone does not make a picture a hit."""

Bits = NDArray[np.uint64]


@dataclass(frozen=True, slots=True, eq=False)
class Wording:
    """The terms of a query, and where they occur.

    ``said`` gives the bits of the terms that a text has, ``classes`` (1000,) and ``categories``
    those that the names of a class or category have.
    """

    terms: int
    said: Callable[[str], int]
    classes: Bits
    categories: Mapping[int, int]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WordedQuery:
    """What to look for, in words and, if given, by meaning, (512,) int8.

    ``category_id``, ``filter``, ``num``, ``start``, ``score_threshold``, ``distinct_product`` and
    ``distinct_by`` are as in :class:`~imagesearch.index.search.Query`.
    """

    wording: Wording
    meaning: NDArray[np.int8] | None = None
    category_id: int | None = None
    filter: Filter | None = None
    num: int = 10
    start: int = 0
    score_threshold: float = 0.0
    distinct_product: bool = False
    distinct_by: str = PRODUCT


@dataclass(frozen=True, slots=True)
class Worded:
    """A picture that was found.

    ``words`` is the part of the query's words (0…1) that is known of it, ``cosine`` (-1…1) how
    near its meaning is; ``None`` if it has none. ``score`` = 1 − (1 − words)(1 − max(0, cosine)).
    """

    picture: Picture
    score: float
    words: float
    cosine: float | None


@dataclass(frozen=True, slots=True)
class WordedAnswer:
    """Hits, best first, then nearest in meaning, then by key; ``total`` counts them all.

    A picture is a hit if a word of the query is known of it or its cosine is 0.1 at least.
    """

    hits: tuple[Worded, ...]
    total: int


@dataclass(frozen=True, slots=True)
class _Part:
    """Rows of one block that pass, the query's terms known of each, and its cosine (NaN: none)."""

    block: Block
    rows: NDArray[np.int64]
    own: Bits
    seen: Bits
    cosines: NDArray[np.float32]


def search_words(view: View, query: WordedQuery) -> WordedAnswer:
    """Return the pictures that fit the words best in one state of an index."""
    if query.meaning is not None:
        view.prepare_meanings(query.category_id)
    parts = [part for part in _parts(view, query) if part.rows.size]
    if not parts:
        return WordedAnswer((), 0)
    own, seen = (np.concatenate([getattr(p, name) for p in parts]) for name in ("own", "seen"))
    cosines = np.concatenate([part.cosines for part in parts])
    words = _known(own, seen, query.wording.terms)
    near = np.nan_to_num(np.maximum(cosines, 0))
    scores = words + near * (1 - words)
    is_hit = ((own | seen) != 0) | (near >= LEAST_COSINE)
    places = np.flatnonzero(is_hit & (scores >= query.score_threshold))
    places = places[np.lexsort((-near[places], -scores[places]))]
    numbers = np.repeat(np.arange(len(parts)), [part.rows.size for part in parts])
    rows = np.concatenate([part.rows for part in parts])
    if query.distinct_product:
        places = places[_firsts(parts, places, query.distinct_by)]
    page = _page(places, scores, near, query.start + query.num)
    found = [
        Worded(
            parts[numbers[i]].block.picture(int(rows[i])),
            float(scores[i]),
            float(words[i]),
            None if np.isnan(cosines[i]) else float(cosines[i]),
        )
        for i in page.tolist()
    ]
    found.sort(key=lambda hit: (-hit.score, -(hit.cosine or 0), hit.picture.key))
    return WordedAnswer(tuple(found[query.start : query.start + query.num]), len(places))


def _parts(view: View, query: WordedQuery) -> Iterator[_Part]:
    for block, hidden in view.blocks(query.category_id):
        for run in block.runs:
            if query.category_id not in (None, run.category_id):
                continue
            mask = passing(block, hidden, query.filter, run.start, run.end)
            rows = np.arange(run.start, run.end)
            own = _said(block, query.wording, run.start, run.end, mask)
            seen = _seen(block, query.wording, run.start, run.end)
            seen |= np.uint64(query.wording.categories.get(run.category_id, 0))
            if mask is not None:
                rows, own, seen = rows[mask], own[mask], seen[mask]
            yield _Part(block, rows, own, seen, _cosines(block, query, rows))


def _said(
    block: Block, wording: Wording, start: int, end: int, mask: NDArray[np.bool_] | None
) -> Bits:
    """Return the terms in what the owners said of consecutive rows, of those that pass."""
    bits = np.zeros(end - start, np.uint64)
    columns = block.columns(start, end)
    for field in STRING_FIELDS:
        strings = columns.strings(field)
        used = np.unique(strings.codes if mask is None else strings.codes[mask])
        used = used[used >= 0]
        if used.size:
            table = np.zeros(int(used[-1]) + 2, np.uint64)  # the last one is for no string, -1
            table[used] = [wording.said(strings.strings[code]) for code in used.tolist()]
            bits |= table[strings.codes]
    for row, text in block.free_texts(start, end):
        if mask is None or mask[row]:
            bits[row] |= np.uint64(wording.said(text))
    return bits


def _seen(block: Block, wording: Wording, start: int, end: int) -> Bits:
    """Return the terms in the names of what consecutive rows show."""
    bits = np.zeros(end - start, np.uint64)
    classes = block.classes(start, end)
    if classes is not None and wording.classes.any():
        named = np.append(wording.classes, np.uint64(0))  # -1, no class, is the last
        bits |= np.bitwise_or.reduce(named[classes], axis=1)
    return bits


def _cosines(block: Block, query: WordedQuery, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    cosines = np.full(rows.size, np.nan, np.float32)
    if query.meaning is not None:
        meant = block.meant[rows]
        cosines[meant] = cosines_of(block, query.meaning, rows[meant])
    return cosines


def _known(own: Bits, seen: Bits, terms: int) -> NDArray[np.float64]:
    """Return the part of the terms that is known of each row, rare terms counting for more.

    A term that n_t of n rows have weighs ln(1 + n / (1 + n_t)).
    """
    share, total = np.zeros(own.size), 0.0
    for term in range(terms):
        bit = np.uint64(1 << term)
        said, shown = (own & bit) != 0, (seen & bit) != 0
        weight = float(np.log1p(own.size / (1 + np.count_nonzero(said | shown))))
        share += weight * np.where(said, 1.0, np.where(shown, SEEN, 0.0))
        total += weight
    return share / total if total else share


def _firsts(parts: list[_Part], places: NDArray[np.int64], by: str) -> NDArray[np.int64]:
    """Return which of the places, best first, are the first of their product or group."""
    every = np.concatenate([groups(part.block, part.rows, by) for part in parts])
    _, firsts = np.unique(every[places], return_index=True)
    return np.sort(firsts)


def _page(
    places: NDArray[np.int64],
    scores: NDArray[np.float64],
    near: NDArray[np.float32],
    end: int,
) -> NDArray[np.int64]:
    """Return the first ``end`` places, best first, and all that are as good as the last."""
    if len(places) <= end:
        return places
    last = places[end - 1]
    as_good = (scores[places] == scores[last]) & (near[places] == near[last])
    return places[: int(np.flatnonzero(as_good)[-1]) + 1]

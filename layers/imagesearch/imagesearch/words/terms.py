"""Words of a text in English and Chinese."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from itertools import pairwise

__all__ = ["Finder", "terms"]

_RUNS = re.compile(r"[a-z0-9]+|[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+")


def terms(text: str) -> frozenset[str]:
    """Return the terms of a text.

    A run of Latin letters and digits is one term, without a plural's ending; a run of Chinese
    characters gives each character and each pair of neighbours, for want of blanks.
    """
    return frozenset(_terms(_plain(text)))


def _plain(text: str) -> str:
    plain = text if text.isascii() else unicodedata.normalize("NFKC", text)
    return plain.casefold()


def _terms(plain: str) -> dict[str, None]:
    """Return the terms of a plain text in the order in which they first occur."""
    found: dict[str, None] = {}
    for run in _RUNS.findall(plain):
        if run.isascii():
            found[_singular(run)] = None
        else:
            found.update(dict.fromkeys(run))
            found.update(dict.fromkeys(a + b for a, b in pairwise(run)))
    return found


def _singular(word: str) -> str:
    if len(word) > 4 and word.endswith(("ches", "shes", "sses", "xes")):
        return word[:-2]
    if len(word) > 3 and word.endswith("s") and not word.endswith("ss"):
        return word[:-1]
    return word


class Finder:
    """Tells which terms of a query a text has; each term is a bit, the first the lowest."""

    def __init__(self, query: str, most: int) -> None:
        """Take the first ``most`` terms of a query."""
        self.terms: Sequence[str] = [*_terms(_plain(query))][:most]
        self._bits = {term: 1 << place for place, term in enumerate(self.terms)}

    def __call__(self, text: str) -> int:
        """Return the bits of the terms that a text has."""
        plain = _plain(text)
        if not any(term in plain for term in self.terms):  # a term is part of its word
            return 0
        bits = 0
        for term in _terms(plain):
            bits |= self._bits.get(term, 0)
        return bits

"""Words of a text in English and Chinese, and how much of a query's words a text has."""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import pairwise

__all__ = ["rarity", "share", "terms"]

_RUNS = re.compile(r"[a-z0-9]+|[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+")


def terms(text: str) -> frozenset[str]:
    """Return the terms of a text.

    A run of Latin letters and digits is one term, without a plural's ending; a run of Chinese
    characters gives each character and each pair of neighbours, for want of blanks.
    """
    found: set[str] = set()
    for run in _RUNS.findall(unicodedata.normalize("NFKC", text).casefold()):
        if run.isascii():
            found.add(_singular(run))
        else:
            found.update(run)
            found.update(a + b for a, b in pairwise(run))
    return frozenset(found)


def _singular(word: str) -> str:
    if len(word) > 4 and word.endswith(("ches", "shes", "sses", "xes")):
        return word[:-2]
    if len(word) > 3 and word.endswith("s") and not word.endswith("ss"):
        return word[:-1]
    return word


def rarity(query: frozenset[str], texts: Iterable[frozenset[str]]) -> dict[str, float]:
    """Weigh each term of a query by how few of the texts have it: ``ln(1 + n / (1 + n_t))``."""
    count, having = 0, Counter[str]()
    for text in texts:
        count += 1
        having.update(query & text)
    return {term: math.log1p(count / (1 + having[term])) for term in query}


def share(text: frozenset[str], weights: Mapping[str, float]) -> float:
    """Return which part of the query's weight a text has, 0 to 1."""
    total = math.fsum(weights.values())
    return math.fsum(weights[term] for term in weights.keys() & text) / total if total else 0.0

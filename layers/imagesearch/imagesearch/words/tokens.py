"""Split a text into the pieces of a unigram vocabulary, the most likely way.

Kudo, Subword Regularization (2018), section 3.2: the likelihood of a segmentation is the product
of its pieces'; the best one is found by dynamic programming (Viterbi).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

__all__ = ["BEGIN", "END", "UNKNOWN", "Vocabulary"]

UNKNOWN, BEGIN, END = 0, 1, 2
"""Numbers of the three pieces that stand for something else than their letters."""

_BLANK = "\u2581"
_PENALTY = 10.0  # an unknown character costs this much more than the rarest piece


class Vocabulary:
    """Pieces of text with their log-probabilities; a piece's number is its place."""

    def __init__(self, pieces: Sequence[str], scores: Sequence[float]) -> None:
        """Take pieces and scores, of equal number; the first three are the special ones."""
        self._numbers = dict(zip(pieces, range(len(pieces)), strict=True))
        for special in pieces[: END + 1]:
            del self._numbers[special]
        self._scores = scores
        self._silent = {UNKNOWN, self._numbers.get(_BLANK, UNKNOWN)}
        self._longest = max(map(len, pieces))
        self._unknown_score = min(scores) - _PENALTY

    def numbers(self, text: str) -> list[int]:
        """Return the numbers of the pieces of a text, without :data:`BEGIN` and :data:`END`.

        A character of no piece is :data:`UNKNOWN`. A blank text has no pieces.
        """
        words = unicodedata.normalize("NFKC", text).split()
        return self._split(_BLANK + _BLANK.join(words)) if words else []

    def knows(self, numbers: Sequence[int]) -> bool:
        """Tell whether any of these pieces says something: is known, and is not just a blank."""
        return not self._silent.issuperset(numbers)

    def _split(self, text: str) -> list[int]:
        best = [0.0] + [float("-inf")] * len(text)
        came_from = [0] * (len(text) + 1)
        piece = [UNKNOWN] * (len(text) + 1)
        for start in range(len(text)):
            ends = range(start + 1, min(start + self._longest, len(text)) + 1)
            found = [(end, self._numbers.get(text[start:end])) for end in ends]
            if found[0][1] is None:
                found[0] = (start + 1, UNKNOWN)
            for end, number in found:
                if number is None:
                    continue
                own = self._scores[number] if number else self._unknown_score
                if best[start] + own > best[end]:
                    best[end], came_from[end], piece[end] = best[start] + own, start, number
        numbers, end = [], len(text)
        while end:
            numbers.append(piece[end])
            end = came_from[end]
        return numbers[::-1]

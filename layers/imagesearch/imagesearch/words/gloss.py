"""What a Chinese word means in English, as far as the names of the classes tell."""

from __future__ import annotations

from collections import defaultdict
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from imagesearch.words.classes import CLASSES, class_names

if TYPE_CHECKING:
    from imagesearch.words.encoder import Encoder

__all__ = ["gloss", "vector"]

_SHARE = np.float32(0.7)


def vector(encoder: Encoder, text: str) -> NDArray[np.float32] | None:
    """Return the encoder's vector of a text, (512,) of unit length; ``None`` if it has none.

    The encoder knows English names better than Chinese ones, so the vector of a Chinese name is
    moved seven tenths of the way to the mean of its English ones.
    """
    own = encoder.vector(text)
    found = [known for name in gloss(text) if (known := encoder.vector(name)) is not None]
    if own is None or not found:
        return own
    english = np.sum(found, axis=0, dtype=np.float32)
    mixed: NDArray[np.float32] = (1 - _SHARE) * own + _SHARE * english / np.linalg.norm(english)
    return mixed / np.float32(np.linalg.norm(mixed))


def gloss(text: str) -> tuple[str, ...]:
    """Return the English names of what a text in Chinese names; none for a text that is no name.

    A name of classes gives their English names; a general word (such as 狗) the English general
    words that are used for the same classes (dog, puppy).
    """
    return () if text.isascii() else _glosses().get("".join(text.split()), ())


@cache
def _glosses() -> dict[str, tuple[str, ...]]:
    names: defaultdict[str, list[str]] = defaultdict(list)
    used: defaultdict[str, set[int]] = defaultdict(set)
    for number in range(CLASSES):
        found = class_names(number)
        if found is None:
            continue
        for name in found.chinese:
            names[name].append(found.english[0])
        for word in found.general:
            used[word].add(number)
    english: defaultdict[frozenset[int], list[str]] = defaultdict(list)
    for word, numbers in used.items():
        if word.isascii():
            english[frozenset(numbers)].append(word)
    general = {
        word: tuple(english.get(frozenset(numbers), ()))
        for word, numbers in used.items()
        if not word.isascii()
    }
    own = {name: tuple(dict.fromkeys(listed)) for name, listed in names.items()}
    return {**own, **{word: words for word, words in general.items() if words}}

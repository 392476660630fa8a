"""The text encoder: Google's Universal Sentence Encoder, multilingual v3, in numpy.

Yang and others, Multilingual Universal Sentence Encoder for Semantic Retrieval (2019): the vectors
of a text's pieces pass three stacks of convolutions over 2, 3 and 5 neighbours, are averaged and
pass four dense layers. ``layers/words/README.md`` describes the folder and where it comes from.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from imagesearch.errors import ModelError
from imagesearch.words.tokens import BEGIN, END, Vocabulary

__all__ = ["DESCRIPTION", "TABLE", "Described", "Encoder", "FileCard"]

DESCRIPTION = "encoder.json"
TABLE = "table.npy"
_DIMENSIONS = 512
_FORMAT = 1
_HASHED_UP_TO = 16 << 20

# Width of a stack's convolutions, and how many of the neighbours come before.
_STACKS = ((2, 0), (3, 1), (5, 2))
_CHANNELS = 256
_EPSILON = np.float32(1e-12)

Rows = NDArray[np.float32]


class FileCard(msgspec.Struct, frozen=True):
    """What a file of the folder must be."""

    sha256: str
    bytes: int


class Described(msgspec.Struct, frozen=True):
    """The content of ``encoder.json``."""

    id: str
    format: int
    source: str
    licence: str
    files: dict[str, FileCard]


_READ = msgspec.json.Decoder(Described)


class Encoder:
    """The encoder of one folder: texts of one meaning get vectors of a large cosine.

    Its vocabulary has Latin letters and Chinese characters.

    The table of the pieces' vectors is mapped, not read: a query touches a few of its pages.
    """

    def __init__(self, folder: Path) -> None:
        """Open the folder; :class:`ModelError` names a file that is missing or altered."""
        described = _described(folder)
        self.id = described.id
        try:
            for name, card in described.files.items():
                _check(folder / name, card)
            with np.load(folder / "weights.npz", allow_pickle=False) as stored:
                weights: dict[str, NDArray[Any]] = {name: stored[name] for name in stored.files}
            self._table = np.load(folder / TABLE, mmap_mode="r", allow_pickle=False)
            pieces = (folder / "pieces.txt").read_text("utf-8").split("\n")
        except (OSError, ValueError) as error:
            raise ModelError(f"the text encoder in {folder} cannot be read: {error}.") from None
        self._chunk = weights.pop("chunk")
        self._vocabulary = Vocabulary(pieces, weights.pop("scores").tolist())
        self._weights = {name: array.astype(np.float32) for name, array in weights.items()}

    def vector(self, text: str) -> Rows | None:
        """Return a text's vector, (512,) of unit length; ``None`` if no piece of it is known."""
        numbers = self._vocabulary.numbers(text)
        if not self._vocabulary.knows(numbers):
            return None
        pieces = self._pieces(np.array([BEGIN, *numbers, END]))
        return self._dense(self._mean(self._convolved(pieces)))

    def _pieces(self, numbers: NDArray[np.int64]) -> Rows:
        """Return the vectors of pieces, (n, 512): levels of 6 bits, scaled chunk by chunk."""
        chunk = self._chunk[numbers]
        scale, least = self._weights["scale"][chunk], self._weights["least"][chunk]
        rows: Rows = self._table[numbers] * scale[:, np.newaxis] + least[:, np.newaxis]
        return rows

    def _convolved(self, pieces: Rows) -> Rows:
        """Return the vectors with the answers of the three stacks beside them, (n, 1280)."""
        w = self._weights
        entering = _normal(pieces @ w["enter"] + w["enter.bias"], w["enter.gain"], w["enter.shift"])
        answers = [pieces]
        for place, (width, before) in enumerate(_STACKS):
            stack = entering[:, place * _CHANNELS : (place + 1) * _CHANNELS]
            for layer in ("first", "second"):
                near = _neighbours(stack, width, before)
                name = f"{layer}.{width}"
                stack = stack + np.maximum(near @ w[name] + w[f"{name}.bias"], 0)
            answers.append(stack)
        return _normal(np.concatenate(answers, axis=1), w["leave.gain"], w["leave.shift"])

    def _mean(self, rows: Rows) -> Rows:
        """Return the sum over the pieces divided by the root of their number, (512,)."""
        w = self._weights
        summed: Rows = rows.sum(axis=0) @ w["sum"] + len(rows) * w["sum.bias"]
        mean: Rows = summed / np.sqrt(np.float32(len(rows)))
        return mean

    def _dense(self, mean: Rows) -> Rows:
        w = self._weights
        first = np.maximum(mean @ w["dense0"], 0)
        second = np.maximum(mean @ w["past1"] + first @ w["dense1"], 0)
        third = np.maximum(second @ w["dense2"], 0)
        last: Rows = np.tanh(second @ w["past3"] + third @ w["dense3"])
        unit: Rows = last / np.maximum(np.linalg.norm(last), _EPSILON)
        return unit


def _neighbours(rows: Rows, width: int, before: int) -> Rows:
    """Return each row beside its neighbours, (n, width · channels); zeros beyond the ends."""
    padded = np.pad(rows, ((before, width - 1 - before), (0, 0)))
    return np.concatenate([padded[i : i + len(rows)] for i in range(width)], axis=1)


def _normal(rows: Rows, gain: Rows, shift: Rows) -> Rows:
    """Return the rows with mean 0 and variance 1, times ``gain``, plus ``shift``."""
    centred = rows - rows.mean(axis=1, keepdims=True)
    variance = np.square(centred).mean(axis=1, keepdims=True)
    normal: Rows = centred / np.sqrt(variance + _EPSILON) * gain + shift
    return normal


def _described(folder: Path) -> Described:
    try:
        described = _READ.decode((folder / DESCRIPTION).read_bytes())
    except OSError as error:
        raise ModelError(
            f"there is no text encoder in {folder}: {error.strerror}.",
            fix="Deploy the layer of words, or search without it by known words.",
        ) from None
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ModelError(f"{folder / DESCRIPTION} is not an encoder's: {error}.") from None
    if described.format != _FORMAT:
        raise ModelError(f"the text encoder in {folder} has format {described.format}, not 1.")
    if missing := {TABLE, "weights.npz", "pieces.txt"} - described.files.keys():
        raise ModelError(f"{folder / DESCRIPTION} does not list {min(missing)}.")
    return described


def _check(path: Path, card: FileCard) -> None:
    """Compare a file's size, and a small one's digest; the table would all be read for it."""
    size = path.stat().st_size
    if size != card.bytes:
        raise ModelError(f"{path} has {size} bytes, not {card.bytes}.")
    if size <= _HASHED_UP_TO and hashlib.sha256(path.read_bytes()).hexdigest() != card.sha256:
        raise ModelError(f"{path} was altered: its SHA-256 is not {card.sha256}.")

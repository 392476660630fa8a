"""The text encoder for a local run: made once from the installed package that carries it."""

from __future__ import annotations

from pathlib import Path

from imagesearch.words.encoder import DESCRIPTION
from imagesearch.words.pack import ID, installed, pack

__all__ = ["words_folder"]


def words_folder(root: Path) -> Path | None:
    """Return the encoder's folder below ``<root>/.cache``, made unless it is there.

    ``None`` if the package is not installed; text is then searched for among known words only.
    """
    resources = installed()
    if resources is None:
        return None
    folder = root.resolve() / ".cache" / "words" / ID
    if not (folder / DESCRIPTION).exists():
        pack(resources, folder)
    return folder

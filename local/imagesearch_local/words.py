"""The text encoder for a local run: made once from the installed package that carries it."""

from __future__ import annotations

from pathlib import Path

from imagesearch.words.encoder import DESCRIPTION
from imagesearch.words.pack import ID, installed, pack

from imagesearch_local.logs import SERVICE

__all__ = ["words_folder"]


def words_folder(root: Path) -> Path | None:
    """Return the encoder's folder below ``<root>/.cache``, made unless it is there.

    ``None`` if the package is not installed, or the folder cannot be written; text is then
    searched for among known words only.
    """
    resources = installed()
    if resources is None:
        return None
    folder = root.resolve() / ".cache" / "words" / ID
    if not (folder / DESCRIPTION).exists():
        try:
            pack(resources, folder)
        except OSError as error:
            SERVICE.warning("no text encoder: %s", error)
            return None
    return folder

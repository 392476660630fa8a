"""Model bundles in object storage: published once, fetched by those who need them.

A bundle lies under ``models/<id>/`` as it does in a folder. It never changes; a better one has
another id, because vectors of two bundles cannot be compared.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from imagesearch.errors import LostRace, ModelError, NoSuchObject
from imagesearch.storage import ObjectStore
from imagesearch.vision.bundle import Bundle
from imagesearch.vision.manifest import Manifest, is_id

__all__ = ["Library"]

_PIECE = 16 << 20
_DESCRIPTION = "bundle.json"


class Library:
    """The bundles of a deployment, and the folder where fetched ones are kept."""

    prefix = "models/"

    def __init__(self, store: ObjectStore, cache: Path) -> None:
        """Keep what is fetched in ``cache``, one folder a bundle."""
        self._store = store
        self._cache = cache

    def __iter__(self) -> Iterator[str]:
        """Yield the id of every bundle that is published, in order."""
        for info in self._store.list(self.prefix):
            id_, _, name = info.key.removeprefix(self.prefix).partition("/")
            if name == _DESCRIPTION:
                yield id_

    def __contains__(self, id_: str) -> bool:
        """Tell whether a bundle of this id is published."""
        try:
            self._store.head(self._key(id_, _DESCRIPTION))
        except NoSuchObject:
            return False
        return True

    def publish(self, folder: Path) -> str:
        """Check the bundle in ``folder`` and publish it; return its id.

        Its description goes last, so that a bundle that can be seen is whole. Publishing the
        same bundle again changes nothing. Raises :class:`ModelError` if it is not sound, or if
        another bundle has its id.
        """
        bundle = Bundle(folder)
        id_ = bundle.manifest.id
        try:
            for name in (*bundle.manifest.files, _DESCRIPTION):
                self._store.put_if_absent(self._key(id_, name), (folder / name).read_bytes())
        except LostRace:
            raise ModelError(
                f"a bundle {id_!r} with another {name} is published already.",
                fix="Give the bundle an id of its own.",
            ) from None
        return id_

    def fetch(self, id_: str) -> Path:
        """Return the folder of a published bundle, downloading it if it is not in the cache.

        Raises :class:`ModelError` if there is no such bundle or a file of it is missing. Its
        digests are checked when it is loaded.
        """
        if not is_id(id_):
            raise ModelError(f"{id_[:80]!r} is not the id of a bundle.")
        folder = self._cache / id_
        if (folder / _DESCRIPTION).exists():
            return folder
        try:
            self._keep(id_, folder)
        except OSError as error:
            raise ModelError(
                f"there is no room for bundle {id_!r} in {self._cache}: {error.strerror}.",
                fix="Give the function more ephemeral storage.",
            ) from error
        return folder

    def _keep(self, id_: str, folder: Path) -> None:
        self._cache.mkdir(parents=True, exist_ok=True)
        half = Path(tempfile.mkdtemp(prefix=f".{id_}-", dir=self._cache))
        try:
            self._download(id_, half)
            _move(half, folder)
        finally:
            shutil.rmtree(half, ignore_errors=True)

    def _download(self, id_: str, folder: Path) -> None:
        try:
            description = self._store.get(self._key(id_, _DESCRIPTION)).body
        except NoSuchObject:
            raise ModelError(
                f"no bundle {id_!r} is published.",
                fix=f"Publish it, or name one of: {', '.join(self) or 'none is published'}.",
            ) from None
        (folder / _DESCRIPTION).write_bytes(description)
        for name, card in Manifest.read(folder / _DESCRIPTION).files.items():
            with (folder / name).open("wb") as file:
                for start in range(0, card.bytes, _PIECE):
                    length = min(_PIECE, card.bytes - start)
                    file.write(self._piece(id_, name, start, length))

    def _piece(self, id_: str, name: str, start: int, length: int) -> bytes:
        try:
            return self._store.get_range(self._key(id_, name), start, length)
        except NoSuchObject:
            raise ModelError(f"{name} of the published bundle {id_!r} is missing.") from None

    def _key(self, id_: str, name: str) -> str:
        return f"{self.prefix}{id_}/{name}"


def _move(half: Path, folder: Path) -> None:
    """Put a whole download in its place, unless somebody else has meanwhile done so."""
    try:
        half.replace(folder)
    except OSError:
        if not (folder / _DESCRIPTION).exists():
            raise

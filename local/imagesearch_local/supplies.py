"""Pictures that are supplied a second time: from a folder, a manifest, or an increment's folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from imagesearch.catalogue import PictureKey
from imagesearch.errors import PictureNotInSource
from imagesearch.ingest.lines import Line, read_lines
from imagesearch.ingest.preflight import folder_of
from imagesearch.ingest.source import BucketSource
from imagesearch.operations.deployment import Deployment
from imagesearch.storage.s3 import connect
from imagesearch_client import UnusableSource, read_source

__all__ = ["Supplies"]

_META = "increment.meta"


@dataclass(frozen=True, slots=True)
class Supplies:
    """How the file of each picture is got, by the picture's key."""

    files: Mapping[PictureKey, Callable[[], bytes]]

    def __call__(self, key: PictureKey) -> bytes | None:
        """Return a picture's file, or ``None`` if it is not at hand."""
        get = self.files.get(key)
        try:
            return get() if get else None
        except (OSError, PictureNotInSource):
            return None

    @classmethod
    def of(cls, source: str, deployment: Deployment) -> Self:
        """List what ``source`` holds; :class:`UnusableSource` if it is nothing of the kind.

        A folder or a manifest is read as by ``imagesearch import``; a folder with an
        ``increment.meta``, here or at ``s3://BUCKET/PATH``, by that. None at all is fine.
        """
        if not source:
            return cls({})
        if source.startswith("s3://"):
            return cls(_in_bucket(source, deployment))
        folder = Path(source)
        if (folder / _META).is_file():
            return cls(_of_increment(folder))
        items = [item for item in read_source(folder).items if item.file and not item.problem]
        return cls({PictureKey(*item.key): item.file.read_bytes for item in items if item.file})


def _of_increment(folder: Path) -> dict[PictureKey, Callable[[], bytes]]:
    with (folder / _META).open("rb") as blocks:
        lines = [line for line in read_lines(blocks) if isinstance(line, Line) and line.adds]
    return {line.key: (folder / line.pic_name.lstrip("/")).read_bytes for line in lines}


def _in_bucket(source: str, deployment: Deployment) -> dict[PictureKey, Callable[[], bytes]]:
    bucket, _, path = source.removeprefix("s3://").partition("/")
    opened = BucketSource(bucket, connect(endpoint=deployment.settings.endpoint))
    folder = folder_of(f"/{path}")
    meta = opened.find(f"{folder}/{_META}" if folder else _META)
    if meta is None:
        raise UnusableSource(f"{source} has no {_META}.")
    lines = [line for line in read_lines(opened.stream(meta)) if isinstance(line, Line)]

    def getter(name: str) -> Callable[[], bytes]:
        return lambda: opened.picture(folder, name)

    return {line.key: getter(line.pic_name) for line in lines if line.adds}

"""What is to be imported: the lines of a manifest, or the pictures of a folder."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from imagesearch_client.errors import ImageSearchError
from imagesearch_client.fields import AddFields

__all__ = ["FIELDS", "Item", "Listing", "UnusableSource", "read_source"]

FIELDS = frozenset(
    {"product_id", "pic_name", *AddFields.__annotations__} - {"if_exists", "if_duplicate"}
)
"""The fields of a manifest line that go into the request; ``file`` names the picture."""

_SUFFIXES = frozenset(
    {*(".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp"), *(".tif", ".tiff", ".ppm")}
)


class UnusableSource(ImageSearchError):
    """The source of an import is not there or holds nothing."""


@dataclass(frozen=True)
class Item:
    """One picture to import. ``problem`` says why it cannot be, if so."""

    origin: str
    file: Path | None
    fields: dict[str, Any] = field(default_factory=dict)
    problem: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """Return product_id and pic_name."""
        return str(self.fields.get("product_id", "")), str(self.fields.get("pic_name", ""))


@dataclass(frozen=True)
class Listing:
    """All items of a source, and how often each field that is not used occurs."""

    items: tuple[Item, ...]
    unused: Counter[str]


def read_source(source: str | os.PathLike[str]) -> Listing:
    """List what ``source`` holds; raise :class:`UnusableSource` when there is nothing.

    A *manifest* has one JSON object a line: ``product_id``, ``pic_name``, ``file`` (relative to
    the manifest) and any attribute. In a *folder*, a picture in ``FOLDER/A/B/x.jpg`` becomes
    picture ``x.jpg`` of product ``A_B``; one in the folder itself, ``x.jpg`` of product ``x``.
    """
    source, unused = Path(source), Counter[str]()
    if source.is_dir():
        items = list(_folder(source))
    elif source.is_file():
        items = list(_manifest(source, unused))
    else:
        raise UnusableSource(f"there is no file or folder {source}.")
    if not items:
        taken = ", ".join(sorted(_SUFFIXES))
        raise UnusableSource(f"{source} holds no pictures; a picture's name ends in {taken}.")
    return Listing(tuple(_without_repeats(items)), unused)


def _folder(folder: Path) -> Iterator[Item]:
    for file in sorted(folder.rglob("*")):
        place = file.relative_to(folder)
        hidden = any(part.startswith(".") for part in place.parts)
        if hidden or file.suffix.lower() not in _SUFFIXES or not file.is_file():
            continue
        product = "_".join(place.parts[:-1]) or file.stem
        yield Item(str(place), file, {"product_id": product, "pic_name": file.name})


def _manifest(manifest: Path, unused: Counter[str]) -> Iterator[Item]:
    with manifest.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                yield _line(line, f"line {number}", manifest.parent, unused)


def _line(line: bytes, origin: str, folder: Path, unused: Counter[str]) -> Item:
    try:
        given = json.loads(line)
    except ValueError as error:
        return Item(origin, None, problem=f"not JSON: {error}")
    if not isinstance(given, dict):
        return Item(origin, None, problem="not a JSON object")
    missing = [name for name in ("product_id", "pic_name", "file") if not given.get(name)]
    if missing:
        return Item(origin, None, problem=f"{', '.join(missing)} is missing")
    unused.update(given.keys() - FIELDS - {"file"})
    fields = {name: given[name] for name in FIELDS & given.keys() if given[name] is not None}
    return Item(origin, folder / str(given["file"]), fields)


def _without_repeats(items: Iterable[Item]) -> Iterator[Item]:
    """Mark every item whose key an earlier one has: only one of them could stay."""
    first: dict[tuple[str, str], Item] = {}
    for item in items:
        earlier = None if item.problem else first.setdefault(item.key, item)
        if earlier is None or earlier is item:
            yield item
        else:
            problem = f"same product_id and pic_name as {earlier.origin}"
            yield Item(item.origin, item.file, item.fields, problem)

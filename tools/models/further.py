"""Further labelled pictures for the category head: icons, more clip-art, shop photographs.

Each item's label is the number of its category.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path

from PIL import Image

from tools.models.collect import Item, read_items, save_cutout, save_photo, spread
from tools.models.groups import OTHER
from tools.models.icons import icons
from tools.models.labels import category_of
from tools.models.packages import Say
from tools.models.sources import SOURCES, unpack

__all__ = ["FURTHER", "further_items"]

_SHOP = Path(__file__).with_name("shop.txt")
_MOST = 300
_UNTOLD = {"special", "shapes", "cards", "geography", "flags", "duplicates", "signs", "buttons"}


def further_items(kind: str, cache: Path, say: Say = print) -> list[Item]:
    """Return the pictures of one of ``FURTHER``, collected unless they are there."""
    listing = cache / "pictures" / f"{kind}.jsonl"
    if not listing.exists():
        items = list(FURTHER[kind](cache, say))
        say(f"{kind}: {len(items)}")
        listing.write_text("".join(json.dumps(asdict(item)) + "\n" for item in items))
    return read_items(cache, listing.name)


def _icons(cache: Path, say: Say) -> Iterator[Item]:
    """Yield icons, of no category more than ``_MOST``, of Other every third at most."""
    grouped: dict[int, list[Item]] = defaultdict(list)
    for source, name, file, category in icons(cache, say):
        concept = f"icon:{source.rpartition('/')[2]}/{name}"
        grouped[category].append(Item(file, "icon", source, concept, str(category)))
    for category, items in grouped.items():
        yield from spread(items[2::3] if category == OTHER else items, _MOST)


def _clips(cache: Path, say: Say) -> Iterator[Item]:
    """Yield clip-art that shows a product and is not among the collected pictures."""
    taken = {item.concept.partition(":")[2] for item in read_items(cache)}
    folder = unpack(SOURCES["openclipart-png"], cache, say) / "usr/share/openclipart/png"
    for path in sorted(folder.rglob("*.png")):
        place = path.relative_to(folder)
        if _UNTOLD & set(place.parts) or path.stem in taken:
            continue
        label = " ".join([*place.parts[:-1], path.stem])
        category = category_of("clipart", label)
        if category in (None, OTHER):
            continue
        taken.add(path.stem)
        with Image.open(path) as opened:
            if min(opened.size) < 48 or max(opened.size) > 3000:
                continue
            file = save_cutout(cache, "openclipart", path.stem, opened.convert("RGBA"))
        if file:
            yield Item(file, "clip", "openclipart-png", f"clip:{path.stem}", str(category))


def _shop(cache: Path, say: Say) -> Iterator[Item]:
    source = "@vendure/create"
    folder = unpack(SOURCES[source], cache, say) / "package" / "assets" / "images"
    for line in _SHOP.read_text("utf-8").splitlines():
        if not line.startswith("#"):
            category, name = line.split(" | ")
            with Image.open(folder / name) as opened:
                picture = opened.convert("RGB")
            picture.thumbnail((640, 640), Image.Resampling.LANCZOS)
            file = f"photo/shop-{name}"
            save_photo(cache, file, picture)
            yield Item(file, "shop", source, f"shop:{Path(name).stem}", category)


FURTHER: Mapping[str, Callable[[Path, Say], Iterator[Item]]] = {
    "icon": _icons,
    "clip": _clips,
    "shop": _shop,
}
"""Kinds of further pictures and what collects them."""

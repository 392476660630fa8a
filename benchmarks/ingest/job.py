"""A batch task whose end is known: its lines, and what the catalogue must be afterwards."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["Job", "job"]

DEMO = Path(__file__).parents[2] / "local/imagesearch_local/demo/catalog"


@dataclass(frozen=True, slots=True)
class Job:
    """``pictures`` by file name, the ``lines`` of increment.meta, and what must come of them.

    ``catalogue`` maps (product, picture) to its int_attr; ``failing`` are line numbers.
    """

    pictures: Mapping[str, bytes]
    lines: Sequence[Mapping[str, Any]]
    catalogue: Mapping[tuple[str, str], int]
    failing: Sequence[int]
    counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def meta(self) -> bytes:
        """Return increment.meta."""
        return "".join(json.dumps(line) + "\n" for line in self.lines).encode()


def job(count: int, *, light: bool) -> Job:
    """Return a task that adds ``count`` pictures, repeated under new ids.

    Between the additions are deletions of pictures and whole products, additions after deletions,
    and pictures that are missing or broken. ``light`` gives region and category of each picture,
    so that only the embedder runs.
    """
    files = {path.name: path.read_bytes() for path in sorted(DEMO.glob("*.jpg"))}
    names = list(files)
    files["broken.jpg"] = files[names[0]][:500]
    more = {"Region": "0,64,0,64", "CategoryId": 5} if light else {}
    lines: list[dict[str, Any]] = []
    for number in range(count):
        product, name = f"p{number // 2}", names[number % len(names)]
        lines.append(_add(product, name, number, more))
        match number % 50:
            case 11:
                lines.append({"OperationType": "DELETE", "ProductId": product, "PicName": name})
            case 23:
                lines.append({"OperationType": "DELETE", "ProductId": f"p{number // 4}"})
            case 31:
                lines.append({"OperationType": "DELETE", "ProductId": product, "PicName": name})
                lines.append(_add(product, name, -number, more))
            case 40:
                lines.append(_add(product, "missing.jpg", number, more))
            case 45:
                lines.append(_add(product, "broken.jpg", number, more))
    return Job(files, lines, *_outcome(lines))


def _add(product: str, name: str, value: int, more: Mapping[str, Any]) -> dict[str, Any]:
    line = {"OperationType": "ADD", "ProductId": product, "PicName": name, "IntAttr": value}
    return {**line, **more}


def _outcome(
    lines: Sequence[Mapping[str, Any]],
) -> tuple[dict[tuple[str, str], int], list[int], dict[str, int]]:
    """Carry out the lines one after the other."""
    standing: dict[tuple[str, str], int] = {}
    failing: list[int] = []
    counts = {"total": len(lines), "added": 0, "deleted": 0, "failed": 0}
    for number, line in enumerate(lines, start=1):
        key = (line["ProductId"], line.get("PicName", ""))
        if line["OperationType"] == "DELETE":
            counts["deleted"] += 1
            for gone in [k for k in standing if k == key or (not key[1] and k[0] == key[0])]:
                del standing[gone]
        elif key[1] in {"missing.jpg", "broken.jpg"}:
            counts["failed"] += 1
            failing.append(number)
        else:
            counts["added"] += 1
            standing[key] = line["IntAttr"]
    return standing, failing, counts

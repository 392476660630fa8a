"""Everything that is installed is pinned by hash, licensed, and named in the list of parts."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = (
    "requirements.lock",
    "layers/runtime/requirements.txt",
    "tools/supply/requirements.txt",
    "tools/engines/requirements.txt",
    "tools/engines/milvus_layer.txt",
    "tools/fuzz/requirements.txt",
)
_PINNED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)", re.MULTILINE)


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pinned(text: str) -> dict[str, str]:
    return {canonical(name): version for name, version in _PINNED.findall(text)}


def lock() -> dict[str, str]:
    return pinned((ROOT / "requirements.lock").read_text("utf-8"))


def test_the_lock_is_that_of_the_project() -> None:
    """If this fails: run tools/supply/run.sh lock, and make setup."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    wanted = pinned("\n".join([*project["dependencies"], *extras["local"], *extras["dev"]]))
    assert wanted.items() <= lock().items()


@pytest.mark.parametrize("name", LOCKS)
def test_every_package_has_its_hashes(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    entries = re.split(r"\n(?=[A-Za-z0-9])", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE))
    assert entries
    for entry in entries:
        assert _PINNED.match(entry.strip()), entry[:80]
        assert "--hash=sha256:" in entry, entry[:80]


def test_the_list_of_parts_is_that_of_the_lock() -> None:
    """If this fails: run tools/supply/run.sh sbom."""
    sbom = json.loads((ROOT / "docs/sbom.cdx.json").read_text("utf-8"))
    parts = {canonical(one["name"]): one["version"] for one in sbom["components"]}
    parts.pop("pip", None)
    parts.pop("serverless-image-search", None)
    locked = lock()
    assert {n: v for n, v in parts.items() if locked.get(n) != v} == {}
    text = (ROOT / "requirements.lock").read_text("utf-8")
    elsewhere = {canonical(n) for n in re.findall(r"^([\w.-]+)==\S+ ; ", text, re.MULTILINE)}
    assert locked.keys() - parts.keys() <= elsewhere


def test_no_licence_of_the_layer_asks_for_our_sources() -> None:
    page = (ROOT / "docs/licences.md").read_text("utf-8")
    rows = [line for line in page.splitlines() if line.endswith("| yes |")]
    assert len(rows) == len(pinned((ROOT / "layers/runtime/requirements.txt").read_text("utf-8")))
    assert not [row for row in rows if re.search(r"\b[AL]?GPL|SSPL|not declared", row)]

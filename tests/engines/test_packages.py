"""What tests and functions use of Milvus is one and the same, beside what they have already."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def pinned(name: str) -> dict[str, str]:
    text = (ROOT / name).read_text("utf-8")
    return dict(re.findall(r"^([a-z0-9._-]+)==([^\s;\\]+)", text, re.MULTILINE))


def test_packages_beside_each_other_are_of_one_version() -> None:
    """If this fails: compile the files in tools/engines anew, with requirements.lock."""
    tests = pinned("tools/engines/requirements.txt")
    layer = pinned("tools/engines/milvus_layer.txt")
    runtime = pinned("layers/runtime/requirements.txt")
    lock = pinned("requirements.lock")
    for one, other in ((tests, lock), (layer, tests), (layer, lock)):
        assert {name: one[name] for name in one.keys() & other.keys()} == {
            name: other[name] for name in one.keys() & other.keys()
        }
    assert "pymilvus" in layer
    assert not layer.keys() & runtime.keys()

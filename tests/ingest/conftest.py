"""A yard with a few pictures."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ingest.yard import Yard


@pytest.fixture
def yard(tmp_path: Path) -> Yard:
    return Yard(tmp_path, {"goods/a.jpg": b"1:3", "root.jpg": b"2:4", "goods/bad.jpg": b"bad"})

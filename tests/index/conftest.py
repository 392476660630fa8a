"""An index whose segments are all held by an engine elsewhere."""

from __future__ import annotations

import pytest

from tests.index.outposts import Place, pictures


@pytest.fixture
def place() -> Place:
    """Return an index of three segments, all held by an engine that serves."""
    made = Place()
    for start in range(0, 90, 30):
        made.add(*pictures(start, start + 30))
        made.open().fold()
    made.hand_over()
    return made

"""What the contract's tests share."""

from pathlib import Path

import pytest

from tests.contract.caller import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    """The contract, with the product instance ``shop`` and a key that may do everything."""
    return World(tmp_path / "cache")

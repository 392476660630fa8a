"""Every harness by its name."""

from __future__ import annotations

from tests.fuzz import elsewhere, pictures, requests, stored, texts
from tests.fuzz.harness import Harness

__all__ = ["HARNESSES"]

HARNESSES: dict[str, Harness] = {
    harness.name: harness
    for module in (pictures, requests, texts, stored, elsewhere)
    for harness in module.HARNESSES
}

"""The demo catalogue: 96 pictures of 76 products in all 14 categories; credits in CREDITS.md."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from imagesearch_client import Client, Journal, Summary, read_source

__all__ = ["DEMO", "FOLDER", "QUERY", "load_demo"]

DEMO = "demo"
"""Name of the instance that holds the demo catalogue."""

FOLDER = Path(__file__).parent
QUERY = FOLDER / "queries" / "scopia_237__q1.jpg"
"""A picture to try: another view of a product of the catalogue."""


def load_demo(client: Client, journals: Path, on_progress: Callable[[Summary], None]) -> Summary:
    """Create the instance and add what an earlier run has not added."""
    created = client.create_instance(DEMO, "product").created
    listing = read_source(FOLDER / "catalog.jsonl")
    with Journal.of_import(journals, DEMO, created) as journal:
        return client.import_folder(DEMO, listing, journal=journal, on_progress=on_progress)

"""The demo catalogue: 96 pictures of 76 products in all 14 categories; credits in CREDITS.md."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from imagesearch_local.client import Client
from imagesearch_local.importer import Importer, Summary
from imagesearch_local.journal import Journal
from imagesearch_local.manifest import read_source

__all__ = ["DEMO", "FOLDER", "QUERY", "load_demo"]

DEMO = "demo"
"""Name of the instance that holds the demo catalogue."""

FOLDER = Path(__file__).parent
QUERY = FOLDER / "queries" / "scopia_237__q1.jpg"
"""A picture to try: another view of a product of the catalogue."""


def load_demo(
    client: Client, journals: Path, progress: Callable[[int], Callable[[], None]]
) -> Summary:
    """Create the instance and add what an earlier run has not added.

    ``progress`` is given the number of pictures and returns what to call after each.
    """
    created = client.create_instance(DEMO, "product")["created"]
    items = read_source(FOLDER / "catalog.jsonl").items
    with Journal.of_import(journals, DEMO, created) as journal:
        return Importer(client, DEMO, journal).run(items, progress(len(items)))

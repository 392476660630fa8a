"""``imagesearch import``: many pictures at once."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from imagesearch_client import DEFAULT_URL, Journal, Listing, Summary, read_source
from imagesearch_client.journal import journal_folder

from imagesearch_local.commands.exits import Exit
from imagesearch_local.commands.options import ApiKey, AsJson, Instance, Url, connect
from imagesearch_local.commands.output import complain, import_progress, print_json

__all__ = ["import_pictures", "list_failures", "report"]

_SHOWN = 20


def import_pictures(
    instance: Instance,
    source: Annotated[
        Path, typer.Argument(help="FOLDER of pictures, or MANIFEST.jsonl.", show_default=False)
    ],
    workers: Annotated[int, typer.Option(min=1, max=64, help="Requests at once.")] = 4,
    again: Annotated[
        bool, typer.Option("--again", help="Send all, also what an earlier run has added.")
    ] = False,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Add all pictures of a folder or manifest.

    FOLDER/A/B/x.jpg becomes picture x.jpg of product A_B. A manifest line is a JSON object with
    product_id, pic_name, file (relative to the manifest) and any attribute. A journal keeps what
    was acknowledged: the same command again sends only new, changed and failed pictures.
    """
    listing = read_source(source)
    with connect(url, api_key) as client:
        created = client.instance(instance).created
        journals = journal_folder()
        parts = (client.url, instance, created, source.resolve())
        if again:
            Journal.forget(journals, *parts)
        with (
            Journal.of_import(journals, *parts) as journal,
            import_progress(f"import into {instance}", hidden=as_json) as show,
        ):
            summary = client.import_folder(
                instance, listing, journal=journal, workers=workers, on_progress=show
            )
    report(summary, listing, as_json=as_json)
    if summary.stopped or summary.failures:
        raise typer.Exit(Exit.INCOMPLETE)


def report(summary: Summary, listing: Listing, *, as_json: bool) -> None:
    """Print how an import went."""
    if as_json:
        print_json({**asdict(summary), "unused_fields": dict(listing.unused)})
        return
    list_failures(summary)
    if len(summary.failures) > _SHOWN:
        complain("--json lists every failure.")
    if listing.unused:
        complain(f"fields that are not used: {', '.join(sorted(listing.unused))}")
    if summary.stopped:
        complain(f"stopped early: {summary.stopped}. Run the same command again to go on.")
    complain(
        f"{summary.added} added, {summary.known} known from before, "
        f"{len(summary.failures)} failed, of {summary.total} in {summary.seconds:.1f} s"
    )


def list_failures(summary: Summary, shown: int = _SHOWN) -> None:
    """Print the first failures; those with the same reason share a line."""
    reasons: dict[str, list[str]] = {}
    for failure in summary.failures:
        reasons.setdefault(f"{failure.code}: {failure.detail}", []).append(failure.origin)
    for reason, origins in list(reasons.items())[:shown]:
        more = f" and {len(origins) - 1} more" if len(origins) > 1 else ""
        complain(f"{origins[0]}{more}: {reason}")
    if len(reasons) > shown:
        complain(f"… and {len(reasons) - shown} other reasons")

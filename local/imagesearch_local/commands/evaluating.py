"""``imagesearch eval``: the search quality on a labelled set."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from imagesearch_client import DEFAULT_URL

from imagesearch_local.commands.options import ApiKey, AsJson, Url, connect
from imagesearch_local.commands.output import print_json, print_table

__all__ = ["eval_command"]


class Boxes(StrEnum):
    """Which subject box is used for catalogue and query pictures."""

    found = "found"
    true = "true"
    whole = "whole"


def eval_command(
    folder: Annotated[
        Path,
        typer.Argument(help="Folder with catalog.jsonl and queries.jsonl.", show_default=False),
    ],
    boxes: Annotated[
        Boxes, typer.Option(help="Subject boxes: found, true (the labelled ones) or whole.")
    ] = Boxes.found,
    report: Annotated[
        Path | None, typer.Option(help="Write report.html into this folder.", show_default=False)
    ] = None,
    bundle: Annotated[
        list[Path] | None,
        typer.Option(
            help="Measure this model bundle in this process, without a server; give two to "
            "compare them.",
            show_default=False,
        ),
    ] = None,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Pictures at once.")] = 2,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Measure search quality: index FOLDER's catalogue, ask its queries, print the figures.

    The catalogue goes into an instance of its own, which is erased in the end. A line of
    catalog.jsonl has service, product_id, pic_name, file, label, category_id and region; one of
    queries.jsonl has query_id, file, kind, relevant (product ids), region and category_id. Files
    are relative to FOLDER; a region is x1,x2,y1,y2 in pixels.
    """
    from imagesearch_local.evaluation import Settings, compare, evaluate

    settings = Settings(boxes=boxes.value, workers=workers, report=report)
    if bundle and len(bundle) > 1:
        results = compare(folder, bundle, settings)
    elif bundle:
        results = [evaluate(folder, bundle=bundle[0], settings=settings)]
    else:
        with connect(url, api_key) as client:
            results = [evaluate(folder, client=client, settings=settings)]
    for result in results:
        _print(result, as_json=as_json)


def _print(result: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(result)
        return
    figures = dict(result)
    kinds = figures.pop("by_kind")
    rows = [{"kind": "all", **figures}, *({"kind": k, **v} for k, v in kinds.items())]
    columns = ["kind", "queries", "recall_at_1", "recall_at_10", "map", "category_accuracy"]
    print_table([*columns, "subject_iou", "ms_per_query"], rows)

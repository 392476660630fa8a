"""``imagesearch facets``, ``duplicates`` and ``dump``: all pictures of an instance at once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from imagesearch_client import DEFAULT_URL

from imagesearch_local.commands.options import ApiKey, AsJson, Instance, Url, connect
from imagesearch_local.commands.output import complain, counting, print_json, print_table

__all__ = ["dump", "duplicates", "facets"]


def facets(
    instance: Instance,
    by: Annotated[
        list[str], typer.Argument(help="Fields: category_id, str_attr, …", show_default=False)
    ],
    filter: Annotated[str, typer.Option(help="Only pictures that this selects.")] = "",
    limit: Annotated[int, typer.Option(help="Values shown of each field.")] = 20,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Count pictures by category and attributes."""
    with connect(url, api_key) as client:
        found = client.facets(instance, *by, filter=filter, limit=limit)
    if as_json:
        print_json({"facets": found})
        return
    for field, facet in found.items():
        print_table((field, "count"), [{field: v.value, "count": v.count} for v in facet.values])
        complain(f"{facet.others} with other values, {facet.missing} without {field}")


def duplicates(
    instance: Instance,
    score: Annotated[
        float | None, typer.Option(help="Least score of a pair; the server's if not given.")
    ] = None,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Find pictures that look the same; each pair is told once."""
    rows: list[dict[str, Any]] = []
    groups = []
    with connect(url, api_key) as client:
        total = client.instance(instance).pictures
        with counting("compared", total, hidden=as_json) as show:
            for twins in client.duplicates(instance, score=score, on_progress=show):
                groups.append(twins)
                rows += [_pair(twins.picture, hit) for hit in twins.duplicates]
    if as_json:
        print_json({"groups": groups})
        return
    print_table(("score", "product_id", "pic_name", "same as product_id", "pic_name "), rows)
    complain(f"{len(rows)} pairs among {total} pictures")


def dump(
    instance: Instance,
    file: Annotated[Path, typer.Argument(help="File to write, such as increment.meta.")],
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Write the record of every picture as a line of increment.meta.

    Put beside the pictures, the file brings them into any instance again.
    """
    with connect(url, api_key) as client:
        count = client.dump(instance, file)
    print_json({"pictures": count}) if as_json else complain(f"{count} pictures in {file}")


def _pair(picture: msgspec.Struct, hit: msgspec.Struct) -> dict[str, Any]:
    one, other = msgspec.to_builtins(picture), msgspec.to_builtins(hit)
    named = {"same as product_id": one["product_id"], "pic_name ": one["pic_name"]}
    return {**named, **{name: other[name] for name in ("score", "product_id", "pic_name")}}

"""``imagesearch add``, ``update``, ``show``, ``search``, ``compare``, ``delete``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from imagesearch_client import DEFAULT_URL, answers
from imagesearch_client.sources import FIELDS

from imagesearch_local.commands.options import ApiKey, AsJson, Instance, Url, connect
from imagesearch_local.commands.output import complain, print_fields, print_json, print_table

__all__ = ["add", "compare", "delete", "search", "show", "update"]

_PICTURE = {"exists": True, "dir_okay": False, "readable": True, "show_default": False}
Picture = Annotated[Path, typer.Argument(help="Picture file.", **_PICTURE)]
Product = Annotated[str, typer.Argument(help="Product the picture shows.", show_default=False)]
Attributes = Annotated[
    list[str],
    typer.Option("--set", metavar="FIELD=VALUE", help="Attribute, e.g. int_attr=5; repeat."),
]
Name = Annotated[str, typer.Argument(help="Picture of the product.", show_default=False)]
Category = Annotated[int | None, typer.Option("--category", help="Category id; else predicted.")]
Region = Annotated[
    str | None, typer.Option("--region", help="Subject as x1,x2,y1,y2 in pixels; else found.")
]
Whole = Annotated[bool, typer.Option("--whole", help="Take the whole picture, no subject.")]


def add(
    instance: Instance,
    picture: Picture,
    product_id: Annotated[str, typer.Option("--product", help="Default: the file's stem.")] = "",
    pic_name: Annotated[str, typer.Option("--name", help="Default: the file's name.")] = "",
    category_id: Category = None,
    region: Region = None,
    whole: Whole = False,
    attributes: Attributes = [],  # noqa: B006  typer reads the default, nobody changes it
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Add one picture, or replace it. It is searchable when this returns."""
    fields: dict[str, Any] = _subject(category_id, region, whole)
    fields |= dict(_attribute(text) for text in attributes)
    key = product_id or picture.stem, pic_name or picture.name
    with connect(url, api_key) as client:
        added = client.add(instance, picture, *key, **fields)
    print_json(added) if as_json else print_fields(added.picture)


def update(
    instance: Instance,
    product_id: Product,
    pic_name: Name,
    attributes: Attributes,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Change attributes of a picture; those that are not given stay."""
    fields: dict[str, Any] = dict(_attribute(text) for text in attributes)
    with connect(url, api_key) as client:
        updated = client.update(instance, product_id, pic_name, **fields)
    print_json(updated) if as_json else print_fields(updated.picture)


def compare(
    instance: Instance,
    picture: Picture,
    other: Annotated[Path, typer.Argument(help="Picture to compare it with.", **_PICTURE)],
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Tell how alike two pictures look, without adding them."""
    with connect(url, api_key) as client:
        compared = client.compare(instance, picture, other)
    print_json(compared) if as_json else print_fields(compared)


def show(
    instance: Instance,
    product_id: Product,
    pic_name: Name,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Show what is stored of one picture."""
    with connect(url, api_key) as client:
        found = client.picture(instance, product_id, pic_name)
    print_json(found) if as_json else print_fields(found)


def search(
    instance: Instance,
    picture: Annotated[
        Path | None, typer.Argument(help="Picture to search by.", **_PICTURE)
    ] = None,
    by: Annotated[
        tuple[str, str] | None,
        typer.Option("--by", metavar="PRODUCT NAME", help="Search by an indexed picture instead."),
    ] = None,
    text: Annotated[
        str | None, typer.Option("--text", help="Search by words instead, English or Chinese.")
    ] = None,
    num: Annotated[int, typer.Option(help="Number of hits, 1 to 100.")] = 10,
    start: Annotated[int, typer.Option(help="Hits to pass over, 0 to 499.")] = 0,
    category_id: Category = None,
    region: Region = None,
    whole: Whole = False,
    filter: Annotated[str, typer.Option(help="Only pictures that this selects.")] = "",
    score_threshold: Annotated[float, typer.Option("--min-score", help="0 to 1.")] = 0.0,
    distinct: Annotated[bool, typer.Option("--distinct", help="One hit per product.")] = False,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Find the pictures that look most like a given one, or that fit words."""
    if [picture, by, text].count(None) != 2:
        raise typer.BadParameter("give a picture file, --by or --text, one of the three.")
    if text is not None and (region or whole):
        raise typer.BadParameter("--region and --whole are of pictures; --text has none.")
    fields: dict[str, Any] = {
        "num": num,
        "start": start,
        "score_threshold": score_threshold,
        "distinct_product": distinct,
        "filter": filter or None,
    }
    found: answers.Found | answers.Worded
    with connect(url, api_key) as client:
        if text is not None:
            found = client.search_text(instance, text, category_id=category_id, **fields)
        else:
            fields |= _subject(category_id, region, whole)
            found = client.search(instance, picture, by=by, **fields)
    if as_json:
        print_json(found)
        return
    likely = any(getattr(hit, "probability", None) is not None for hit in found.hits)
    numbers = ("score", "probability") if likely else ("score",)
    columns = (*numbers, "product_id", "pic_name", "category_id", *_given(found.hits))
    print_table(columns, found.hits)
    spent = found.took_ms.get("total", 0)
    complain(f"{len(found.hits)} of {found.total} pictures, {spent:.0f} ms")


def delete(
    instance: Instance,
    product_id: Annotated[str, typer.Argument(help="Product to delete.")] = "",
    pic_name: Annotated[str, typer.Argument(help="Only this picture of it.")] = "",
    filter: Annotated[str, typer.Option(help="Delete all pictures that this selects.")] = "",
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Delete a picture, a product, or what a filter selects."""
    if bool(product_id) == bool(filter):
        raise typer.BadParameter("give a product or --filter, one of the two.")
    with connect(url, api_key) as client:
        if filter:
            deleted = client.delete_selected(instance, filter)
        else:
            deleted = client.delete(instance, product_id, pic_name)
    if as_json:
        print_json(deleted)
    else:
        complain(f"{len(deleted.deleted)} deleted")


def _subject(category_id: int | None, region: str | None, whole: bool) -> dict[str, Any]:
    given = {"category_id": category_id, "region": region, "crop": False if whole else None}
    return {name: value for name, value in given.items() if value is not None}


def _attribute(text: str) -> tuple[str, str | int]:
    """Read ``FIELD=VALUE``; the value of an integer attribute must be a whole number."""
    name, equals, value = text.partition("=")
    if not equals or name not in FIELDS:
        raise typer.BadParameter(f"{text!r} is not FIELD=VALUE with a known field.")
    if not name.startswith("int_"):
        return name, value
    try:
        return name, int(value)
    except ValueError:
        raise typer.BadParameter(f"{name} must be a whole number, not {value!r}.") from None


def _given(hits: Sequence[answers.Hit | answers.WordedHit]) -> list[str]:
    """Return the attributes that some hit has, in the order of their names."""
    names = FIELDS - {"product_id", "pic_name", "category_id", "region"}
    return sorted(n for n in names if any(getattr(hit, n, None) is not None for hit in hits))

"""``imagesearch instance``: create, list, show and delete instances."""

from __future__ import annotations

from typing import Annotated

import typer
from imagesearch.catalogue import Service
from imagesearch_client import DEFAULT_URL

from imagesearch_local.commands.options import ApiKey, AsJson, Instance, Url, connect
from imagesearch_local.commands.output import print_fields, print_json, print_table

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Create, list, show and delete instances.")

_COLUMNS = ("name", "service", "model", "pictures", "products", "created")


@app.command()
def create(
    instance: Instance,
    service: Annotated[Service, typer.Argument(help="What it searches for.")] = Service.PRODUCT,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Create an instance. The same one again is fine; another service is refused."""
    with connect(url, api_key) as client:
        created = client.create_instance(instance, service.value)
    print_json(created) if as_json else print_fields(created)


@app.command("list")
def list_all(url: Url = DEFAULT_URL, api_key: ApiKey = "", as_json: AsJson = False) -> None:
    """List every instance."""
    with connect(url, api_key) as client:
        found = client.instances()
    print_json({"instances": found}) if as_json else print_table(_COLUMNS, found)


@app.command()
def show(
    instance: Instance, url: Url = DEFAULT_URL, api_key: ApiKey = "", as_json: AsJson = False
) -> None:
    """Show one instance with its counts."""
    with connect(url, api_key) as client:
        found = client.instance(instance)
    print_json(found) if as_json else print_fields(found)


@app.command()
def delete(
    instance: Instance,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Erase an instance with everything in it."""
    if not yes:
        typer.confirm(f"Erase instance {instance} and all its pictures?", abort=True, err=True)
    with connect(url, api_key) as client:
        client.delete_instance(instance)
    erased = {"deleted": instance}
    print_json(erased) if as_json else print_fields(erased)

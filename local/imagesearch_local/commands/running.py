"""``imagesearch serve`` and ``imagesearch doctor``: the local run."""

from __future__ import annotations

import asyncio
import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from imagesearch_client import DEFAULT_URL, Client, Refused, Unreachable

from imagesearch_local.commands.exits import Exit
from imagesearch_local.commands.imports import list_failures
from imagesearch_local.commands.options import ApiKey, AsJson, Data, TemplateFile, Url, connect
from imagesearch_local.commands.output import import_progress, print_json, print_table
from imagesearch_local.demo import DEMO, QUERY, load_demo
from imagesearch_local.keys import default_key
from imagesearch_local.problems import LocalFailure

if TYPE_CHECKING:
    from imagesearch_local.folder import DataFolder
    from imagesearch_local.service import Service

__all__ = ["doctor_command", "serve_command"]


def serve_command(
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes any free one.")] = 3000,
    data: Data = Path(".data"),
    demo: Annotated[
        bool, typer.Option("--demo", help="Load the demo catalogue the first time.")
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show the logs.")] = False,
    environments: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=256,
            help="Processes that a function may have at once; default: the number of processors, "
            "at least 2.",
            show_default=False,
        ),
    ] = None,
    parameters: Annotated[
        list[str],
        typer.Option("--parameter", metavar="NAME=VALUE", help="Of the template; repeat."),
    ] = [],  # noqa: B006  typer reads the default, nobody changes it
    template: TemplateFile = None,
) -> None:
    """Run the whole deployment on this machine until Ctrl-C.

    Prints "ready http://127.0.0.1:PORT" on standard output when it answers. Objects and logs are
    kept in the data folder; stopping and starting again loses nothing.
    """
    from imagesearch_local.emulator import Limits
    from imagesearch_local.folder import DataFolder
    from imagesearch_local.serve import serve
    from imagesearch_local.service import Plan
    from imagesearch_local.template import Template, find_template

    plan = Plan(
        template=Template.read(template or find_template(), dict(map(_parameter, parameters))),
        folder=DataFolder(data),
        limits=Limits(environments=environments or max(2, os.cpu_count() or 2)),
    )

    async def announce(service: Service) -> None:
        if demo:
            await asyncio.to_thread(_load_demo, service.url, plan.folder)
        _say(f"ready {service.url}")
        asks = ' -H "x-api-key: $IMAGESEARCH_API_KEY"' if plan.template.authorizer else ""
        _say(f"try: curl{asks} {_example(service.url, demo=demo)}")
        key, new = default_key(plan.folder)
        if new:
            _say(f"access key {key.id}, secret {key.secret} (again: imagesearch keys show)")

    serve(plan, port=port, verbose=verbose, announce=announce)


def doctor_command(
    data: Data = Path(".data"),
    template: TemplateFile = None,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Check the installation and the server."""
    from imagesearch_local.doctor import examine
    from imagesearch_local.folder import DataFolder

    with connect(url, api_key) as client:
        checks = examine(template, DataFolder(data), client)
    rows = [{"check": c.name, "ok": c.ok, "detail": c.detail} for c in checks]
    well = all(check.ok for check in checks)
    if as_json:
        print_json({"ok": well, "checks": rows})
    else:
        print_table(("ok", "check", "detail"), rows)
    if not well:
        raise typer.Exit(Exit.INCOMPLETE)


def _load_demo(url: str, folder: DataFolder) -> None:
    try:
        key = os.environ.get("IMAGESEARCH_API_KEY", "")
        with (
            Client(url, api_key=key) as client,
            import_progress("demo catalogue", hidden=False) as show,
        ):
            summary = load_demo(client, folder.path / "imports", show)
    except (Refused, Unreachable) as error:
        raise LocalFailure(
            f"the demo catalogue cannot be loaded: {error}. See {folder.logs}."
        ) from None
    list_failures(summary, shown=3)
    if summary.stopped or len(summary.failures) == summary.total:
        reason = summary.stopped or "every picture was refused."
        raise LocalFailure(f"the demo catalogue is not whole: {reason} See {folder.logs}.")


def _say(line: str) -> None:
    """Print a line; whoever started us may have stopped listening, and we serve on."""
    try:
        print(line, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _example(url: str, *, demo: bool) -> str:
    if not demo:
        return f"{url}/v1/instances"
    picture = shlex.quote(str(_near(QUERY)))
    address = f"{url}/v1/instances/{DEMO}/search?num=3"
    return f"-H 'content-type: image/jpeg' --data-binary @{picture} '{address}'"


def _near(path: Path) -> Path:
    """Return a path relative to the current folder where it lies below it."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def _parameter(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise typer.BadParameter(f"{text!r} is not NAME=VALUE.")
    return name, value

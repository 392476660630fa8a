"""``imagesearch increment``: batch tasks."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from imagesearch_local.client import DEFAULT_URL, Client
from imagesearch_local.commands.exits import Exit
from imagesearch_local.commands.options import (
    ApiKey,
    AsJson,
    Data,
    Instance,
    TemplateFile,
    Url,
    connect,
)
from imagesearch_local.commands.output import complain, print_fields, print_json, print_table

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Submit, check, follow, cancel and resume tasks.")

Bucket = Annotated[str, typer.Argument(help="Bucket with the pictures.", show_default=False)]
Place = Annotated[str, typer.Argument(help="Folder of increment.meta, such as /goods.")]
Role = Annotated[str, typer.Option("--role", help="ARN of the role to read the bucket with.")]
Owner = Annotated[str, typer.Option("--owner", help="Account that must own the bucket.")]
Task = Annotated[int, typer.Argument(help="The task's id.", show_default=False)]
Follow = Annotated[bool, typer.Option("--follow", "-f", help="Wait, and show how far it is.")]

_COLUMNS = ("id", "state", "percent", "added", "deleted", "failed", "path", "submitted")
_ENDED = {"done", "failed", "cancelled"}
_PAUSE = 1.0


@app.command()
def submit(
    instance: Instance,
    bucket: Bucket,
    path: Place = "/",
    role: Role = "",
    owner: Owner = "",
    callback: Annotated[str, typer.Option(help="https address to POST to at the end.")] = "",
    follow: Follow = False,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Queue the task that increment.meta in a bucket describes."""
    wanted = _wanted(bucket, path, role, owner, callback)
    with connect(url, api_key) as client:
        task = client.call("POST", instance, "/increments", wanted)
        _report(_followed(client, instance, task, as_json) if follow else task, as_json=as_json)


@app.command()
def check(
    instance: Instance,
    bucket: Bucket,
    path: Place = "/",
    role: Role = "",
    owner: Owner = "",
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Say what would keep a task from being carried out; start nothing."""
    wanted = _wanted(bucket, path, role, owner, "")
    with connect(url, api_key) as client:
        found = client.call("POST", instance, "/increments/check", wanted)
    if as_json:
        print_json(found)
    elif found["ok"]:
        print_fields({"ok": "nothing is in the way"})
    for problem in [] if as_json else found["problems"]:
        line = f"line {problem['line']}: " if "line" in problem else ""
        complain(f"{line}{problem['code']}: {problem['message']} {problem['fix']}")
    if not found["ok"]:
        raise typer.Exit(Exit.INCOMPLETE)


@app.command()
def show(
    instance: Instance,
    task: Task,
    follow: Follow = False,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Show how far a task is."""
    with connect(url, api_key) as client:
        found = client.call("GET", instance, f"/increments/{task}")
        _report(_followed(client, instance, found, as_json) if follow else found, as_json=as_json)


@app.command("list")
def list_all(
    instance: Instance, url: Url = DEFAULT_URL, api_key: ApiKey = "", as_json: AsJson = False
) -> None:
    """List an instance's tasks, newest first."""
    with connect(url, api_key) as client:
        found = client.call("GET", instance, "/increments")
    rows = [{**task, **task["counts"]} for task in found["increments"]]
    print_json(found) if as_json else print_table(_COLUMNS, rows)


@app.command()
def cancel(
    instance: Instance,
    task: Task,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Stop a task; what is written stays."""
    with connect(url, api_key) as client:
        found = client.call("DELETE", instance, f"/increments/{task}")
    print_json(found) if as_json else print_fields(_shown(found))


@app.command()
def resume(
    instance: Instance,
    task: Task,
    follow: Follow = False,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Go on with a task that was cancelled or has failed."""
    with connect(url, api_key) as client:
        found = client.call("POST", instance, f"/increments/{task}/resume")
        _report(_followed(client, instance, found, as_json) if follow else found, as_json=as_json)


@app.command()
def trust(
    instance: Instance,
    role: Annotated[str, typer.Option("--role", help="ARN to register.")] = "",
    remove: Annotated[str, typer.Option(help="ARN to take off the register.")] = "",
    data: Data = Path(".data"),
    template: TemplateFile = None,
    as_json: AsJson = False,
) -> None:
    """Show or change which roles an instance may read buckets with.

    Prints the external id for the roles' trust policies, and the key that signs callbacks. For
    operators: works on the bucket that IMAGESEARCH_BUCKET names, else on the local run.
    """
    from imagesearch.operations.increments import trust_role
    from imagesearch.operations.instances import NamedInstance

    from imagesearch_local.direct import open_deployment
    from imagesearch_local.folder import DataFolder
    from imagesearch_local.template import find_template

    deployment = open_deployment(DataFolder(data), template or find_template())
    found = trust_role(deployment, NamedInstance(instance=instance), add=role, remove=remove)
    fields: dict[str, Any] = {
        "roles": list(found.roles),
        "external_id": found.external_id,
        "callback_key": found.callback_key,
        "trust_policy": {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"AWS": ["<IncrementRoleArn>", "<IngestRoleArn>"]},
                    "Action": "sts:AssumeRole",
                    "Condition": {"StringEquals": {"sts:ExternalId": found.external_id}},
                }
            ],
        },
    }
    print_json(fields) if as_json else print_fields(fields)


def _wanted(bucket: str, path: str, role: str, owner: str, callback: str) -> dict[str, str]:
    given = {"role_arn": role, "bucket_owner": owner, "callback_url": callback}
    chosen = {name: value for name, value in given.items() if value}
    return {"bucket": bucket.removeprefix("s3://").rstrip("/"), "path": path, **chosen}


def _followed(client: Client, instance: str, task: dict[str, Any], as_json: bool) -> dict[str, Any]:
    """Show a bar until the task has ended; return how it ended."""
    notes = Console(stderr=True, highlight=False)
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[note]}"))
    with Progress(*columns, console=notes, disable=as_json) as bar:
        row = bar.add_task(f"task {task['id']}", total=100, note="")
        while True:
            bar.update(row, completed=task["percent"], note=_note(task))
            if task["state"] in _ENDED:
                return task
            time.sleep(_PAUSE)
            task = client.call("GET", instance, f"/increments/{task['id']}")


def _note(task: dict[str, Any]) -> str:
    counts = task["counts"]
    left = task["seconds_left"]
    parts = [
        task["state"],
        f"{counts['done']}/{counts['total']}",
        f"{counts['failed']} failed" if counts["failed"] else "",
        f"{task['pictures_per_second']:.1f}/s" if task["pictures_per_second"] else "",
        f"{left // 60}:{left % 60:02d} left" if left is not None else "",
    ]
    return " · ".join(filter(None, parts))


def _report(task: dict[str, Any], *, as_json: bool) -> None:
    """Print a task; end with a status of its own if it left something undone."""
    print_json(task) if as_json else print_fields(_shown(task))
    for error in [] if as_json else task["first_errors"]:
        complain(f"line {error.get('line')}: {error['code']}: {error['message']}")
    if task["state"] == "failed" or task["counts"]["failed"]:
        raise typer.Exit(Exit.INCOMPLETE)


def _shown(task: dict[str, Any]) -> dict[str, Any]:
    hidden = {"first_errors", "counts"}
    rest = {name: value for name, value in task.items() if name not in hidden}
    return {**rest, **task["counts"]}

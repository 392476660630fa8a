"""``imagesearch increment``: batch tasks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import httpx
import msgspec
import typer
from imagesearch_client import DEFAULT_URL, Client, Unreachable, answers
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

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
    fields = _given(role_arn=role, bucket_owner=owner, callback_url=callback)
    with connect(url, api_key) as client:
        task = client.submit_increment(instance, _bucket(bucket), path, **fields)
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
    fields = _given(role_arn=role, bucket_owner=owner)
    with connect(url, api_key) as client:
        found = client.check_increment(instance, _bucket(bucket), path, **fields)
    if as_json:
        print_json(found)
    elif found.ok:
        print_fields({"ok": "nothing is in the way"})
    for problem in [] if as_json else found.problems:
        complain(f"{_line(problem)}{problem.code}: {problem.message} {problem.fix}")
    if not found.ok:
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
        found = client.increment(instance, task)
        _report(_followed(client, instance, found, as_json) if follow else found, as_json=as_json)


@app.command("list")
def list_all(
    instance: Instance, url: Url = DEFAULT_URL, api_key: ApiKey = "", as_json: AsJson = False
) -> None:
    """List an instance's tasks, newest first."""
    with connect(url, api_key) as client:
        found = client.increments(instance)
    print_json({"increments": found}) if as_json else print_table(_COLUMNS, map(_shown, found))


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
        found = client.cancel_increment(instance, task)
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
        found = client.resume_increment(instance, task)
        _report(_followed(client, instance, found, as_json) if follow else found, as_json=as_json)


@app.command()
def report(
    instance: Instance,
    task: Task,
    file: Annotated[Path, typer.Argument(help="Where to save it.")] = Path("errors.jsonl"),
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
) -> None:
    """Save what a task that ended could not do: a JSON line for every failed line."""
    with connect(url, api_key) as client:
        address = client.increment(instance, task).error_report
    if address is None:
        print_fields({"report": "no line has failed, or the task has not ended"})
        return
    try:
        with httpx.stream("GET", address, timeout=60) as answer, file.open("wb") as saved:
            answer.raise_for_status()
            for block in answer.iter_bytes():
                saved.write(block)
    except httpx.HTTPError as error:
        raise Unreachable(f"the report cannot be fetched: {error}") from error
    print_fields({"report": str(file)})


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


def _given(**fields: str) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value}


def _bucket(text: str) -> str:
    return text.removeprefix("s3://").rstrip("/")


def _line(problem: answers.Problem) -> str:
    return f"line {problem.line}: " if problem.line is not None else ""


def _followed(
    client: Client, instance: str, task: answers.Increment, as_json: bool
) -> answers.Increment:
    """Show a bar until the task has ended; return how it ended."""
    notes = Console(stderr=True, highlight=False)
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[note]}"))
    with Progress(*columns, console=notes, disable=as_json) as bar:
        row = bar.add_task(f"task {task.id}", total=100, note="")
        for task in client.follow_increment(instance, task.id, every=_PAUSE):  # noqa: B020
            bar.update(row, completed=task.percent, note=_note(task))
    return task


def _note(task: answers.Increment) -> str:
    counts, left = task.counts, task.seconds_left
    parts = [
        task.state,
        f"{counts.done}/{counts.total}",
        f"{counts.failed} failed" if counts.failed else "",
        f"{task.pictures_per_second:.1f}/s" if task.pictures_per_second else "",
        f"{left // 60}:{left % 60:02d} left" if left is not None else "",
    ]
    return " · ".join(filter(None, parts))


def _report(task: answers.Increment, *, as_json: bool) -> None:
    """Print a task; end with a status of its own if it left something undone."""
    print_json(task) if as_json else print_fields(_shown(task))
    for error in [] if as_json else task.first_errors:
        complain(f"{_line(error)}{error.code}: {error.message}")
    if task.state == "failed" or task.counts.failed:
        raise typer.Exit(Exit.INCOMPLETE)


def _shown(task: answers.Increment) -> dict[str, Any]:
    found = msgspec.to_builtins(task)
    counts = found.pop("counts")
    del found["first_errors"]
    return {**found, **counts}

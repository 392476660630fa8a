"""``imagesearch compact``, ``generations``, ``rollback``, ``scrub``: upkeep of an index."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from imagesearch_local.commands.exits import Exit
from imagesearch_local.commands.options import AsJson, Data, Instance, TemplateFile
from imagesearch_local.commands.output import complain, print_fields, print_json, print_table

if TYPE_CHECKING:
    from imagesearch.index import Generation, Index
    from imagesearch.operations.deployment import Deployment

__all__ = ["compact", "generations", "rollback", "scrub"]

_PASSES = 100


def compact(
    instance: Instance,
    data: Data = Path(".data"),
    template: TemplateFile = None,
    as_json: AsJson = False,
) -> None:
    """Tidy the index of an instance.

    Folds the log, merges segments and deletes what is no longer needed, as far as it is due.

    Works on the bucket that IMAGESEARCH_BUCKET names, else on the local run of the data folder.
    """
    index = _index(instance, data, template)
    done = {"folded": 0, "merged": 0, "collected": 0}
    for _ in range(_PASSES):
        step = index.maintain()
        for name in done:
            done[name] += getattr(step, name)
        if not step.more:
            break
    print_json(done) if as_json else print_fields(done)


def generations(
    instance: Instance,
    data: Data = Path(".data"),
    template: TemplateFile = None,
    as_json: AsJson = False,
) -> None:
    """List the earlier states of an instance.

    Works on the bucket that IMAGESEARCH_BUCKET names, else on the local run of the data folder.
    """
    rows = [_described(generation) for generation in _index(instance, data, template).generations()]
    columns = ("number", "until", "pictures", "segments")
    print_json({"generations": rows}) if as_json else print_table(columns, rows)


def rollback(
    instance: Instance,
    to: Annotated[int, typer.Option(help="Generation to go back to.", show_default=False)],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    data: Data = Path(".data"),
    template: TemplateFile = None,
    as_json: AsJson = False,
) -> None:
    """Go back to an earlier state of an instance.

    Undoes every write that the generation had not folded. Works on the bucket that
    IMAGESEARCH_BUCKET names, else on the local run of the data folder.
    """
    index = _index(instance, data, template)
    if not yes:
        typer.confirm(f"Undo all later writes to {instance}?", abort=True, err=True)
    made = {"generation": index.rollback(to)}
    print_json(made) if as_json else print_fields(made)


def scrub(
    instance: Instance,
    data: Data = Path(".data"),
    template: TemplateFile = None,
    as_json: AsJson = False,
) -> None:
    """Read and check every stored object of an instance.

    Ends with status 3 if something is damaged, missing or does not belong there. Works on the
    bucket that IMAGESEARCH_BUCKET names, else on the local run of the data folder.
    """
    from imagesearch.operations.scrubbing import scrub_instance

    found = scrub_instance(_deployment(data, template), instance)
    if as_json:
        print_json(asdict(found))
    else:
        print_table(("key", "what", "fix"), [asdict(problem) for problem in found.problems])
        complain(
            f"{found.objects} objects, {found.bytes:,} bytes read: {len(found.problems)} problems, "
            f"{len(found.orphans)} files to be collected"
        )
    if found.problems:
        raise typer.Exit(Exit.INCOMPLETE)


def _index(instance: str, data: Path, template: Path | None) -> Index:
    deployment = _deployment(data, template)
    return deployment.index(deployment.instances.get(instance))


def _deployment(data: Path, template: Path | None) -> Deployment:
    from imagesearch_local.direct import open_deployment
    from imagesearch_local.folder import DataFolder
    from imagesearch_local.template import find_template

    return open_deployment(DataFolder(data), template or find_template())


def _described(generation: Generation) -> dict[str, Any]:
    until = datetime.fromtimestamp(generation.until / 1_000_000, UTC)
    return {**asdict(generation), "until": until.isoformat(timespec="seconds")}

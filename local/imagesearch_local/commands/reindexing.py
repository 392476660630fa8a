"""``imagesearch reindex``: move an instance to another model bundle, or back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from imagesearch_client import UnusableSource

from imagesearch_local.commands.exits import Exit
from imagesearch_local.commands.options import AsJson, Data, Instance, TemplateFile
from imagesearch_local.commands.output import complain, print_fields, print_json, progress

if TYPE_CHECKING:
    from imagesearch.operations.deployment import Deployment
    from imagesearch.operations.reindex import Filled, Reindex
    from imagesearch.vision import Vision

    from imagesearch_local.supplies import Supplies

__all__ = ["reindex"]

_SHOWN = 20


def reindex(
    instance: Instance,
    bundle: Annotated[
        str, typer.Option(help="Folder of a bundle, or the id of a published one.")
    ] = "",
    source: Annotated[
        str,
        typer.Option(
            "--from",
            help="The pictures again: FOLDER or MANIFEST.jsonl as for import, a folder with "
            "increment.meta, or s3://BUCKET/PATH of one.",
            show_default=False,
        ),
    ] = "",
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Switch without asking, if nothing is missing.")
    ] = False,
    allow_missing: Annotated[
        bool, typer.Option("--allow-missing", help="Switch even so; what is missing is lost.")
    ] = False,
    trust: Annotated[
        bool,
        typer.Option("--trust", help="Do not check that pictures are those that were indexed."),
    ] = False,
    anew: Annotated[
        bool,
        typer.Option("--anew", help="Find subject and category again; do not keep the recorded."),
    ] = False,
    rollback: Annotated[
        bool, typer.Option("--rollback", help="Go back to the bundle before the last switch.")
    ] = False,
    cancel: Annotated[
        bool, typer.Option("--cancel", help="Clear up after a run that was interrupted.")
    ] = False,
    forget: Annotated[
        bool, typer.Option("--forget", help="Erase the indexes of other bundles for good.")
    ] = False,
    data: Data = Path(".data"),
    template: TemplateFile = None,
    as_json: AsJson = False,
) -> None:
    """Move an instance to another model bundle.

    Builds a second index from the pictures, which you supply again because they are not stored;
    tells how much of the instance it covers and how much the first ten hits of both agree; then
    switches, which pauses writes for a minute. Nothing that was acknowledged is lost: while a
    picture is missing, it does not switch. The same command again goes on where it ended.

    Works on the bucket that IMAGESEARCH_BUCKET names, else on the local run of the data folder.
    """
    deployment = _open(data, template)
    if cancel or forget:
        done = _cleared(deployment, instance, forget=forget)
        print_json(done) if as_json else print_fields(done)
        return
    supplies = _supplies(deployment, source)
    vision = _vision(deployment, instance, bundle, rollback=rollback)
    from imagesearch.operations.reindex import Reindex

    work = Reindex(deployment, instance, vision, trusting=trust, anew=anew)
    before = work.instance.model
    told: dict[str, Any] = {"instance": instance, "before": before, "bundle": vision.model}
    told |= _fill(work, supplies, hidden=as_json)
    told["switched"] = False
    may = allow_missing or not told["left"]
    if may and (yes or (not as_json and _agreed(told, instance))):
        built = {name: told[name] for name in ("looked", "changed", "deleted")}
        told |= _counts(work.switch(supplies, allow_missing=allow_missing, back=rollback))
        told |= {name: told[name] + count for name, count in built.items()}
        told["switched"] = work.instance.model == vision.model
    _report(told, as_json=as_json)
    if told["left"] and not told["switched"]:
        raise typer.Exit(Exit.INCOMPLETE)


def _fill(work: Reindex, supplies: Supplies, *, hidden: bool) -> dict[str, Any]:
    with progress("reindex", hidden=hidden) as begin:
        filled = work.fill(supplies, begin(work.pictures))
    overlap, sampled = work.overlap()
    return {**_counts(filled), "overlap_at_10": round(overlap, 4), "sampled": sampled}


def _counts(filled: Filled) -> dict[str, Any]:
    return {
        "pictures": filled.pictures,
        "coverage": round(filled.coverage, 6),
        "looked": filled.looked,
        "changed": filled.changed,
        "deleted": filled.deleted,
        "left": filled.left,
        "missing": [list(key) for key in filled.missing],
        "different": [list(key) for key in filled.different],
        "refused": [[*key, reason] for key, reason in filled.refused.items()],
    }


def _agreed(told: dict[str, Any], instance: str) -> bool:
    _report(told, as_json=False)
    return typer.confirm(f"Switch {instance} to {told['bundle']}?", err=True)


def _report(told: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(told)
        return
    lists = {name: told[name] for name in ("missing", "different", "refused")}
    print_fields({name: value for name, value in told.items() if name not in lists})
    for name, keys in lists.items():
        for key in keys[:_SHOWN]:
            complain(f"{name}: {' / '.join(map(str, key))}")
        if len(keys) > _SHOWN:
            complain(f"{name}: … and {len(keys) - _SHOWN} more; --json lists all.")


def _cleared(deployment: Deployment, instance: str, *, forget: bool) -> dict[str, Any]:
    from imagesearch.operations.reindex import forget_earlier, settle

    if forget:
        return {"instance": instance, "forgotten": forget_earlier(deployment, instance)}
    return {"instance": instance, "bundle": settle(deployment, instance).model}


def _vision(deployment: Deployment, instance: str, bundle: str, *, rollback: bool) -> Vision:
    """Return the bundle to move to; one in a folder is published first, so that all can use it."""
    from imagesearch.operations.moves import Moves
    from imagesearch.vision import Vision

    if rollback:
        moves = Moves(deployment.store, deployment.instances.get(instance))
        if (earlier := moves.before()) is None:
            raise UnusableSource(f"{instance} was never moved, so there is nothing to go back to.")
        bundle = earlier
    if not bundle:
        raise UnusableSource("--bundle says where to: a folder, or the id of a published bundle.")
    if not rollback and (Path(bundle) / "bundle.json").exists():
        Vision.load(Path(bundle)).warm()
        bundle = deployment.library.publish(Path(bundle))
    return deployment.vision_called(bundle)


def _supplies(deployment: Deployment, source: str) -> Supplies:
    from imagesearch_local.supplies import Supplies

    return Supplies.of(source, deployment)


def _open(data: Path, template: Path | None) -> Deployment:
    from imagesearch_local.direct import open_deployment
    from imagesearch_local.folder import DataFolder
    from imagesearch_local.template import find_template

    return open_deployment(DataFolder(data), template or find_template())

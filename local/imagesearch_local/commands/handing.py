"""``imagesearch handover``: have a vector engine elsewhere answer searches, or take them back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer
from imagesearch_client import UnusableSource

from imagesearch_local.commands.exits import Exit
from imagesearch_local.commands.options import AsJson, Data, Instance, TemplateFile
from imagesearch_local.commands.output import complain, print_fields, print_json, progress, rating

if TYPE_CHECKING:
    from imagesearch.catalogue import PictureKey
    from imagesearch.operations.agreement import Agreement, Compared
    from imagesearch.operations.deployment import Deployment
    from imagesearch.operations.handover import Handover

__all__ = ["handover"]


def handover(
    instance: Instance,
    to: Annotated[
        str,
        typer.Option(
            help="s3vectors:BUCKET, s3vectors:BUCKET/INDEX, milvus or milvus:COLLECTION; default: "
            "the deployment's own engine.",
            show_default=False,
        ),
    ] = "",
    compare: Annotated[
        int, typer.Option(min=0, max=10_000, help="Searches to compare both answers of.")
    ] = 200,
    at_least: Annotated[
        float,
        typer.Option(min=0, max=1, help="Mean overlap@10 below which --switch does not switch."),
    ] = 0.95,
    show: Annotated[int, typer.Option(min=0, help="List so many searches that differ.")] = 0,
    switch: Annotated[
        bool, typer.Option("--switch", help="Have the engine answer searches, once it has all.")
    ] = False,
    back: Annotated[
        bool, typer.Option("--back", help="Have searches answered here again, at once.")
    ] = False,
    drop: Annotated[
        bool, typer.Option("--drop", help="Have no engine any more; erase what it holds.")
    ] = False,
    lost: Annotated[
        bool,
        typer.Option("--lost", help="With --drop: the engine is gone for good, so ask it nothing."),
    ] = False,
    status: Annotated[bool, typer.Option("--status", help="Only tell where it stands.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before --drop.")] = False,
    data: Data = Path(".data"),
    template: TemplateFile = None,
    as_json: AsJson = False,
) -> None:
    """Hand an instance over to a vector engine elsewhere, or take it back.

    Has the engine given every new picture, fills it with those that are there, and compares what
    it answers to live searches with what is answered here. With --switch it answers from then on.
    Nothing pauses, and nothing that was acknowledged is lost: log and index stay where they are.
    The same command again goes on where it ended, also after it was killed.

    Works on the bucket that IMAGESEARCH_BUCKET names, else on the local run of the data folder.
    """
    if switch and (back or drop):
        raise UnusableSource("--switch goes to the engine, --back and --drop leave it: choose one.")
    if lost and not drop:
        raise UnusableSource("--lost says how to --drop: it goes with that only.")
    if to and (back or drop or status):
        raise UnusableSource("--to names where to go; --back, --drop and --status go nowhere new.")
    from imagesearch.operations.handover import Handover

    if drop and not yes:
        typer.confirm(f"Erase what the engine holds of {instance}?", abort=True, err=True)
    work = Handover(_open(data, template), instance)
    told: dict[str, Any] = {}
    if back:
        work.back()
    if drop:
        told["erased"] = work.drop(lost=lost)
    met = True
    if not (back or drop or status):
        met = _hand_over(work, told, to, compare, at_least, switch=switch, hidden=as_json)
    told = {**msgspec.to_builtins(work.standing()), **told}
    _report(told, show=show, as_json=as_json)
    if not met:
        raise typer.Exit(Exit.INCOMPLETE)


def _hand_over(
    work: Handover,
    told: dict[str, Any],
    to: str,
    count: int,
    at_least: float,
    *,
    switch: bool,
    hidden: bool,
) -> bool:
    """Begin, fill, compare, and switch if that is wanted; tell whether all went as wanted."""
    work.begin(to)
    with rating("fill", hidden=hidden) as show:
        work.fill(show)
    overlap = None
    if count:
        with progress("compare", hidden=hidden) as begin:
            agreement = work.compare(count, on_progress=begin(count))
        told |= _agreement(agreement)
        overlap = agreement.overlap
    if not switch:
        return True
    if overlap is not None and overlap < at_least:
        complain(f"not switched: overlap@10 is {overlap:.4f}, less than {at_least}.")
        return False
    work.switch()
    return True


def _agreement(found: Agreement) -> dict[str, Any]:
    return {
        "live_searches": found.live,
        "stored_pictures": found.stored,
        "overlap_at_10": _rounded(found.overlap),
        "overlap_least": _rounded(found.least),
        "same_first": _rounded(found.same_first),
        "distribution": found.distribution,
        "differences": [_difference(one) for one in found.differences],
    }


def _difference(compared: Compared) -> dict[str, Any]:
    question = compared.question
    asked: dict[str, Any] = {"picture": list(question.key)} if question.key else {"live": True}
    if question.asked.category_id is not None:
        asked["category_id"] = question.asked.category_id
    if question.asked.filter is not None:
        asked["filter"] = question.asked.filter
    return {
        **asked,
        "overlap": round(compared.overlap, 4),
        "only_there": _keys(compared.there, compared.here),
        "only_here": _keys(compared.here, compared.there),
    }


def _keys(first: tuple[PictureKey, ...], second: tuple[PictureKey, ...]) -> list[list[str]]:
    return [list(key) for key in first if key not in second]


def _rounded(share: float | None) -> float | None:
    return None if share is None else round(share, 4)


def _report(told: dict[str, Any], *, show: int, as_json: bool) -> None:
    differences = told.pop("differences", None)
    if differences is not None:
        told["different"] = len(differences)
    if as_json:
        print_json(told if not show else {**told, "differences": (differences or [])[:show]})
        return
    print_fields(told)
    for one in (differences or [])[:show]:
        complain(str(one))


def _open(data: Path, template: Path | None) -> Deployment:
    from imagesearch_local.direct import open_deployment
    from imagesearch_local.folder import DataFolder
    from imagesearch_local.template import find_template

    return open_deployment(DataFolder(data), template or find_template())

"""``imagesearch erase`` and ``verify-erased``: delete for good, and prove it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer
from imagesearch_client import UnusableSource

from imagesearch_local.commands.exits import Exit
from imagesearch_local.commands.options import AsJson, Data, Instance, TemplateFile
from imagesearch_local.commands.output import complain, print_fields, print_json, progress

if TYPE_CHECKING:
    from imagesearch.operations.deployment import Deployment
    from imagesearch.operations.erasure import Receipt
    from imagesearch.storage.versions import Purge

__all__ = ["erase", "verify_erased"]


def erase(
    instance: Instance,
    product: Annotated[
        list[str] | None,
        typer.Option("--product", help="A product to erase; may be given several times."),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--everything", help="Erase the whole instance.")
    ] = False,
    receipt: Annotated[
        Path, typer.Option("--receipt", help="File that the signed receipt is written to.")
    ] = Path("receipt.json"),
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    data: Data = Path(".data"),
    template: TemplateFile = None,
    as_json: AsJson = False,
) -> None:
    """Erase products or an instance for good, and write a receipt.

    A deletion hides pictures at once, but their rows stay in old objects for days, so that it can
    be undone. This rewrites the index without them and deletes the old one with its history, every
    version of its objects, thumbnails, dumps, task reports and inbox files. Writes to the instance
    pause for a minute. Earlier generations cannot be restored afterwards.

    Works on the bucket that IMAGESEARCH_BUCKET names, else on the local run of the data folder.
    """
    products = product or []
    if bool(products) is everything:
        raise UnusableSource("say what to erase: --product ID (once or more), or --everything.")
    what = "everything" if everything else f"{len(products)} products"
    if not yes:
        typer.confirm(f"Erase {what} of {instance} for good?", abort=True, err=True)
    deployment = _open(data, template)
    done = _erase(deployment, instance, products, hidden=as_json)
    receipt.write_bytes(msgspec.json.format(msgspec.json.encode(done), indent=1) + b"\n")
    told: dict[str, Any] = msgspec.to_builtins(done)
    print_json(told) if as_json else print_fields({**told, "receipt": str(receipt)})


def verify_erased(
    receipt: Annotated[Path, typer.Argument(help="A receipt of imagesearch erase.")],
    data: Data = Path(".data"),
    template: TemplateFile = None,
    as_json: AsJson = False,
) -> None:
    """Check a receipt's signature, and that nothing of what it names is left in the bucket.

    Works on the bucket that IMAGESEARCH_BUCKET names, else on the local run of the data folder.
    """
    from imagesearch.operations.erasure import Receipt, find_leftovers, is_genuine

    try:
        known = msgspec.json.decode(receipt.read_bytes(), type=Receipt)
    except (OSError, msgspec.MsgspecError) as error:
        raise UnusableSource(f"{receipt} is not a receipt: {error}") from None
    deployment = _open(data, template)
    genuine = is_genuine(deployment.store, known)
    left = [f"{found.key}: {found.what}" for found in find_leftovers(deployment, known)]
    told = {"receipt": known.id, "genuine": genuine, "left": len(left)}
    print_json({**told, "leftovers": left}) if as_json else print_fields(told)
    if not as_json:
        for line in left:
            complain(line)
    if left or not genuine:
        raise typer.Exit(Exit.INCOMPLETE)


def _erase(deployment: Deployment, instance: str, products: list[str], *, hidden: bool) -> Receipt:
    from imagesearch.operations.erasure import Erasure, erase_instance

    purge = _purge(deployment)
    if not products:
        return erase_instance(deployment, instance, purge=purge)
    work = Erasure(deployment, instance, products, purge=purge)
    with progress("erase", hidden=hidden) as begin:
        return work.carry_out(begin(work.pictures))


def _purge(deployment: Deployment) -> Purge:
    from imagesearch.storage.s3 import connect
    from imagesearch.storage.versions import purge_versions

    settings = deployment.settings
    return purge_versions(connect(endpoint=settings.endpoint), settings.bucket)


def _open(data: Path, template: Path | None) -> Deployment:
    from imagesearch_local.direct import open_deployment
    from imagesearch_local.folder import DataFolder
    from imagesearch_local.template import find_template

    return open_deployment(DataFolder(data), template or find_template())

"""``imagesearch model``: make, check and publish model bundles."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from imagesearch.errors import ImageSearchError
from imagesearch_client import UnusableSource

from imagesearch_local.commands.options import AsJson
from imagesearch_local.commands.output import print_fields, print_json

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Make, check and publish model bundles.")
SHIPPED = Path(__file__).parents[3] / "layers/models"
_SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm"}


@app.command("make")
def make(
    encoder: Annotated[
        Path, typer.Argument(help="ONNX file of an image encoder.", show_default=False)
    ],
    out: Annotated[
        Path, typer.Argument(help="Folder to write the bundle into.", show_default=False)
    ],
    id: Annotated[str, typer.Option("--id", help="Name of the bundle.", show_default=False)],
    fit: Annotated[
        Path | None,
        typer.Option(help="Folder of your own pictures to fit a map to.", show_default=False),
    ] = None,
    output: Annotated[str | None, typer.Option(help="Output that is the vector.")] = None,
    side: Annotated[int | None, typer.Option(help="Side of the input in pixels.")] = None,
    mean: Annotated[str, typer.Option(help="Mean of R,G,B, of pixels 0…1.")] = "0.485,0.456,0.406",
    std: Annotated[str, typer.Option(help="Deviation of R,G,B.")] = "0.229,0.224,0.225",
    base: Annotated[Path, typer.Option(help="Bundle whose subject finder is used.")] = SHIPPED,
    as_json: AsJson = False,
) -> None:
    """Make a bundle around an image encoder of your own; docs/models.md goes step by step."""
    from imagesearch_local.encoder import Encoder, make_bundle

    pictures = _pictures(fit) if fit else []
    given = Encoder(
        file=encoder, id=id, output=output, side=side, mean=_three(mean), std=_three(std)
    )
    with _refusing():
        make_bundle(given, base, out, pictures=(path.read_bytes() for path in pictures))
    _show(out, as_json=as_json)


@app.command("check")
def check(
    folder: Annotated[Path, typer.Argument(help="Folder of a bundle.", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """Load a bundle as a function would: description, digests, inputs, outputs, maps."""
    from imagesearch.vision import Vision

    with _refusing():
        Vision.load(folder).warm()
    _show(folder, as_json=as_json)


@app.command("publish")
def publish(
    folder: Annotated[Path, typer.Argument(help="Folder of a bundle.", show_default=False)],
    bucket: Annotated[
        str,
        typer.Option(envvar="IMAGESEARCH_BUCKET", help="The deployment's bucket."),
    ],
    as_json: AsJson = False,
) -> None:
    """Check a bundle and put it into the bucket; AWS_ENDPOINT_URL_S3 names another S3 server."""
    from imagesearch.storage.s3 import S3ObjectStore, connect
    from imagesearch.vision import Vision
    from imagesearch.vision.library import Library

    store = S3ObjectStore(connect(endpoint=os.environ.get("AWS_ENDPOINT_URL_S3")), bucket)
    with _refusing():
        Vision.load(folder).warm()
        id_ = Library(store, folder).publish(folder)
    told = {"published": id_, "next": f"set IMAGESEARCH_BUNDLE={id_}"}
    print_json(told) if as_json else print_fields(told)


@contextmanager
def _refusing() -> Iterator[None]:
    """End with one line and the status of wrong usage when a bundle is not sound."""
    try:
        yield
    except ImageSearchError as error:
        raise UnusableSource(f"{error.detail} {error.fix}") from None
    except OSError as error:
        raise UnusableSource(str(error)) from None


def _pictures(folder: Path) -> list[Path]:
    found = sorted(p for p in folder.rglob("*") if p.suffix.lower() in _SUFFIXES)
    if not found:
        raise UnusableSource(f"{folder} holds no pictures.")
    return found


def _three(text: str) -> tuple[float, float, float]:
    try:
        red, green, blue = (float(part) for part in text.split(","))
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not three numbers R,G,B.") from None
    return red, green, blue


def _show(folder: Path, *, as_json: bool) -> None:
    from imagesearch.vision.manifest import Manifest

    manifest = Manifest.read(folder / "bundle.json")
    told: dict[str, Any] = {
        "id": manifest.id,
        "bytes": sum(card.bytes for card in manifest.files.values()),
        "files": list(manifest.files),
        "outputs": manifest.embedder.outputs,
        "subjects": manifest.subject is not None,
        "categories": manifest.categories is not None,
        "calibrated": [service.value for service in manifest.calibration],
    }
    print_json(told) if as_json else print_fields(told)

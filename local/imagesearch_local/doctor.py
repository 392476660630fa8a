"""Checks of what a local run needs, and of the server."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from imagesearch.errors import ImageSearchError
from imagesearch.words.pack import PACKAGE
from imagesearch_client import Client, Refused, Unreachable

from imagesearch_local.folder import DataFolder
from imagesearch_local.problems import LocalFailure
from imagesearch_local.rie import emulator
from imagesearch_local.seaweed import program
from imagesearch_local.template import Template, find_template
from imagesearch_local.words import words_folder

__all__ = ["Check", "examine"]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    name: str
    ok: bool
    detail: str


def examine(template: Path | None, folder: DataFolder, client: Client) -> list[Check]:
    """Look at everything; nothing here raises."""
    looks: tuple[tuple[str, Callable[[], str]], ...] = (
        ("Python", lambda: f"{sys.version.split()[0]} at {sys.executable}"),
        ("Lambda emulator", lambda: str(emulator())),
        ("Lambda runtime client", _runtime_client),
        ("object store", program),
        ("template", lambda: _template(template or find_template())),
        ("models", lambda: _models(template or find_template())),
        ("text encoder", lambda: _words(template or find_template())),
        ("data folder", lambda: _folder(folder)),
        ("server", lambda: _server(client)),
    )
    return [_look(name, look) for name, look in looks]


def _look(name: str, look: Callable[[], str]) -> Check:
    try:
        return Check(name, True, look())
    except (LocalFailure, ImageSearchError, Refused, Unreachable, OSError) as error:
        return Check(name, False, str(error))


def _runtime_client() -> str:
    found = find_spec("awslambdaric")
    if found is None or found.origin is None:
        raise LocalFailure("awslambdaric is missing: pip install 'serverless-image-search[local]'")
    return str(Path(found.origin).parent)


def _template(path: Path) -> str:
    template = Template.read(path)
    routes = sum(len(function.routes) for function in template.functions)
    return f"{path}: {len(template.functions)} functions, {routes} routes"


def _models(path: Path) -> str:
    from imagesearch.vision import Vision

    folder = path.parent / "layers" / "models"
    return f"{Vision.load(folder).model} in {folder}"


def _words(path: Path) -> str:
    from imagesearch.words.encoder import Encoder

    folder = words_folder(path.parent)
    if folder is None:
        raise LocalFailure(f"{PACKAGE} is missing; text is searched for among known words only.")
    return f"{Encoder(folder).id} in {folder}"


def _folder(folder: DataFolder) -> str:
    holder = folder.holder()
    return f"{folder.path}: {f'in use by {holder}' if holder else 'free'}"


def _server(client: Client) -> str:
    return f"{client.url}: {client.ready().status}"

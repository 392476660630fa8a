"""``imagesearch tune``: fit a bundle to the owner's own pictures."""

from __future__ import annotations

import csv
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from imagesearch_client import DEFAULT_URL, Item, UnusableSource, read_source

from imagesearch_local.commands.models import SHIPPED
from imagesearch_local.commands.options import ApiKey, AsJson, Instance, Url, connect
from imagesearch_local.commands.output import complain, print_json, print_table, progress

if TYPE_CHECKING:
    from imagesearch_local.tuning import Owned, Tuned

__all__ = ["tune_command"]


def tune_command(
    instance: Instance,
    out: Annotated[Path, typer.Argument(help="Folder for the new bundle.", show_default=False)],
    source: Annotated[
        Path,
        typer.Option(
            "--from", help="FOLDER of your pictures, or MANIFEST.jsonl.", show_default=False
        ),
    ],
    pairs: Annotated[
        Path | None,
        typer.Option(
            help="CSV of two files a line (relative to it) that show the same thing.",
            show_default=False,
        ),
    ] = None,
    base: Annotated[Path, typer.Option(help="The bundle of the instance.")] = SHIPPED,
    seed: Annotated[int, typer.Option(help="Draws the changed views.")] = 0,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Fit the instance's model bundle to your own pictures; writes a new bundle to OUT.

    Pictures of one product count as the same thing, and so do the pairs; of each, changed views
    are made as well. Prints how well things that were kept out are found before and after.
    Nothing changes until you switch: imagesearch reindex INSTANCE --bundle OUT --from FOLDER.
    """
    from imagesearch.catalogue import Service
    from imagesearch.vision.manifest import Manifest

    from imagesearch_local.tuning import tune

    with connect(url, api_key) as client:
        described = client.instance(instance)
    if (id_ := Manifest.read(base / "bundle.json").id) != described.model:
        raise UnusableSource(f"{instance} has the bundle {described.model}, {base} is {id_}.")
    owned = _owned(source, pairs)
    with progress("tune", hidden=as_json) as begin:
        tuned = tune(
            base,
            Service(described.service),
            owned,
            out,
            name=instance,
            seed=seed,
            on_progress=begin(len(owned)),
        )
    _report(tuned, instance, out, source, as_json=as_json)


def _owned(source: Path, pairs: Path | None) -> list[Owned]:
    from imagesearch_local.tuning import Owned

    items = [item for item in read_source(source).items if item.file and not item.problem]
    things = {item.file.resolve(): item.key[0] for item in items if item.file}
    same = _joined(pairs, things) if pairs else {}
    return [Owned(_thing(item, same), item.file.read_bytes) for item in items if item.file]


def _thing(item: Item, same: dict[str, str]) -> str:
    return same.get(item.key[0], item.key[0])


def _joined(pairs: Path, things: dict[Path, str]) -> dict[str, str]:
    """Return one name for all products that the pairs join."""
    names: dict[str, str] = {}
    with pairs.open(newline="", encoding="utf-8") as lines:
        for number, row in enumerate(csv.reader(lines), 1):
            found = [things.get((pairs.parent / file.strip()).resolve()) for file in row[:2]]
            if len(row) < 2 or None in found:
                raise UnusableSource(f"{pairs}, line {number}: two files of the source are needed.")
            first, second = (names.get(name or "", name or "") for name in found)
            names = {name: first if to == second else to for name, to in names.items()}
            names |= {first: first, second: first}
    return names


def _report(tuned: Tuned, instance: str, out: Path, source: Path, *, as_json: bool) -> None:
    told: dict[str, Any] = asdict(tuned)
    if as_json:
        print_json(told)
        return
    rows = [{"map of": "bundle", **told["before"]}, {"map of": "pictures", **told["after"]}]
    print_table(("map of", "recall_at_1", "recall_at_10", "map", "queries"), rows)
    complain(f"{tuned.pictures} pictures of {tuned.things} things, {tuned.refused} refused.")
    if not tuned.gained:
        complain("No map was better than the bundle's own: only the match probability is new.")
    complain(f"{out} holds the bundle {tuned.id}. To switch to it:")
    complain(f"imagesearch reindex {instance} --bundle {out} --from {source}")

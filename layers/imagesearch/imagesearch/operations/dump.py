"""Export what is catalogued, in the line format in which an increment reads it back.

A dump runs while its caller waits. Its record and its file lie under ``dumps/``; the bucket's
lifecycle removes them after some days.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal

import msgspec

from imagesearch.catalogue import Picture
from imagesearch.errors import Conflict, LostRace, NoSuchObject
from imagesearch.operations.deployment import Catalogue, Deployment
from imagesearch.operations.instances import NamedInstance
from imagesearch.storage import ObjectStore

__all__ = ["Dump", "dump_instance", "dump_url", "list_dumps"]

LINKED_SECONDS = 2 * 3600
"""For how long a dump's address leads to its file, as with the vendor."""

_LONGEST = 15 * 60 * 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Dump:
    """One export. ``id`` is when it began and ``changed`` when it last changed, in microseconds."""

    id: int
    changed: int
    state: Literal["PROCESSING", "SUCCESS", "FAIL"] = "PROCESSING"
    pictures: int = 0
    message: str = ""


def dump_instance(deployment: Deployment, request: NamedInstance) -> Dump:
    """Export the record of every picture, without the pictures themselves and their vectors.

    Raises :class:`Conflict` while another dump of the instance runs.
    """
    catalogue = deployment.open(request.instance)
    prefix, now = _prefix(catalogue), _now()
    dump = Dump(id=now, changed=now)
    _reserve(deployment.store, prefix, dump)
    try:
        pictures = catalogue.snapshot.matching(None, limit=max(catalogue.snapshot.pictures, 1))
        deployment.store.put(
            f"{prefix}{dump.id:016d}.meta", _lines(pictures), content_type="application/x-ndjson"
        )
        dump = replace(dump, changed=_now(), state="SUCCESS", pictures=len(pictures))
    except Exception:
        dump = replace(dump, changed=_now(), state="FAIL", message="the dump was interrupted.")
        raise
    finally:
        deployment.store.put(f"{prefix}{dump.id:016d}.json", msgspec.json.encode(dump))
        deployment.store.delete([f"{prefix}running"])
    return dump


def list_dumps(deployment: Deployment, request: NamedInstance) -> list[Dump]:
    """Return the instance's dumps, newest first."""
    store = deployment.store
    prefix = _prefix(deployment.open(request.instance))
    dumps = [
        msgspec.json.decode(store.get(info.key).body, type=Dump)
        for info in store.list(prefix)
        if info.key.endswith(".json")
    ]
    if running := _running(store, prefix):
        dumps.append(running)
    return sorted({dump.id: dump for dump in reversed(dumps)}.values(), key=lambda dump: -dump.id)


def dump_url(deployment: Deployment, request: NamedInstance, dump: Dump) -> str:
    """Return an address from which anybody may read the file for two hours; empty if none."""
    if dump.state != "SUCCESS":
        return ""
    prefix = _prefix(deployment.open(request.instance))
    return deployment.store.presign_get(f"{prefix}{dump.id:016d}.meta", seconds=LINKED_SECONDS)


def _prefix(catalogue: Catalogue) -> str:
    return f"dumps/{catalogue.instance.name}/{catalogue.instance.incarnation}/"


def _now() -> int:
    return time.time_ns() // 1000


def _reserve(store: ObjectStore, prefix: str, dump: Dump) -> None:
    """Become the only dump that runs; one that began too long ago has died."""
    body = msgspec.json.encode(dump)
    for _ in range(3):
        try:
            store.put_if_absent(f"{prefix}running", body)
        except LostRace:
            standing = _running(store, prefix)
            if standing and dump.id - standing.id < _LONGEST:
                raise _taken(standing) from None
            store.delete([f"{prefix}running"])
        else:
            return
    raise _taken(dump)


def _taken(standing: Dump) -> Conflict:
    return Conflict(
        f"a dump of this instance runs since {standing.id // 1_000_000} (seconds since 1970).",
        fix="Wait until it is done; a dump takes at most 15 minutes.",
    )


def _running(store: ObjectStore, prefix: str) -> Dump | None:
    try:
        found = msgspec.json.decode(store.get(f"{prefix}running").body, type=Dump)
    except NoSuchObject:
        return None
    if _now() - found.id >= _LONGEST:
        return replace(found, state="FAIL", message="the dump did not end in time.")
    return found


def _lines(pictures: Iterable[Picture]) -> bytes:
    return b"".join(msgspec.json.encode(_line(picture)) + b"\n" for picture in pictures)


def _line(picture: Picture) -> dict[str, Any]:
    """Return the picture as a line of increment.meta."""
    given = {
        "".join(part.capitalize() for part in name.split("_")): value
        for name, value in picture.attributes.given().items()
    }
    return {
        "OperationType": "ADD",
        "ProductId": picture.key.product_id,
        "PicName": picture.key.pic_name,
        "CategoryId": picture.category_id,
        "Region": str(picture.region),
        **given,
    }

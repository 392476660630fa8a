"""Every operation, tried across keys and instances; ``python -m tests.isolation.matrix`` writes
what came of it into docs/isolation.md.

The operations are taken from the template and from the contract's own table: one that is added
there is tried here, or the tests fail for want of an event to try it with.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

from imagesearch.catalogue import Service
from imagesearch.contract.generation import V2018, V2019, Generation
from imagesearch.contract.keys import AccessKey
from imagesearch.contract.service import OPERATIONS
from imagesearch.operations.add import AddPicture, add_picture
from imagesearch.operations.deployment import Deployment
from imagesearch.operations.instances import CreateInstance, create_instance
from imagesearch.settings import Settings
from imagesearch_local.intrinsics import load_yaml

from tests.contract.caller import Thumbnails, World, picture, signed_item, signed_v3
from tests.stores import MemoryStore

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/isolation.md"
MINE, THEIRS = "events", "strangers"
SECRET = "what only the strangers know"
NOWHERE = {
    "AWS_ACCESS_KEY_ID": "k",
    "AWS_SECRET_ACCESS_KEY": "s",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_MAX_ATTEMPTS": "1",
}
KEYS = {"none": None, "unknown": "x", "read": "r-key", "write": "w-key"}
BOUND = {
    "its own": ("its-key", (MINE, "events-*")),
    "another's": ("their-key", ("strang*", "event")),
}
"""Keys that write, of some instances only, by what they are to the instance of the events."""
OPEN = {"GET /health/live", "GET /health/ready", "GET /openapi.json", "GET /page/{version}/{file}"}
ALL_INSTANCES = {"GET /v1/instances"}
SHARED = {*ALL_INSTANCES, "POST /v1/uploads"}
"""Routes that name no instance, and take keys that are bound to some."""
READ_OR_WRITE = {"read", "write"}
_FORM = "application/x-www-form-urlencoded"
VENDOR_PATHS = ("/", "/v2/image/{action}", "/item/{action}")


def routes() -> dict[str, str]:
    """Return the clean routes of the template, and the folder of each one's function."""
    resources = load_yaml((ROOT / "template.yaml").read_text("utf-8"))["Resources"]
    return {
        f"{event['Properties']['Method']} {event['Properties']['Path']}": Path(
            body["Properties"]["CodeUri"]
        ).name
        for body in resources.values()
        if body["Type"] == "AWS::Serverless::Function"
        for event in body["Properties"].get("Events", {}).values()
        if event["Type"] == "HttpApi" and event["Properties"]["Path"] not in VENDOR_PATHS
    }


def events() -> dict[str, list[dict[str, Any]]]:
    """Return the events there are, by route."""
    found: dict[str, list[dict[str, Any]]] = {}
    for path in sorted((ROOT / "events").glob("*.json")):
        event = json.loads(path.read_text("utf-8"))
        if "routeKey" in event and event.get("type") != "REQUEST":
            found.setdefault(event["routeKey"], []).append(event)
    return found


def load(folder: str) -> ModuleType:
    """Load a function as Lambda does."""
    place = ROOT / "functions" / folder / "app.py"
    spec = importlib.util.spec_from_file_location(f"isolated_{folder}", place)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@dataclass(frozen=True)
class Tried:
    """What came of one clean route: who may call, and which of the strangers' keys it touched.

    ``bound`` says how keys of some instances fared, and ``reached`` which objects of the instance
    they are not for were read or written.
    """

    allowed: dict[str, bool]
    statuses: tuple[int, ...]
    touched: tuple[str, ...]
    told: bool
    bound: dict[str, str]
    reached: tuple[str, ...]


@contextmanager
def two_instances() -> Iterator[tuple[MemoryStore, Deployment]]:
    """A deployment with two instances that hold pictures of the same names."""
    with tempfile.TemporaryDirectory() as folder:
        store = MemoryStore()
        settings = Settings(bucket="b", cache=Path(folder), endpoint="http://127.0.0.1:1")
        deployment = Deployment(settings, store, vision=Thumbnails)
        for name in (MINE, THEIRS):
            create_instance(deployment, CreateInstance(instance=name, service=Service.PRODUCT))
            for number in (1, 2):
                add_picture(
                    deployment,
                    AddPicture(
                        instance=name,
                        product_id=f"lamp-{number}",
                        pic_name="front.png",
                        image=picture(number),
                        custom_content=SECRET if name == THEIRS else "mine",
                    ),
                )
        with (
            patch.object(Deployment, "from_environment", return_value=deployment),
            patch.dict(os.environ, NOWHERE),
        ):
            yield store, deployment


def clean() -> dict[str, Tried]:
    """Try every clean route on one instance, and watch the other."""
    known = events()
    entries = [f"{scope}:{_digest(key)}" for scope, key in KEYS.items() if scope in READ_OR_WRITE]
    for key, instances in BOUND.values():
        names = [f"instance={name}" for name in instances]
        entries.append(":".join(["write", _digest(key), *names]))
    with patch.dict(os.environ, {"IMAGESEARCH_API_KEYS": ",".join(entries)}):
        authorize = load("authorize")
        return {
            route: _tried(route, folder, known[route], authorize)
            for route, folder in routes().items()
        }


def _digest(key: str | None) -> str:
    return hashlib.sha256((key or "").encode()).hexdigest()


def _tried(route: str, folder: str, tried: list[dict[str, Any]], authorize: ModuleType) -> Tried:
    allowed = {
        name: authorize.handler({"routeKey": route, "headers": {"x-api-key": key or ""}}, None)[
            "isAuthorized"
        ]
        for name, key in KEYS.items()
    }
    statuses, touched, told = [], set(), False
    for event in tried:
        with two_instances() as (store, _):
            handler = load(folder).handler
            before = len(store.requests)
            answer = handler(event, None)
            statuses.append(answer["statusCode"])
            touched |= {key for _, key in store.requests[before:] if _is_of(THEIRS, key)}
            told |= SECRET in answer["body"]
    bound, reached = {}, set[str]()
    for name, (key, _) in BOUND.items():
        fared = [_called_with(key, folder, event, authorize) for event in tried]
        bound[name] = " ".join(sorted({said for said, _ in fared}))
        not_for = THEIRS if name == "its own" else MINE
        reached |= {key for _, keys in fared for key in keys if _is_of(not_for, key)}
    return Tried(
        allowed, tuple(statuses), tuple(sorted(touched)), told, bound, tuple(sorted(reached))
    )


def _called_with(
    key: str, folder: str, event: dict[str, Any], authorize: ModuleType
) -> tuple[str, list[str]]:
    """Call as API Gateway does with a key; return what came of it, and the objects touched."""
    said = authorize.handler({**event, "headers": {"x-api-key": key}}, None)
    if not said["isAuthorized"]:
        return "Forbidden", []
    asked = {**event["requestContext"], "authorizer": {"lambda": said["context"]}}
    with two_instances() as (store, _):
        handler = load(folder).handler
        before = len(store.requests)
        answer = handler({**event, "requestContext": asked}, None)
        touched = [touched for _, touched in store.requests[before:]]
    if answer["statusCode"] == 403:
        return json.loads(answer["body"])["code"], touched
    names = [name for name in (MINE, THEIRS) if f'"name":"{name}"' in answer["body"]]
    return (f"lists {' '.join(names)}" if event["routeKey"] in ALL_INSTANCES else "may"), touched


def _is_of(instance: str, key: str) -> bool:
    return f"/{instance}/" in key or f"/{instance}." in key


def vendor() -> dict[tuple[Generation, str], dict[str, str]]:
    """Try every operation of the vendor's with keys that may not; return the codes."""
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder))
        world.create("other")
        keys = {
            "another instance's": world.add_key(name="o", instances=("other", "sho", "shop-*")),
            "read-only": world.add_key(name="r", read_only=True),
            "revoked": _changed(world, active=False),
            "expired": _changed(world, expires=1),
        }
        return {
            (generation, action): {
                name: _code(world, key, generation, action) for name, key in keys.items()
            }
            for generation, actions in OPERATIONS.items()
            for action in actions
        }


def _changed(world: World, **about: Any) -> AccessKey:
    key = replace(world.add_key(name="gone"), **about)
    world.keys.save(key)
    return key


def _code(world: World, key: AccessKey, generation: Generation, action: str) -> str:
    """Return the code of a refusal, ``may`` if the key was not what it failed for."""
    before = _kept(world)
    if generation is V2018:
        operation = action.removesuffix("Item").lower()
        sent = signed_item(key, operation, "shop", world.now, {"item_id": "p"})
    else:
        old = generation is V2019
        path = f"/v2/image/{action.removesuffix('Image').lower()}" if old else "/"
        body = b"InstanceName=shop&ProductId=p&PicName=a.jpg"
        sent = signed_v3(key, action, generation.version, world.now, body, path=path, kind=_FORM)
    answer = world.send(sent)
    code = str(answer.json.get("Code"))
    if not (code.endswith("NoPermission") or code.startswith("InvalidAccessKeyId")):
        return "may"
    return code if _kept(world) == before else f"{code}, but something was written"


def _kept(world: World) -> dict[str, Any]:
    return dict(world.bucket._objects)


def page() -> str:
    """Return the page that shows both matrices."""
    rows = [
        f"| `{route}` | {' | '.join('yes' if tried.allowed[k] else '–' for k in KEYS)} "
        f"| {' | '.join(tried.bound[k] for k in BOUND)} "
        f"| {'**all**' if route in ALL_INSTANCES else 'its own'} |"
        for route, tried in sorted(clean().items())
        if route not in OPEN
    ]
    refusals = [
        f"| {generation.version} `{action}` | {' | '.join(codes.values())} |"
        for (generation, action), codes in vendor().items()
    ]
    doors = ", ".join(f"`{route}`" for route in sorted(OPEN))
    own, others = (" and ".join(f"`{name}`" for name in names) for _, names in BOUND.values())
    return _PAGE.format(
        doors=doors, own=own, others=others, rows="\n".join(rows), refusals="\n".join(refusals)
    )


_PAGE = """# Who may do what to which instance

Written by `python -m tests.isolation.matrix`, which tries every route of the template and every
operation of the vendor's; do not edit by hand. `tests/isolation/test_isolation.py` tries them
again.

## The clean API with `Authorization=keys`

The last column tells of which instances objects were read or written without a limit: each route
was called for one instance, beside another that holds pictures of the same names. Open to
everybody: {doors}.

A key may be limited to instances ([how](operations.md#keys)). Each route was called for `events`
with a write key that is limited to {own}, and with one that is limited to
{others}: that one is refused with `NoPermission`, whether there is such an
instance or not, and nothing of the instance is read. Of the routes that name no instance, one lists
those of the key, and one gives an address for an upload.

| Route | no key | unknown key | read key | write key | bound to `events` | to others | touched |
|---|---|---|---|---|---|---|---|
{rows}

## The vendor's API

Each operation is called for the instance `shop`, with a key that is bound to others (`other`,
`sho`, `shop-*`), one that only reads, one that was revoked, and one that has expired.
`AuthorizeFileUpload` names no instance; what is uploaded can be used with the same key only.

| Operation | another instance's key | read-only | revoked | expired |
|---|---|---|---|---|
{refusals}
"""


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")

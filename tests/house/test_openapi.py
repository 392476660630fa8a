"""The OpenAPI document describes the routes that are deployed and served, and nothing else."""

import json
import re
import runpy
from pathlib import Path
from typing import Any

import pytest
import yaml
from imagesearch.openapi import document
from imagesearch.operations import fields
from imagesearch.routes import ROUTES, Route
from msgspec import Struct
from openapi_spec_validator import validate

ROOT = Path(__file__).parents[2]


class Loader(yaml.SafeLoader):
    """Reads a template; what intrinsic functions mean does not matter here."""


Loader.add_multi_constructor("!", lambda loader, suffix, node: suffix)  # noqa: ARG005


def deployed() -> set[str]:
    template = yaml.load((ROOT / "template.yaml").read_text(), Loader)
    events = [
        event["Properties"]
        for resource in template["Resources"].values()
        for event in (resource.get("Properties", {}).get("Events") or {}).values()
        if event["Type"] == "HttpApi"
    ]
    return {f"{event['Method']} {event['Path']}" for event in events}


def served() -> set[str]:
    apps = "".join(app.read_text() for app in (ROOT / "functions").glob("*/app.py"))
    return set(re.findall(r'@handler\.route\(\s*"([^"]+)"', apps))


def test_the_document_is_valid_openapi() -> None:
    validate(document())


def test_every_deployed_route_is_served_and_the_other_way_round() -> None:
    ours = {key for key in deployed() if key.split()[1].startswith(("/v1/", "/health", "/openapi"))}
    assert ours - served() == set()
    assert served() - deployed() == set()


def test_every_served_route_is_described() -> None:
    for_browsers = {"GET /openapi.json", "GET /page/{version}/{file}"}
    assert {route.key for route in ROUTES} == served() - for_browsers


def test_the_committed_copy_is_what_the_code_says() -> None:
    written = runpy.run_path(str(ROOT / "tools/write_openapi.py"))["page"]()
    committed = (ROOT / "docs/openapi.json").read_text()
    assert committed == written, "run python tools/write_openapi.py"
    assert json.loads(committed)["openapi"] == "3.1.0"


def test_the_examples_are_those_of_the_events() -> None:
    written = runpy.run_path(str(ROOT / "tools/write_openapi.py"))["examples"]()
    committed = ROOT / "layers/imagesearch/imagesearch/openapi_examples.json"
    assert committed.read_text() == written, "run python tools/write_openapi.py"


def _taker(route: Route, given: dict[str, Any]) -> type[Struct]:
    """Return the route's request that has all the given fields."""
    requests = [route.request, *(request for request, _ in route.variants)]
    known = [one for one in requests if one and given.keys() <= set(one.__struct_fields__)]
    assert known, given.keys()
    return known[0]


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: str(route.name))
def test_every_example_is_a_request_that_is_taken(route: Route) -> None:
    shown = document()["paths"][route.path][route.method]
    path = {p["name"]: p["example"] for p in shown["parameters"] if p["in"] == "path"}
    bodies = shown.get("requestBody", {}).get("content", {}).get("application/json", {})
    for example in bodies.get("examples", {"none": {"value": {}}}).values():
        given = path | example["value"]
        given |= {p["name"]: p["example"] for p in shown["parameters"] if "example" in p}
        if route.request:
            fields.read(_taker(route, given), given)
    if "requestBody" in shown:
        assert bodies["examples"]

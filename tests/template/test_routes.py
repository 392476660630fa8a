"""The API: routes, who may call them, and what the functions serve."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator

import pytest

from tests.template.conftest import ROOT, Tree

OPEN = {
    "GET /health/live",
    "GET /health/ready",
    "GET /openapi.json",
    "GET /page/{version}/{file}",
}
VENDOR = {"GET /", "POST /", "POST /v2/image/{action}", "POST /item/{action}"}
"""Checked by their own signatures, inside the function."""


def _events(functions: dict[str, Tree]) -> Iterator[tuple[str, str]]:
    for name, properties in functions.items():
        for event in properties.get("Events", {}).values():
            if event["Type"] == "HttpApi":
                yield name, f"{event['Properties']['Method']} {event['Properties']['Path']}"


def _operations(resources: Tree) -> dict[str, Tree]:
    return {
        f"{method.upper()} {path}": operation
        for path, operations in resources["Api"]["Properties"]["Body"]["paths"].items()
        for method, operation in operations.items()
    }


def test_every_operation_of_the_document_has_a_function(deployed: Callable[..., Tree]) -> None:
    for route, operation in _operations(deployed()).items():
        assert "x-amazon-apigateway-integration" in operation, route


@pytest.mark.parametrize("way", ["iam", "keys"])
def test_every_route_asks_who_calls(deployed: Callable[..., Tree], way: str) -> None:
    for route, operation in _operations(deployed(Authorization=way)).items():
        wanted = None if route in OPEN | VENDOR else [{"Caller": []}]
        assert operation.get("security") == wanted, route


def test_nobody_is_asked_only_when_that_was_chosen(deployed: Callable[..., Tree]) -> None:
    operations = _operations(deployed(Authorization="none"))
    assert not [route for route, operation in operations.items() if "security" in operation]


def test_callers_sign_by_default(deployed: Callable[..., Tree]) -> None:
    scheme = deployed()["Api"]["Properties"]["Body"]["components"]["securitySchemes"]["Caller"]
    assert scheme["x-amazon-apigateway-authtype"] == "awsSigv4"


def test_keys_are_judged_by_key_and_route(deployed: Callable[..., Tree]) -> None:
    resources = deployed(Authorization="keys", ApiKeys="read:" + "0" * 64)
    scheme = resources["Api"]["Properties"]["Body"]["components"]["securitySchemes"]["Caller"]
    authorizer = scheme["x-amazon-apigateway-authorizer"]
    assert authorizer["identitySource"] == ["$request.header.x-api-key", "$context.routeKey"]
    assert "AuthorizeFunctionAliaslive" in authorizer["authorizerUri"]


def test_pages_may_call_only_where_that_was_chosen(deployed: Callable[..., Tree]) -> None:
    assert "x-amazon-apigateway-cors" not in deployed()["Api"]["Properties"]["Body"]
    resources = deployed(CorsOrigins="https://shop.example.com,https://www.example.com")
    cors = resources["Api"]["Properties"]["Body"]["x-amazon-apigateway-cors"]
    assert cors["allowOrigins"] == ["https://shop.example.com", "https://www.example.com"]


def test_the_api_throttles_logs_and_lives_at_the_root(deployed: Callable[..., Tree]) -> None:
    stage = deployed()["ApiApiGatewayDefaultStage"]["Properties"]
    assert stage["StageName"] == "$default"
    assert stage["DefaultRouteSettings"]["ThrottlingRateLimit"] == 50
    line = json.loads(stage["AccessLogSettings"]["Format"].replace("$context.", ""))
    assert {"request_id", "route", "status", "ms"} <= line.keys()


def test_functions_serve_exactly_the_routes_they_are_given(functions: dict[str, Tree]) -> None:
    for name, properties in functions.items():
        source = (ROOT / properties["CodeUri"] / "app.py").read_text("utf-8")
        served = set(re.findall(r'@\w+\.route\(\s*"([^"]+)"', source))
        if served:
            given = {route for owner, route in _events(functions) if owner == name}
            assert served == given, name


def test_every_route_has_an_event_to_try_it_with(functions: dict[str, Tree]) -> None:
    shown = {}
    for path in (ROOT / "events").glob("*.json"):
        event = json.loads(path.read_text("utf-8"))
        if "requestContext" in event and event.get("type") != "REQUEST":
            shown[event["routeKey"]] = event
    assert shown.keys() == {route for _, route in _events(functions)}
    for route, event in shown.items():
        wanted = re.findall(r"\{(\w+)\}", route)
        assert list(event.get("pathParameters", {})) == wanted, route

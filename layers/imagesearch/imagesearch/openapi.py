"""The OpenAPI 3.1 document, written from the types that the code itself checks with."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from imagesearch import __version__
from imagesearch.http import Problem
from imagesearch.routes import ROUTES, Route

__all__ = ["document"]

_RAW_KINDS = ("image/jpeg", "image/png", "image/bmp", "image/gif", "image/webp", "image/tiff")
_PARAMETER = re.compile(r"\{(\w+)\}")
_EXAMPLES = Path(__file__).with_name("openapi_examples.json")
"""What real requests carried, by route key; tools/write_openapi.py takes it from events/."""


def document() -> dict[str, Any]:
    """Return the OpenAPI 3.1 document."""
    variants = [variant for route in ROUTES for variant in route.variants]
    asked = [route.request for route in ROUTES if route.request]
    asked += [request for request, _ in variants]
    given = [route.answer for route in ROUTES if route.answer]
    kinds = [*asked, *given, *(answer for _, answer in variants), Problem]
    _, schemas = msgspec.json.schema_components(
        dict.fromkeys(kinds), ref_template="#/components/schemas/{name}"
    )
    paths: dict[str, dict[str, Any]] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method] = _operation(route, schemas)
    requests = {request.__name__ for request in asked}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Serverless Image Search",
            "version": __version__,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": {name: s for name, s in schemas.items() if name not in requests},
            "responses": {
                "Problem": _content("Refused or failed; see code.", "Problem", problem=True)
            },
        },
    }


def _operation(route: Route, schemas: dict[str, Any]) -> dict[str, Any]:
    fields = dict(schemas[route.request.__name__]["properties"]) if route.request else {}
    required = set(schemas[route.request.__name__].get("required", [])) if route.request else set()
    in_path = {name: fields.pop(name) for name in _PARAMETER.findall(route.path)}
    in_body = route.method in {"post", "put", "patch"}
    parameters = [_parameter("path", name, schema, True) for name, schema in in_path.items()]
    if not in_body:
        parameters += [_parameter("query", n, s, n in required) for n, s in fields.items()]
    described: dict[str, Any] = {
        "operationId": route.name,
        "summary": route.summary,
        "parameters": parameters,
        "responses": _responses(route),
    }
    if in_body and fields:
        schema = _object(fields, required)
        if route.variants:
            others = [_variant(request, schemas, in_path) for request, _ in route.variants]
            schema = {"anyOf": [schema, *others]}
        described["requestBody"] = _body(route, schema)
    return _with_examples(described, route.key)


@cache
def _examples() -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(_EXAMPLES.read_bytes())
    return found


def _with_examples(described: dict[str, Any], key: str) -> dict[str, Any]:
    """Put the values of real requests beside the parameters and into the body."""
    shown = _examples().get(key, {})
    for parameter in described["parameters"]:
        value = shown.get(parameter["in"], {}).get(parameter["name"])
        if value is not None:
            number = parameter["schema"].get("type") == "integer"
            parameter["example"] = int(value) if number else value
    if bodies := shown.get("bodies"):
        content = described["requestBody"]["content"]["application/json"]
        content["examples"] = {name: {"value": value} for name, value in bodies.items()}
    return described


def _parameter(place: str, name: str, schema: dict[str, Any], required: bool) -> dict[str, Any]:
    return {"in": place, "name": name, "required": required, "schema": _not_null(schema)}


def _object(fields: dict[str, Any], required: Iterable[str]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": fields,
        "required": sorted(set(required) & fields.keys()),
        "additionalProperties": False,
    }


def _variant(
    request: type[msgspec.Struct], schemas: dict[str, Any], in_path: Mapping[str, Any]
) -> dict[str, Any]:
    whole = schemas[request.__name__]
    fields = {name: field for name, field in whole["properties"].items() if name not in in_path}
    return _object(fields, whole.get("required", []))


def _body(route: Route, schema: dict[str, Any]) -> dict[str, Any]:
    content: dict[str, Any] = {"application/json": {"schema": schema}}
    if route.raw:
        # The picture itself; every other field then travels in the query.
        content |= {kind: {"schema": {"type": "string", "format": "binary"}} for kind in _RAW_KINDS}
    return {"required": True, "content": content}


def _responses(route: Route) -> dict[str, Any]:
    if route.answer is None:
        file = {"schema": {"type": "string", "format": "binary"}}
        shown = {"description": "The file.", "content": {route.kind: file}}
        return {
            str(route.status): shown,
            "default": {"$ref": "#/components/responses/Problem"},
        }
    kinds = (route.answer, *(answer for _, answer in route.variants))
    names = tuple(kind.__name__ for kind in kinds)
    good = {
        str(status): _content(_first_line(route.answer), *names)
        for status in sorted((route.status, *route.also))
    }
    return {**good, "default": {"$ref": "#/components/responses/Problem"}}


def _content(description: str, *names: str, problem: bool = False) -> dict[str, Any]:
    kind = "application/problem+json" if problem else "application/json"
    shapes = [{"$ref": f"#/components/schemas/{name}"} for name in names]
    schema = shapes[0] if len(shapes) == 1 else {"anyOf": shapes}
    return {"description": description, "content": {kind: {"schema": schema}}}


def _first_line(kind: type) -> str:
    return (kind.__doc__ or "").strip().splitlines()[0]


def _not_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema without null, which a path or a query cannot carry."""
    choices = [one for one in schema.get("anyOf", []) if one != {"type": "null"}]
    if not choices:
        return schema
    return choices[0] if len(choices) == 1 else {"anyOf": choices}

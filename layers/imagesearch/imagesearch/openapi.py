"""The OpenAPI 3.1 document, written from the types that the code itself checks with."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from imagesearch import __version__
from imagesearch.http import Problem
from imagesearch.operations import answers, more_answers
from imagesearch.operations.add import AddPicture
from imagesearch.operations.combined import CombinedSearch
from imagesearch.operations.compare import Compare
from imagesearch.operations.delete import DeletePicture, DeleteProduct, DeleteSelected
from imagesearch.operations.duplicates import FindDuplicates
from imagesearch.operations.explain import Explain
from imagesearch.operations.facets import CountPictures
from imagesearch.operations.increment_record import (
    CheckAnswer,
    IncrementRecord,
    IncrementsAnswer,
)
from imagesearch.operations.increments import ListIncrements, NamedIncrement, SubmitIncrement
from imagesearch.operations.instances import CreateInstance, DeleteInstance, NamedInstance
from imagesearch.operations.pictures import ListPictures, ShowPicture
from imagesearch.operations.search import Search
from imagesearch.operations.search_text import SearchText
from imagesearch.operations.several import SearchSubjects
from imagesearch.operations.thumbnails import ShowThumbnail
from imagesearch.operations.update import UpdatePicture
from imagesearch.operations.uploads import BeginUpload

__all__ = ["ROUTES", "Route", "document"]


@dataclass(frozen=True, slots=True)
class Route:
    """One route. ``raw`` tells that the body may also be a picture itself.

    ``also`` are further statuses with the same answer. Without an ``answer`` it answers a file
    of the media type ``kind``. ``variants`` are other requests, with their answers, that the
    same route takes; each is a JSON object with a field that no other has.
    """

    key: str
    name: str
    summary: str
    request: type[msgspec.Struct] | None
    answer: type[msgspec.Struct] | None
    status: int = 200
    raw: bool = False
    also: tuple[int, ...] = ()
    kind: str = "application/json"
    variants: tuple[tuple[type[msgspec.Struct], type[msgspec.Struct]], ...] = ()

    @property
    def method(self) -> str:
        """Return the HTTP method in lower case, as OpenAPI has it."""
        return self.key.partition(" ")[0].lower()

    @property
    def path(self) -> str:
        """Return the path with its parameters in braces."""
        return self.key.partition(" ")[2]


_INSTANCES = "/v1/instances"
_INSTANCE = f"{_INSTANCES}/{{instance}}"
_PICTURES = f"{_INSTANCE}/pictures"
_INCREMENTS = f"{_INSTANCE}/increments"
_PICTURE = f"{_PICTURES}/{{product_id}}/{{pic_name}}"

ROUTES = (
    Route(
        f"GET {_INSTANCES}", "listInstances", "List every instance", None, answers.InstancesAnswer
    ),
    Route(
        f"PUT {_INSTANCE}",
        "createInstance",
        "Create an instance, or find the same one",
        CreateInstance,
        answers.InstanceRecord,
        status=201,
        also=(200,),
    ),
    Route(
        f"GET {_INSTANCE}",
        "showInstance",
        "Show one instance",
        NamedInstance,
        answers.InstanceRecord,
    ),
    Route(
        f"DELETE {_INSTANCE}",
        "deleteInstance",
        "Erase an instance with everything in it",
        DeleteInstance,
        answers.ErasedAnswer,
        status=202,
    ),
    Route(
        f"POST {_PICTURES}",
        "addPicture",
        "Add a picture",
        AddPicture,
        answers.AddedAnswer,
        status=201,
        raw=True,
        also=(200,),
    ),
    Route(
        f"GET {_PICTURES}",
        "listPictures",
        "List pictures, page by page",
        ListPictures,
        answers.PageAnswer,
    ),
    Route(
        f"DELETE {_PICTURES}",
        "deletePictures",
        "Delete the pictures that a filter selects, or that are named",
        DeleteSelected,
        answers.DeletedAnswer,
    ),
    Route(
        f"DELETE {_PICTURES}/{{product_id}}",
        "deleteProduct",
        "Delete every picture of a product",
        DeleteProduct,
        answers.DeletedAnswer,
    ),
    Route(f"GET {_PICTURE}", "showPicture", "Show one picture", ShowPicture, answers.PictureRecord),
    Route(
        f"PATCH {_PICTURE}",
        "updatePicture",
        "Change what is attached to a picture",
        UpdatePicture,
        answers.UpdatedAnswer,
    ),
    Route(
        f"DELETE {_PICTURE}",
        "deletePicture",
        "Delete one picture",
        DeletePicture,
        answers.DeletedAnswer,
    ),
    Route(
        f"GET {_INSTANCE}/thumbnails/{{thumbnail}}",
        "showThumbnail",
        "Show a small copy of a picture",
        ShowThumbnail,
        None,
        kind="image/jpeg",
    ),
    Route(
        f"POST {_INSTANCE}/search",
        "searchPictures",
        "Find the pictures that look most like one",
        Search,
        answers.FoundAnswer,
        raw=True,
        variants=(
            (CombinedSearch, more_answers.CombinedAnswer),
            (SearchSubjects, more_answers.SubjectsAnswer),
            (SearchText, more_answers.WordedAnswer),
        ),
    ),
    Route(
        f"GET {_INSTANCE}/facets",
        "countPictures",
        "Count pictures by category and attributes",
        CountPictures,
        more_answers.CountsAnswer,
    ),
    Route(
        f"GET {_INSTANCE}/duplicates",
        "findDuplicates",
        "Tell which of a page of pictures have duplicates",
        FindDuplicates,
        more_answers.DuplicatesAnswer,
    ),
    Route(
        f"POST {_INSTANCE}/compare",
        "comparePictures",
        "Tell how alike two pictures look",
        Compare,
        answers.ComparedAnswer,
    ),
    Route(
        f"POST {_INSTANCE}/explain",
        "explainHit",
        "Tell which parts of two pictures make them alike",
        Explain,
        more_answers.ExplainedAnswer,
        raw=True,
    ),
    Route(
        "POST /v1/uploads",
        "beginUpload",
        "Begin the upload of a large picture",
        BeginUpload,
        answers.UploadAnswer,
        status=201,
    ),
    Route(
        f"POST {_INCREMENTS}",
        "submitIncrement",
        "Queue a batch task",
        SubmitIncrement,
        IncrementRecord,
        status=202,
    ),
    Route(
        f"POST {_INCREMENTS}/check",
        "checkIncrement",
        "Tell what keeps a batch task from being carried out",
        SubmitIncrement,
        CheckAnswer,
    ),
    Route(f"GET {_INCREMENTS}", "listIncrements", "List tasks", ListIncrements, IncrementsAnswer),
    Route(
        f"GET {_INCREMENTS}/{{id}}",
        "showIncrement",
        "Show how far a task is",
        NamedIncrement,
        IncrementRecord,
    ),
    Route(
        f"DELETE {_INCREMENTS}/{{id}}",
        "cancelIncrement",
        "Stop a task",
        NamedIncrement,
        IncrementRecord,
        status=202,
    ),
    Route(
        f"POST {_INCREMENTS}/{{id}}/resume",
        "resumeIncrement",
        "Go on with a task that was cancelled or has failed",
        NamedIncrement,
        IncrementRecord,
        status=202,
    ),
    Route("GET /health/live", "live", "Tell that functions run", None, answers.HealthAnswer),
    Route(
        "GET /health/ready",
        "ready",
        "Tell that store and models are there",
        None,
        answers.HealthAnswer,
    ),
)
"""Every route of the clean API that the document describes."""

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

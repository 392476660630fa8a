"""Write what the client says once more from what the service says: python tools/write_client.py.

Answers and request fields come from the OpenAPI document, refusals from the error tree, and the
client that blocks from the one that does not.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Container, Iterator
from pathlib import Path
from textwrap import fill, indent
from typing import Any

from imagesearch import errors
from imagesearch.errors import ImageSearchError
from imagesearch.openapi import document

PACKAGE = Path(__file__).parents[1] / "client/imagesearch_client"
NOTE = "Written by ``python tools/write_client.py``; do not edit by hand."

REQUESTS = {
    "AddFields": ("addPicture", {"product_id", "pic_name", "image", "upload_id"}),
    "AttributeFields": ("updatePicture", set()),
    "SearchFields": ("searchPictures", {"image", "upload_id", "product_id", "pic_name"}),
    "CombinedFields": ("searchPictures", {"query"}),
    "TextFields": ("searchPictures", {"text"}),
    "SubjectFields": ("searchPictures", {"regions", "image", "upload_id"}),
    "ExplainFields": ("explainHit", {"product_id", "pic_name", "image", "upload_id"}),
    "CompareFields": ("comparePictures", {"image", "other_image"}),
    "IncrementFields": ("submitIncrement", {"bucket", "path"}),
}
"""The optional fields of an operation by the name of their type; the others are parameters.

Of several requests that an operation takes it is the one with exactly these others.
"""

_PLAIN = {403: "Forbidden"}
"""Classes that a status has where API Gateway answers without a code."""

ASKED = {"Part", "StoredPicture"}
"""Schemas of requests; the client has classes of its own for them."""

BLOCKING = {
    "calls are awaited": "calls block",
    "async def": "def",
    "async with": "with",
    "async for": "for",
    "await ": "",
    "that are awaited": "that block",
    "AsyncClient": "Client",
    "AsyncCalls": "Calls",
    "_async_calls": "_blocking_calls",
    "AsyncIterator": "Iterator",
    "AsyncBaseTransport": "BaseTransport",
    "__aenter__": "__enter__",
    "__aexit__": "__exit__",
    "aclose": "close",
    "pause_async": "pause",
    "run_async": "run",
}
"""What makes code that awaits into code that blocks."""


def answers() -> str:
    """Return the module of answers: one struct for each schema of the document."""
    schemas = document()["components"]["schemas"]
    left_out = {"Problem", *ASKED}
    kinds = {n: s for n, s in schemas.items() if s.get("type") == "object" and n not in left_out}
    public = {name: _public(name, kinds) for name in kinds}
    lines = [
        _head("What the service answers, as frozen structs."),
        "from __future__ import annotations\n",
        "from typing import Literal\n",
    ]
    lines += ["import msgspec\n", _all(sorted(public.values()))]
    for name, schema in kinds.items():
        lines.append(_struct(public[name], schema, public))
    return "\n".join(lines) + READY


READY = """
# msgspec 0.22 crashes when several threads use a struct for the first time at once.
for _name in __all__:
    msgspec.json.Decoder(globals()[_name])
"""


def fields() -> str:
    """Return the module of request fields: what may be given by name to a method."""
    found = {
        operation["operationId"]: operation
        for path in document()["paths"].values()
        for operation in path.values()
    }
    lines = [
        _head("The optional fields of requests."),
        "from __future__ import annotations\n",
        "from collections.abc import Sequence",
        "from typing import Literal, TypedDict\n",
        _all(sorted(REQUESTS)),
    ]
    for name, (operation_id, own) in REQUESTS.items():
        body = found[operation_id]["requestBody"]["content"]["application/json"]["schema"]
        body = next(one for one in body.get("anyOf", [body]) if own <= one["properties"].keys())
        lines += [f"\nclass {name}(TypedDict, total=False):"]
        said = f"Fields of ``{operation_id}``, see docs/http-api.md; ``None`` is not sent."
        lines += [f'    """{said}"""\n']
        lines += [
            f"    {field}: {_type(_not_null(schema), {}, given=True)} | None"
            for field, schema in body["properties"].items()
            if field not in own
        ]
        lines.append("")
    return "\n".join(lines)


def refusals() -> str:
    """Return the module of refusals: one exception for each code of the error tree."""
    seen: list[str] = []
    classes = []
    for kind in _below(ImageSearchError):
        if kind.code not in seen:
            parent = kind.__base__.code if kind is not ImageSearchError else ""  # type: ignore[union-attr]
            seen.append(kind.code)
            top = parent in {"", ImageSearchError.code}
            base = _PLAIN.get(kind.status, "Refused") if top else parent
            text = fill(kind.title(), 90, subsequent_indent="    ")
            classes.append(f'\n\nclass {kind.code}({base}):\n    """{text}"""')
    codes = indent("\n".join(f'"{code}": {code},' for code in seen), "    ")
    head = _head("One exception for each code the service refuses with.")
    lines = [head, "from __future__ import annotations\n"]
    lines += ["from imagesearch_client.errors import Forbidden, Refused\n"]
    lines += [_all(["BY_CODE", *sorted(seen)])]
    table = f"\n\nBY_CODE: dict[str, type[Refused]] = {{\n{codes}\n}}"
    return "\n".join(lines) + "".join(classes) + table + "\n"


def blocking(name: str) -> str:
    """Return the module that blocks where the one of ``name`` awaits."""
    text = (PACKAGE / name).read_text(encoding="utf-8")
    for awaiting, plain in BLOCKING.items():
        text = text.replace(awaiting, plain)
    first, _, rest = text.partition('"""\n')
    return _head(first.removeprefix('"""')) + rest


MODULES = {
    "answers.py": answers,
    "fields.py": fields,
    "refusals.py": refusals,
    "_blocking.py": lambda: blocking("_async.py"),
    "_blocking_calls.py": lambda: blocking("_async_calls.py"),
}


def page(name: str) -> str:
    """Return a module as it is to be committed, in the project's format."""
    ruff = shutil.which("ruff") or str(Path(sys.executable).with_name("ruff"))
    text = MODULES[name]()
    for options in (
        ["check", "--fix-only", "--unsafe-fixes", "--quiet", "--select", "I,F401,UP028"],
        ["format"],
    ):
        command = [ruff, *options, "--stdin-filename", str(PACKAGE / name), "-"]
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=True)
        text = done.stdout
    return text


def _below(kind: type[ImageSearchError]) -> Iterator[type[ImageSearchError]]:
    yield kind
    for child in kind.__subclasses__():
        if child.__module__.startswith(errors.__name__):
            yield from _below(child)


def _head(text: str) -> str:
    return f'"""{text}\n\n{NOTE}\n"""\n'


def _public(name: str, taken: Container[str] = ()) -> str:
    """Return a schema's name without its ending, unless another schema has that name."""
    short = re.sub(r"(Record|Answer)$", "", name)
    return name if short in taken else short


def _all(names: list[str]) -> str:
    return "__all__ = [\n" + "".join(f'    "{name}",\n' for name in names) + "]\n"


def _struct(name: str, schema: dict[str, Any], public: dict[str, str]) -> str:
    required = schema.get("required", [])
    text, _, more = schema.get("description", name).partition("\n")
    if more:
        text += f"\n\n{indent(fill(' '.join(more.split()), 90), '    ')}\n    "
    lines = [f"\nclass {name}(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):"]
    lines += [f'    """{text}"""\n']
    for field, value in schema["properties"].items():
        default = "" if field in required else f" = {value.get('default')!r}"
        lines.append(f"    {field}: {_type(value, public)}{default}")
    return "\n".join([*lines, ""])


def _not_null(schema: dict[str, Any]) -> dict[str, Any]:
    choices = [one for one in schema.get("anyOf", []) if one != {"type": "null"}]
    return {"anyOf": choices} if choices else schema


def _type(schema: dict[str, Any], public: dict[str, str], *, given: bool = False) -> str:
    """Return the Python type of a schema; ``given`` for what callers give, not get."""
    if "anyOf" in schema:
        return " | ".join(_type(one, public, given=given) for one in schema["anyOf"])
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return public.get(name, "str")
    if "enum" in schema:
        return f"Literal[{', '.join(map(repr, schema['enum']))}]"
    if schema["type"] == "array":
        inner = _type(schema["items"], public, given=given)
        return f"Sequence[{inner}]" if given else f"list[{inner}]"
    if schema["type"] == "object":
        return f"dict[str, {_type(schema['additionalProperties'], public, given=given)}]"
    names = {"string": "str", "integer": "int", "number": "float", "boolean": "bool"}
    return names.get(schema["type"], "None")


def main() -> None:
    """Write every module."""
    for name in MODULES:
        (PACKAGE / name).write_text(page(name), encoding="utf-8")
        print(f"wrote client/imagesearch_client/{name}")


if __name__ == "__main__":
    main()

"""The deployment as ``template.yaml`` describes it, read into what one machine can run."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imagesearch_local.intrinsics import ACCOUNT, REGION, STACK, Resolver, Tree, load_yaml
from imagesearch_local.problems import TemplateFailure

__all__ = ["Authorizer", "Function", "Route", "S3Trigger", "Template", "find_template"]

_API_SECONDS = 30.0
_DEFAULT_ROUTE = "$default"
_FUNCTION_OF = re.compile(r"/functions/(?:arn:\S*:function:)?([\w-]+)/invocations$")


@dataclass(frozen=True, slots=True)
class Route:
    """A route of the HTTP API, and the seconds it waits for its function."""

    method: str
    path: str
    seconds: float = _API_SECONDS

    @property
    def key(self) -> str:
        """Return API Gateway's route key, ``"GET /a/{b}"`` or ``"$default"``."""
        return self.path if self.path == _DEFAULT_ROUTE else f"{self.method} {self.path}"


@dataclass(frozen=True, slots=True)
class S3Trigger:
    """Which object events of a bucket invoke a function."""

    bucket: str
    events: tuple[str, ...]
    prefix: str = ""
    suffix: str = ""


@dataclass(frozen=True, slots=True)
class Authorizer:
    """The function that is asked about callers, the header it goes by, and the routes that ask."""

    function: str
    header: str
    routes: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """One Lambda function. ``timeout`` is in seconds, ``memory`` in MB.

    ``schedules`` are the events (JSON) that schedules send it.
    """

    name: str
    folder: Path
    handler: str
    timeout: int
    memory: int
    environment: Mapping[str, str]
    layers: tuple[Path, ...]
    routes: tuple[Route, ...]
    triggers: tuple[S3Trigger, ...]
    schedules: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """Return the name without the stack's, for logs and folders."""
        return self.name.removeprefix(f"{STACK}-")


@dataclass(frozen=True, slots=True)
class Template:
    """A SAM template's functions and buckets, and who is asked about callers, if anybody is."""

    path: Path
    functions: tuple[Function, ...]
    buckets: tuple[str, ...]
    authorizer: Authorizer | None = None

    @classmethod
    def read(cls, path: Path, parameters: Mapping[str, str] | None = None) -> Template:
        """Read a template; ``parameters`` replace the defaults of the template's own.

        Raises :class:`TemplateFailure` when the file is missing, is not a template, or needs
        something that only CloudFormation can evaluate.
        """
        try:
            document = load_yaml(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise TemplateFailure(f"cannot read {path}: {error.strerror}.") from None
        if not isinstance(document, dict) or not isinstance(document.get("Resources"), dict):
            raise TemplateFailure(f"{path} is not a template: it has no Resources.")
        try:
            return _Reading(path, document, parameters or {}).template()
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise TemplateFailure(f"{path} cannot be understood: {error!r}.") from error


def find_template() -> Path:
    """Return the project's ``template.yaml``: beside this package, else in the current folder."""
    for folder in (Path(__file__).parents[2], Path.cwd()):
        if (folder / "template.yaml").is_file():
            return folder / "template.yaml"
    raise TemplateFailure("there is no template.yaml here; name one with --template.")


class _Reading:
    """The work of reading one template."""

    def __init__(self, path: Path, document: dict[str, Any], parameters: Mapping[str, str]) -> None:
        self._path = path
        self._resources: dict[str, Any] = document["Resources"]
        self._globals: dict[str, Any] = (document.get("Globals") or {}).get("Function") or {}
        self._resolver = Resolver(
            document, parameters, name_of=self._name, attribute_of=self._attribute
        )

    def template(self) -> Template:
        functions = tuple(
            self._function(name, body) for name, body in self._each("AWS::Serverless::Function")
        )
        buckets = tuple(self._name(name) for name, _ in self._each("AWS::S3::Bucket"))
        return Template(self._path, functions, buckets, self._authorizer())

    def _authorizer(self) -> Authorizer | None:
        """Find the request authorizer that the API's routes name; signatures are not checked."""
        for _, body in self._each("AWS::Serverless::HttpApi"):
            api = (body.get("Properties") or {}).get("DefinitionBody") or {}
            schemes = (api.get("components") or {}).get("securitySchemes") or {}
            for name, scheme in self._resolver.resolve(schemes).items():
                asked = scheme.get("x-amazon-apigateway-authorizer") or {}
                if found := _FUNCTION_OF.search(str(asked.get("authorizerUri", ""))):
                    paths = self._resolver.resolve(api.get("paths") or {})
                    asking = frozenset(_asking(paths, name))
                    return Authorizer(found[1], scheme["name"], asking) if asking else None
        return None

    def _each(self, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield name and body of the resources of a kind whose condition holds."""
        for name, body in self._resources.items():
            condition = body.get("Condition")
            if body["Type"] == kind and (condition is None or self._resolver.holds(condition)):
                yield name, body

    def _function(self, name: str, body: dict[str, Any]) -> Function:
        own = body["Properties"]
        merged = {**self._globals, **own}
        folder = self._folder(merged["CodeUri"])
        if not folder.is_dir():
            raise TemplateFailure(f"CodeUri of {name} is not a folder: {folder}")
        routes, triggers, schedules = self._events(own)
        return Function(
            name=self._name(name),
            folder=folder,
            handler=self._resolver.resolve(merged["Handler"]),
            timeout=int(self._resolver.resolve(merged.get("Timeout", 3))),
            memory=int(self._resolver.resolve(merged.get("MemorySize", 128))),
            environment=self._environment(own),
            layers=tuple(self._layers(own)),
            routes=routes,
            triggers=triggers,
            schedules=schedules,
        )

    def _events(
        self, own: dict[str, Any]
    ) -> tuple[tuple[Route, ...], tuple[S3Trigger, ...], tuple[str, ...]]:
        events = [self._resolver.resolve(event) for event in (own.get("Events") or {}).values()]
        routes = (_route(e.get("Properties") or {}) for e in events if e["Type"] == "HttpApi")
        triggers = (_trigger(e["Properties"]) for e in events if e["Type"] == "S3")
        schedules = (
            str(e["Properties"].get("Input", "{}")) for e in events if e["Type"] == "ScheduleV2"
        )
        return tuple(routes), tuple(triggers), tuple(schedules)

    def _environment(self, own: dict[str, Any]) -> dict[str, str]:
        variables: dict[str, Any] = {}
        for part in (self._globals, own):
            variables |= (part.get("Environment") or {}).get("Variables") or {}
        return {name: _text(value) for name, value in self._resolver.resolve(variables).items()}

    def _layers(self, own: dict[str, Any]) -> Iterator[Path]:
        for layer in [*self._globals.get("Layers", []), *own.get("Layers", [])]:
            name = layer.get("Ref") if isinstance(layer, dict) else None
            body = self._resources.get(name, {}) if name else {}
            if body.get("Type") == "AWS::Serverless::LayerVersion":
                yield self._folder(body["Properties"]["ContentUri"])

    def _folder(self, uri: Tree) -> Path:
        return Path(self._path.parent, self._resolver.resolve(uri)).resolve()

    def _name(self, logical: str) -> Tree:
        """Return what ``Ref`` of a resource gives: the name it was given, else its own.

        ``Function.Alias`` and ``Function.Version`` of SAM stand for the function here.
        """
        logical = logical.removesuffix(".Alias").removesuffix(".Version")
        if logical not in self._resources:
            raise TemplateFailure(
                f"{logical} is neither a parameter with a default nor a resource."
            )
        body = self._resources[logical]
        key = {"AWS::S3::Bucket": "BucketName", "AWS::Serverless::Function": "FunctionName"}.get(
            body["Type"]
        )
        given = (body.get("Properties") or {}).get(key) if key else None
        if given is not None:
            return self._resolver.resolve(given)
        return logical.lower() if body["Type"] == "AWS::S3::Bucket" else logical

    def _attribute(self, logical: str, attribute: str) -> str:
        name = self._name(logical)
        if attribute == "Arn" and self._resources[logical]["Type"] == "AWS::S3::Bucket":
            return f"arn:aws:s3:::{name}"
        if attribute == "Arn":
            return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"
        return f"{name}.{attribute}"


def _text(value: Tree) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _asking(paths: Mapping[str, Any], scheme: str) -> Iterator[str]:
    """Yield the keys of the routes whose callers the scheme is for."""
    for path, operations in paths.items():
        for method, operation in operations.items():
            if any(scheme in one for one in operation.get("security") or []):
                yield f"{method.upper()} {path}"


def _route(event: Mapping[str, Any]) -> Route:
    path = event.get("Path", _DEFAULT_ROUTE)
    method = str(event.get("Method", "ANY")).upper()
    seconds = min(float(event.get("TimeoutInMillis", 30_000)) / 1000, _API_SECONDS)
    return Route(
        "ANY" if method in {"X-AMAZON-APIGATEWAY-ANY-METHOD", "*"} else method, path, seconds
    )


def _trigger(event: Mapping[str, Any]) -> S3Trigger:
    events = event["Events"]
    rules = {
        str(rule["Name"]).lower(): str(rule["Value"])
        for rule in ((event.get("Filter") or {}).get("S3Key") or {}).get("Rules") or []
    }
    return S3Trigger(
        bucket=event["Bucket"],
        events=(events,) if isinstance(events, str) else tuple(events),
        prefix=rules.get("prefix", ""),
        suffix=rules.get("suffix", ""),
    )

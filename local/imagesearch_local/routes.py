"""Which route takes a request: API Gateway HTTP API's own order of preference."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from imagesearch.errors import MethodNotAllowed, NoSuchRoute

from imagesearch_local.template import Function, Route

__all__ = ["Match", "Router"]

_LITERAL, _VARIABLE, _GREEDY = range(3)


@dataclass(frozen=True, slots=True)
class Match:
    """The route found for a request, its function, and the values of the path's variables."""

    function: Function
    route: Route
    parameters: Mapping[str, str]


class Router:
    """All routes of a template.

    A path with a literal segment beats one with a ``{variable}``, that beats a greedy
    ``{variable+}``, and ``$default`` takes what is left; for the same path a route of the
    request's own method beats ``ANY``. Paths are matched after URL decoding, as API Gateway
    does: ``%2F`` separates segments like ``/``.
    """

    def __init__(self, functions: Iterable[Function]) -> None:
        pairs = [(route, function) for function in functions for route in function.routes]
        self._routes = sorted(
            ((route, function) for route, function in pairs if route.path != "$default"),
            key=lambda pair: (_rank(pair[0].path), pair[0].method == "ANY"),
        )
        self._default = next((pair for pair in pairs if pair[0].path == "$default"), None)

    def match(self, method: str, path: str) -> Match:
        """Find the route for a request.

        Raises :class:`NoSuchRoute`, or :class:`MethodNotAllowed` when the path has other methods.
        """
        for route, function in self._routes:
            if route.method in {method, "ANY"}:
                parameters = _bind(route.path, path)
                if parameters is not None:
                    return Match(function, route, parameters)
        if self._default:
            return Match(self._default[1], self._default[0], {})
        if allowed := self.methods(path):
            raise MethodNotAllowed(f"{method} is not taken here; {', '.join(allowed)} is.")
        raise NoSuchRoute(f"there is no route for {method} {path[:200]}.")

    def methods(self, path: str) -> list[str]:
        """Return the methods that routes other than ``$default`` offer for a path, sorted."""
        return sorted({r.method for r, _ in self._routes if _bind(r.path, path) is not None})


def _rank(pattern: str) -> list[int]:
    return [_kind(segment) for segment in pattern.strip("/").split("/")]


def _kind(segment: str) -> int:
    if not segment.startswith("{"):
        return _LITERAL
    return _GREEDY if segment.endswith("+}") else _VARIABLE


def _bind(pattern: str, path: str) -> dict[str, str] | None:
    """Return the variables' values if the path fits the pattern, else ``None``."""
    wanted, given = pattern[1:].split("/"), path[1:].split("/")
    bound: dict[str, str] = {}
    for index, segment in enumerate(wanted):
        rest = given[index:]
        if not rest:
            return None
        if _kind(segment) == _GREEDY:
            greedy = "/".join(rest)
            return {**bound, segment[1:-2]: greedy} if greedy else None
        if _kind(segment) == _LITERAL and segment != rest[0]:
            return None
        if _kind(segment) == _VARIABLE:
            if not rest[0]:
                return None
            bound[segment[1:-1]] = rest[0]
    return bound if len(given) == len(wanted) else None

"""Which route wins: API Gateway HTTP API's own order."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from imagesearch.errors import MethodNotAllowed, NoSuchRoute
from imagesearch_local.routes import Router
from imagesearch_local.template import Function, Route


def function(name: str, *routes: Route) -> Function:
    return Function(
        name=name,
        folder=Path(),
        handler="app.handler",
        timeout=3,
        memory=128,
        environment={},
        layers=(),
        routes=routes,
        triggers=(),
    )


# The example of the developer guide, and a few more.
GUIDE = Router(
    [
        function("default", Route("ANY", "$default")),
        function("all", Route("ANY", "/{proxy+}")),
        function("pets", Route("GET", "/pets/{proxy+}")),
        function("dog", Route("GET", "/pets/dog/{id}")),
        function("first", Route("GET", "/pets/dog/1")),
        function("any-dog", Route("ANY", "/pets/dog/{id}")),
    ]
)
BARE = Router([function("one", Route("GET", "/a/{b}"), Route("DELETE", "/a/{b}/c"))])


@pytest.mark.parametrize(
    ("method", "path", "name", "parameters"),
    [
        ("GET", "/pets/dog/1", "first", {}),
        ("GET", "/pets/dog/2", "dog", {"id": "2"}),
        ("POST", "/pets/dog/2", "any-dog", {"id": "2"}),
        ("GET", "/pets/cat/1", "pets", {"proxy": "cat/1"}),
        ("POST", "/test/5", "all", {"proxy": "test/5"}),
        ("GET", "/", "default", {}),
    ],
)
def test_the_guides_example(method: str, path: str, name: str, parameters: dict[str, str]) -> None:
    found = GUIDE.match(method, path)
    assert (found.function.name, dict(found.parameters)) == (name, parameters)


@pytest.mark.parametrize("path", ["/", "/a", "/a/", "/a/b/d", "/a/b/c/d", "/A/b", "//a/b", ""])
def test_what_fits_no_route_is_not_found(path: str) -> None:
    with pytest.raises(NoSuchRoute):
        BARE.match("GET", path)


def test_another_method_is_named() -> None:
    with pytest.raises(MethodNotAllowed, match="DELETE"):
        BARE.match("GET", "/a/b/c")


@given(st.text(st.characters(exclude_characters="/"), min_size=1))
def test_a_variable_takes_any_one_segment(segment: str) -> None:
    assert BARE.match("GET", f"/a/{segment}").parameters == {"b": segment}

"""Whatever arrives is answered: never an exception, never HTML, never 200 without a signature."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree as ET

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contract.caller import World, signed_v3
from tests.contract.wire import VECTORS, event

WORLD: list[World] = []
NAMES = sorted({name for vector in VECTORS.values() for name in vector.headers})
VALUES = sorted({value for vector in VECTORS.values() for value in vector.headers.values()})
TARGETS = sorted({vector.target for vector in VECTORS.values()} | {"/item/add", "/v2/image/search"})
BODIES = [vector.body for vector in VECTORS.values()]
HEADERS = st.dictionaries(
    st.sampled_from(NAMES) | st.text(max_size=8), st.sampled_from(VALUES) | st.text(max_size=30)
)
QUIET = settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def world(folders: pytest.TempPathFactory) -> World:
    """Return one world for all examples."""
    if not WORLD:
        WORLD.append(World(folders.mktemp("cache")))
    return WORLD[0]


def check(sent: dict[str, Any], known: World) -> int:
    answer = known.send(sent)
    if answer.headers["content-type"].startswith("application/json"):
        body = json.loads(answer.body)
        assert answer.status == 200 or (body["Code"] and body["Message"])
    else:
        assert answer.headers["content-type"] == "application/xml"
        assert ET.fromstring(answer.body).tag == "Error"
    assert answer.status not in {500, 502}
    return answer.status


@given(
    st.sampled_from(["GET", "POST", "PUT"]),
    st.sampled_from(TARGETS) | st.text(max_size=40).map(lambda text: "/" + text),
    HEADERS,
    st.sampled_from(BODIES) | st.binary(max_size=60),
)
@QUIET
def test_what_nobody_signed(
    tmp_path_factory: pytest.TempPathFactory,
    method: str,
    target: str,
    headers: dict[str, str],
    body: bytes,
) -> None:
    known = world(tmp_path_factory)
    assert check(event(method, target, headers, body), known) >= 400


ACTIONS = ["AddImage", "SearchImageByPic", "DeleteImage", "DumpMetaList", "IncreaseList", "X"]
PLACES = ["/", "/v2/image/add", "/v2/image/search", "/item/add", "/item/search", "/item/delete"]
PAIRS = st.lists(
    st.tuples(
        st.sampled_from(["InstanceName", "ProductId", "PicName", "Num", "Filter", "Region", "Crop"])
        | st.text(max_size=6),
        st.sampled_from(["shop", "1", "-1", "1,2,3,4", "true", "int_attr>1"]) | st.text(max_size=9),
    ),
    max_size=6,
)


@given(st.sampled_from(ACTIONS), st.sampled_from(PLACES), PAIRS, st.binary(max_size=40))
@QUIET
def test_what_a_caller_with_a_key_may_send(
    tmp_path_factory: pytest.TempPathFactory,
    action: str,
    path: str,
    pairs: list[tuple[str, str]],
    body: bytes,
) -> None:
    known = world(tmp_path_factory)
    form = urlencode(pairs, errors="replace").encode()
    kind = "application/octet-stream" if path.startswith("/item") else None
    known.now += 1
    sent = signed_v3(
        known.key,
        action,
        "2020-12-14",
        known.now,
        body if kind else form,
        path=path,
        query="instanceName=shop" if kind else "",
        kind=kind or "application/x-www-form-urlencoded",
    )
    check(sent, known)

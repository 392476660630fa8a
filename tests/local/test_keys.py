"""``imagesearch keys``: made, listed, shown, rotated, revoked."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
from imagesearch.contract.key_sources import KeyFile
from imagesearch.limits import Limits
from imagesearch_local.cli import app
from imagesearch_local.folder import DataFolder
from imagesearch_local.intrinsics import load_yaml
from imagesearch_local.keys import default_key
from imagesearch_local.problems import LocalFailure
from imagesearch_local.template import find_template
from typer.testing import CliRunner


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def run(data: Path, *words: str, typed: str = "") -> Any:
    found = CliRunner().invoke(app, ["keys", *words, "--data", str(data), "--json"], input=typed)
    if isinstance(found.exception, LocalFailure):
        raise found.exception
    assert found.exit_code == 0, found.output
    return json.loads(found.stdout)


def test_the_default_key_is_made_once_and_shown(data: Path) -> None:
    key, new = default_key(DataFolder(data))
    assert new
    assert default_key(DataFolder(data)) == (key, False)
    shown = run(data, "show")
    assert shown["access_key_id"] == key.id
    assert shown["access_key_secret"] == key.secret


def test_show_makes_the_default_key_if_there_is_none(data: Path) -> None:
    assert run(data, "show") == run(data, "show")


def test_a_key_for_some_instances(data: Path) -> None:
    made = run(data, "create", "lab", "--instance", "Lab-*", "--instance", "x", "--read-only")
    key = KeyFile(data / "keys.json").load()[made["access_key_id"]]
    assert (key.instances, key.read_only, key.secret) == (
        ("lab-*", "x"),
        True,
        made["access_key_secret"],
    )
    (row,) = run(data, "list")["keys"]
    assert (row["rights"], row["state"], row["name"]) == ("read", "valid", "lab")
    assert made["access_key_secret"] not in json.dumps(row)


def test_a_temporary_key_has_a_token(data: Path) -> None:
    made = run(data, "create", "job", "--temporary", "--expires-in", "12h")
    key = KeyFile(data / "keys.json").load()[made["access_key_id"]]
    assert key.accepts_token(made["security_token"])
    assert key.expires == key.created + 12 * 3600


@pytest.mark.parametrize(
    "words", [["create", "job", "--temporary"], ["create", "job", "--expires-in", "soon"]]
)
def test_wrong_usage(data: Path, words: list[str]) -> None:
    found = CliRunner().invoke(app, ["keys", *words, "--data", str(data)])
    assert found.exit_code == 2


def test_a_key_pair_of_ones_own(data: Path) -> None:
    run(data, "create", "moved", "--id", "LTAImine", typed="my secret\n")
    assert KeyFile(data / "keys.json").load()["LTAImine"].secret == "my secret"


def test_rotation_leaves_both_keys_valid_for_a_while(data: Path) -> None:
    old = run(data, "create", "shop", "--instance", "shop", "--read-only")
    new = run(data, "rotate", "shop", "--keep", "1d")
    assert new["replaces"] == old["access_key_id"]
    keys = KeyFile(data / "keys.json").load()
    first, second = keys[old["access_key_id"]], keys[new["access_key_id"]]
    assert first.expires == second.created + 86400
    assert second.expires is None
    assert (second.instances, second.read_only) == (("shop",), True)
    assert run(data, "show", "shop")["access_key_id"] == second.id


def test_limits_are_set_shown_kept_and_taken_away(data: Path) -> None:
    run(data, "create", "shop", "--searches", "10", "--adds", "0.5", "--pictures", "1000")
    [row] = run(data, "list")["keys"]
    assert row["limits"] == "searches=10, adds=0.5, pictures=1000"
    new = run(data, "rotate", "shop")
    keys = KeyFile(data / "keys.json").load()
    assert keys[new["access_key_id"]].limits == Limits(searches=10, adds=0.5, pictures=1000)
    assert run(data, "limit", new["access_key_id"], "--searches", "20")["limits"] == "searches=20"
    assert run(data, "limit", new["access_key_id"])["limits"] == ""
    found = CliRunner().invoke(app, ["keys", "limit", "shop", "--adds", "0", "--data", str(data)])
    assert found.exit_code == 2


def made(*words: str) -> Any:
    found = CliRunner().invoke(app, ["keys", "api", *words, "--json"])
    assert found.exit_code == 0, found.output
    return json.loads(found.stdout)


@pytest.mark.parametrize(
    ("words", "scope", "limits"),
    [
        ((), "write", ""),
        (("--read-only",), "read", ""),
        (("--instance", "Shop", "--instance", "lab-*"), "write", ":instance=shop:instance=lab-*"),
        (
            ("--read-only", "--searches", "20", "--pictures", "100", "--instance", "shop"),
            "read",
            ":instance=shop:searches=20:pictures=100",
        ),
    ],
)
def test_an_api_key_comes_with_the_entry_that_the_template_takes(
    words: tuple[str, ...], scope: str, limits: str
) -> None:
    key = made(*words)
    digest = hashlib.sha256(key["api_key"].encode()).hexdigest()
    assert key["entry"] == f"{scope}:{digest}{limits}"
    template = load_yaml(find_template().read_text("utf-8"))
    assert re.search(template["Parameters"]["ApiKeys"]["AllowedPattern"], key["entry"])
    assert made(*words)["api_key"] != key["api_key"]


@pytest.mark.parametrize("name", ["a b", "shop,lab", "shop:adds=9", "", "x" * 21])
def test_what_no_instance_is_called_makes_no_api_key(name: str) -> None:
    found = CliRunner().invoke(app, ["keys", "api", "--instance", name])
    assert found.exit_code == 2
    assert "pattern" in found.output


def test_a_revoked_key_stays_listed(data: Path) -> None:
    made = run(data, "create", "gone")
    assert run(data, "revoke", made["access_key_id"])["state"] == "revoked"
    assert [row["state"] for row in run(data, "list")["keys"]] == ["revoked"]


def test_an_unknown_key_and_an_unknown_place(data: Path) -> None:
    with pytest.raises(LocalFailure, match="no key 'nobody'"):
        run(data, "revoke", "nobody")
    with pytest.raises(LocalFailure, match="IMAGESEARCH_KEYS"):
        run(data, "list", "--keys", "vault:x")

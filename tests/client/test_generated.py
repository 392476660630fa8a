"""The client says what the service says: answers, fields, errors, and one client as the other."""

from __future__ import annotations

import ast
import inspect
import re
import runpy
import shutil
import subprocess
import sys
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest
from imagesearch.openapi import document
from imagesearch.routes import ROUTES
from imagesearch_client import AsyncClient, Client, Refused, errors, refusals

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "client/imagesearch_client"
WRITER = runpy.run_path(str(ROOT / "tools/write_client.py"))


@pytest.mark.parametrize("name", WRITER["MODULES"])
def test_the_committed_copy_is_what_the_service_says(name: str) -> None:
    committed = (PACKAGE / name).read_text(encoding="utf-8")
    assert committed == WRITER["page"](name), "run python tools/write_client.py"


def test_there_is_one_exception_for_each_code() -> None:
    codes = {
        line.split("|")[1].strip().rpartition(" ")[2]
        for line in (ROOT / "docs/errors.md").read_text().splitlines()
        if line.startswith("| ") and not line.startswith("| Code")
    }
    assert set(refusals.BY_CODE) == codes
    assert all(kind.__name__ == code for code, kind in refusals.BY_CODE.items())
    assert all(issubclass(kind, Refused) for kind in refusals.BY_CODE.values())


def test_every_route_and_variant_is_called_by_some_method() -> None:
    source = "".join((PACKAGE / f"{name}.py").read_text() for name in ("_async", "_async_calls"))
    pairs = [(route.key, route.answer) for route in ROUTES if route.answer]
    pairs += [(route.key, answer) for route in ROUTES for _, answer in route.variants]
    schemas = document()["components"]["schemas"]
    called = set(re.findall(r"answers\.(\w+)", source))
    missing = [
        (key, answer.__name__)
        for key, answer in pairs
        if WRITER["_public"](answer.__name__, schemas) not in called
    ]
    assert missing == []


def test_no_two_answers_have_the_same_name() -> None:
    names = re.findall(r"^class (\w+)", (PACKAGE / "answers.py").read_text(), re.MULTILINE)
    assert len(names) == len(set(names))


def test_both_clients_have_the_same_methods() -> None:
    def methods(kind: type) -> dict[str, list[str]]:
        return {
            name.replace("aclose", "close"): list(inspect.signature(method).parameters)
            for name, method in inspect.getmembers(kind, inspect.isfunction)
            if not name.startswith("_")
        }

    assert methods(AsyncClient) == methods(Client)
    assert len(methods(Client)) > 20


@pytest.mark.parametrize("module", sorted(PACKAGE.glob("*.py")), ids=lambda p: p.name)
def test_the_client_is_python_3_10(module: Path) -> None:
    tree = ast.parse(module.read_text(encoding="utf-8"), feature_version=(3, 10))
    new = {"Self", "Unpack", "StrEnum", "UTC", "TaskGroup", "timeout"}
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module in {"typing", "enum", "datetime"}:
            assert not new & {alias.name for alias in node.names}


def test_nothing_but_httpx_and_msgspec_is_needed() -> None:
    allowed = {"httpx", "msgspec", "imagesearch_client", "botocore", "typing_extensions"}
    for module in PACKAGE.glob("*.py"):
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            roots = {name.partition(".")[0] for name in names}
            assert roots <= allowed | set(sys.stdlib_module_names), module.name


@pytest.mark.skipif(
    int(version("setuptools").split(".")[0]) < 80, reason="setuptools 80 or newer is not installed"
)
def test_the_client_is_a_package_of_its_own(tmp_path: Path) -> None:
    source = tmp_path / "client"
    shutil.copytree(ROOT / "client", source, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "--wheel-dir", str(tmp_path), str(source)], check=True)
    [wheel] = tmp_path.glob("serverless_image_search_client-*-py3-none-any.whl")
    with zipfile.ZipFile(wheel) as packed:
        names = set(packed.namelist())
        [about] = [name for name in names if name.endswith("METADATA")]
        needed = re.findall(r"^Requires-Dist: (\w+)", packed.read(about).decode(), re.MULTILINE)
    modules = {f"imagesearch_client/{file.name}" for file in PACKAGE.glob("*.py")}
    assert modules | {"imagesearch_client/py.typed"} <= names
    assert needed == ["httpx", "msgspec", "botocore"]


def test_no_exception_has_the_name_of_another() -> None:
    written = {kind for kind in vars(errors).values() if isinstance(kind, type)}
    assert not {kind.__name__ for kind in written} & set(refusals.BY_CODE)

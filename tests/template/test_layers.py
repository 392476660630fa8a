"""How the layers are made: pinned, pruned, cut down, the same every time."""

from __future__ import annotations

import ctypes
import re
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
from tools.sam import artifacts, bytecode, interpreter, lock, sizes
from tools.sam.elf import is_shared_object, loaded_only

from tests.template.conftest import ROOT


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


# Shared objects of this process' own packages, a patched one (auditwheel) among them.
def _libraries() -> list[Path]:
    import msgspec
    import numpy
    import PIL

    homes = [Path(str(module.__file__)).parent for module in (msgspec, numpy, PIL)]
    return [path for home in homes for path in sorted(home.rglob("*.so"))[:4]]


@pytest.mark.skipif(sys.platform != "linux", reason="shared objects are ELF files on Linux only")
def test_a_cut_library_still_loads_and_is_smaller(tmp_path: Path) -> None:
    before = after = 0
    for library in _libraries():
        whole = library.read_bytes()
        assert is_shared_object(whole)
        cut = loaded_only(whole)
        before, after = before + len(whole), after + len(cut)
        place = tmp_path / library.name
        place.write_bytes(cut)
        ctypes.CDLL(str(place), mode=ctypes.RTLD_LOCAL)
    assert after < before


@pytest.mark.skipif(sys.platform != "linux", reason="shared objects are ELF files on Linux only")
def test_cutting_twice_changes_nothing_more() -> None:
    for library in _libraries():
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

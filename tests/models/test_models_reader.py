"""The reader of PyTorch files takes tensors and nothing else."""

from __future__ import annotations

import pickle
import struct
from collections import OrderedDict
from typing import Any

import numpy as np
import pytest

from tools.models.torchfile import NotATensorFile, read_tensors

_MAGIC = 0x1950A86A20F9469CFC6C


class _Storage:
    """Pickled as PyTorch does it: a persistent reference to a storage."""

    def __init__(self, length: int) -> None:
        self.length = length


class _Tensor:
    def __init__(self, length: int, offset: int, shape: Any, strides: Any) -> None:
        self.state = (_Storage(length), offset, shape, strides, False, OrderedDict())


class _Global:
    """Stands for a module's member that need not be importable here."""

    def __init__(self, module: str, name: str) -> None:
        self.path = (module, name)


class _Pickler(pickle._Pickler):  # type: ignore[name-defined,misc]
    def persistent_id(self, value: Any) -> Any:
        if isinstance(value, _Storage):
            return ("storage", _Global("torch", "FloatStorage"), "7", "cpu", value.length, None)
        return None

    def save(self, value: Any, *rest: Any, **more: Any) -> None:
        if isinstance(value, _Global):
            self.write(b"c" + "\n".join(value.path).encode() + b"\n")
        elif isinstance(value, _Tensor):
            self.save(_Global("torch._utils", "_rebuild_tensor_v2"))
            super().save(value.state, *rest, **more)
            self.write(b"R")
        else:
            super().save(value, *rest, **more)


def _file(content: Any, values: np.ndarray[Any, Any], tmp_path: Any) -> bytes:
    path = tmp_path / "x.pth"
    with path.open("wb") as out:
        for part in (_MAGIC, 1001, {"little_endian": True}, content, ["7"]):
            _Pickler(out, protocol=2).dump(part)
        out.write(struct.pack("<q", values.size) + values.astype("<f4").tobytes())
    return bytes(path.read_bytes())


def test_reads_views_with_offset_and_strides(tmp_path: Any) -> None:
    values = np.arange(10, dtype=np.float32)
    tensor = _Tensor(10, 2, (2, 3), (1, 2))
    found = read_tensors(_file(OrderedDict(w=tensor), values, tmp_path))
    assert found["w"].tolist() == [[2, 4, 6], [3, 5, 7]]


def test_refuses_a_view_beyond_its_storage(tmp_path: Any) -> None:
    tensor = _Tensor(10, 8, (3,), (1,))
    with pytest.raises(NotATensorFile, match="outside"):
        read_tensors(_file(OrderedDict(w=tensor), np.zeros(10), tmp_path))


def test_refuses_any_other_function(tmp_path: Any) -> None:
    class Evil:
        def __reduce__(self) -> Any:
            return print, ("must not be printed",)

    with pytest.raises(NotATensorFile, match=r"\.print"):
        read_tensors(_file(OrderedDict(w=Evil()), np.zeros(1), tmp_path))


def test_refuses_what_is_not_a_tensor(tmp_path: Any) -> None:
    with pytest.raises(NotATensorFile, match="something else"):
        read_tensors(_file(OrderedDict(w=3), np.zeros(1), tmp_path))


def test_refuses_another_format() -> None:
    with pytest.raises(NotATensorFile, match="magic"):
        read_tensors(pickle.dumps(5))

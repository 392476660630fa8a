"""Vectors become rows and bits, the same everywhere, and likeness follows the vendor's scale."""

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from imagesearch.index import Features, encode, likeness
from imagesearch.index.features import bits_of, relevance, squares_of
from imagesearch.index.scan import codes_of, dot_products, hamming

from tests.index.makers import look, vector

MAXIMUM = "7.33136443711219e+24;0"


def test_a_row_uses_all_levels_whatever_the_length_of_the_vector() -> None:
    row = encode(vector(1)).row
    assert row.dtype == np.int8
    assert np.abs(row).max() == 127
    assert np.array_equal(encode(vector(1) * np.float32(1e-3)).row, row)


def test_bits_are_the_signs_of_the_documented_rotation() -> None:
    """Written a second time from docs/index-format.md, with integers and the fast transform."""
    values = [int(x) for x in encode(vector(2)).row]
    for number in range(2):
        digest = hashlib.sha512(f"imagesearch rotation {number}".encode()).digest()
        minus = [digest[i // 8] >> (7 - i % 8) & 1 for i in range(512)]
        values = [-x if flip else x for x, flip in zip(values, minus, strict=True)]
        step = 1
        while step < 512:
            for first in range(0, 512, 2 * step):
                for i in range(first, first + step):
                    values[i], values[i + step] = (
                        values[i] + values[i + step],
                        values[i] - values[i + step],
                    )
            step *= 2
    code = int("".join("1" if x > 0 else "0" for x in values), 2).to_bytes(64)
    assert encode(vector(2)).bits.tobytes() == code


def test_the_stored_form_of_a_known_vector_never_changes() -> None:
    ramp = (np.arange(512) * 37 % 101 - 50).astype(np.float32)
    found = encode(ramp)
    digest = hashlib.sha256(found.row.tobytes() + found.bits.tobytes()).hexdigest()
    assert digest == "c0eea323c8e4ff26ae43e2657b6de69916fe3596bdc45633e7ac99a26041576c"


@pytest.mark.parametrize(
    "bad",
    [
        np.zeros(512, np.float32),
        np.full(512, np.nan, np.float32),
        np.full(512, np.inf, np.float32),
        np.ones(511, np.float32),
    ],
    ids=["zero", "nan", "infinite", "short"],
)
def test_a_vector_that_has_no_direction_is_refused(bad: np.ndarray) -> None:
    with pytest.raises(ValueError, match="feature vector"):
        encode(bad)


def test_equal_rows_have_exactly_the_maximum() -> None:
    for seed in range(200):
        same = likeness(look(seed), look(seed))
        assert same.sort_expr_values == MAXIMUM
        assert same.score == 1.0


def test_one_level_of_one_component_is_not_the_maximum() -> None:
    found = look(3)
    row = found.row.copy()
    row[np.argmin(np.abs(row))] += 1
    other = likeness(found, Features(row, bits_of(row[np.newaxis])[0]))
    assert other.relevance < 1e8
    assert other.score < 1.0


@given(st.integers(0, 10**6), st.floats(0.001, 3))
def test_relevance_is_the_inverse_squared_distance_of_unit_vectors(seed: int, noise: float) -> None:
    a, b = look(seed), look(seed, noise)
    found = likeness(a, b)
    x, y = (f.row.astype(np.longdouble) for f in (a, b))
    x, y = x / np.sqrt((x * x).sum()), y / np.sqrt((y * y).sum())
    distance = float(((x - y) ** 2).sum())
    if not np.array_equal(a.row, b.row):
        assert found.relevance == pytest.approx(7.33136443711219 / distance, rel=1e-6)
        assert found.score == pytest.approx(max(0.0, float((x * y).sum())), abs=1e-12)
    assert likeness(b, a) == found


def test_opposite_vectors_are_least_alike() -> None:
    row = look(5).row
    opposite = Features(-row, bits_of(-row[np.newaxis])[0])
    found = likeness(look(5), opposite)
    assert found.relevance == pytest.approx(7.33136443711219 / 4)
    assert found.score == 0.0
    assert found.hamming >= 511


def test_many_rows_are_compared_as_one_is() -> None:
    a, others = look(7), [look(7, 0.3 * i) for i in range(20)]
    rows = np.stack([b.row for b in others])
    own = int(squares_of(a.row[np.newaxis])[0])
    relevances, scores = relevance(own, dot_products(a.row, rows), squares_of(rows))
    for b, r, s in zip(others, relevances, scores, strict=True):
        assert (likeness(a, b).relevance, likeness(a, b).score) == (float(r), float(s))


def test_a_scan_of_codes_counts_differing_bits() -> None:
    bits = np.stack([look(n).bits for n in range(70)])
    one = look(500).bits
    expected = [int.from_bytes((row ^ one).tobytes()).bit_count() for row in bits]
    assert hamming(one, codes_of(bits)).tolist() == expected
    assert hamming(one, codes_of(bits[:0])).tolist() == []

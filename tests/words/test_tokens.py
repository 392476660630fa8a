import pytest
from hypothesis import given
from hypothesis import strategies as st
from imagesearch.words.tokens import BEGIN, END, UNKNOWN, Vocabulary

PIECES = ["<unk>", "<s>", "</s>", "▁", "▁a", "a", "b", "ab", "abb", "▁红", "红色", "色"]
SCORES = [0.0, 0.0, 0.0, -4.0, -2.0, -3.0, -3.0, -2.5, -9.0, -3.0, -2.0, -4.0]


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    return Vocabulary(PIECES, SCORES)


def split(vocabulary: Vocabulary, text: str) -> list[str]:
    return [PIECES[number] for number in vocabulary.numbers(text)]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("a", ["▁a"]),
        ("ab", ["▁a", "b"]),  # -5, better than ▁ + ab at -6.5
        ("bab", ["▁", "b", "ab"]),
        ("abb", ["▁a", "b", "b"]),  # one long piece is not taken for its length
        ("a  b", ["▁a", "▁", "b"]),
        ("红色", ["▁", "红色"]),
        ("ａ", ["▁a"]),
        ("az", ["▁a", "<unk>"]),
        ("", []),
        ("  ", []),
    ],
)
def test_the_likeliest_pieces_are_taken(
    vocabulary: Vocabulary, text: str, wanted: list[str]
) -> None:
    assert split(vocabulary, text) == wanted


def test_special_pieces_are_not_found_in_texts(vocabulary: Vocabulary) -> None:
    assert not {BEGIN, END} & set(vocabulary.numbers("<s></s><unk>"))


@given(st.text(alphabet="ab红色 ", max_size=12))
def test_pieces_make_up_the_text(text: str) -> None:
    found = split(Vocabulary(PIECES, SCORES), text)
    words = text.split()
    known = "▁" + "▁".join(words) if words else ""
    assert "".join(p if p != "<unk>" else "?" for p in found).count("▁") == known.count("▁")
    assert sum(1 if p == PIECES[UNKNOWN] else len(p) for p in found) == len(known)


def brute(text: str) -> float:
    """The best score over every way to cut a text."""
    if not text:
        return 0.0
    best = float("-inf")
    for length in range(1, len(text) + 1):
        piece = text[:length]
        if piece in PIECES[3:]:
            best = max(best, SCORES[PIECES.index(piece)] + brute(text[length:]))
        elif length == 1:
            best = max(best, min(SCORES) - 10 + brute(text[1:]))
    return best


@given(st.text(alphabet="ab红色", min_size=1, max_size=7))
def test_no_way_to_cut_is_likelier(text: str) -> None:
    numbers = Vocabulary(PIECES, SCORES).numbers(text)
    score = sum(SCORES[n] if n else min(SCORES) - 10 for n in numbers)
    assert score == pytest.approx(brute("▁" + text))

from hypothesis import given
from hypothesis import strategies as st
from imagesearch.words.terms import Finder, terms


def test_terms_of_english_and_chinese() -> None:
    assert terms("Dresses, BOXES & a Glass-Bus!") == {"dress", "box", "a", "glass", "bus"}
    assert terms("连衣裙 X2") == {"连", "衣", "裙", "连衣", "衣裙", "x2"}
    assert terms("ＦＵＬＬ") == {"full"}


def test_each_term_of_a_query_is_a_bit() -> None:
    finder = Finder("red Shoes 鞋子", most=63)
    assert finder.terms == ["red", "shoe", "鞋", "子", "鞋子"]
    assert finder("a SHOE, ｒｅｄ") == 0b00011
    assert finder("shoelace, reddish") == 0
    assert finder("鞋") == 0b00100
    assert finder("") == 0


def test_terms_past_the_most_are_left_out() -> None:
    finder = Finder(" ".join(f"w{n}" for n in range(200)), most=63)
    assert len(finder.terms) == 63
    assert finder("w62 w63") == 1 << 62


@given(st.text(max_size=40), st.text(max_size=40))
def test_a_bit_is_set_exactly_for_terms_that_the_text_has(query: str, text: str) -> None:
    finder = Finder(query, most=63)
    wanted = {term for term in finder.terms if term in terms(text)}
    bits = finder(text)
    assert wanted == {term for place, term in enumerate(finder.terms) if bits >> place & 1}

"""The filter language: what it accepts, what it means, how it says no."""

from __future__ import annotations

import pytest
from imagesearch.catalogue import Attributes
from imagesearch.catalogue.filter import MAX_LENGTH, MAX_NESTING, Filter, TableColumns
from imagesearch.errors import InvalidFilter


def passes(text: str, **attributes: int | str) -> bool:
    """Evaluate a filter in both ways, which must agree."""
    row = Attributes(**attributes)  # type: ignore[arg-type]
    parsed = Filter.parse(text)
    one = parsed.matches(row)
    assert parsed.mask(TableColumns([row])).tolist() == [one]
    return one


def refusal(text: str) -> InvalidFilter:
    with pytest.raises(InvalidFilter) as caught:
        Filter.parse(text)
    assert caught.value.field == "filter"
    assert caught.value.code == "InvalidFilterClause"
    return caught.value


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        ("int_attr = 5", 5, True),
        ("int_attr=5", 6, False),
        ("int_attr != 5", 6, True),
        ("int_attr!=5", 5, False),
        ("int_attr > 5", 5, False),
        ("int_attr > 5", 6, True),
        ("int_attr >= 5", 5, True),
        ("int_attr < 5", 5, False),
        ("int_attr < 5", 4, True),
        ("int_attr <= 5", 5, True),
        ("int_attr in (1,5)", 5, True),
        ("int_attr in (1,5)", 2, False),
        ("int_attr not in (1,5)", 2, True),
        ("int_attr not in (1,5)", 5, False),
        ("int_attr=-5", -5, True),
        ("int_attr = +5", 5, True),
        ("int_attr>-5", 0, True),
        ("int_attr = 007", 7, True),
    ],
)
def test_integer_operators(text: str, value: int, expected: bool) -> None:
    assert passes(text, int_attr=value) is expected


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        ('str_attr = "red"', "red", True),
        ('str_attr="red"', "Red", False),
        ('str_attr="red"', "red ", False),
        ('str_attr != "red"', "blue", True),
        ('str_attr!="red"', "red", False),
        ('str_attr in ("red","blue")', "blue", True),
        ('str_attr in ("red","blue")', "green", False),
        ('str_attr not in ("red","blue")', "green", True),
        ('str_attr not in ("red","blue")', "red", False),
        ('str_attr = ""', "", True),
        ('str_attr = "红色"', "红色", True),
        ('str_attr = "a AND b) OR (c"', "a AND b) OR (c", True),
        (r'str_attr = "a\"b"', 'a"b', True),
        (r'str_attr = "a\\b"', "a\\b", True),
        (r'str_attr = "a\\\"b"', 'a\\"b', True),
        ('str_attr = "it\'s"', "it's", True),
        ('str_attr = "two\nlines"', "two\nlines", True),
    ],
)
def test_string_operators(text: str, value: str, expected: bool) -> None:
    assert passes(text, str_attr=value) is expected


@pytest.mark.parametrize("number", ["", "2", "3", "4"])
@pytest.mark.parametrize("spelling", ["int_attr{}", "intAttr{}", "IntAttr{}", "INT_ATTR{}"])
def test_every_integer_field_in_every_spelling(spelling: str, number: str) -> None:
    assert passes(f"{spelling.format(number)}=7", **{f"int_attr{number}": 7})
    others = {f"int_attr{n}": 7 for n in ("", "2", "3", "4") if n != number}
    assert not passes(f"{spelling.format(number)}=7", **others)


@pytest.mark.parametrize("number", ["", "2", "3", "4"])
@pytest.mark.parametrize("spelling", ["str_attr{}", "strAttr{}", "StrAttr{}", "STR_ATTR{}"])
def test_every_string_field_in_every_spelling(spelling: str, number: str) -> None:
    assert passes(f'{spelling.format(number)}="7"', **{f"str_attr{number}": "7"})
    others = {f"str_attr{n}": "7" for n in ("", "2", "3", "4") if n != number}
    assert not passes(f'{spelling.format(number)}="7"', **others)


@pytest.mark.parametrize(
    "text",
    [
        "int_attr=1 OR int_attr=2 AND int_attr2=9",
        "int_attr=1 or int_attr=2 and int_attr2=9",
        "int_attr=1 Or(int_attr=2 aNd int_attr2=9)",
        "((int_attr=1)) OR ((int_attr=2) AND int_attr2=9)",
    ],
)
def test_and_binds_tighter_than_or(text: str) -> None:
    assert passes(text, int_attr=1, int_attr2=0)
    assert passes(text, int_attr=2, int_attr2=9)
    assert not passes(text, int_attr=2, int_attr2=0)


def test_parentheses_bind_tightest() -> None:
    text = "(int_attr=1 OR int_attr=2) AND int_attr2=9"
    assert passes(text, int_attr=1, int_attr2=9)
    assert not passes(text, int_attr=1, int_attr2=0)


@pytest.mark.parametrize(
    "text",
    [
        "int_attr in(1,2,3)",
        "int_attr in ( 1 , 2 , 3 )",
        "int_attr IN [1,2,3]",
        "int_attr\tin\n(2)",
        "int_attr in (2,2,2)",
        "  int_attr  in(-1,+2)  ",
        "int_attr=2AND int_attr>1",
        "(int_attr=2)AND(int_attr>1)",
    ],
)
def test_lists_and_spaces_are_taken_as_they_come(text: str) -> None:
    assert passes(text, int_attr=2)
    assert not passes(text, int_attr=9)


@pytest.mark.parametrize(
    "condition", ["=1", "!=1", "<1", "<=1", ">1", ">=1", " in (1)", " not in (1)"]
)
def test_a_missing_integer_passes_nothing(condition: str) -> None:
    assert not passes(f"int_attr{condition}", int_attr2=1, str_attr="1")


@pytest.mark.parametrize("condition", ['=""', '!=""', ' in ("")', ' not in ("")', ' not in ("a")'])
def test_a_missing_string_passes_nothing(condition: str) -> None:
    assert not passes(f"str_attr{condition}", str_attr2="")


@pytest.mark.parametrize("huge", [2**31, 2**63, 2**64, 10**200])
def test_numbers_beyond_every_attribute_are_compared_as_numbers(huge: int) -> None:
    assert passes(f"int_attr < {huge} AND int_attr > -{huge}", int_attr=2**31 - 1)
    assert passes(f"int_attr != {huge} AND int_attr not in ({huge},{-huge})", int_attr=0)
    assert not passes(f"int_attr = {huge} OR int_attr in ({huge},-{huge})", int_attr=0)


@pytest.mark.parametrize(
    ("text", "column", "found", "expected"),
    [
        ("", 1, "the end", "a field"),
        ("   ", 4, "the end", "a field"),
        ("int_attr", 9, "the end", "= != < <= > >= in or not in"),
        ("int_attr==1", 9, "'=='", "= != < <= > >= in or not in after int_attr"),
        ("int_attr 1", 10, "'1'", "in or not in after int_attr"),
        ("int_attr=", 10, "the end", "an integer"),
        ("int_attr=1.5", 11, "'.'", "AND, OR or the end"),
        ('int_attr="5"', 10, "'\"5\"'", "an integer, as int_attr is one"),
        ("int_attr=1 int_attr2=2", 12, "'int_attr2'", "AND, OR or the end"),
        ("int_attr=1 AND", 15, "the end", "a field"),
        ("int_attr=1 AND AND int_attr=2", 16, "'AND'", "a field"),
        ("int_attr=1 && int_attr=2", 12, "'&&'", "AND, OR or the end"),
        ("(int_attr=1", 12, "the end", "AND, OR or )"),
        ("(int_attr=1]", 12, "']'", "AND, OR or )"),
        ("int_attr=1)", 11, "')'", "AND, OR or the end"),
        ("()", 2, "')'", "a field"),
        ("[int_attr=1]", 1, "'['", "a field"),
        ("int_attr in 1,2", 13, "'1'", "( and the list of values"),
        ("int_attr in ()", 14, "')'", "an integer"),
        ("int_attr in (1,)", 16, "')'", "an integer"),
        ("int_attr in (1 2)", 16, "'2'", ", or )"),
        ("int_attr in (1,2]", 17, "']'", ", or )"),
        ("int_attr in [1,2)", 17, "')'", ", or ]"),
        ("int_attr not 5", 14, "'5'", "in after not"),
        ("not int_attr=5", 1, "'not'", "a field"),
        ("price > 3", 1, "'price'", "a field"),
        ("int_attr5 = 3", 1, "'int_attr5'", "a field"),
        ("5 = int_attr", 1, "'5'", "a field"),
        ('str_attr > "a"', 10, "'>'", "= != in or not in after str_attr"),
        ("str_attr = 5", 12, "'5'", "a string in double quotes, as str_attr is one"),
        ("str_attr = 'a'", 12, "'''", "a string in double quotes"),
        ("str_attr = “a”", 12, "'“'", "a string in double quotes"),
        ('str_attr = "a', 12, "a string without end", 'a closing "'),
        (r'str_attr = "a\"', 12, "a string without end", 'a closing "'),
        (r'str_attr = "a\n"', 14, r"'\n'", "the only escapes"),
        ('str_attr = "a\\', 14, "'\\'", "the only escapes"),
        ("int_attr=1 \x00", 12, r"'\x00'", "AND, OR or the end"),
        ("int_attr ＝ 1", 10, "'＝'", "= != < <= > >= in or not in"),
    ],
)
def test_a_refusal_names_place_and_expectation(
    text: str, column: int, found: str, expected: str
) -> None:
    error = refusal(text)
    assert error.detail.startswith(f"filter, column {column}: found {found}, expected ")
    assert expected in error.detail
    assert len(error.fix.splitlines()[-1]) == column
    assert error.fix.endswith("^")


def test_the_mark_stays_under_its_place_in_a_long_filter() -> None:
    text = " AND ".join(["int_attr=1"] * 50) + " AND price=1" + " AND int_attr=1" * 50
    *_, line, mark = refusal(text).fix.splitlines()
    assert line[len(mark) - 1 :].startswith("price")
    assert len(line) <= 80


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("int_attr == 1", "Write ="),
        ("int_attr <> 1", "Write !="),
        ("int_attr=1 || int_attr=2", "Write OR"),
        ("str_attr='a'", "double quotes"),
        ("str_attr=“a”", "straight double quotes"),
    ],
)
def test_habits_of_other_languages_get_advice(text: str, advice: str) -> None:
    assert advice in refusal(text).fix


def test_a_long_token_is_shortened_in_the_message() -> None:
    assert len(refusal("x" * 4000).detail) < 200


def test_length_is_limited() -> None:
    text = "int_attr=1".ljust(MAX_LENGTH)
    assert Filter.parse(text) == Filter.parse("int_attr=1")
    error = refusal(text + " ")
    assert str(MAX_LENGTH) in error.detail
    assert str(MAX_LENGTH + 1) in error.detail


def test_nesting_is_limited() -> None:
    deepest = "(" * MAX_NESTING + "int_attr=1" + ")" * MAX_NESTING
    assert passes(deepest, int_attr=1)
    assert f"column {MAX_NESTING + 1}:" in refusal(f"({deepest})").detail
    assert refusal("(" * MAX_LENGTH)


def test_many_groups_side_by_side_are_not_nesting() -> None:
    text = " OR ".join(["(int_attr=1)"] * (2 * MAX_NESTING))
    assert passes(text, int_attr=1)


def test_the_longest_chain_and_list_are_evaluated() -> None:
    chain = " OR ".join(["int_attr=1"] * 292)
    assert passes(chain, int_attr=1)
    numbers = ",".join(map(str, range(1000)))
    assert passes(f"int_attr in ({numbers})", int_attr=999)
    assert not passes(f"int_attr in ({numbers})", int_attr=1000)


def test_str_is_one_spelling_for_all() -> None:
    text = '( intAttr>=-5and(STR_ATTR="a\\"b"or strattr2 not in["x","y"]) )'
    expected = r'int_attr >= -5 AND (str_attr = "a\"b" OR str_attr2 not in ("x", "y"))'
    assert str(Filter.parse(text)) == expected

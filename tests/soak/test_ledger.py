"""The soak's judge: it must see every kind of broken promise, and nothing where there is none."""

from __future__ import annotations

from pathlib import Path

from tests.soak.ledger import Key, Ledger, Row

A: Key = ("p", "a")
B: Key = ("p", "b")


def kinds(ledger: Ledger) -> list[str]:
    return [wrong.kind for wrong in ledger.wrongs]


def test_what_was_acknowledged_must_be_seen_and_nothing_older() -> None:
    ledger = Ledger()
    ledger.done("add", {A: frozenset({Row(1)})})
    ledger.saw(A, Row(1), "show")
    assert not ledger.wrongs
    ledger.done("add", {A: frozenset({Row(2)})})
    ledger.saw(A, Row(1), "show")
    ledger.saw(A, None, "show")
    assert kinds(ledger) == ["stale", "lost"]


def test_what_was_deleted_must_not_return() -> None:
    ledger = Ledger()
    ledger.done("add", {A: frozenset({Row(1)})})
    ledger.done("delete", {A: frozenset({None})})
    ledger.saw(A, None, "show")
    assert not ledger.wrongs
    ledger.saw(A, Row(1), "show")
    assert kinds(ledger) == ["returned"]


def test_a_write_in_doubt_may_be_seen_or_not_until_the_next_is_acknowledged() -> None:
    ledger = Ledger()
    ledger.done("add", {A: frozenset({Row(1)})})
    ledger.doubt("add", {A: frozenset({Row(2)})})
    ledger.saw(A, Row(1), "show")
    ledger.saw(A, Row(2), "show")
    assert ledger.bounds([A, B]) == (1, 1)
    ledger.doubt("delete", {A: frozenset({None})})
    assert ledger.bounds([A, B]) == (0, 1)
    assert not ledger.wrongs
    ledger.done("add", {A: frozenset({Row(3)})})
    ledger.saw(A, Row(2), "show")
    assert kinds(ledger) == ["stale"]


def test_a_list_may_name_a_key_once_and_must_name_every_one() -> None:
    ledger = Ledger()
    ledger.done("task", {A: frozenset({Row(1)}), B: frozenset({Row(2)})})
    ledger.saw_list([(A, Row(1)), (B, Row(2))], [A, B], "list")
    assert not ledger.wrongs
    ledger.saw_list([(A, Row(1)), (A, Row(1))], [A, B], "list")
    assert kinds(ledger) == ["doubled", "lost"]
    ledger.saw_list([(A, Row(1)), (B, Row(2)), (("x", "y"), Row(1))], [A, B], "list")
    assert kinds(ledger)[-1] == "returned"


def test_the_journal_has_every_operation(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "journal.jsonl")
    ledger.done("add", {A: frozenset({Row(1)})})
    ledger.doubt("delete", {A: frozenset({None})})
    lines = (tmp_path / "journal.jsonl").read_text().splitlines()
    assert '"how": "done"' in lines[0]
    assert '"absent"' in lines[1]
    assert (ledger.acknowledged, ledger.doubted) == (1, 1)

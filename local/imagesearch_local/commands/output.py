"""What the command line prints: one JSON object, or text for people."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
from imagesearch_client import Summary
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

__all__ = [
    "complain",
    "counting",
    "import_progress",
    "print_fields",
    "print_json",
    "print_table",
    "progress",
    "rating",
]

_PIPED = 1000
"""Width of what a program reads: wide enough that no row of a table is folded."""

_SCREEN = Console(highlight=False, width=None if sys.stdout.isatty() else _PIPED)
_WIDE = 1000  # what is not a screen has no edge to fold at
_NOTES = Console(stderr=True, highlight=False)


def print_json(value: object) -> None:
    """Print ``value``, which may be a struct or hold some, as JSON on one line."""
    sys.stdout.write(json.dumps(msgspec.to_builtins(value), ensure_ascii=False) + "\n")


def print_table(columns: Sequence[str], rows: Iterable[Mapping[str, Any] | msgspec.Struct]) -> None:
    """Print the named columns of ``rows``."""
    table = Table(box=None, pad_edge=False)
    for number, column in enumerate(columns):
        table.add_column(column, overflow="fold", no_wrap=number == 0)
    for row in map(_mapping, rows):
        table.add_row(*(_text(row.get(column)) for column in columns))
    _SCREEN.print(table, width=None if _SCREEN.is_terminal else _WIDE)


def print_fields(shown: Mapping[str, Any] | msgspec.Struct) -> None:
    """Print one name and value a line."""
    fields = _mapping(shown)
    width = max(map(len, fields), default=0)
    for name, value in fields.items():
        _SCREEN.print(f"{name:<{width}}  {_text(value)}", markup=False, soft_wrap=True)


def complain(text: str) -> None:
    """Print a line on standard error."""
    _NOTES.print(text, markup=False, soft_wrap=True)


@contextmanager
def progress(title: str, *, hidden: bool) -> Iterator[Callable[[int], Callable[[], None]]]:
    """Show a progress bar on standard error.

    Gives a function that is told the total and returns what to call after each step.
    """
    with _bar(hidden=hidden) as bar:

        def begin(total: int) -> Callable[[], None]:
            task = bar.add_task(title, total=total, note="")
            return lambda: bar.advance(task)

        yield begin


@contextmanager
def counting(title: str, total: int, *, hidden: bool) -> Iterator[Callable[[int], None]]:
    """Show how many of ``total`` are done; gives a function that is told how many."""
    with _bar(hidden=hidden) as bar:
        task = bar.add_task(title, total=total, note="")
        yield lambda done: bar.update(task, completed=done)


@contextmanager
def rating(title: str, *, hidden: bool) -> Iterator[Callable[[int, int], None]]:
    """Show how many of how many are done, and how many a second; gives what to tell them to."""
    with _bar(hidden=hidden) as bar:
        task = bar.add_task(title, total=None, note="")
        began: list[tuple[float, int]] = []

        def show(done: int, total: int) -> None:
            began.append((time.monotonic(), done))
            seconds = began[-1][0] - began[0][0]
            note = f"{(done - began[0][1]) / seconds:,.0f} a second" if seconds > 0 else ""
            del began[1:]
            bar.update(task, total=total, completed=done, note=note)

        yield show


@contextmanager
def import_progress(title: str, *, hidden: bool) -> Iterator[Callable[[Summary], None]]:
    """Show how far an import is, and how many pictures have failed so far."""
    with _bar(hidden=hidden) as bar:
        task = bar.add_task(title, total=None, note="")

        def show(summary: Summary) -> None:
            failed = len(summary.failures)
            note = f"{failed} failed" if failed else ""
            done = summary.added + summary.known + failed
            bar.update(task, total=summary.total, completed=done, note=note)

        yield show


def _bar(*, hidden: bool) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    note = TextColumn("{task.fields[note]}")
    return Progress(*columns, TimeRemainingColumn(), note, console=_NOTES, disable=hidden)


def _mapping(value: Mapping[str, Any] | msgspec.Struct) -> Mapping[str, Any]:
    if isinstance(value, msgspec.Struct):
        found: dict[str, Any] = msgspec.to_builtins(value)
        return found
    return value


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4f}"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)

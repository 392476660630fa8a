"""What the command line prints: one JSON object, or text for people."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

__all__ = ["complain", "print_fields", "print_json", "print_table", "progress"]

_SCREEN = Console(highlight=False)
_NOTES = Console(stderr=True, highlight=False)


def print_json(value: object) -> None:
    """Print ``value`` as JSON on one line."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")


def print_table(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Print the named columns of ``rows``."""
    table = Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(_text(row.get(column)) for column in columns))
    _SCREEN.print(table)


def print_fields(fields: Mapping[str, Any]) -> None:
    """Print one name and value a line."""
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
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    bar = Progress(*columns, TimeRemainingColumn(), console=_NOTES, disable=hidden)

    def begin(total: int) -> Callable[[], None]:
        task = bar.add_task(title, total=total)
        return lambda: bar.advance(task)

    with bar:
        yield begin


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4f}"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)

"""Write docs/commands.md from the command line itself: ``python tools/write_commands.py``."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any, get_args

import typer
from imagesearch_local.cli import app
from imagesearch_local.commands.exits import Exit
from typer.core import TyperArgument, TyperOption

Command = Any
Parameter = Any
"""Typer's own copies of click's classes have no public name."""

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/commands.md"

HEAD = """# Commands

Written by `python tools/write_commands.py` from the command line itself; do not edit by hand.
What the verbs have in common, and how imports work, is in [cli.md](cli.md).

| Verb | |
|---|---|
"""


def page() -> str:
    """Return the page's text."""
    verbs = list(_verbs(typer.main.get_command(app), "imagesearch"))
    rows = [f"| [`{name}`](#{_anchor(name)}) | {_first(verb)} |\n" for name, verb in verbs]
    return HEAD + "".join(rows) + "".join(_section(name, verb) for name, verb in verbs) + _exits()


def _verbs(command: Command, name: str) -> Iterator[tuple[str, Command]]:
    below = getattr(command, "commands", None)
    if below is None:
        yield name, command
        return
    for word, child in below.items():
        yield from _verbs(child, f"{name} {word}")


def _section(name: str, verb: Command) -> str:
    arguments = [p for p in verb.params if isinstance(p, TyperArgument)]
    options = [p for p in verb.params if isinstance(p, TyperOption) and p.name != "help"]
    words = " ".join(_placeholder(one) for one in arguments)
    usage = f"{name} {words} [OPTIONS]".replace("  ", " ")
    parts = [f"\n## {name}\n\n{_told(verb)}\n\n```text\n{usage}\n```\n"]
    if verb.params:
        parts.append("\n| | Default | |\n|---|---|---|\n")
    parts += [f"| `{_placeholder(one)}` | {_default(one)} | {_help(one)} |\n" for one in arguments]
    parts += [f"| `{_flags(one)}` | {_default(one)} | {_help(one)} |\n" for one in options]
    return "".join(parts)


def _told(verb: Command) -> str:
    return inspect.cleandoc(verb.help or "").strip()


def _first(verb: Command) -> str:
    return _told(verb).partition("\n")[0]


def _placeholder(argument: Parameter) -> str:
    shown = _value(argument, (argument.name or "").upper())
    return shown if argument.required else f"[{shown}]"


def _flags(option: Parameter) -> str:
    flags = ", ".join((*option.opts, *option.secondary_opts))
    if getattr(option, "is_flag", False):
        return flags
    more = "…" if option.multiple else ""
    return f"{flags} {option.metavar or _value(option, '')}{more}"


def _value(parameter: Parameter, name: str) -> str:
    """Return the word for a parameter's value: ``name``, else its type, but always its choices."""
    kind = parameter.type_descriptor.annotation
    kinds = [one for one in (kind, *get_args(kind)) if isinstance(one, type)]
    choices = next((one for one in kinds if issubclass(one, Enum)), None)
    if choices:
        return "\\|".join(str(choice.value) for choice in choices)
    words = {int: "NUMBER", float: "NUMBER", Path: "PATH"}
    return name or next((words[one] for one in kinds if one in words), "TEXT")


def _default(parameter: Parameter) -> str:
    value = parameter.default
    if parameter.required:
        return "required"
    if value in (None, "", [], ()) or value is False or parameter.multiple:
        return ""
    if isinstance(value, Path) and value.is_relative_to(ROOT):
        value = value.relative_to(ROOT)
    return f"`{value.value if isinstance(value, Enum) else value}`"


def _help(parameter: Parameter) -> str:
    named = parameter.envvar
    told = getattr(parameter, "help", "") or ""
    return (told + (f" Also `{named}`." if named else "")).strip()


def _anchor(name: str) -> str:
    return name.replace(" ", "-")


def _exits() -> str:
    statuses = ", ".join(f"{one.value} {one.name.lower().replace('_', ' ')}" for one in Exit)
    return f"\n## Exit status\n\n{statuses}; see [cli.md](cli.md#exit-status).\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"wrote {PAGE.name}")

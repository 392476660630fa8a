"""Join the page's modules into one file, so that a first visit costs a few requests, not forty.

In a young account ten functions may run at once: forty requests in a moment would be turned away.
The modules are ECMAScript as browsers take it. Joined, each becomes a function that is called once,
after those it imports, and returns what it exports.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

__all__ = ["joined"]

_IMPORT = re.compile(r'^import (?:\* as (\w+)|\{([^}]*)\}) from "\./([\w-]+\.js)";$', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function|const|class) (\w+))", re.MULTILINE)
_OTHER = re.compile(r"^(?:import|export)\b.*$", re.MULTILINE)


def joined(modules: Mapping[str, str], entry: str) -> str:
    """Return the module ``entry`` and all that it imports, from sources by name, as one module.

    Raises :class:`ValueError` for modules that import each other in a circle, and for kinds of
    import and export that are not understood here.
    """
    order: list[str] = []
    _visit(entry, modules, order, ())
    parts = [f'm["{name}"] = (() => {{\n{_body(modules[name])}}})();\n' for name in order]
    return "const m = {};\n" + "".join(parts)


def _visit(name: str, modules: Mapping[str, str], order: list[str], above: tuple[str, ...]) -> None:
    """Append a module to the order, after those it imports."""
    if name in above:
        raise ValueError(f"modules import each other: {' > '.join((*above, name))}")
    if name in order:
        return
    for found in _IMPORT.finditer(modules[name]):
        _visit(found[3], modules, order, (*above, name))
    order.append(name)


def _body(source: str) -> str:
    exported = [found[1] for found in _EXPORT.finditer(source)]
    body = _EXPORT.sub("", _IMPORT.sub(_taken, source))
    if other := _OTHER.search(body):
        raise ValueError(f"not understood: {other[0][:80]}")
    return f"{body}return {{ {', '.join(exported)} }};\n"


def _taken(found: re.Match[str]) -> str:
    """Write an import as a declaration: ``{ a, b as c }`` becomes ``{ a, b: c }``."""
    what = found[1] or "{" + re.sub(r"\s+as\s+", ": ", found[2]) + "}"
    return f'const {what} = m["{found[3]}"];'

"""``imagesearch keys``: who may call, and for which instances."""

from __future__ import annotations

import hashlib
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from imagesearch.contract.key_sources import key_source
from imagesearch.contract.keys import AccessKey, KeySource
from imagesearch.errors import ImageSearchError
from imagesearch.limits import Limits

from imagesearch_local.commands.options import AsJson
from imagesearch_local.commands.output import print_fields, print_json, print_table
from imagesearch_local.folder import DataFolder
from imagesearch_local.keys import DEFAULT, default_key, keys_place
from imagesearch_local.problems import LocalFailure

__all__ = ["app"]

app = typer.Typer(
    no_args_is_help=True,
    help="Access keys for Alibaba Cloud's SDKs: create, list, show, rotate, revoke. "
    "And API keys: api.",
)

Data = Annotated[Path, typer.Option("--data", help="Data folder of the local run.")]
Place = Annotated[
    str,
    typer.Option(
        "--keys",
        envvar="IMAGESEARCH_KEYS",
        help="Where a deployment keeps them: ssm:/STACK/keys/ or secretsmanager:NAME.",
        show_default=False,
    ),
]
Key = Annotated[str, typer.Argument(help="Id or name of the key.", show_default=False)]

Searches = Annotated[int | None, typer.Option(help="Searches a second, at most.", min=1)]
Adds = Annotated[int | None, typer.Option(help="Adds a second, at most.", min=1)]
Pictures = Annotated[int | None, typer.Option(help="Fill an instance up to as many.", min=1)]

_COLUMNS = ("access_key_id", "name", "instances", "rights", "limits", "state", "created", "expires")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="What or whom it is for.", show_default=False)],
    instance: Annotated[
        list[str], typer.Option(help="Instance or pattern such as shop-*; repeat.")
    ] = ["*"],  # noqa: B006  typer reads the default, nobody changes it
    read_only: Annotated[
        bool, typer.Option("--read-only", help="Search and look, no more.")
    ] = False,
    expires_in: Annotated[str, typer.Option(help="Such as 90d or 12h; empty is never.")] = "",
    temporary: Annotated[
        bool, typer.Option("--temporary", help="With a security token; needs --expires-in.")
    ] = False,
    searches: Annotated[float | None, typer.Option(help="Searches a second, at most.")] = None,
    adds: Annotated[float | None, typer.Option(help="Adds a second, at most.")] = None,
    pictures: Annotated[int | None, typer.Option(help="Fill an instance up to as many.")] = None,
    own: Annotated[
        str, typer.Option("--id", help="Keep a key pair you have; its secret is asked for.")
    ] = "",
    data: Data = Path(".data"),
    keys: Place = "",
    as_json: AsJson = False,
) -> None:
    """Create a key and print its secret."""
    now = int(time.time())
    if temporary and not expires_in:
        raise typer.BadParameter("--temporary needs --expires-in.")
    key, token = AccessKey.new(
        name=name,
        instances=tuple(pattern.lower() for pattern in instance),
        read_only=read_only,
        now=now,
        expires=now + _seconds(expires_in) if expires_in else None,
        temporary=temporary,
        limits=_limits(searches=searches, adds=adds, pictures=pictures),
    )
    if own:
        secret = typer.prompt("secret", hide_input=True, err=True)
        key = replace(key, id=own, secret=secret)
    with _said():
        _source(data, keys).save(key)
    _print(_with_secret(key) | ({"security_token": token} if token else {}), as_json)


@app.command("list")
def list_all(data: Data = Path(".data"), keys: Place = "", as_json: AsJson = False) -> None:
    """List the keys, without their secrets."""
    with _said():
        found = sorted(_source(data, keys).load().values(), key=lambda key: key.created)
    rows = [_about(key) for key in found]
    print_json({"keys": rows}) if as_json else print_table(_COLUMNS, rows)


@app.command()
def show(
    key: Annotated[str, typer.Argument(help="Id or name.")] = DEFAULT,
    data: Data = Path(".data"),
    keys: Place = "",
    as_json: AsJson = False,
) -> None:
    """Show a key with its secret; the local default key if none is named."""
    with _said():
        if key == DEFAULT and not keys:
            found, _ = default_key(DataFolder(data))
        else:
            found = _find(_source(data, keys), key)
    _print(_with_secret(found), as_json)


@app.command()
def rotate(
    key: Key,
    keep: Annotated[str, typer.Option(help="For how long the old one still works.")] = "7d",
    data: Data = Path(".data"),
    keys: Place = "",
    as_json: AsJson = False,
) -> None:
    """Create a key with the same rights; the old one goes on working for a while."""
    now = int(time.time())
    ends = now + _seconds(keep)
    with _said():
        source = _source(data, keys)
        old = _find(source, key)
        new, _ = AccessKey.new(
            name=old.name,
            instances=old.instances,
            read_only=old.read_only,
            now=now,
            limits=old.limits,
        )
        source.save(new)
        source.save(replace(old, expires=min(ends, old.expires or ends)))
    _print(_with_secret(new) | {"replaces": old.id, "until": _time(ends)}, as_json)


@app.command()
def limit(
    key: Key,
    searches: Annotated[float | None, typer.Option(help="Searches a second, at most.")] = None,
    adds: Annotated[float | None, typer.Option(help="Adds a second, at most.")] = None,
    pictures: Annotated[int | None, typer.Option(help="Fill an instance up to as many.")] = None,
    data: Data = Path(".data"),
    keys: Place = "",
    as_json: AsJson = False,
) -> None:
    """Set a key's limits anew; what is not given is not limited. Counts within a minute."""
    with _said():
        source = _source(data, keys)
        limits = _limits(searches=searches, adds=adds, pictures=pictures)
        found = replace(_find(source, key), limits=limits)
        source.save(found)
    _print(_about(found), as_json)


@app.command()
def revoke(key: Key, data: Data = Path(".data"), keys: Place = "", as_json: AsJson = False) -> None:
    """End a key now; functions that know it take up to a minute to notice."""
    with _said():
        source = _source(data, keys)
        found = replace(_find(source, key), active=False)
        source.save(found)
    _print(_about(found), as_json)


@app.command()
def api(
    instance: Annotated[
        list[str], typer.Option(help="Instance or pattern such as shop-*; repeat. Default: every.")
    ] = [],  # noqa: B006  typer reads the default, nobody changes it
    read_only: Annotated[
        bool, typer.Option("--read-only", help="Search and look, no more.")
    ] = False,
    searches: Searches = None,
    adds: Adds = None,
    pictures: Pictures = None,
    as_json: AsJson = False,
) -> None:
    """Make a key of the HTTP API, and the entry of the parameter ApiKeys that lets it in.

    Nothing is stored: the key is shown once, and the entry holds its hash.
    """
    key = secrets.token_hex(32)
    names = [f"instance={_reachable(name.lower())}" for name in instance]
    given = {"searches": searches, "adds": adds, "pictures": pictures}
    limits = [f"{name}={value}" for name, value in given.items() if value is not None]
    scope, digest = "read" if read_only else "write", hashlib.sha256(key.encode()).hexdigest()
    _print({"api_key": key, "entry": ":".join([scope, digest, *names, *limits])}, as_json)


def _reachable(pattern: str) -> str:
    if not re.fullmatch(r"[a-z0-9*_-]{1,20}", pattern, re.ASCII):
        raise typer.BadParameter(f"{pattern!r} is neither an instance's name nor a pattern of it.")
    return pattern


def _limits(**given: float | None) -> Limits:
    for name, value in given.items():
        if value is not None and not value > 0:
            raise typer.BadParameter(f"--{name} must be above 0.")
    return Limits(**given)  # type: ignore[arg-type]


def _source(data: Path, keys: str) -> KeySource:
    return key_source(keys or keys_place(DataFolder(data)))


def _find(source: KeySource, wanted: str) -> AccessKey:
    found = [key for key in source.load().values() if wanted in (key.id, key.name)]
    usable = [key for key in found if key.usable(time.time())] or found
    if not usable:
        raise LocalFailure(f"there is no key {wanted!r}; imagesearch keys list names them all.")
    return max(usable, key=lambda key: (key.created, key.expires is None))


def _seconds(text: str) -> int:
    found = re.fullmatch(r"(\d{1,5})([smhd])", text)
    if not found:
        raise typer.BadParameter(f"{text!r} is not a time such as 90d, 12h, 30m or 45s.")
    return int(found[1]) * _UNITS[found[2]]


@contextmanager
def _said() -> Iterator[None]:
    """Turn what a key source raises into one line for the caller."""
    try:
        yield
    except ImageSearchError as error:
        raise LocalFailure(f"{error.detail} {error.fix}") from None


def _about(key: AccessKey) -> dict[str, Any]:
    state = "revoked" if not key.active else "valid" if key.usable(time.time()) else "expired"
    return {
        "access_key_id": key.id,
        "name": key.name,
        "instances": list(key.instances),
        "rights": "read" if key.read_only else "all",
        "limits": ", ".join(f"{n}={v:g}" for n, v in msgspec.to_builtins(key.limits).items()),
        "state": state,
        "created": _time(key.created),
        "expires": _time(key.expires),
    }


def _with_secret(key: AccessKey) -> dict[str, Any]:
    return {"access_key_id": key.id, "access_key_secret": key.secret, "name": key.name}


def _time(seconds: int | None) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if seconds else ""


def _print(values: dict[str, Any], as_json: bool) -> None:
    print_json(values) if as_json else print_fields(values)

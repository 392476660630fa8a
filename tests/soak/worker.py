"""A worker: writes pictures of its own in every way there is, and looks whether all is well."""

from __future__ import annotations

import base64
import random
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.pictures import as_bytes, drawn
from tests.soak.caller import Caller, Reply
from tests.soak.ledger import Key, Ledger, Row, States

__all__ = ["INSTANCE", "Pause", "Worker", "row_of"]

INSTANCE = "soak"
EXACT = "7.33136443711219e+24;0"
_PRODUCTS = 12
_NAMES = ("a.jpg", "b.jpg", "c.jpg")
_UNHEARD_SECONDS = 100.0
_CATEGORY = 5


def row_of(picture: Mapping[str, Any]) -> tuple[Key, Row]:
    """Return key and row of a picture in an answer."""
    key = (picture["product_id"], picture["pic_name"])
    return key, Row(picture.get("int_attr", 0), picture.get("str_attr2") or "")


class Pause:
    """Holds all workers between two operations."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._wanted = False
        self._busy = 0

    def __enter__(self) -> None:
        """Begin an operation."""
        with self._changed:
            self._changed.wait_for(lambda: not self._wanted)
            self._busy += 1

    def __exit__(self, *_: object) -> None:
        """End an operation."""
        with self._changed:
            self._busy -= 1
            self._changed.notify_all()

    def hold(self) -> None:
        """Wait until nobody is in an operation; nobody begins one until :meth:`release`."""
        with self._changed:
            self._wanted = True
            self._changed.wait_for(lambda: self._busy == 0)

    def release(self) -> None:
        """Let operations begin again."""
        with self._changed:
            self._wanted = False
            self._changed.notify_all()


@dataclass(slots=True)
class Worker:
    """One client with its own products, ``w<number>-p0`` and so on."""

    number: int
    caller: Caller
    ledger: Ledger
    pause: Pause
    chance: random.Random
    looks: dict[int, bytes] = field(default_factory=dict)
    waiting: dict[Key, float] = field(default_factory=dict)

    @property
    def mark(self) -> str:
        """Return what all rows of this worker carry in ``str_attr``."""
        return f"w{self.number}"

    def run(self, stop: threading.Event) -> None:
        """Work until told to stop."""
        kinds: dict[Callable[[], None], int] = {
            self.add: 40,
            self.patch: 14,
            self.delete_picture: 8,
            self.delete_product: 5,
            self.delete_by_filter: 3,
            self.search_by_name: 10,
            self.search_by_picture: 6,
            self.count: 6,
            self.list_own: 6,
        }
        while not stop.is_set():
            with self.pause:
                self.chance.choices(list(kinds), list(kinds.values()))[0]()

    def keys(self) -> list[Key]:
        """Return every key this worker may ever write."""
        return [(f"w{self.number}-p{p}", name) for p in range(_PRODUCTS) for name in _NAMES]

    def add(self) -> None:
        """Add or replace a picture."""
        if not (key := self._pick()):
            return
        version = self.ledger.version()
        picture = as_bytes(drawn(version, size=(64, 64)))
        body = {
            "product_id": key[0],
            "pic_name": key[1],
            "image": base64.b64encode(picture).decode(),
            "category_id": _CATEGORY,
            "region": "0,64,0,64",
            "int_attr": version,
            "int_attr2": int(key[0].rpartition("p")[2]),
            "str_attr": self.mark,
        }
        outcome = {key: frozenset({Row(version)})}
        headers = {"idempotency-key": uuid.uuid4().hex} if self.chance.random() < 0.5 else {}
        path = f"/v1/instances/{INSTANCE}/pictures"
        tries = 4 if headers else 1
        reply = self._write("add", outcome, tries, "POST", path, json=body, headers=headers)
        if reply.clear:
            self.looks[version] = picture
            self._fresh(key)

    def patch(self) -> None:
        """Change the attributes of a picture."""
        if not (key := self._pick(there=0.9)):
            return
        before = self.ledger.states(key)
        note = f"n{self.ledger.version()}"
        after: States = frozenset(Row(s.version, note) for s in before if s)
        path = f"/v1/instances/{INSTANCE}/pictures/{key[0]}/{key[1]}"
        reply = self._write("patch", {key: after}, 1, "PATCH", path, json={"str_attr2": note})
        if reply.status == 404:
            self.ledger.saw(key, None, "patch")
        elif reply.clear:
            if not after:
                self.ledger.wrong("returned", f"patch found {key}, which is deleted")
            self._fresh(key)

    def delete_picture(self) -> None:
        """Delete one picture."""
        if key := self._pick():
            path = f"/v1/instances/{INSTANCE}/pictures/{key[0]}/{key[1]}"
            self._delete("delete picture", [key], path)

    def delete_product(self) -> None:
        """Delete a product."""
        if key := self._pick():
            own = [(key[0], name) for name in _NAMES]
            self._delete("delete product", own, f"/v1/instances/{INSTANCE}/pictures/{key[0]}")

    def delete_by_filter(self) -> None:
        """Delete what a filter matches: two products of this worker."""
        low = self.chance.randrange(_PRODUCTS - 1)
        own = [key for key in self.keys() if low <= int(key[0].rpartition("p")[2]) <= low + 1]
        wanted = f'str_attr = "{self.mark}" and int_attr2 >= {low} and int_attr2 <= {low + 1}'
        path = f"/v1/instances/{INSTANCE}/pictures"
        self._delete("delete by filter", own, path, params={"filter": wanted})

    def search_by_name(self) -> None:
        """Search with an indexed picture, which must find itself first."""
        if not (key := self._pick(there=0.9)):
            return
        query = {"product_id": key[0], "pic_name": key[1], "category_id": _CATEGORY, "num": 5}
        reply = self._search("search by name", query)
        if reply.clear and reply.json()["hits"][0]["sort_expr_values"] != EXACT:
            self.ledger.wrong("lost", f"search by name does not find {key} itself")
        elif reply.refused:
            self.ledger.saw(key, None, "search by name")

    def search_by_picture(self) -> None:
        """Search with a picture whose row is known to be there."""
        held = {row.version: key for key in self.keys() if (row := self._sure(key))}
        if versions := sorted(held.keys() & self.looks.keys()):
            version = self.chance.choice(versions)
            image = base64.b64encode(self.looks[version]).decode()
            query = {"image": image, "region": "0,64,0,64", "category_id": _CATEGORY, "num": 5}
            reply = self._search("search by picture", query)
            if reply.clear and reply.json()["hits"][0]["int_attr"] != version:
                self.ledger.wrong("lost", f"search by picture misses {held[version]} v{version}")

    def count(self) -> None:
        """Search own rows by filter: the total is exact."""
        image = base64.b64encode(as_bytes(drawn(self.number, size=(64, 64)))).decode()
        query = {
            "image": image,
            "region": "0,64,0,64",
            "category_id": _CATEGORY,
            "num": 100,
            "filter": f'str_attr = "{self.mark}"',
        }
        reply = self._search("search by filter", query)
        if not reply.clear:
            return
        low, high = self.ledger.bounds(self.keys())
        total, hits = reply.json()["total"], reply.json()["hits"]
        if not low <= total <= high:
            self.ledger.wrong("stale", f"{self.mark} has {total} rows, not {low} to {high}")
        if len(hits) != min(total, 100):
            self.ledger.wrong("stale", f"{len(hits)} hits of {total}")
        self.ledger.saw_list(map(row_of, hits), self.keys(), "search by filter")

    def list_own(self) -> None:
        """List own rows."""
        query = {"filter": f'str_attr = "{self.mark}"', "limit": "500"}
        reply = self.caller.ask("list", "GET", f"/v1/instances/{INSTANCE}/pictures", params=query)
        if reply.clear:
            self.ledger.saw_list(map(row_of, reply.json()["pictures"]), self.keys(), "list")

    def _search(self, kind: str, query: Mapping[str, Any]) -> Reply:
        reply = self.caller.ask(kind, "POST", f"/v1/instances/{INSTANCE}/search", json=query)
        if reply.clear:
            hits = reply.json()["hits"]
            keys = [(hit["product_id"], hit["pic_name"]) for hit in hits]
            if len(set(keys)) < len(keys):
                self.ledger.wrong("doubled", f"{kind}: {keys}")
            for hit in hits:
                if hit.get("str_attr") == self.mark:
                    self.ledger.saw(*row_of(hit), kind)
        return reply

    def _write(
        self, kind: str, outcome: Mapping[Key, States], tries: int, *request: str, **options: Any
    ) -> Reply:
        for _ in range(tries):
            reply = self.caller.ask(kind, *request, **options)
            if reply.clear:
                self.ledger.done(f"{kind} {self.mark}", outcome)
                break
            if reply.refused:
                if reply.status != 404:
                    self.ledger.wrong("unclear", f"{kind} refused: {reply.status} {reply.code}")
                break
            self.ledger.doubt(f"{kind} {self.mark} {reply.status}", outcome)
            if reply.unheard:
                self.waiting.update(dict.fromkeys(outcome, time.monotonic() + _UNHEARD_SECONDS))
                break
        return reply

    def _delete(self, kind: str, keys: list[Key], path: str, **options: Any) -> None:
        if any(self._waits(key) for key in keys):
            return
        before = {key: self.ledger.states(key) for key in keys}
        outcome: dict[Key, States] = {key: frozenset({None}) for key in keys}
        reply = self._write(kind, outcome, 1, "DELETE", path, **options)
        if not reply.clear:
            return
        names = sorted(reply.json()["deleted"])
        must = sorted(key[1] for key, states in before.items() if None not in states)
        may = sorted(key[1] for key, states in before.items() if states != frozenset({None}))
        if not (_within(must, names) and _within(names, may)):
            self.ledger.wrong("lost", f"{kind} {path} deleted {names}, not {must} to {may}")
        self._fresh(self.chance.choice(keys))

    def _fresh(self, key: Key) -> None:
        """Look through another function whether the write that was just answered is seen."""
        path = f"/v1/instances/{INSTANCE}/pictures/{key[0]}/{key[1]}"
        reply = self.caller.ask("show", "GET", path)
        if reply.clear:
            self.ledger.saw(*row_of(reply.json()), "show")
        elif reply.status == 404:
            self.ledger.saw(key, None, "show")

    def _pick(self, there: float = 0.0) -> Key | None:
        """Choose a key, with the chance ``there`` one that has a picture; none if it waits."""
        keys = self.keys()
        if self.chance.random() < there:
            keys = [key for key in keys if any(self.ledger.states(key))] or keys
        key = self.chance.choice(keys)
        return None if self._waits(key) else key

    def _waits(self, key: Key) -> bool:
        return self.waiting.get(key, 0.0) > time.monotonic()

    def _sure(self, key: Key) -> Row | None:
        states = self.ledger.states(key)
        return next(iter(states)) if len(states) == 1 else None


def _within(few: list[str], many: list[str]) -> bool:
    """Tell whether ``many`` has every element of ``few``, as often."""
    left = list(many)
    for name in few:
        if name not in left:
            return False
        left.remove(name)
    return True

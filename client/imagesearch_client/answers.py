"""What the service answers, as frozen structs.

Written by ``python tools/write_client.py``; do not edit by hand.
"""

from __future__ import annotations

from typing import Literal

import msgspec

__all__ = [
    "Added",
    "Check",
    "Combined",
    "CombinedHit",
    "Compared",
    "Counts",
    "CountsAnswer",
    "Deleted",
    "Duplicates",
    "Erased",
    "Explained",
    "Facet",
    "Found",
    "Health",
    "Hit",
    "Increment",
    "Increments",
    "Index",
    "Instance",
    "Instances",
    "Page",
    "Picture",
    "Problem",
    "Query",
    "Reasons",
    "SeenPicture",
    "Subject",
    "Subjects",
    "Twins",
    "Updated",
    "Upload",
    "Value",
    "Worded",
    "WordedHit",
    "WordedQuery",
]


class Instances(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Every instance."""

    instances: list[Instance]


class Instance(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An instance and what it holds."""

    name: str
    service: Literal["fabric", "generic", "product", "trademark"]
    model: str
    pictures: int
    products: int
    generation: int
    sequence: int
    log_length: int
    created: str


class Erased(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The name of the instance that was erased."""

    deleted: str


class Added(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an add did; ``duplicates`` only if they were asked for and there are any."""

    picture: SeenPicture
    sequence: int
    duplicates: list[Hit] = []


class SeenPicture(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A picture that was just looked at, with every subject found in it, the main one first."""

    product_id: str
    pic_name: str
    category_id: int
    region: list[int]
    int_attr: int | None = None
    int_attr2: int | None = None
    int_attr3: int | None = None
    int_attr4: int | None = None
    str_attr: str | None = None
    str_attr2: str | None = None
    str_attr3: str | None = None
    str_attr4: str | None = None
    custom_content: str | None = None
    thumbnail: str | None = None
    regions: list[list[int]]


class Hit(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A picture that was found, and how alike it looks."""

    product_id: str
    pic_name: str
    category_id: int
    region: list[int]
    int_attr: int | None = None
    int_attr2: int | None = None
    int_attr3: int | None = None
    int_attr4: int | None = None
    str_attr: str | None = None
    str_attr2: str | None = None
    str_attr3: str | None = None
    str_attr4: str | None = None
    custom_content: str | None = None
    thumbnail: str | None = None
    score: float
    relevance: float
    hamming: int
    sort_expr_values: str
    probability: float | None = None


class Page(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A page of pictures; ``next_cursor`` is null on the last.

    ``generation`` is the one that the list is pinned to, null if it is not.
    """

    pictures: list[Picture]
    next_cursor: str | None
    generation: int | None = None


class Picture(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A picture as it is catalogued; attributes that were not given are left out."""

    product_id: str
    pic_name: str
    category_id: int
    region: list[int]
    int_attr: int | None = None
    int_attr2: int | None = None
    int_attr3: int | None = None
    int_attr4: int | None = None
    str_attr: str | None = None
    str_attr2: str | None = None
    str_attr3: str | None = None
    str_attr4: str | None = None
    custom_content: str | None = None
    thumbnail: str | None = None


class Deleted(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The names of the pictures that were deleted."""

    deleted: list[str]
    sequence: int


class Updated(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The picture after an update."""

    picture: Picture
    sequence: int


class Found(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Hits, best first. ``total`` counts all that pass; ``took_ms`` is by stage."""

    hits: list[Hit]
    query: Query
    total: int
    index: Index
    took_ms: dict[str, float]
    total_exact: bool = True


class Query(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was understood of the query: the subject used, and all that were found."""

    category_id: int
    region: list[int]
    regions: list[list[int]]


class Index(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The state of the index that was searched."""

    generation: int
    sequence: int


class CountsAnswer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How many pictures have each value, by field."""

    facets: dict[str, Facet]


class Facet(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The most frequent values of a field.

    ``others`` counts the pictures with another value, ``missing`` those without any.
    """

    values: list[Value]
    others: int
    missing: int


class Value(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A value and how many pictures have it."""

    value: int | str
    count: int


class Duplicates(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Pictures that have duplicates; ``next_cursor`` is null on the last page.

    ``looked`` counts the pictures that were compared with all others.
    """

    groups: list[Twins]
    looked: int
    next_cursor: str | None


class Twins(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A picture and those later in the order of keys that look the same."""

    picture: Picture
    duplicates: list[Hit]


class Compared(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How alike two pictures look."""

    score: float
    hamming: int


class Explained(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why a picture was found. ``result`` is in its thumbnail's pixels, null without one."""

    picture: Picture
    score: float
    query: Reasons
    result: Reasons | None


class Reasons(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where a likeness rests: shares of the region's cells, row by row from the top left."""

    region: list[int]
    cells: list[list[float]]


class Upload(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where and how to send a picture, for ``expires_in`` seconds."""

    upload_id: str
    method: Literal["PUT"]
    url: str
    headers: dict[str, str]
    expires_in: int


class Increment(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A task as it is now; members that have no value yet are null."""

    id: int
    instance: str
    bucket: str
    path: str
    role_arn: str | None
    callback_url: str | None
    state: Literal["cancelled", "done", "failed", "planning", "queued", "running", "stopping"]
    percent: float
    counts: Counts
    queued_behind: int
    pictures_per_second: float
    seconds_left: int | None
    problem: Problem | None
    first_errors: list[Problem]
    line_problems: int
    error_report: str | None
    submitted: str | None
    began: str | None
    ended: str | None


class Counts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How many of the things that the lines ask for have which outcome."""

    total: int
    done: int
    added: int
    deleted: int
    failed: int


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A cause: what is wrong and what to do, in English and Chinese.

    ``line`` is the number of the line of increment.meta, if it is about one.
    """

    code: str
    message: str
    fix: str = ""
    message_zh: str = ""
    fix_zh: str = ""
    line: int | None = None


class Check(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What keeps a task from being carried out."""

    ok: bool
    problems: list[Problem]


class Increments(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Tasks, newest first."""

    increments: list[Increment]


class Health(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All is well; ``model`` where the models were loaded."""

    status: Literal["ok"]
    model: str | None = None


class Combined(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Hits of a combined query, best first. ``total`` counts all that pass."""

    hits: list[CombinedHit]
    total: int
    index: Index
    took_ms: dict[str, float]
    total_exact: bool = True


class CombinedHit(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A picture that was found by a combined query."""

    product_id: str
    pic_name: str
    category_id: int
    region: list[int]
    int_attr: int | None = None
    int_attr2: int | None = None
    int_attr3: int | None = None
    int_attr4: int | None = None
    str_attr: str | None = None
    str_attr2: str | None = None
    str_attr3: str | None = None
    str_attr4: str | None = None
    custom_content: str | None = None
    thumbnail: str | None = None
    score: float
    parts: list[float | None]


class Subjects(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was found for each subject of a picture, the main one first."""

    regions: list[Subject]
    index: Index
    took_ms: dict[str, float]


class Subject(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One subject of the picture, and what looks like it."""

    region: list[int]
    category_id: int
    hits: list[Hit]
    total: int
    total_exact: bool = True


class Worded(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Hits of a search by words, best first. ``total`` counts them all."""

    hits: list[WordedHit]
    query: WordedQuery
    total: int
    index: Index
    took_ms: dict[str, float]


class WordedHit(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A picture that was found by words."""

    product_id: str
    pic_name: str
    category_id: int
    region: list[int]
    int_attr: int | None = None
    int_attr2: int | None = None
    int_attr3: int | None = None
    int_attr4: int | None = None
    str_attr: str | None = None
    str_attr2: str | None = None
    str_attr3: str | None = None
    str_attr4: str | None = None
    custom_content: str | None = None
    thumbnail: str | None = None
    score: float
    words: float
    meaning: float | None = None


class WordedQuery(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The text that was searched for, and whether meanings were compared too."""

    text: str
    meaning: bool


# msgspec 0.22 crashes when several threads use a struct for the first time at once.
for _name in __all__:
    msgspec.json.Decoder(globals()[_name])

"""What every engine must do, the same for each: the protocol, over the real clients."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from imagesearch.catalogue import Attributes, Picture, PictureKey, Region
from imagesearch.catalogue.filter import Filter
from imagesearch.engines import milvus, open_engine, s3vectors
from imagesearch.errors import Conflict, EngineUnavailable
from imagesearch.index import Features
from imagesearch.index.engine import Engine, HeldRow, Question, row_id
from imagesearch.index.features import bits_of
from imagesearch.index.log import Version
from numpy.typing import NDArray

from tests.engines import packages
from tests.engines.conftest import KINDS, Opener, opener_of, unused_name
from tests.engines.filters import ATTRIBUTES, filters
from tests.index.makers import key, look

SEGMENT, OTHER_SEGMENT = "000000000001-00aa", "000000000002-00bb"


def row(
    number: int,
    *,
    segment: str = SEGMENT,
    category: int = 5,
    name: PictureKey | None = None,
    features: Features | None = None,
    attributes: Attributes | None = None,
) -> HeldRow:
    picture = Picture(
        name or key(f"p{number // 3}", f"n{number}"),
        category,
        Region(1, 2, 3, 400),
        attributes or Attributes(),
        "t/1",
        (number % 1000, 3),
    )
    version = Version((1 << 60) + number, (1 << 64) - 1 - number)
    return HeldRow(segment, number, version, picture, (features or look(number)).row)


def exactly(row: NDArray[np.int8]) -> Features:
    return Features(row, bits_of(row[np.newaxis])[0])


def parts(row: HeldRow) -> tuple[object, ...]:
    return row.segment, row.row, row.version, row.picture, row.look.tobytes()


def same(found: Sequence[HeldRow], wanted: Sequence[HeldRow]) -> bool:
    return sorted(map(parts, found), key=str) == sorted(map(parts, wanted), key=str)


def question(features: Features, wanted: int = 10, **options: object) -> Question:
    asked: dict[str, object] = {"segments": [SEGMENT], **options}
    return Question(features=features, wanted=wanted, **asked)  # type: ignore[arg-type]


@pytest.fixture(params=KINDS)
def opener(request: pytest.FixtureRequest) -> Opener:
    return opener_of(request.param, request)


@pytest.fixture
def engine(opener: Opener) -> Iterator[Engine]:
    made = opener(unused_name())
    made.create()
    yield made
    made.erase()


def test_what_was_filled_is_found_at_once_and_whole(opener: Opener, engine: Engine) -> None:
    filled = [row(n) for n in range(3)]
    engine.fill(filled)
    another = opener(engine.name.partition(":")[2].rpartition("/")[2])
    assert another.name == engine.name
    assert same(another.nearest(question(look(1))).rows, filled)
    assert same(another.find([r.picture.key for r in filled], [SEGMENT]), filled)


def test_the_most_alike_come_first_and_no_more_than_wanted(engine: Engine) -> None:
    filled = [row(n) for n in range(120)]
    engine.fill(filled)
    asked = look(7, noise=0.5)
    looks = np.stack([r.look for r in filled]).astype(np.float64)
    cosines = looks @ asked.row / np.linalg.norm(looks, axis=1)
    best = [filled[n].id for n in np.argsort(-cosines)]
    for wanted, complete in ((1, False), (50, False), (119, False), (121, True)):
        found = engine.nearest(question(asked, wanted))
        assert [r.id for r in found.rows] == best[:wanted]
        assert found.complete is complete


def test_looks_that_differ_in_one_component_are_told_apart(engine: Engine) -> None:
    first = look(1).row
    second = first.copy()
    second[9] += 1 if second[9] < 127 else -1
    filled = [row(n, features=exactly(r)) for n, r in enumerate((first, second))]
    engine.fill(filled)
    found = engine.nearest(question(exactly(second), 2)).rows
    assert [parts(r) for r in found] == [parts(filled[1]), parts(filled[0])]


def test_filling_again_is_harmless(engine: Engine) -> None:
    filled = [row(n) for n in range(700)]
    engine.fill(filled)
    engine.fill(filled[:300])
    found = engine.nearest(question(look(1), 1000))
    assert same(found.rows, filled)
    assert found.complete


def test_only_the_segments_asked_for_are_searched(engine: Engine) -> None:
    mine, others = [row(n) for n in range(5)], [row(n, segment=OTHER_SEGMENT) for n in range(5)]
    engine.fill([*mine, *others])
    assert same(engine.nearest(question(look(1))).rows, mine)
    both = question(look(1), segments=[SEGMENT, OTHER_SEGMENT, "000000000003-00cc"])
    assert same(engine.nearest(both).rows, [*mine, *others])
    assert engine.nearest(question(look(1), segments=[])).rows == ()
    assert not engine.nearest(question(look(1), segments=["000000000003-00cc"])).rows


def test_category_and_filter_restrict(engine: Engine) -> None:
    filled = [row(n, category=n % 3, attributes=Attributes(int_attr=n)) for n in range(30)]
    engine.fill(filled)
    asked = question(look(1), 100, category_id=2, filter=Filter.parse("int_attr < 10"))
    found = engine.nearest(asked)
    assert same(found.rows, [filled[2], filled[5], filled[8]])
    assert found.complete


def test_rows_are_found_by_key_in_each_segment(engine: Engine) -> None:
    filled = [row(n, segment=s) for n in range(150) for s in (SEGMENT, OTHER_SEGMENT)]
    engine.fill(filled)
    keys = [r.picture.key for r in filled[::2]]
    assert same(engine.find([*keys, key("nobody")], [SEGMENT, OTHER_SEGMENT, "x"]), filled)
    assert same(engine.find(keys[:2], [OTHER_SEGMENT]), [filled[1], filled[3]])
    assert not engine.find([], [SEGMENT])
    assert not engine.find(keys, [])


def test_removed_rows_are_gone_and_others_stay(engine: Engine) -> None:
    filled = [row(n, segment=s) for n in range(520) for s in (SEGMENT, OTHER_SEGMENT)]
    engine.fill(filled)
    for _again in range(2):
        engine.remove(SEGMENT, [r.picture.key for r in filled])
    assert not engine.nearest(question(look(1))).rows
    asked = question(look(1), 1000, segments=[SEGMENT, OTHER_SEGMENT])
    assert same(engine.nearest(asked).rows, filled[1::2])


def test_a_collection_is_made_once_and_erased_once(opener: Opener) -> None:
    engine = opener(unused_name())
    for _again in range(2):
        engine.create()
    engine.fill([row(1)])
    engine.create()
    assert engine.nearest(question(look(1))).rows
    for _again in range(2):
        engine.erase()
    engine.remove(SEGMENT, [row(1).picture.key])
    with pytest.raises(EngineUnavailable):
        engine.nearest(question(look(1)))
    engine.create()
    assert not engine.nearest(question(look(1))).rows
    engine.erase()


OWNERS = ("s3://one/index/shop/1/", "s3://another/index/shop/1/")


def test_a_collection_of_another_owner_is_neither_used_nor_deleted(opener: Opener) -> None:
    name = unused_name()
    ours, theirs = (opener(name, owner=owner) for owner in OWNERS)
    for _again in range(2):
        ours.create()
    ours.fill([row(1)])
    for refused in (theirs.create, theirs.erase):
        with pytest.raises(Conflict, match="another instance or deployment") as told:
            refused()
        assert name in told.value.detail
        assert told.value.fix
    assert same(ours.nearest(question(look(1))).rows, [row(1)])
    ours.erase()
    theirs.erase()
    theirs.create()
    with pytest.raises(Conflict):
        ours.create()
    theirs.erase()


def test_of_two_who_make_a_collection_at_once_one_is_refused(opener: Opener) -> None:
    name = unused_name()
    engines = [opener(name, owner=owner) for owner in OWNERS]

    def made(engine: Engine) -> bool:
        with suppress(Conflict):
            engine.create()
            return True
        return False

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(made, engines))
    assert sorted(done) == [False, True]
    engines[done.index(True)].erase()


def test_a_collection_without_a_mark_is_not_used_but_may_be_erased(opener: Opener) -> None:
    name = unused_name()
    with unmarked():
        opener(name).create()
    ours = opener(name, owner=OWNERS[0])
    with pytest.raises(Conflict, match="lacks the mark"):
        ours.create()
    ours.erase()
    ours.create()
    ours.erase()


@contextmanager
def unmarked() -> Iterator[None]:
    """Have collections made as they were before there were marks, or by hand."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(milvus, "_OWNER", "another.property")
        patch.setattr(s3vectors, "_OWNER", "another-")
        yield


def test_collections_do_not_meet(opener: Opener, engine: Engine) -> None:
    other = opener(unused_name())
    other.create()
    engine.fill([row(1)])
    other.fill([row(2)])
    assert same(engine.nearest(question(look(1))).rows, [row(1)])
    engine.erase()
    assert same(other.nearest(question(look(1))).rows, [row(2)])
    other.erase()


LONG = "😀" * 4096
EXTREMES = [
    Attributes(custom_content=LONG, **{f"str_attr{n}": f"{n}" + "😀" * 127 for n in ("", 2, 3, 4)}),
    Attributes(int_attr=-(2**63), int_attr2=2**63 - 1, int_attr3=2**53 + 1, int_attr4=0),
    Attributes(str_attr='" or id != "', str_attr2="\\", str_attr3="", str_attr4="\x00\n"),
]


@pytest.mark.parametrize("attributes", EXTREMES, ids=["long", "numbers", "hostile"])
def test_the_longest_and_strangest_values_come_back(engine: Engine, attributes: Attributes) -> None:
    name = PictureKey("产" * 256, '"\\\n😀' * 64)
    filled = [
        row(n, name=PictureKey(name.product_id, f"{n}"), attributes=attributes) for n in range(60)
    ] + [row(60, name=name, attributes=attributes)]
    engine.fill(filled)
    assert same(engine.nearest(question(look(3), 100)).rows, filled)
    assert same(engine.find([name], [SEGMENT]), filled[-1:])


def test_a_row_of_zeros_is_held_and_asked_for(engine: Engine) -> None:
    zeros = np.zeros(512, np.int8)
    nothing = exactly(zeros)
    filled = [row(0, features=nothing), row(1)]
    engine.fill(filled)
    assert same(engine.nearest(question(look(1))).rows, filled)
    assert same(engine.nearest(question(nothing)).rows, filled)


def test_threads_find_what_they_filled(engine: Engine) -> None:
    def work(number: int) -> bool:
        own = f"00000000000{number}-00dd"
        filled = [row(number * 100 + n, segment=own) for n in range(20)]
        engine.fill(filled)
        return same(engine.nearest(question(look(1), 50, segments=[own])).rows, filled)

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(work, range(8)))


def test_few_of_many_flushed_rows_are_found_all(request: pytest.FixtureRequest) -> None:
    """A graph may lose them: Milvus builds one for what is no longer in memory."""
    engine = opener_of("milvus-lite", request)(unused_name())
    engine.create()
    filled = [row(n, attributes=Attributes(int_attr=n % 100)) for n in range(3000)]
    engine.fill(filled)
    uri, collection = request.getfixturevalue("milvus_uri"), engine.name.partition(":")[2]
    milvus.connect(uri, "").flush(collection)
    for wanted, count in ((20, 20), (50, 30)):
        asked = question(look(1), wanted, filter=Filter.parse("int_attr = 7"))
        found = engine.nearest(asked)
        assert len(found.rows) == count
        assert found.complete is (count < wanted)
    engine.erase()


TABLE = [row(n, attributes=attributes) for n, attributes in enumerate(ATTRIBUTES)]


@pytest.fixture(scope="module", params=KINDS)
def table(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """An engine that holds the table of attributes."""
    made = opener_of(request.param, request)(unused_name())
    made.create()
    made.fill(TABLE)
    yield made
    made.erase()


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(filters)
def test_filters_say_what_ours_say(table: Engine, filter: Filter) -> None:
    wanted = [r for r in TABLE if filter.matches(r.picture.attributes)]
    found = table.nearest(question(look(1), len(TABLE) + 1, filter=filter))
    assert {r.row for r in found.rows} == {r.row for r in wanted}, str(filter)
    assert found.complete


@pytest.mark.parametrize(
    "text",
    [
        " OR ".join(f"int_attr = {n}" for n in range(200)),
        f"int_attr not in ({', '.join(map(str, range(-380, 380)))})",
        "(" * 32 + "int_attr = 1" + ' OR str_attr = "a")' * 32,
    ],
    ids=["long", "list", "nested"],
)
def test_the_longest_filters_are_taken(table: Engine, text: str) -> None:
    parsed = Filter.parse(text)
    found = table.nearest(question(look(1), len(TABLE) + 1, filter=parsed))
    wanted = {r.row for r in TABLE if parsed.matches(r.picture.attributes)}
    assert {r.row for r in found.rows} == wanted


def test_an_engine_that_does_not_answer_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    if not packages.there("pymilvus"):
        pytest.skip(packages.WHY_NOT)
    monkeypatch.setattr(milvus, "_SECONDS", 1)
    away = open_engine("milvus:a", uri="http://127.0.0.1:9")
    for call in (
        away.create,
        away.erase,
        lambda: away.fill([row(1)]),
        lambda: away.find([key("a")], [SEGMENT]),
    ):
        with pytest.raises(EngineUnavailable, match="milvus:a"):
            call()


def test_names_of_rows_follow_from_segment_and_key() -> None:
    assert row(1).id == row_id(SEGMENT, row(1).picture.key)
    assert len(row(1).id) <= 128


@pytest.mark.parametrize(
    ("name", "uri"),
    [
        ("", ""),
        ("milvus:a", ""),
        ("milvus:a-b", "http://h"),
        ("milvus:1a", "http://h"),
        ("s3vectors:bucket", ""),
        ("s3vectors:bucket/In", ""),
        ("s3vectors:bucket/index/x", ""),
        ("faiss:a", ""),
    ],
)
def test_other_names_are_no_engines(name: str, uri: str) -> None:
    with pytest.raises(ValueError, match=r"engine|address"):
        open_engine(name, uri=uri)

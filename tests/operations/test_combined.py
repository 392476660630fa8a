"""Combined queries: what is liked draws nearer, what is disliked goes away, words join in."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import pytest
from imagesearch.catalogue import OTHER, Attributes, Picture, PictureKey, Region
from imagesearch.errors import InvalidField, MissingField, PictureNotIndexed
from imagesearch.index import Entry, encode, encode_meaning
from imagesearch.index.segment import Segment
from imagesearch.operations import fields
from imagesearch.operations.combined import (
    CombinedHit,
    CombinedSearch,
    FoundTogether,
    Part,
    combined,
)
from imagesearch.operations.deployment import Deployment
from imagesearch.operations.search import Search, search
from numpy.typing import NDArray


def direction(seed: int) -> NDArray[np.float32]:
    found = np.random.default_rng(seed).standard_normal(512).astype(np.float32)
    return found / np.float32(np.linalg.norm(found))


def put(
    deployment: Deployment,
    looks: dict[str, NDArray[np.float32]],
    meanings: dict[str, NDArray[np.float32]] | None = None,
    colours: dict[str, str] | None = None,
) -> None:
    catalogue = deployment.open("shop")
    entries = []
    for product_id, look in looks.items():
        meaning = (meanings or {}).get(product_id)
        attributes = Attributes(str_attr=(colours or {}).get(product_id))
        picture = Picture(PictureKey(product_id, "a"), OTHER, Region(0, 9, 0, 9), attributes)
        coded = None if meaning is None else encode_meaning(meaning)
        entries.append(Entry(picture, encode(look), coded))
    catalogue.index.append(entries, after=catalogue.snapshot)


def stored(product_id: str, weight: float = 1.0) -> dict[str, Any]:
    return {"picture": {"product_id": product_id, "pic_name": "a"}, "weight": weight}


def ask(deployment: Deployment, *parts: dict[str, Any], **more: Any) -> FoundTogether:
    request = fields.read(CombinedSearch, {"instance": "shop", "query": list(parts), **more})
    return combined(deployment, request, understands=lambda text: direction(int(text)))


def products(found: FoundTogether) -> list[str]:
    return [hit.picture.key.product_id for hit in found.hits]


def score(found: FoundTogether, product_id: str) -> CombinedHit:
    return next(hit for hit in found.hits if hit.picture.key.product_id == product_id)


RED, ROUND, TALL = direction(1), direction(2), direction(3)


@pytest.fixture
def shop(deployment: Deployment) -> Deployment:
    put(deployment, {
        "red": RED,
        "round": ROUND,
        "red-round": RED + ROUND,
        "red-tall": RED + TALL,
        "other": direction(9),
    })  # fmt: skip
    return deployment


def test_one_picture_finds_what_a_plain_search_finds(shop: Deployment) -> None:
    plain = search(shop, Search(instance="shop", image=b"7:0", num=5))
    image = base64.b64encode(b"7:0").decode()
    found = ask(shop, {"image": image}, num=5)
    assert [hit.picture.key for hit in found.hits] == [h.picture.key for h in plain.answer.hits]
    assert [hit.score for hit in found.hits] == [h.likeness.score for h in plain.answer.hits]
    assert found.total == plain.answer.total


def test_what_is_like_both_comes_first(shop: Deployment) -> None:
    found = ask(shop, stored("red"), stored("round"))
    assert products(found)[0] == "red-round"
    assert score(found, "red-round").score == pytest.approx(1, abs=0.02)
    both = score(found, "red-round").parts
    assert both[0] == pytest.approx(both[1], abs=0.02)
    assert both[0] == pytest.approx(1 / 2**0.5, abs=0.05)


def test_what_is_like_the_disliked_goes_down(shop: Deployment) -> None:
    found = products(ask(shop, stored("red"), stored("round", -0.5)))
    assert found.index("red-tall") < found.index("red-round")
    found = products(ask(shop, stored("red"), stored("red-tall", -0.5)))
    assert found.index("red-round") < found.index("red-tall")


def test_weights_decide(shop: Deployment) -> None:
    assert products(ask(shop, stored("red", 5), stored("round", 0.1)))[0] == "red"
    assert products(ask(shop, stored("red", 0.1), stored("round", 5)))[0] == "round"


def test_paging_threshold_and_distinct_are_kept(shop: Deployment) -> None:
    whole = products(ask(shop, stored("red"), stored("round"), num=5))
    paged = [products(ask(shop, stored("red"), stored("round"), num=2, start=n)) for n in (0, 2, 4)]
    assert [product for page in paged for product in page] == whole
    assert products(ask(shop, stored("red"), score_threshold=0.99)) == ["red"]


def test_one_hit_for_each_value_of_an_attribute(deployment: Deployment) -> None:
    looks = {"a": RED, "b": RED + 0.2 * TALL, "c": RED + 0.4 * TALL, "d": RED + 0.6 * TALL}
    put(deployment, looks, dict.fromkeys(looks, ROUND), colours={"a": "red", "b": "red"})
    assert products(ask(deployment, stored("a"), distinct_by="str_attr")) == ["a", "c", "d"]
    with_words = ask(deployment, stored("a"), {"text": "2"}, distinct_by="str_attr")
    assert products(with_words) == ["a", "c", "d"]


def test_words_and_pictures_meet(deployment: Deployment) -> None:
    meaning = direction(40)
    put(
        deployment,
        {"near-look": RED + 0.5 * TALL, "both": RED + 0.7 * TALL, "near-words": direction(8)},
        {"both": meaning + 0.2 * direction(41), "near-words": meaning},
    )
    found = ask(deployment, {"image": base64.b64encode(b"1:0").decode()}, {"text": "40"})
    assert products(found)[0] == "both"
    assert score(found, "near-look").parts[1] is None
    words = score(found, "near-words").parts[1]
    assert words == pytest.approx(1, abs=0.01)
    assert products(ask(deployment, {"text": "40"}))[0] == "near-words"
    assert [hit.score for hit in found.hits] == sorted((h.score for h in found.hits), reverse=True)
    against = ask(deployment, stored("both"), {"text": "40", "weight": -1.0})
    assert products(against)[0] == "near-look"


@pytest.mark.parametrize(
    ("parts", "error", "says"),
    [
        ([{"weight": 1}], MissingField, "query"),
        ([{"text": "1", "image": "MTow"}], InvalidField, "image and text"),
        ([stored("red", -1)], InvalidField, "negative weight"),
        ([stored("red", 0)], InvalidField, "weight 0"),
        ([stored("red"), stored("red", -1.0)], InvalidField, "cancel"),
        ([stored("gone")], PictureNotIndexed, "gone"),
        ([], InvalidField, "query"),
        ([stored("red")] * 11, InvalidField, "query"),
        ([stored("red", 11)], InvalidField, "query"),
        ([{"imagee": "MTow"}], InvalidField, "imagee"),
    ],
)
def test_what_makes_no_sense_is_refused(
    shop: Deployment, parts: list[dict[str, Any]], error: type[Exception], says: str
) -> None:
    with pytest.raises((error, fields.BadRequest), match=says):
        ask(shop, *parts)


def test_a_deployment_without_words_says_so(shop: Deployment) -> None:
    request = CombinedSearch(instance="shop", query=[Part(text="red")])
    with pytest.raises(InvalidField, match="cannot search by words"):
        combined(shop, request)


def test_a_search_without_words_reads_no_meanings(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = {f"p{n}": direction(n) for n in range(9)}
    put(deployment, places, places)
    assert deployment.open("shop").index.fold()
    read: list[Any] = []
    meanings = Segment.meanings

    def noted(segment: Segment, rows: Any) -> NDArray[np.int8]:
        read.append(rows)
        return meanings(segment, rows)

    monkeypatch.setattr(Segment, "meanings", noted)
    ask(deployment, stored("p1"), stored("p2", -0.25))
    search(deployment, Search(instance="shop", product_id="p1", pic_name="a"))
    assert read == []
    found = ask(deployment, stored("p1"), {"text": "5"})
    assert None not in [cosine for hit in found.hits for cosine in hit.parts]
    assert read

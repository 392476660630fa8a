"""What looks alike has a vote in a picture's category."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from imagesearch.catalogue import Region, Service
from imagesearch.vision import Vision
from imagesearch.vision.category import blended, settled
from imagesearch.vision.manifest import Categories, Votes
from PIL import Image

from tests.pictures import as_bytes, drawn
from tests.vision.conftest import description

VOTES = Votes(most=3, spread=0.05, doubt=0.45, floor=0.05, head=0.3)
UNSURE = {4: 0.4, 9: 0.35, 3: 0.25}


def test_neighbours_that_are_alike_outvote_an_unsure_head() -> None:
    assert settled(VOTES, UNSURE, []) == 4
    assert settled(VOTES, UNSURE, [(9, 0.8), (9, 0.75), (4, 0.5)]) == 9


def test_neighbours_that_are_not_alike_do_not() -> None:
    assert settled(VOTES, UNSURE, [(9, 0.1), (9, 0.09)]) == 4


def test_a_sure_head_withstands_a_doubtful_neighbour() -> None:
    assert settled(VOTES, {4: 0.99, 9: 0.01}, [(9, 0.25)]) == 4


def test_only_the_first_count_and_unknown_categories_are_no_answer() -> None:
    far = [(9, 0.9)] * 3 + [(3, 0.9)] * 20
    assert settled(VOTES, UNSURE, far) == 9
    assert settled(VOTES, UNSURE, [(21, 0.9)]) == 4


def test_the_whole_picture_speaks_where_the_subject_is_unsure() -> None:
    rows = np.array([[0.4, 0.35, 0.25], [0.05, 0.9, 0.05]], np.float32)
    head = Categories("category", (3, 4, 9), whole=0.25)
    told = blended(head, rows, whole=True)
    assert told.argmax() == 1
    assert abs(told.sum() - 1) < 1e-6
    assert blended(head, rows, whole=False).argmax() == 0
    assert blended(Categories("category", (3, 4, 9)), rows, whole=True).argmax() == 0


def test_a_look_asks_the_whole_picture_only_for_a_subject_that_was_found(
    bundle: Callable[..., Path],
) -> None:
    services = {
        name: {**recipe, "whole": 0.5} for name, recipe in description()["services"].items()
    }
    weighed = {**description()["categories"], "whole": 2.0}
    alone = Vision.load(bundle(services=services))
    picture = Image.new("RGB", (200, 100), "white")
    picture.paste("black", (100, 25, 150, 75))
    image = as_bytes(picture, "PNG")
    found = alone.look(image, Service.PRODUCT)
    both = Vision.load(bundle(services=services, categories=weighed))
    assert found.region != Region.whole(found.width, found.height)
    assert both.look(image, Service.PRODUCT).chances != found.chances
    given = both.look(image, Service.PRODUCT, region=found.region)
    assert given.chances == found.chances


def test_a_given_category_and_a_bundle_without_votes_stay(
    tiny: Path, bundle: Callable[..., Path]
) -> None:
    image = as_bytes(drawn(3), "PNG")
    votes = {"most": 5, "spread": 0.05, "doubt": 0.45, "floor": 0.05, "head": 0.3}
    voting = Vision.load(bundle(categories={**description()["categories"], "votes": votes}))
    view = voting.look(image, Service.PRODUCT)
    assert abs(sum(view.chances.values()) - 1) < 1e-5
    other = next(id_ for id_ in view.chances if id_ != view.category_id)
    assert voting.settled(view, [(other, 1.0)]) == other
    given = voting.look(image, Service.PRODUCT, category_id=4)
    assert voting.settled(given, [(other, 1.0)]) == 4
    plain = Vision.load(tiny)
    seen = plain.look(image, Service.PRODUCT)
    assert plain.settled(seen, [(other, 1.0)]) == seen.category_id

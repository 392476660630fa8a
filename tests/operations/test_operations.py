"""The operations: who wins, what is searched, what an erased instance leaves."""

from __future__ import annotations

from typing import Any, NoReturn

import pytest
from imagesearch.catalogue import OTHER, PictureKey, Service
from imagesearch.errors import (
    InstanceExists,
    InvalidField,
    MissingField,
    ModelMismatch,
    PictureExists,
    PictureNotIndexed,
    PictureTooBig,
    StorageUnavailable,
    TooDeepResults,
    TooManyResults,
    UnknownInstance,
    UnknownPicture,
    UnknownUpload,
)
from imagesearch.index import Policy
from imagesearch.operations.add import Added, AddPicture, add_picture
from imagesearch.operations.compare import Compare, compare
from imagesearch.operations.delete import (
    DeletePicture,
    DeleteProduct,
    DeleteSelected,
    delete_picture,
    delete_product,
    delete_selected,
)
from imagesearch.operations.deployment import Deployment
from imagesearch.operations.instances import (
    CreateInstance,
    DeleteInstance,
    NamedInstance,
    create_instance,
    delete_instance,
    describe_instance,
    list_instances,
)
from imagesearch.operations.pictures import ListPictures, ShowPicture, list_pictures, show_picture
from imagesearch.operations.search import Found, Search, search
from imagesearch.operations.source import MAX_PICTURE, UPLOADS
from imagesearch.operations.uploads import BeginUpload, begin_upload

from tests.operations.conftest import Make, Reader
from tests.simulation.bucket import Bucket


def add(deployment: Deployment, product: str, image: str, **fields: Any) -> Added:
    request = AddPicture(
        instance=fields.pop("instance", "shop"),
        product_id=product,
        pic_name=fields.pop("pic_name", "a"),
        image=image.encode(),
        **fields,
    )
    return add_picture(deployment, request)


def find(deployment: Deployment, image: str | None, **fields: Any) -> Found:
    sent = image.encode() if image is not None else None
    return search(deployment, Search(instance=fields.pop("instance", "shop"), image=sent, **fields))


def products(found: Found) -> list[str]:
    return [hit.picture.key.product_id for hit in found.answer.hits]


def test_a_given_category_wins_over_the_predicted_one(deployment: Deployment) -> None:
    add(deployment, "shoe", "1:4")
    add(deployment, "bag", "1:4", category_id=3)
    assert find(deployment, "1:4").category_id == 4
    assert products(find(deployment, "1:4", category_id=4)) == ["shoe"]
    assert products(find(deployment, "1:4", category_id=3)) == ["bag"]


def test_a_predicted_category_hides_nothing(deployment: Deployment) -> None:
    add(deployment, "shoe", "1:4")
    add(deployment, "thing", f"1:{OTHER}")
    assert sorted(products(find(deployment, f"1:{OTHER}"))) == ["shoe", "thing"]
    assert sorted(products(find(deployment, "1:4"))) == ["shoe", "thing"]
    assert products(find(deployment, "1:4", category_id=OTHER)) == ["thing"]


@pytest.mark.parametrize("service", [Service.GENERIC, Service.FABRIC, Service.TRADEMARK])
def test_the_other_services_ignore_categories(deployment: Deployment, service: Service) -> None:
    create_instance(deployment, CreateInstance(instance="other", service=service))
    added = add(deployment, "x", "1:4", instance="other", category_id=4)
    assert added.picture.category_id == OTHER
    found = find(deployment, "1:5", instance="other", category_id=7)
    assert (products(found), found.category_id) == (["x"], OTHER)


def test_searching_by_a_stored_picture_keeps_to_a_given_category(deployment: Deployment) -> None:
    add(deployment, "shoe", "1:4")
    add(deployment, "boot", "2:4")
    add(deployment, "bag", "1:3")
    found = find(deployment, None, product_id="shoe", pic_name="a")
    assert products(found) == ["bag", "shoe", "boot"]
    assert products(find(deployment, None, product_id="shoe", pic_name="a", category_id=3)) == [
        "bag"
    ]


def test_what_to_search_by_must_be_complete(deployment: Deployment) -> None:
    with pytest.raises(MissingField, match="image"):
        find(deployment, None)
    with pytest.raises(MissingField, match="pic_name"):
        find(deployment, None, product_id="shoe")
    with pytest.raises(PictureNotIndexed):
        find(deployment, None, product_id="shoe", pic_name="a")
    with pytest.raises(InvalidField, match="both"):
        find(deployment, "1", upload_id="0" * 32)


def test_pages_have_their_limits(deployment: Deployment) -> None:
    find(deployment, "1", num=100, start=400)
    with pytest.raises(TooManyResults, match="101"):
        find(deployment, "1", num=101)
    with pytest.raises(TooDeepResults, match="500"):
        find(deployment, "1", num=100, start=401)


def test_if_exists_keeps_fails_or_replaces(deployment: Deployment) -> None:
    first = add(deployment, "p", "1", int_attr=1)
    kept = add(deployment, "p", "2", int_attr=2, if_exists="keep")
    assert (kept.new, kept.picture.attributes.int_attr) == (False, 1)
    with pytest.raises(PictureExists):
        add(deployment, "p", "2", if_exists="fail")
    replaced = add(deployment, "p", "2", int_attr=3)
    assert replaced.sequence > first.sequence
    shown = show_picture(deployment, ShowPicture(instance="shop", product_id="p", pic_name="a"))
    assert shown.attributes.int_attr == 3


def test_a_repeat_with_the_same_idempotency_key_writes_once(deployment: Deployment) -> None:
    request = AddPicture(instance="shop", product_id="p", pic_name="a", image=b"1")
    first = add_picture(deployment, request, idempotency_key="k")
    again = add_picture(deployment, request, idempotency_key="k")
    assert again.sequence == first.sequence


def test_deletes_name_what_they_hid(deployment: Deployment) -> None:
    for name in ("a", "b", "c"):
        add(deployment, "p", "1", pic_name=name)
    add(deployment, "q", "2", int_attr=9)
    one = DeletePicture(instance="shop", product_id="p", pic_name="a")
    assert delete_picture(deployment, one).keys == [PictureKey("p", "a")]
    before = describe_instance(deployment, NamedInstance(instance="shop"))
    assert delete_picture(deployment, one).keys == []
    assert describe_instance(deployment, NamedInstance(instance="shop")) == before
    rest = delete_product(deployment, DeleteProduct(instance="shop", product_id="p"))
    assert [key.pic_name for key in rest.keys] == ["b", "c"]
    chosen = delete_selected(deployment, DeleteSelected(instance="shop", filter="int_attr > 8"))
    assert chosen.keys == [PictureKey("q", "a")]
    assert products(find(deployment, "1")) == []


def test_pictures_are_listed_page_by_page(deployment: Deployment) -> None:
    for n in range(5):
        add(deployment, f"p{n}", "1", int_attr=n)
    seen, cursor = [], None
    while True:
        page = list_pictures(deployment, ListPictures(instance="shop", cursor=cursor, limit=2))
        seen += [picture.key.product_id for picture in page.pictures]
        if (cursor := page.next_cursor) is None:
            break
    assert seen == [f"p{n}" for n in range(5)]
    few = list_pictures(deployment, ListPictures(instance="shop", filter="int_attr in (1,3)"))
    assert [p.key.product_id for p in few.pictures] == ["p1", "p3"]
    for broken in ("x", "!!", "bnVsbA"):
        with pytest.raises(InvalidField, match="cursor"):
            list_pictures(deployment, ListPictures(instance="shop", cursor=broken))


def test_a_picture_that_is_not_there_is_unknown(deployment: Deployment) -> None:
    with pytest.raises(UnknownPicture):
        show_picture(deployment, ShowPicture(instance="shop", product_id="p", pic_name="a"))


def test_an_instance_is_created_once(deployment: Deployment, bucket: Bucket) -> None:
    again, new = create_instance(
        deployment, CreateInstance(instance="shop", service=Service.PRODUCT)
    )
    assert (new, again.instance.name) == (False, "shop")
    assert len([key for key in bucket.keys_after("", "") if key.endswith("MANIFEST")]) == 1
    with pytest.raises(InstanceExists, match="product"):
        create_instance(deployment, CreateInstance(instance="shop", service=Service.FABRIC))


@pytest.mark.parametrize("finish", ["erase", "create"])
def test_an_erasure_that_was_interrupted_is_finished_by_the_next_to_come(
    deployment: Deployment, bucket: Bucket, monkeypatch: pytest.MonkeyPatch, finish: str
) -> None:
    add(deployment, "p", "1")
    confirmed = DeleteInstance(instance="shop", confirm="shop")
    with monkeypatch.context() as patched:
        patched.setattr(bucket, "list", unavailable)
        with pytest.raises(StorageUnavailable):
            delete_instance(deployment, confirmed)
    with pytest.raises(UnknownInstance):
        find(deployment, "1")
    litter = bucket.keys_after("index/shop/", "")
    assert litter
    if finish == "erase":
        delete_instance(deployment, confirmed)
    else:
        wanted = CreateInstance(instance="shop", service=Service.PRODUCT)
        assert create_instance(deployment, wanted)[1]
    assert not {*litter} & {*bucket.keys_after("index/shop/", "")}


def unavailable(*_arguments: object, **_names: object) -> NoReturn:
    raise StorageUnavailable("the store is silent.")


def test_erasing_leaves_nothing_and_other_environments_notice(
    make: Make, deployment: Deployment, bucket: Bucket
) -> None:
    other = make()
    add(other, "p", "1")
    with pytest.raises(InvalidField, match="confirm"):
        delete_instance(deployment, DeleteInstance(instance="shop", confirm="yes"))
    delete_instance(deployment, DeleteInstance(instance="shop", confirm="shop"))
    assert bucket.keys_after("", "") == ["instances/shop.json"]  # which says the name is free
    with pytest.raises(UnknownInstance):
        find(other, "1")
    create_instance(deployment, CreateInstance(instance="shop", service=Service.GENERIC))
    assert products(find(other, "1")) == []
    add(other, "q", "2")
    assert [found.pictures for found in list_instances(deployment)] == [1]


@pytest.mark.usefixtures("deployment")
def test_another_model_is_refused_for_adding_and_searching(make: Make) -> None:
    class Newer(Reader):
        model = "reader-2"

    other = make(vision=Newer())
    with pytest.raises(ModelMismatch, match=r"reader-1.*reader-2"):
        add(other, "p", "1")
    with pytest.raises(ModelMismatch):
        find(other, "1")


@pytest.mark.usefixtures("deployment")
def test_a_long_log_is_handed_to_compaction_and_its_failure_is_not_the_writers(
    make: Make,
) -> None:
    asked: list[str] = []

    def compaction(instance: str) -> None:
        asked.append(instance)
        raise RuntimeError("not today")

    writer = make(compaction=compaction)
    for n in range(Policy().fold_objects):
        add(writer, f"p{n}", "1")
    assert asked == []
    add(writer, "last", "1")
    assert asked == ["shop"]


def test_without_a_compaction_function_the_writer_folds(deployment: Deployment) -> None:
    for n in range(Policy().fold_objects + 2):
        add(deployment, f"p{n}", "1")
    shown = describe_instance(deployment, NamedInstance(instance="shop"))
    assert shown.log_length < Policy().fold_objects
    assert shown.pictures == Policy().fold_objects + 2
    assert shown.generation > 1


def test_an_upload_is_used_by_its_id(deployment: Deployment, bucket: Bucket) -> None:
    begun = begin_upload(deployment, BeginUpload(content_type="image/png", size=3))
    with pytest.raises(UnknownUpload, match="no picture yet"):
        find(deployment, None, upload_id=begun.upload_id)
    bucket.put(UPLOADS + begun.upload_id, b"1:4")
    assert find(deployment, None, upload_id=begun.upload_id).category_id == 4
    for wrong in ("../instances/shop", "0" * 31, ""):
        with pytest.raises(UnknownUpload):
            find(deployment, None, upload_id=wrong)
    bucket.put(UPLOADS + begun.upload_id, bytes(MAX_PICTURE + 1))
    with pytest.raises(PictureTooBig, match="20,971,520"):
        find(deployment, None, upload_id=begun.upload_id)


def test_comparing_a_picture_with_itself_and_another(deployment: Deployment) -> None:
    same = compare(deployment, Compare(instance="shop", image=b"1", other_image=b"1"))
    assert same.sort_expr_values == "7.33136443711219e+24;0"
    other = compare(deployment, Compare(instance="shop", image=b"1", other_image=b"2"))
    assert other.score < 0.5
    assert other.hamming > 150


def test_an_answer_says_what_it_has_seen(deployment: Deployment) -> None:
    added = add(deployment, "p", "1")
    found = find(deployment, "1", min_sequence=added.sequence)
    assert found.sequence == added.sequence
    assert set(found.took_ms) == {"decode", "subject", "embed", "search", "total"}

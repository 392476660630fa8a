"""The register of instances, on a bucket in memory."""

from __future__ import annotations

from dataclasses import replace

import pytest
from imagesearch.catalogue import Instance, InstanceRegister, Service
from imagesearch.errors import (
    CorruptObject,
    InstanceExists,
    InvalidField,
    LostRace,
    UnknownInstance,
)

from tests.simulation.bucket import Bucket


def instance(
    name: str, *, service: Service = Service.PRODUCT, incarnation: str = "first"
) -> Instance:
    return Instance(name, service, "model-1", 1_700_000_000_000_000, incarnation)


def test_an_instance_is_found_as_it_was_added() -> None:
    bucket = Bucket()
    wanted = instance("shop")
    assert InstanceRegister(bucket).add(wanted) == (wanted, True)
    assert InstanceRegister(bucket).get("shop") == wanted


def test_adding_again_finds_the_first_one() -> None:
    register = InstanceRegister(Bucket())
    first, _ = register.add(instance("shop"))
    assert register.add(instance("shop", incarnation="second")) == (first, False)


def test_a_name_taken_for_another_service_is_refused() -> None:
    register = InstanceRegister(Bucket())
    register.add(instance("shop"))
    with pytest.raises(InstanceExists, match="'shop' is a product instance, not fabric"):
        register.add(instance("shop", service=Service.FABRIC))


def test_the_loser_of_a_race_finds_the_winner() -> None:
    bucket = Bucket()
    winner, loser = InstanceRegister(bucket), InstanceRegister(bucket)
    assert winner.add(instance("shop", incarnation="one"))[1]
    found, new = loser.add(instance("shop", incarnation="two"))
    assert (found.incarnation, new) == ("one", False)


def test_an_unknown_instance_is_named() -> None:
    with pytest.raises(UnknownInstance, match="'shop'"):
        InstanceRegister(Bucket()).get("shop")


def test_a_name_is_free_after_it_was_forgotten() -> None:
    bucket = Bucket()
    register, other = InstanceRegister(bucket), InstanceRegister(bucket)
    first, _ = register.add(instance("shop"))
    assert other.get("shop") == first
    register.forget(first)
    with pytest.raises(UnknownInstance):
        register.get("shop")
    second, new = register.add(instance("shop", service=Service.FABRIC, incarnation="second"))
    assert new
    other.doubt("shop")
    assert other.get("shop") == second
    assert first.prefix != second.prefix


def test_who_forgets_an_instance_late_does_not_touch_the_next_of_its_name() -> None:
    bucket = Bucket()
    register, late = InstanceRegister(bucket), InstanceRegister(bucket)
    first, _ = register.add(instance("shop", incarnation="first"))
    register.forget(first)
    assert [*register] == []
    second, _ = register.add(instance("shop", incarnation="second"))
    late.forget(first)
    assert late.get("shop") == second
    with pytest.raises(LostRace, match="changed"):
        late.forget(replace(second, index="other"))


def test_all_instances_are_listed_by_name() -> None:
    register = InstanceRegister(Bucket())
    for name in ("b", "a", "0-shop_1"):
        register.add(instance(name))
    assert [found.name for found in register] == ["0-shop_1", "a", "b"]


@pytest.mark.parametrize("name", ["a", "0", "shop-1_x", "a" * 20])
def test_good_names(name: str) -> None:
    register = InstanceRegister(Bucket())
    register.add(instance(name))
    assert register.get(name).prefix == f"index/{name}/first/"


@pytest.mark.parametrize("name", ["", "A", "-a", "_a", "a" * 21, "a/b", "..", "a b", "店", "a\n"])
def test_bad_names_are_refused(name: str) -> None:
    register = InstanceRegister(Bucket())
    with pytest.raises(InvalidField, match="1 to 20") as caught:
        register.get(name)
    assert caught.value.code == "InvalidInstanceName"
    with pytest.raises(InvalidField):
        register.add(instance(name))


@pytest.mark.parametrize("body", [b"", b"{", b"{}", b"[]", b'{"name": 3}', b"\xff"])
def test_a_damaged_record_is_named(body: bytes) -> None:
    bucket = Bucket()
    bucket.put("instances/shop.json", body)
    with pytest.raises(CorruptObject, match=r"instances/shop\.json"):
        InstanceRegister(bucket).get("shop")

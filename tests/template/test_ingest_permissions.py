"""The roles of the functions that run batch tasks: enough for all they do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from imagesearch.ingest.roles import TrustRegister
from imagesearch.operations.increments import (
    ListIncrements,
    NamedIncrement,
    cancel_increment,
    list_increments,
    resume_increment,
)

from tests.ingest.yard import Yard, add, delete
from tests.template.conftest import Tree
from tests.template.policies import Guarded, Role


class GuardedYard(Yard):
    """A yard whose store asks a role."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, {"goods/a.jpg": b"1:3", "goods/bad.jpg": b"bad"})
        guarded = Guarded()
        guarded._objects, guarded._now = self.store._objects, self.store._now
        guarded.after = self._note
        self.store = self.guarded = guarded
        self.deployment = self._fresh()


@pytest.fixture
def yard(tmp_path: Path) -> GuardedYard:
    return GuardedYard(tmp_path)


def unused(role: Role) -> set[tuple[str, str]]:
    return {(a, r) for a, r in role.granted() if a.startswith("s3:")} - role.used


def test_ingest_may_do_what_it_does_and_no_more(
    deployed: Callable[..., Tree], yard: GuardedYard
) -> None:
    role = Role.of(deployed(), "IngestRole")
    yard.submit([add("p"), add("q", "bad.jpg"), delete("p")], callback_url="http://127.0.0.1:1/")
    yard.guarded.put("inbox/shop/r/a.jpg", b"1:3")
    yard.guarded.put("inbox/shop/r/b.jpg", b"bad")
    yard.guarded.role = role
    yard.run()
    yard.sweep(inbox=True)
    yard.guarded.role = None
    yard.guarded.put("inbox/shop/r/b.jpg", b"2:3")
    yard.guarded.role = role
    yard.run()
    assert yard.guarded.refused == []
    listing_for_404 = {
        ("s3:ListBucket", f"{name}/*") for name in ("instances", "inbox-state", "models", "imports")
    }
    elsewhere = ("/imports/*", "/models/*")  # read by other means than the deployment's store
    reading_pictures = {("s3:GetObject", r) for _, r in role.granted() if r.endswith(elsewhere)}
    assert unused(role) - listing_for_404 - reading_pictures == set()


def test_increment_may_do_what_it_does_and_no_more(
    deployed: Callable[..., Tree], yard: GuardedYard
) -> None:
    role = Role.of(deployed(), "IncrementRole")
    instance = yard.deployment.instances.get("shop")
    yard.guarded.role = role
    TrustRegister(yard.store).of(instance)
    named = NamedIncrement(instance="shop", id=yard.submit([add("p")]).task.id)
    assert cancel_increment(yard.deployment, named).state == "cancelled"
    resume_increment(yard.deployment, named)
    assert list_increments(yard.deployment, ListIncrements(instance="shop"))
    assert yard.guarded.refused == []
    listing_for_404 = {("s3:ListBucket", f"{name}/*") for name in ("instances", "imports")}
    reading_meta = {("s3:GetObject", r) for _, r in role.granted() if r.endswith("/imports/*")}
    assert unused(role) - listing_for_404 - reading_meta == set()


@pytest.mark.parametrize("name", ["IngestRole", "IncrementRole"])
def test_only_chosen_roles_may_be_assumed(deployed: Callable[..., Tree], name: str) -> None:
    assert not any("sts:" in action for action, _ in Role.of(deployed(), name).granted())
    arn = "arn:aws:iam::222222222222:role/pictures"
    assert ("sts:AssumeRole", arn) in Role.of(deployed(SourceRoles=arn), name).granted()

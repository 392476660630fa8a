"""Whose a collection is: marked when it is made, looked at before it is used or deleted.

Making a collection is one step that only one of several at once takes, and the mark is part of
it; so of two that were told the same name one is refused.
"""

from __future__ import annotations

import hashlib

from imagesearch.errors import Conflict

__all__ = ["check_erasable", "check_own", "digest"]

_DIGITS = 32
_OTHERS = "is the collection of another instance or deployment"


def digest(owner: str) -> str:
    """Return a mark of 32 hexadecimal digits for places too small for the owner's name."""
    return hashlib.sha256(owner.encode()).hexdigest()[:_DIGITS]


def check_own(name: str, found: str, mark: str) -> None:
    """Raise :class:`Conflict` unless the mark that the collection ``name`` bears is ``mark``."""
    if found == mark:
        return
    what = _OTHERS if found else f"was not made for this: it lacks the mark {mark!r}"
    raise Conflict(f"{name} {what}.", fix="Name another, or none: one is made for the index.")


def check_erasable(name: str, found: str, mark: str) -> None:
    """Raise :class:`Conflict` if the collection bears another mark; one without any may go."""
    if found not in {mark, ""}:
        raise Conflict(
            f"{name} {_OTHERS}, so it is not deleted.",
            fix="Let go of it: imagesearch handover NAME --back, then --drop --lost.",
        )

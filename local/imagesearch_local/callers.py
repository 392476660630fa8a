"""Who may call: the template's authorizer is asked before a function is, as API Gateway does."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from imagesearch_local.emulator import FunctionPool
from imagesearch_local.payload import HttpAnswer, HttpRequest
from imagesearch_local.problems import FunctionFailed
from imagesearch_local.routes import Match
from imagesearch_local.template import Authorizer

__all__ = ["Callers", "TurnedAway"]


class TurnedAway(Exception):
    """The caller may not; ``answer`` is what API Gateway says then, in its own words."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        body = json.dumps({"message": message}).encode()
        self.answer = HttpAnswer(status, (("content-type", "application/json"),), body)


class Callers:
    """Asks an authorizer about callers; unlike API Gateway it asks anew for each request."""

    def __init__(self, authorizer: Authorizer, pools: Mapping[str, FunctionPool]) -> None:
        """Ask the authorizer's function, whose pool is among ``pools``."""
        self._authorizer, self._pool = authorizer, pools[authorizer.function]

    async def check(self, request: HttpRequest, match: Match) -> Mapping[str, Any] | None:
        """Return what the authorizer says of the caller, ``None`` for a route that is open to all.

        Raises :class:`TurnedAway` with 401 for a request without the header, with 403 for a caller
        who may not call the route.
        """
        if match.route.key not in self._authorizer.routes:
            return None
        identity = ",".join(v for n, v in request.headers if n.lower() == self._authorizer.header)
        if not identity:
            raise TurnedAway(401, "Unauthorized")
        question = request.question(match.route, match.parameters, identity)
        answer = json.loads(await self._pool.invoke(question))
        if not isinstance(answer, dict) or "isAuthorized" not in answer:
            raise FunctionFailed("the authorizer's answer has no isAuthorized.")
        if answer["isAuthorized"] is not True:
            raise TurnedAway(403, "Forbidden")
        return answer.get("context") or {}

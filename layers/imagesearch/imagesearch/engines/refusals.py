"""What an engine's refusal means, in words that tell what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imagesearch.errors import EngineUnavailable

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

__all__ = ["of_client"]

_FIXES = {
    "AccessDeniedException": "Allow {action} on {where}; docs/scale.md lists all that is needed.",
    "NotFoundException": "Make the vector bucket, then hand the instance over again to fill it.",
    "TooManyRequestsException": "Try again shortly; one vector index takes so many requests only.",
    "ServiceQuotaExceededException": "Ask for a higher quota of S3 Vectors, or use another bucket.",
    "KmsDisabledException": "Enable the key that the vector bucket is encrypted with.",
}


def of_client(error: ClientError, where: str) -> EngineUnavailable:
    """Return what a refusal by an AWS service means for the engine at ``where``.

    What comes with advice is told to callers, so AWS's own words, which may name account and role,
    are in the others only.
    """
    action = f"s3vectors:{error.operation_name}"
    told = error.response.get("Error", {})
    code, message = str(told.get("Code", "")), str(told.get("Message", ""))
    fix = _FIXES.get(code, "").format(action=action, where=where)
    words = f"{code}." if fix else f"{code}, {message[:300]}"
    return EngineUnavailable(f"{where} refused {action}: {words}", fix=fix)

"""What the exit status of the command line means."""

from __future__ import annotations

from enum import IntEnum

__all__ = ["Exit"]


class Exit(IntEnum):
    """Exit statuses; a usage error is 2, as everywhere."""

    DONE = 0
    REFUSED = 1  # the server answered with a problem
    USAGE = 2
    INCOMPLETE = 3  # an import or a check ended with failures, which are listed
    UNREACHABLE = 4  # the server does not answer
    NOT_STARTED = 5  # the local run cannot start or go on
    INTERRUPTED = 130

"""Free TCP ports on the loopback interface."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterable

from imagesearch_local.problems import LocalFailure

__all__ = ["LOOPBACK", "all_free", "free_ports"]

LOOPBACK = "127.0.0.1"

# Below the kernel's usual range for outgoing connections (32768 and up), so that a remembered
# port is not taken by accident; above the ports that well-known services use.
_FIRST, _LAST = 20_000, 32_000


def free_ports(count: int) -> list[int]:
    """Return ``count`` different ports that nothing listens on now, chosen at random."""
    chosen: list[int] = []
    for port in random.sample(range(_FIRST, _LAST), _LAST - _FIRST):
        if len(chosen) == count:
            return chosen
        if _is_free(port):
            chosen.append(port)
    raise LocalFailure(f"no {count} free ports between {_FIRST} and {_LAST} on {LOOPBACK}.")


def all_free(ports: Iterable[int]) -> bool:
    """Tell whether nothing listens on any of the ports."""
    return all(_is_free(port) for port in ports)


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True

"""A running service for the tests of the client that need one."""

from tests.system.conftest import service

__all__ = ["service"]

"""The four kinds of search an instance can offer."""

from __future__ import annotations

from enum import Enum

__all__ = ["Service"]


class Service(Enum):
    """What an instance searches for; fixed when the instance is created."""

    PRODUCT = "product"
    GENERIC = "generic"
    FABRIC = "fabric"
    TRADEMARK = "trademark"

    @property
    def has_categories(self) -> bool:
        """Tell whether pictures carry a category of the product table (else ``OTHER``)."""
        return self is Service.PRODUCT

    @property
    def crops(self) -> bool:
        """Tell whether a subject region matters; cloth is always taken whole."""
        return self is not Service.FABRIC

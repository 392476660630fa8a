"""What is to be imported; see :mod:`imagesearch_client.sources`."""

from imagesearch_client.sources import FIELDS, Item, Listing, UnusableSource, read_source

__all__ = ["FIELDS", "Item", "Listing", "UnusableSource", "read_source"]
